"""Whose picture is rendered, and whose is paused meanwhile. Time is the queue's own: no picture is rendered here."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import render_queue
from media.render_queue import BACKGROUND, MAX_PAUSED_SECONDS, REMOTE, UPLOAD, RenderQueue, RenderTurn, Source

ALICE, BOB, MALLORY = (Source(name, is_local=True) for name in ("alice", "bob", "mallory"))
SERVER = Source("evil.test", is_local=False)


class Clock:
    """Stands still unless it is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("media.workers.time", clock)
    monkeypatch.setattr("media.render_queue.time", clock)
    return clock


def paused(*turns: RenderTurn) -> list[bool]:
    return [turn.pauser.is_paused for turn in turns]


async def test_pictures_of_servers_pause_while_somebody_uploads(clock: Clock) -> None:
    queue = RenderQueue(3, processors=2)
    first, second = [await queue.acquire(SERVER, REMOTE) for _ in range(2)]
    assert paused(first, second) == [False, False]

    upload = await queue.acquire(ALICE, UPLOAD)
    assert paused(first, second, upload) == [True, True, False]

    queue.release(upload)
    assert paused(first, second) == [False, False]


async def test_somebody_with_many_pictures_gives_way_to_somebody_with_one(clock: Clock) -> None:
    queue = RenderQueue(3, processors=2)
    many = [await queue.acquire(MALLORY, UPLOAD) for _ in range(2)]

    one = await queue.acquire(ALICE, UPLOAD)

    assert paused(*many, one) == [True, True, False]


async def test_those_who_wait_count_as_well(clock: Clock) -> None:
    queue = RenderQueue(3, processors=2)
    many = [asyncio.ensure_future(queue.acquire(MALLORY, UPLOAD)) for _ in range(8)]
    await asyncio.sleep(0)
    own = [await queue.acquire(ALICE, UPLOAD)]

    assert paused(*[turn.result() for turn in many if turn.done()], *own) == [True, True, False]
    queue.refuse_all(RuntimeError("closed"))
    await asyncio.gather(*many, return_exceptions=True)


async def test_two_people_with_a_picture_each_are_served_at_once_until_one_is_slow(clock: Clock) -> None:
    queue = RenderQueue(3, processors=2)
    slow = await queue.acquire(BOB, UPLOAD)
    clock.now += 0.8
    quick = await queue.acquire(ALICE, UPLOAD)
    assert paused(slow, quick) == [False, False]

    clock.now += 0.3
    queue.review_pauses()

    assert paused(slow, quick) == [True, False]


async def test_nothing_pauses_where_there_are_enough_processors(clock: Clock) -> None:
    queue = RenderQueue(3, processors=8)
    others = [await queue.acquire(MALLORY, UPLOAD) for _ in range(2)]

    upload = await queue.acquire(ALICE, UPLOAD)

    assert paused(*others, upload) == [False, False, False]


async def test_the_last_slot_is_for_an_upload_beside_ones_own_background_work(clock: Clock) -> None:
    queue = RenderQueue(3, processors=2)
    await queue.acquire(ALICE, BACKGROUND)
    await queue.acquire(MALLORY, UPLOAD)

    async with asyncio.timeout(5):
        await queue.acquire(ALICE, UPLOAD)


@pytest.mark.parametrize(
    "others",
    [
        [(MALLORY, UPLOAD), (MALLORY, UPLOAD), (BOB, UPLOAD)],
        [(SERVER, REMOTE), (SERVER, REMOTE), (MALLORY, UPLOAD)],
    ],
    ids=["two people", "a server and a person"],
)
async def test_an_upload_gets_one_more_slot_beside_slow_pictures(
    clock: Clock, others: list[tuple[Source, int]]
) -> None:
    queue = RenderQueue(3, processors=2)
    slow = [await queue.acquire(source, priority) for source, priority in others]
    clock.now += 2

    async with asyncio.timeout(5):
        upload = await queue.acquire(ALICE, UPLOAD)

    assert paused(*slow, upload) == [True, True, True, False]


async def test_pictures_that_become_slow_let_a_waiting_upload_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render_queue, "SLOW_SECONDS", 0.2)
    queue = RenderQueue(2, processors=8)
    for source in (BOB, MALLORY):
        await queue.acquire(source, UPLOAD)

    async with asyncio.timeout(20):
        await queue.acquire(ALICE, UPLOAD)
    queue.refuse_all(RuntimeError("closed"))


async def test_the_slots_beside_slow_pictures_are_limited(clock: Clock) -> None:
    queue = RenderQueue(3, processors=2)
    for number in range(3 + queue.extra_slots):
        clock.now += 2
        await queue.acquire(Source(f"person {number}", is_local=True), UPLOAD)
    clock.now += 2

    waiting = asyncio.ensure_future(queue.acquire(ALICE, UPLOAD))
    await asyncio.sleep(0)

    assert not waiting.done()
    queue.refuse_all(RuntimeError("closed"))
    await asyncio.gather(waiting, return_exceptions=True)


async def test_background_work_of_the_same_person_does_not_pause_for_them(clock: Clock) -> None:
    queue = RenderQueue(3, processors=2)
    variants = await queue.acquire(ALICE, BACKGROUND)

    upload = await queue.acquire(ALICE, UPLOAD)

    assert paused(variants, upload) == [False, False]


async def test_a_picture_pauses_for_a_limited_time_in_all(clock: Clock) -> None:
    queue = RenderQueue(3, processors=2)
    remote = await queue.acquire(SERVER, REMOTE)
    for _ in range(3):
        upload = await queue.acquire(ALICE, UPLOAD)
        clock.now += 0.4 * MAX_PAUSED_SECONDS
        queue.review_pauses()
        queue.release(upload)

    await queue.acquire(ALICE, UPLOAD)

    assert paused(remote) == [False]


async def test_the_queue_looks_again_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render_queue, "SLOW_SECONDS", 0.1)
    queue = RenderQueue(3, processors=2)
    slow = await queue.acquire(BOB, UPLOAD)
    await asyncio.sleep(0.1)
    await queue.acquire(ALICE, UPLOAD)

    for _ in range(2000):
        await asyncio.sleep(0.01)
        if slow.pauser.is_paused:
            break
    assert slow.pauser.is_paused
    queue.refuse_all(RuntimeError("closed"))


STEPS = st.lists(
    st.tuples(
        st.sampled_from([(ALICE, UPLOAD), (BOB, UPLOAD), (MALLORY, UPLOAD), (MALLORY, BACKGROUND), (SERVER, REMOTE)]),
        st.integers(0, 3),
        st.sampled_from([0.0, 0.3, 2.0, 30.0]),
    ),
    max_size=40,
)  # fmt: skip


@given(STEPS, st.integers(1, 4), st.integers(1, 9))
def test_whatever_comes_somebody_works_and_everybody_is_served(
    steps: list[tuple[tuple[Source, int], int, float]], slots: int, processors: int
) -> None:
    """Each step: a picture comes, one of those that run may end, time passes."""

    async def run() -> None:
        with pytest.MonkeyPatch.context() as patched:
            clock = Clock()
            patched.setattr("media.workers.time", clock)
            patched.setattr("media.render_queue.time", clock)
            queue = RenderQueue(slots, processors)
            asked: list[asyncio.Future[RenderTurn]] = []
            running: list[RenderTurn] = []

            async def look() -> None:
                await asyncio.sleep(0)
                queue.review_pauses()
                running.extend(
                    turn.result() for turn in asked if turn.done() and turn.result() not in running + ended
                )
                assert len(running) <= slots + queue.extra_slots
                assert not running or not all(turn.pauser.is_paused for turn in running)
                for turn in running:
                    assert turn.pauser.paused_seconds(clock.now) <= MAX_PAUSED_SECONDS + 30

            ended: list[RenderTurn] = []
            for (source, priority), which, seconds in steps:
                asked.append(asyncio.ensure_future(queue.acquire(source, priority)))
                await look()
                clock.now += seconds
                queue.review_pauses()
                if which < len(running):
                    ended.append(running.pop(which))
                    queue.release(ended[-1])
                await look()
            while running:
                ended.append(running.pop(0))
                queue.release(ended[-1])
                await look()
            assert len(ended) == len(asked)
            assert not any(turn.pauser.is_paused for turn in ended)

    asyncio.run(run())
