"""Every request of somebody unknown waits for a turn, whatever it asks for; a member's does not."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from activitypub.server import routes as federation
from node.auth import access_tokens
from node.models.account import Account
from node.node import Node
from tests.support.asgi import Client
from tests.support.signed import signed_headers, signer
from tests.support.visitors import sign_in
from web.api.routes import ROUTES
from web.app import App, create_app
from web.visitors.front import Front
from web.visitors.turns import Turns

TYPE = {"content-type": "application/activity+json"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "NONSENSE")
PATHS = (
    *("/", "/nowhere", "/inbox", "/users/alice/inbox", "/actor/inbox", "/actor", "/users/alice", "/@alice"),
    *(
        "/static/avatar.svg",
        "/static/nothing",
        "/media/nothing",
        "/media/avatar/1/x.webp",
        "/media/p/x/y.jpg",
    ),
    *("/api/", "/api/v1/apps", "/api/v9/nothing", "/oauth/token", "/.well-known/webfinger", "/nodeinfo/2.0"),
    *("//", "/a%00", "nothing", "*"),
)


@pytest.fixture
def app(node: Node) -> App:
    return create_app(node)


@asynccontextmanager
async def all_turns_taken(app: App, *, but: str = "") -> AsyncIterator[None]:
    """While others are worked on, and nobody ends; `but` names the turns that are free."""
    async with AsyncExitStack() as stack:
        for name, turns in _all_turns(app._front).items():
            if name == but:
                continue
            turns._max_turn = 600.0
            while turns._free > 0:
                await stack.enter_async_context(turns.turn("other"))
        yield


def _all_turns(front: Front) -> dict[str, Turns]:
    return {name: one for name, one in vars(front).items() if isinstance(one, Turns)}


def _requests(app: App) -> Iterator[tuple[str, str]]:
    """Methods and addresses: those of every route of every part, and some that are none."""
    rules = [*app.quart.url_map.iter_rules(), *federation._ROUTES._adapter.map.iter_rules()]
    for rule in rules:
        path = "/" + re.sub(r"<[^>]*>", "1", rule.rule).removeprefix("/")
        for method in METHODS:
            yield method, path
    for route in ROUTES:
        for method in {route.method, "OPTIONS", "HEAD"}:
            yield method, route.path.replace("{", "").replace("}", "")
    for path in PATHS:
        for method in METHODS:
            yield method, path


async def _unanswered(app: App, requests: list[tuple[str, str]], client: Client) -> set[tuple[str, str]]:
    """Sends so many requests as may wait; returns those that wait. Ends them all."""
    waiting: set[tuple[str, str]] = set()
    for start in range(0, len(requests), 40):
        part = requests[start : start + 40]
        tasks = {asyncio.create_task(client.call(*one)): one for one in part}
        for _ in range(50):
            await asyncio.sleep(0)
        await asyncio.wait(tasks, timeout=0.05)
        waiting.update(one for task, one in tasks.items() if not task.done())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return waiting


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer made-up", "cookie": "tintype_session=made-up"},
        {"accept": "application/activity+json", "content-type": "application/activity+json"},
    ],
    ids=["visitor", "made-up token", "server"],
)
async def test_every_request_of_somebody_unknown_waits_for_a_turn(
    node: Node, app: App, headers: dict[str, str]
) -> None:
    requests = sorted(set(_requests(app)))
    assert len(requests) > 1000

    async with all_turns_taken(app):
        waiting = await _unanswered(app, requests, Client(app, headers))

    assert [one for one in requests if one not in waiting] == []


async def test_a_websocket_and_a_body_that_is_too_large_wait_too(node: Node, app: App) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/", "headers": [], "client": ("203.0.113.7", 4), "state": {}}
    async with all_turns_taken(app):
        tasks = [
            asyncio.create_task(app(scope, receive, send)),
            asyncio.create_task(Client(app).post("/", headers={"content-length": "99999999"})),
        ]
        await asyncio.wait(tasks, timeout=0.1)
        assert not any(task.done() for task in tasks)
    await asyncio.gather(*tasks)
    assert sent[0]["status"] == 404


async def test_a_request_of_a_member_waits_for_nobody(node: Node, alice: Account, app: App) -> None:
    member = await sign_in(node, alice, app=app)
    bearer = await node.db.write(access_tokens.create, alice, ["read", "write"], "An app")
    phone = Client(app, {"authorization": f"Bearer {bearer}"})
    assert (await phone.get("/api/v1/timelines/home")).status == 200
    await member.get("/")
    address = f"/media/p/{node.site.media_capability('nothing.jpg', alice.id)}/nothing.jpg"
    await Client(app).get(address)

    async with all_turns_taken(app), asyncio.timeout(30):
        cookie = "; ".join(f"{name}={value}" for name, value in member.cookies.items())
        browser = Client(app, {"cookie": cookie})
        assert (await browser.get("/")).status == 200
        assert (await browser.get("/static/avatar.svg")).status == 200
        assert (await browser.get("/media/nothing.jpg")).status == 404
        assert (await phone.get("/api/v1/timelines/home")).status == 200
        assert (await phone.post("/api/v1/statuses", sent={"status": "Fog"})).status in (200, 422)
        assert (await phone.post("/api/v9/nothing")).status == 404
        assert (await Client(app).get(address)).status == 404


def _server_of(rita: Account, app: App, node: Node) -> tuple[bytes, Client]:
    """The body of an activity, and a client that sends it as the server of its actor."""
    body = b'{"id":"https://far.example/1","type":"Like","actor":"%s","object":"https://x.example/1"}' % (
        rita.uri.encode()
    )
    signed = signed_headers(rita, "POST", node.site.uri("/inbox"), body)
    return body, Client(app, {name.lower(): value for name, value in signed.items()} | TYPE)


async def test_a_server_whose_last_activity_was_signed_waits_for_such_servers_alone(
    node: Node, app: App
) -> None:
    rita = await node.db.write(lambda tx: signer(tx))
    body, server = _server_of(rita, app, node)

    async def is_waiting() -> bool:
        async with all_turns_taken(app, but="_delivery_turns"):
            task = asyncio.create_task(server.post("/inbox", body=body))
            done, _ = await asyncio.wait([task], timeout=0.2)
        assert (await task).status == 202
        return not done

    assert await is_waiting(), "it is not known yet"
    async with all_turns_taken(app, but="_delivery_turns"), asyncio.timeout(30):
        assert (await server.post("/inbox", body=body)).status == 202
    assert (await Client(app).post("/inbox", body=body, headers=TYPE)).status == 401
    gone = b'{"id":"https://far.example/2","type":"Delete","actor":"%s","object":"%s"}' % (
        (b"https://far.example/x",) * 2
    )
    key = "https://far.example/x#main-key"
    deletion = signed_headers(rita, "POST", node.site.uri("/inbox"), gone, key=key)
    async with all_turns_taken(app, but="_delivery_turns"), asyncio.timeout(30):
        reply = await Client(app).post(
            "/inbox", body=gone, headers={name.lower(): value for name, value in deletion.items()} | TYPE
        )
        assert (await server.post("/inbox", body=body)).status == 202, (
            f"it is still known after {reply.status}"
        )
    assert (
        await Client(app).post("/inbox", body=body, headers={**server.headers, "digest": "x"})
    ).status == 401
    assert await is_waiting(), "the last one from its address was not signed well"
    async with all_turns_taken(app, but="_delivery_turns"), asyncio.timeout(30):
        assert (await server.post("/inbox", body=body)).status == 202


async def test_what_a_known_server_delivers_takes_turns_and_holds_none_while_it_is_written(
    node: Node, app: App
) -> None:
    rita = await node.db.write(lambda tx: signer(tx))
    body, server = _server_of(rita, app, node)
    assert (await server.post("/inbox", body=body)).status == 202
    turns = app._front._delivery_turns
    async with all_turns_taken(app):
        task = asyncio.create_task(server.post("/inbox", body=body))
        done, _ = await asyncio.wait([task], timeout=0.2)
        assert not done
    assert (await task).status == 202

    may_write = threading.Event()
    writing = asyncio.create_task(node.db.write(lambda tx: may_write.wait(30)))
    task = asyncio.create_task(server.post("/inbox", body=body))
    await asyncio.wait([task], timeout=0.2)
    assert turns._free == 2
    may_write.set()
    await writing
    assert (await task).status == 202


async def test_a_busy_server_that_is_known_loses_nothing(node: Node, app: App) -> None:
    rita = await node.db.write(lambda tx: signer(tx))
    body, server = _server_of(rita, app, node)
    assert (await server.post("/inbox", body=body)).status == 202
    async with all_turns_taken(app):
        tasks = [asyncio.create_task(server.post("/inbox", body=body)) for _ in range(400)]
        await asyncio.wait(tasks, timeout=0.2)
    assert {reply.status for reply in await asyncio.gather(*tasks)} == {202}
