"""The cache: bounded in rows and in time, the least recently used goes first, and threads may share it."""

from __future__ import annotations

import threading

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from node.cache import Cache

KEYS = st.integers(0, 6)
SECONDS = st.integers(0, 20)


class Model(RuleBasedStateMachine):
    """A cache beside a plain list of (key, value, until), the least recently used first."""

    @initialize(max_size=st.integers(1, 5), ttl=st.integers(1, 10))
    def start(self, max_size: int, ttl: int) -> None:
        self.now = 1000.0
        self.max_size, self.ttl = max_size, ttl
        self.cache: Cache[int, int] = Cache(max_size, ttl, now=lambda: self.now)
        self.rows: list[tuple[int, int, float]] = []

    def _take(self, key: int) -> tuple[int, int, float] | None:
        found = next((row for row in self.rows if row[0] == key), None)
        if found is not None:
            self.rows.remove(found)
        return found

    def _put(self, key: int, value: int, seconds: int) -> None:
        self._take(key)
        self.rows.append((key, value, self.now + seconds))
        del self.rows[: -self.max_size]

    @rule(key=KEYS, value=st.integers())
    def put(self, key: int, value: int) -> None:
        self.cache.put(key, value)
        self._put(key, value, self.ttl)

    @rule(key=KEYS, value=st.integers(), seconds=SECONDS)
    def put_for(self, key: int, value: int, seconds: int) -> None:
        self.cache.put(key, value, seconds)
        self._put(key, value, seconds)

    @rule(key=KEYS)
    def get(self, key: int) -> None:
        row = self._take(key)
        if row is not None and row[2] > self.now:
            self.rows.append(row)
            assert self.cache.get(key) == row[1]
        else:
            assert self.cache.get(key) is None

    @rule(key=KEYS)
    def forget(self, key: int) -> None:
        self.cache.forget(key)
        self._take(key)

    @rule()
    def clear(self) -> None:
        self.cache.clear()
        self.rows.clear()

    @rule(seconds=SECONDS)
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @invariant()
    def holds_as_many_as_the_model(self) -> None:
        assert len(self.cache) == len(self.rows) <= self.max_size


TestCache = Model.TestCase
TestCache.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)


def test_without_a_ttl_a_value_never_expires() -> None:
    now = 0.0
    cache: Cache[str, str] = Cache(2, now=lambda: now)
    cache.put("a", "1")
    now = 1e12
    assert cache.get("a") == "1"


def test_threads_may_share_a_cache() -> None:
    cache: Cache[int, int] = Cache(3, 0.0005)
    failures: list[BaseException] = []

    def work(first: int) -> None:
        try:
            for n in range(20_000):
                key = (first + n) % 7
                cache.put(key, key)
                assert cache.get((key + 1) % 7) in (None, (key + 1) % 7)
                if n % 50 == 0:
                    cache.forget(key)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(cache) <= 3
