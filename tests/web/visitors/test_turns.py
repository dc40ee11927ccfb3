"""Turns: a bounded number at once, addresses in turn, a share of the time beside members, and no wait without end."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from typing import Any

import pytest

from node.errors import Overloaded
from web.visitors.turns import MemberActivity, Turns


def create(**changes: Any) -> tuple[Turns, MemberActivity]:
    members = MemberActivity(time.monotonic)
    options: dict[str, Any] = {"slots": 1, "share": 0.25, "max_turn": 60.0, "now": time.monotonic}
    return Turns(members, **{**options, **changes}), members


class Work:
    """Requests that take a turn and work until they are told to end, with a record of who ran."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.ran: list[str] = []
        self.at_once = self.most_at_once = 0
        self.may_end = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []

    async def start(self, *addresses: str) -> None:
        for address in addresses:
            self.tasks.append(asyncio.create_task(self._run(address)))
        for _ in range(3):
            await asyncio.sleep(0)

    async def _run(self, address: str) -> None:
        async with self.turns.turn(address):
            self.ran.append(address)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            try:
                await self.may_end.wait()
                await asyncio.sleep(0)
            finally:
                self.at_once -= 1

    async def end(self) -> list[Any]:
        self.may_end.set()
        return await asyncio.wait_for(asyncio.gather(*self.tasks, return_exceptions=True), 20)


@pytest.mark.parametrize("slots", [1, 2, 5])
async def test_no_more_than_the_slots_run_at_once_and_all_run_in_the_end(slots: int) -> None:
    work = Work(create(slots=slots)[0])

    await work.start(*(f"a{n}" for n in range(20)))
    assert len(work.ran) == slots

    assert await work.end() == [None] * 20
    assert work.most_at_once == slots
    assert work.ran == [f"a{n}" for n in range(20)]


async def test_an_address_with_many_requests_delays_another_by_one() -> None:
    work = Work(create()[0])

    await work.start(*["loud"] * 10, "quiet", "quiet", "other")
    await work.end()

    assert work.ran[:6] == ["loud", "loud", "quiet", "other", "loud", "quiet"]


async def test_many_networks_of_one_customer_delay_another_by_one() -> None:
    """Whoever rents a server gets a /48 of IPv6, which has 65,536 of the networks that count as one client."""
    work = Work(create()[0])
    rented = [f"2001:db8:7:{n:x}::/64" for n in range(10)]

    await work.start(*rented, "2001:db8:8::/64", "2001:db8:9::/64", "192.0.2.1", rented[-1], "192.0.2.2")
    await work.end()

    quiet = ["2001:db8:8::/64", "2001:db8:9::/64", "192.0.2.1", "192.0.2.2"]
    assert work.ran == [rented[0], rented[1], *quiet, *rented[2:], rented[-1]]


async def test_in_a_group_addresses_take_turns() -> None:
    work = Work(create()[0])
    loud, quiet = "2001:db8:7:1::/64", "2001:db8:7:2::/64"

    await work.start(*[loud] * 5, quiet, quiet)
    await work.end()

    assert work.ran == [loud, loud, quiet, loud, quiet, loud, loud]


async def test_a_full_queue_refuses_the_group_that_has_most_in_it_and_in_it_who_has_most() -> None:
    work = Work(create(max_waiting=6)[0])
    loud = [f"2001:db8:7:{n:x}::/64" for n in range(1, 10)]

    await work.start("first", *loud[:4], loud[0], loud[0])
    await work.start("quiet", loud[4], "quiet", "other", "quiet", loud[5])
    results = await work.end()

    refused = [n for n, result in enumerate(results) if isinstance(result, Overloaded)]
    assert refused == [4, 5, 6, 8, 11, 12]


async def test_a_full_queue_refuses_whoever_has_most_in_it() -> None:
    work = Work(create(max_waiting=5)[0])

    await work.start(*["loud"] * 6)
    await work.start("quiet", "loud", "quiet")
    results = await work.end()

    refused = [n for n, result in enumerate(results) if isinstance(result, Overloaded)]
    assert refused == [4, 5, 7]
    assert work.ran.count("quiet") == 2


async def test_nobody_waits_for_ever() -> None:
    work = Work(create(max_wait=0.05)[0])

    await work.start("first", "second")
    await asyncio.wait([work.tasks[1]], timeout=20)

    with pytest.raises(Overloaded) as refused:
        work.tasks[1].result()
    assert refused.value.status == 503
    assert await work.end() == [None, refused.value]


async def test_requests_for_pages_that_are_kept_take_their_share_of_the_time_too() -> None:
    """Nothing is left to do for them in their turn, but each is read and sent."""
    members = MemberActivity(lambda: 0.0)
    turns = Turns(members, slots=1, share=0.25, max_turn=60.0, now=lambda: 0.0)

    async def count_answered() -> int:
        answered = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.2):
                while answered < 1000:
                    async with turns.turn("visitor"):
                        answered += 1
        return answered

    assert await count_answered() == 1000, "no member is here"
    with members.request():
        assert await count_answered() < 10


async def test_a_turn_that_takes_too_long_lets_others_begin() -> None:
    work = Work(create(max_turn=0.05)[0])

    await work.start("first", "second")
    while len(work.ran) < 2:  # noqa: ASYNC110
        await asyncio.sleep(0.01)

    assert await work.end() == [None, None]
    await work.start("third")
    assert work.ran == ["first", "second", "third"], "the slot was given back once"


async def test_who_left_while_waiting_takes_no_turn() -> None:
    work = Work(create()[0])

    await work.start("first", "left", "left", "second")
    work.tasks[1].cancel()
    work.tasks[2].cancel()
    await work.end()

    assert work.ran == ["first", "second"]


async def test_a_slot_given_in_the_moment_of_leaving_is_not_lost() -> None:
    work = Work(create()[0])
    await work.start("first", "left", "second")

    work.may_end.set()
    while "left" not in work.ran and not work.tasks[0].done():  # noqa: ASYNC110
        await asyncio.sleep(0)
    work.tasks[1].cancel()
    await work.end()

    await work.start("third")
    assert work.ran[-1] == "third"


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
async def test_beside_members_visitors_get_their_share_of_the_time(share: float) -> None:
    clock = 0.0

    def now() -> float:
        return clock

    members = MemberActivity(now)
    turns = Turns(members, slots=1, share=share, max_turn=60.0, now=now, max_wait=600.0)
    began: list[float] = []

    async def visit() -> None:
        nonlocal clock
        async with turns.turn("visitor"):
            began.append(clock)
            clock += 0.1  # each works for 100 ms

    with members.request():
        await visit()
        waiting = [asyncio.create_task(visit()) for _ in range(3)]
        async with asyncio.timeout(60):
            while len(began) < 4:
                clock += 0.01
                await asyncio.sleep(0.001)
        await asyncio.gather(*waiting)

    for first, second in itertools.pairwise(began):
        assert second - first >= 0.1 / share - 0.013


async def test_without_members_nobody_pauses() -> None:
    turns, members = create(share=0.001)
    with members.request():
        pass
    await asyncio.sleep(0.15)  # they linger for a moment
    async with asyncio.timeout(20):
        for _ in range(50):
            async with turns.turn("visitor"):
                await asyncio.sleep(0.001)


def test_members_are_active_while_a_request_is_under_way_and_a_moment_longer() -> None:
    clock = 0.0
    members = MemberActivity(lambda: clock)
    assert not members.is_active()
    with members.request(), members.request():
        clock += 60
        assert members.is_active()
    clock += 0.05
    assert members.is_active()
    clock += 0.1
    assert not members.is_active()
