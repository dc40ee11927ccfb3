"""The fair queue: a server that floods the inbox gets its share, and no other waits for it."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from activitypub.inbox.fair_queue import (
    ALLOWED_BURST,
    LANE_RATE_PER_SECOND,
    MAX_HELD,
    MAX_HOLD_SECONDS,
    FairQueue,
    RateExceeded,
    claimed_host,
)
from node.node import Node
from tests.support.parallel import ONE_AT_A_TIME

pytestmark = ONE_AT_A_TIME


def _from(host: str) -> dict[str, Any]:
    signature = f'keyId="https://{host}/users/u#main-key",headers="date",signature="x"'
    return {"headers": [(b"signature", signature.encode())]}


async def test_the_hundredth_of_one_server_runs_after_the_first_of_another(node: Node) -> None:
    queue = FairQueue(node)
    flood = [queue.next_run_at("loud.example") for _ in range(100)]
    assert flood == sorted(flood)
    assert queue.next_run_at("quiet.example") < flood[1 + LANE_RATE_PER_SECOND // 10]
    assert flood[-1] < time.time() * 1000


async def test_a_server_that_sends_more_than_all_others_is_held(node: Node) -> None:
    queue = FairQueue(node)
    for _ in range(int(ALLOWED_BURST) + 20):
        queue.record_accepted("loud.example")
    started = time.monotonic()
    await queue.throttle(_from("loud.example"))
    assert time.monotonic() - started < 0.05, "no other server sends"
    queue.record_accepted("quiet.example")
    started = time.monotonic()
    await queue.throttle(_from("quiet.example"))
    assert time.monotonic() - started < 0.05
    await queue.throttle(_from("loud.example"))
    assert time.monotonic() - started > 0.05


async def test_a_server_that_floods_on_gets_a_429_after_a_while(node: Node) -> None:
    """With a 429 at once, a server that ignores it would send again at once, and that is a flood too."""
    queue = FairQueue(node)
    queue.record_accepted("quiet.example")
    for _ in range(int(ALLOWED_BURST) + 2000):
        queue.record_accepted("loud.example")
    held = [asyncio.create_task(queue.throttle(_from("loud.example"))) for _ in range(MAX_HELD)]
    await asyncio.sleep(0)
    with pytest.raises(RateExceeded):  # and at once where many wait already
        await asyncio.wait_for(queue.throttle(_from("loud.example")), 0.5)
    started = time.monotonic()
    assert all(isinstance(end, RateExceeded) for end in await asyncio.gather(*held, return_exceptions=True))
    assert MAX_HOLD_SECONDS - 1 < time.monotonic() - started < MAX_HOLD_SECONDS + 5


@pytest.mark.parametrize(
    ("name", "value", "host"),
    [
        ("signature", 'keyId="https://Far.Example/users/u#main-key"', "far.example"),
        ("signature", "keyid=unquoted", ""),
        ("signature", 'keyId="no address"', ""),
        ("signature", f'keyId="https://far.example/{"x" * 3000}"', ""),
        ("signature-input", 'sig1=("@method");keyid="https://far.example/key"', "far.example"),
        ("date", "now", ""),
    ],
)
def test_the_claimed_host_is_the_one_of_the_key(name: str, value: str, host: str) -> None:
    assert claimed_host({"headers": [(name.encode(), value.encode())]}) == host
