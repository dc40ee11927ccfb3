"""A cheap request has a turn while it is worked on, and none while its client is waited for."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from activitypub import asgi
from web.visitors import exchange
from web.visitors.exchange import TurnedExchange
from web.visitors.turns import MemberActivity, Turns


def turns(max_waiting: int = 256) -> Turns:
    members = MemberActivity(lambda: 0.0)
    return Turns(members, slots=1, share=0.5, max_turn=600.0, now=lambda: 0.0, max_waiting=max_waiting)


async def _never() -> Any:
    await asyncio.Event().wait()


async def _ignore(message: Any) -> None:
    return None


async def test_no_turn_is_held_while_the_body_is_waited_for_and_another_once_it_is_whole() -> None:
    first, second = turns(), turns()
    came = asyncio.Event()
    is_read = asyncio.Event()
    may_end = asyncio.Event()

    async def receive() -> Any:
        await came.wait()
        return {"type": "http.request", "body": b"x", "more_body": False}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        is_read.set()
        await may_end.wait()

    running = asyncio.create_task(TurnedExchange(first, second, "a", receive, _ignore).run(app, {}))
    await asyncio.sleep(0)
    async with first.turn("b"), second.turn("b"):
        came.set()
    await is_read.wait()
    async with first.turn("b"):
        waiting = asyncio.create_task(second.begin("b"))
        await asyncio.sleep(0)
        assert not waiting.done()
    may_end.set()
    await running
    second.end(await waiting)


async def test_a_client_that_does_not_read_its_answer_holds_no_turn() -> None:
    first = turns()
    is_sending = asyncio.Event()

    async def send(message: Any) -> None:
        is_sending.set()
        await asyncio.Event().wait()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    running = asyncio.create_task(TurnedExchange(first, first, "a", _never, send).run(app, {}))
    await is_sending.wait()
    async with asyncio.timeout(30), first.turn("b"):
        running.cancel()


async def test_each_further_piece_of_an_answer_waits_for_a_turn_even_where_many_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exchange, "RETRY_SECONDS", 0.0)
    first = turns(max_waiting=1)
    sent: list[bytes] = []

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"1", "more_body": True})
        held = await first.begin("b")
        waiting = asyncio.create_task(first.begin("c"))
        await asyncio.sleep(0)
        piece = asyncio.create_task(send({"type": "http.response.body", "body": b"2"}))
        for _ in range(20):
            await asyncio.sleep(0)
        assert sent[1:] == [b"1"]
        first.end(held)
        first.end(await waiting)
        await piece

    await TurnedExchange(first, first, "a", _never, send).run(app, {})

    assert sent[1:] == [b"1", b"2"]


async def test_whoever_waits_for_another_server_holds_no_turn() -> None:
    first = turns()
    is_asking, has_answered = asyncio.Event(), asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        asgi.end_turn(scope)
        is_asking.set()
        await has_answered.wait()

    running = asyncio.create_task(TurnedExchange(first, first, "a", _never, _ignore).run(app, {}))
    await is_asking.wait()
    async with asyncio.timeout(30), first.turn("b"):
        pass
    has_answered.set()
    await running
