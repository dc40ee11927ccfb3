"""Ids sort by time, are unique within a process, and stay within a BIGINT."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import ids

YEAR_MS = 365 * 24 * 3_600_000


def test_new_ids_always_grow_even_across_threads() -> None:
    made: list[list[int]] = [[] for _ in range(4)]

    def work(own: list[int]) -> None:
        own.extend(ids.new_id() for _ in range(2000))

    threads = [threading.Thread(target=work, args=(own,)) for own in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(own == sorted(own) for own in made)
    assert len({id_ for own in made for id_ in own}) == 8000


def test_ids_grow_even_if_the_clock_goes_backwards(monkeypatch: pytest.MonkeyPatch) -> None:
    before = ids.new_id()
    now = ids.now_ms()
    monkeypatch.setattr(ids, "now_ms", lambda: now - ids.MAX_AHEAD_MS + 60_000)

    assert ids.new_id() > before


def test_ids_go_back_with_a_clock_that_was_far_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    now = ids.now_ms()
    monkeypatch.setattr(ids, "now_ms", lambda: now + YEAR_MS)
    ids.new_id()
    monkeypatch.setattr(ids, "now_ms", lambda: now)

    made = [ids.new_id() for _ in range(100)]

    assert abs(ids.timestamp_ms(made[0]) - now) < 1000
    assert made == sorted(made)


@given(st.integers(1, 2_000_000_000_000))
def test_an_id_holds_the_time_it_was_made_for(ms: int) -> None:
    now = ids.now_ms()

    assert ids.timestamp_ms(ids.id_at(ms)) in (ms, now, *range(now, ids.now_ms() + 1))
    assert ids.timestamp_ms(ids.id_at(min(ms, now))) == min(ms, now)


@pytest.mark.parametrize("ms", [-(2**63), -1, 0])
def test_a_time_before_1970_still_gives_a_positive_id(ms: int) -> None:
    assert 0 < ids.id_at(ms) < 1 << 17


@pytest.mark.parametrize("ms", [2**63, 2**80])
def test_a_time_in_the_future_is_now(ms: int) -> None:
    before = ids.now_ms()

    assert before <= ids.timestamp_ms(ids.id_at(ms)) <= ids.now_ms()


def test_ids_fit_a_bigint_for_centuries(monkeypatch: pytest.MonkeyPatch) -> None:
    later = ids.now_ms() + 1000 * YEAR_MS
    monkeypatch.setattr(ids, "now_ms", lambda: later)

    assert 0 < ids.id_at(later) <= ids.MAX_ID


@given(st.integers(0, ids.MAX_ID))
def test_an_id_is_parsed_from_its_decimal_digits(id_: int) -> None:
    assert ids.parse_id(str(id_)) == id_


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-1",
        "+1",
        " 1",
        "1 ",
        "1.0",
        "1e3",
        "0x1",
        "１",
        "²",
        "1_000",
        str(ids.MAX_ID + 1),
        "9" * 19,
        "1" * 5000,
    ],
)
def test_a_text_that_cannot_be_an_id_is_none(text: str) -> None:
    assert ids.parse_id(text) is None
