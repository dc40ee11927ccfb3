"""A batcher: each item has its own result, batches are bounded, one bad item fails alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.jobs.batching import Batcher


class Doubler:
    """Doubles numbers and remembers its batches; a negative number fails the batch it is in."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def __call__(self, batch: list[int]) -> Sequence[int]:
        self.batches.append(batch)
        await self.may_go_on.wait()
        if any(n < 0 for n in batch):
            raise ValueError(f"negative: {min(batch)}")
        return [2 * n for n in batch]


async def test_items_that_are_ready_together_are_one_batch() -> None:
    doubler = Doubler()
    batcher = Batcher(doubler)

    assert await asyncio.gather(*[batcher(n) for n in range(5)]) == [0, 2, 4, 6, 8]

    assert doubler.batches == [[0, 1, 2, 3, 4]]


async def test_items_that_arrive_during_a_batch_are_the_next() -> None:
    doubler = Doubler()
    batcher = Batcher(doubler)
    doubler.may_go_on.clear()
    first = asyncio.create_task(batcher(1))
    while not doubler.batches:  # noqa: ASYNC110
        await asyncio.sleep(0)

    later = [asyncio.create_task(batcher(n)) for n in (2, 3)]
    await asyncio.sleep(0)
    doubler.may_go_on.set()

    assert await asyncio.gather(first, *later) == [2, 4, 6]
    assert doubler.batches == [[1], [2, 3]]


async def test_a_batch_holds_no_more_than_its_size() -> None:
    doubler = Doubler()
    batcher = Batcher(doubler, max_size=2)

    assert await asyncio.gather(*[batcher(n) for n in range(5)]) == [0, 2, 4, 6, 8]

    assert doubler.batches == [[0, 1], [2, 3], [4]]


async def test_a_bad_item_fails_alone() -> None:
    batcher = Batcher(Doubler())

    results = await asyncio.gather(*[batcher(n) for n in (1, -1, 2)], return_exceptions=True)

    assert [results[0], results[2]] == [2, 4]
    assert isinstance(results[1], ValueError)
    assert str(results[1]) == "negative: -1"


async def test_a_caller_may_leave_and_its_item_is_processed_all_the_same() -> None:
    doubler = Doubler()
    batcher = Batcher(doubler)
    doubler.may_go_on.clear()
    leaving, staying = [asyncio.create_task(batcher(n)) for n in (1, 2)]
    while not doubler.batches:  # noqa: ASYNC110
        await asyncio.sleep(0)

    leaving.cancel()
    doubler.may_go_on.set()

    assert await staying == 4
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert doubler.batches == [[1, 2]]
    # It goes on with whatever comes next.
    assert await batcher(3) == 6


async def test_a_batcher_whose_process_is_cancelled_cancels_its_callers() -> None:
    async def process(batch: list[int]) -> Sequence[int]:
        raise asyncio.CancelledError

    batcher = Batcher(process)

    with pytest.raises(asyncio.CancelledError):
        await batcher(1)


async def test_a_pause_gathers_more_items_but_never_delays_the_first() -> None:
    doubler = Doubler()
    batcher = Batcher(doubler, max_size=10, pause_seconds=0.01)
    doubler.may_go_on.clear()
    tasks = [asyncio.create_task(batcher(0))]
    while not doubler.batches:  # noqa: ASYNC110
        await asyncio.sleep(0)
    tasks.append(asyncio.create_task(batcher(1)))
    await asyncio.sleep(0)

    doubler.may_go_on.set()
    await tasks[0]
    # The batcher pauses now, since one item waits: another may join it.
    tasks.append(asyncio.create_task(batcher(2)))

    assert await asyncio.gather(*tasks) == [0, 2, 4]
    assert doubler.batches == [[0], [1, 2]]


@given(items=st.lists(st.integers(-2, 50), max_size=40), max_size=st.integers(1, 9))
@settings(max_examples=40, deadline=None)
async def test_each_item_gets_its_own_result_whatever_the_others_are(items: list[int], max_size: int) -> None:
    doubler = Doubler()
    batcher = Batcher(doubler, max_size=max_size)

    results = await asyncio.gather(*[batcher(n) for n in items], return_exceptions=True)

    for n, result in zip(items, results, strict=True):
        assert isinstance(result, ValueError) if n < 0 else result == 2 * n
    assert all(len(batch) <= max_size for batch in doubler.batches)
