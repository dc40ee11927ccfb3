"""What an inbox refuses: some lines in the log, whatever number is sent."""

from __future__ import annotations

import logging

import pytest

from activitypub.inbox.refusal_log import MAX_LINES, RefusalLog
from node.node import Node
from tests.support.asgi import Client
from web.app import create_app


def test_the_first_refusals_of_a_minute_are_logged_and_the_number_of_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "tintype.inbox")
    now = 0.0
    refusals = RefusalLog(lambda: now)

    for n in range(MAX_LINES + 20):
        refusals.add(f"number {n}", is_signed=True)
        refusals.add("unsigned", is_signed=False)
    assert caplog.messages == [f"number {n}" for n in range(MAX_LINES)]

    caplog.clear()
    now = 60.0
    refusals.add("of the next minute", is_signed=True)
    assert caplog.messages == [f"inbox: refused {20 + MAX_LINES + 20} more requests", "of the next minute"]


async def test_requests_without_a_signature_do_not_fill_the_log(
    node: Node, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "tintype.inbox")
    client = Client(create_app(node), {"content-type": "application/activity+json"})

    for _ in range(20):
        assert (await client.post("/inbox", body=b"{}")).status == 401

    assert caplog.messages == []
