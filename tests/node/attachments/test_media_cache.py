"""The media cache: its totals, its access times, and the waits after failed fetches."""

from __future__ import annotations

import contextlib

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.attachments import media_cache, media_cache_eviction
from node.attachments.media_cache import (
    DAY_MS,
    FIRST_RETRY_MS,
    FIRST_RETRY_PERMANENT_MS,
    MAX_RETRY_MS,
    AccessTimes,
)
from node.database import Writer
from node.ids import now_ms
from node.node import Node
from tests.node.attachments.cached_photos import CAPACITY, queued_trims, store_photos, totals_are_true

URL = "https://far.example/a.jpg"


async def test_of_two_concurrent_fetches_only_the_first_is_recorded(node: Node) -> None:
    def unit(tx: Writer) -> list[bool]:
        return [
            media_cache.record_stored(tx, "photo", 1, URL, size, capacity=CAPACITY) for size in (100, 200)
        ]

    assert await node.db.write(unit) == [True, False]
    assert await node.db.read(media_cache.total_bytes) == 100


async def test_an_eviction_is_queued_once_above_the_capacity(node: Node) -> None:
    def store(tx: Writer, id_: int, size: int) -> int:
        url = f"https://{id_}.example/a.jpg"
        media_cache.record_stored(tx, "photo", id_, url, size, capacity=CAPACITY)
        return queued_trims(tx)

    queued = [await node.db.write(store, id_, CAPACITY * 2 // 5) for id_ in (1, 2, 3, 4)]

    assert queued == [0, 0, 1, 1]


async def test_an_eviction_is_queued_where_one_host_exceeds_its_share(node: Node) -> None:
    def store(tx: Writer, id_: int) -> int:
        media_cache.record_stored(tx, "photo", id_, URL, CAPACITY * 3 // 10, capacity=CAPACITY)
        return queued_trims(tx)

    assert [await node.db.write(store, id_) for id_ in (1, 2)] == [0, 1]


async def test_views_are_written_together_and_not_each_time(node: Node) -> None:
    ids = await node.db.write(store_photos, 3, 1000)
    units = 0
    write = node.db.write

    async def counted(*args: object, **values: object) -> object:
        nonlocal units
        units += 1
        return await write(*args, **values)  # type: ignore[arg-type]

    node.db.write = counted  # type: ignore[method-assign, assignment]
    access_times = AccessTimes(node)

    for _ in range(300):
        for id_ in ids:
            await access_times.record("photo", id_)
    assert units == 0

    await access_times.flush()
    await access_times.flush()

    assert units == 1
    oldest = await node.db.read(lambda tx: tx.value("SELECT MIN(looked_at) FROM cached_media"))
    assert oldest > now_ms() - DAY_MS // 2


async def test_many_views_are_written_before_the_interval_is_over(node: Node) -> None:
    [id_] = await node.db.write(store_photos, 1, 1000)
    access_times = AccessTimes(node)

    await access_times.record("photo", id_)
    for other in range(1, media_cache.MAX_PENDING_ACCESSES):
        await access_times.record("photo", -other)

    viewed_at = await node.db.read(lambda tx: tx.value("SELECT looked_at FROM cached_media"))
    assert viewed_at > now_ms() - DAY_MS // 2


async def test_a_time_of_access_never_goes_back(node: Node) -> None:
    [id_] = await node.db.write(store_photos, 1, 1000)
    later = now_ms()

    await node.db.write(media_cache.record_access, {("photo", id_): later})
    await node.db.write(media_cache.record_access, {("photo", id_): later - DAY_MS})

    assert await node.db.read(lambda tx: tx.value("SELECT looked_at FROM cached_media")) == later


async def test_a_failed_picture_is_left_alone_for_longer_each_time(node: Node) -> None:
    def fail(tx: Writer) -> tuple[int, int, bool]:
        before = now_ms()
        media_cache.record_failure(tx, "emoji", 1, URL, is_permanent=False)
        after = int(tx.value("SELECT try_after FROM cached_media"))
        return after - now_ms(), after - before, media_cache.may_fetch(tx, "emoji", 1, URL)

    expected = FIRST_RETRY_MS
    for _ in range(12):
        at_least, at_most, may_fetch = await node.db.write(fail)
        assert at_least <= expected <= at_most
        assert not may_fetch
        expected = min(MAX_RETRY_MS, expected * 4)
    assert expected == MAX_RETRY_MS
    assert await node.db.read(media_cache.may_fetch, "emoji", 1, URL + "?other")
    assert await node.db.read(media_cache.total_bytes) == 0


async def test_a_permanent_failure_waits_longer_at_once(node: Node) -> None:
    before = now_ms()
    await node.db.write(media_cache.record_failure, "emoji", 2, URL, is_permanent=True)

    after = await node.db.read(lambda tx: tx.value("SELECT try_after FROM cached_media WHERE id = 2"))

    assert before + FIRST_RETRY_PERMANENT_MS <= after <= now_ms() + FIRST_RETRY_PERMANENT_MS


async def test_a_failure_does_not_replace_a_stored_picture(node: Node) -> None:
    [id_] = await node.db.write(store_photos, 1, 1000)

    await node.db.write(media_cache.record_failure, "photo", id_, URL, is_permanent=True)

    assert await node.db.read(media_cache.total_bytes) == 1000
    assert await node.db.read(totals_are_true)


async def test_failures_are_forgotten_a_week_after_the_next_try(node: Node) -> None:
    await node.db.write(media_cache.record_failure, "emoji", 1, URL, is_permanent=False)
    await node.db.write(store_photos, 1, 1000)

    assert await node.db.write(media_cache.clean_up, now_ms() + 7 * DAY_MS) == 0
    assert await node.db.write(media_cache.clean_up, now_ms() + 8 * DAY_MS) == 1
    assert await node.db.read(media_cache.total_bytes) == 1000


async def test_usage_lists_the_largest_hosts_first(node: Node) -> None:
    for size, host in ((100, "a.example"), (300, "b.example"), (200, "c.example")):
        await node.db.write(store_photos, 1, size, host)

    usage = await node.db.read(media_cache.usage, 2)

    assert (usage.pictures, usage.bytes, usage.servers) == (3, 600, 3)
    assert [(host.host, host.bytes) for host in usage.hosts] == [("b.example", 300), ("c.example", 200)]


_operations = st.lists(
    st.tuples(
        st.sampled_from(("stored", "failed", "deleted")),
        st.sampled_from(("photo", "avatar", "emoji")),
        st.integers(1, 4),
        st.sampled_from(("a.example", "b.example")),
        st.integers(1, 50_000),
    ),
    max_size=30,
)


class _RolledBack(Exception):
    """Ends a unit of work so that nothing of it stays."""


@given(operations=_operations)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_the_totals_are_true_after_any_operations(
    node: Node, operations: list[tuple[str, str, int, str, int]]
) -> None:
    def unit(tx: Writer) -> None:
        for operation, kind, id_, host, size in operations:
            url = f"https://{host}/{id_}"
            if operation == "stored":
                media_cache.record_stored(tx, kind, id_, url, size, capacity=CAPACITY)
            elif operation == "failed":
                media_cache.record_failure(tx, kind, id_, url, is_permanent=False)
            else:
                media_cache.delete(tx, kind, [id_])
            assert totals_are_true(tx)
        media_cache_eviction.evict_batch(tx, CAPACITY)
        assert totals_are_true(tx)
        raise _RolledBack

    with contextlib.suppress(_RolledBack):
        await node.db.write(unit)
