"""Turns at the inbox: a server that floods gets its share, and nobody else waits for it."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from activitypub.inbox.fair_queue import BURST, LONGEST_HOLD, MOST_HELD, SHARE, Flood, Turns
from node.node import Node
from tests.support.parallel import ONE_AT_A_TIME

pytestmark = ONE_AT_A_TIME


def _from(host: str) -> dict[str, Any]:
    said = f'keyId="https://{host}/users/u#main-key",headers="date",signature="x"'
    return {"headers": [(b"signature", said.encode())]}


async def test_the_hundredth_of_one_server_stands_behind_the_first_of_another(node: Node) -> None:
    turns = Turns(node)
    flood = [turns.next("loud.example") for _ in range(100)]
    assert flood == sorted(flood)
    assert turns.next("quiet.example") < flood[1 + SHARE // 10]
    assert flood[-1] < time.time() * 1000


async def test_who_sends_more_than_all_others_waits_at_the_door(node: Node) -> None:
    turns = Turns(node)
    for _ in range(int(BURST) + 20):
        turns.count("loud.example")
    started = time.monotonic()
    await turns.hold(_from("loud.example"))
    assert time.monotonic() - started < 0.05, "nobody else is there"
    turns.count("quiet.example")
    started = time.monotonic()
    await turns.hold(_from("quiet.example"))
    assert time.monotonic() - started < 0.05
    await turns.hold(_from("loud.example"))
    assert time.monotonic() - started > 0.05


async def test_who_floods_without_end_is_told_to_come_again_after_a_while(node: Node) -> None:
    """Told at once, one that does not listen would ask again at once, and that is a flood too."""
    turns = Turns(node)
    turns.count("quiet.example")
    for _ in range(int(BURST) + 2000):
        turns.count("loud.example")
    held = [asyncio.create_task(turns.hold(_from("loud.example"))) for _ in range(MOST_HELD)]
    await asyncio.sleep(0)
    with pytest.raises(Flood):  # and at once where many wait already
        await asyncio.wait_for(turns.hold(_from("loud.example")), 0.5)
    started = time.monotonic()
    assert all(isinstance(end, Flood) for end in await asyncio.gather(*held, return_exceptions=True))
    assert LONGEST_HOLD - 1 < time.monotonic() - started < LONGEST_HOLD + 5
