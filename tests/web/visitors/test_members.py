"""Who is passed on as a member: whoever sends a token that is good, whatever others send."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from activitypub.asgi import header
from node.accounts import accounts
from node.auth import access_tokens, sessions, users
from node.cache import Cache
from node.database import Writer
from node.database.reader_class import ReaderClass, reader_class
from node.models.account import Account
from node.node import Node
from tests.support.asgi import Client
from web.app import App, create_app
from web.request.session import SESSION_COOKIE
from web.visitors import clients, front
from web.visitors.turns import Turns

NETWORKS = 300  # more than can wait

# What is asked for, and what is sent with it.
KINDS = {
    "page": ("/notifications", "session"),
    "file": ("/static/avatar.svg", "session"),
    "app": ("/api/v1/timelines/home", "access token"),
    "app that posts": ("/api/v1/statuses", "access token"),
}
EACH_KIND = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def app(node: Node, monkeypatch: pytest.MonkeyPatch) -> App:
    """Says at once that it is busy, and takes the network of a client from a header."""
    monkeypatch.setattr(front, "BUSY_DELAY_SECONDS", 0.0)
    monkeypatch.setattr(clients, "network", lambda node, scope: header(scope, b"x-from") or "a member")
    return create_app(node)


class MemberReads:
    """Counts the reads in the class of members, in the place of `node.db`."""

    def __init__(self, db: Any) -> None:
        self._db = db
        self.number = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    async def read(self, unit: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        self.number += reader_class.get() is ReaderClass.MEMBER
        return await self._db.read(unit, *args, **kwargs)


@pytest.fixture
def member_reads(node: Node) -> MemberReads:
    node.db = counted = MemberReads(node.db)  # type: ignore[assignment]
    return counted


@asynccontextmanager
async def turns_taken(app: App, *, but: str = "") -> AsyncIterator[None]:
    """While others are worked on, and nobody ends; `but` names the turns that are free."""
    async with AsyncExitStack() as stack:
        for name, turns in vars(app._front).items():
            if isinstance(turns, Turns) and name != but:
                turns._max_turn = 600.0
                while turns._free > 0:
                    await stack.enter_async_context(turns.turn("other"))
        yield


@asynccontextmanager
async def waiting(tasks: list[asyncio.Task[Any]]) -> AsyncIterator[None]:
    """Lets the tasks begin; ends those that still run."""
    for _ in range(50):
        await asyncio.sleep(0)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def later(node: Node) -> Callable[[float], None]:
    """`later(50.0)`: so many seconds after the start of the test, for the caches of the node."""

    def set_clock(seconds: float) -> None:
        for part in node._components.values():
            for cache in vars(part).values():
                if isinstance(cache, Cache):
                    cache._now = lambda: time.monotonic() + seconds

    return set_clock


def _issue(tx: Writer, account: Account, token_kind: str) -> str:
    if users.by_account(tx, account) is None:
        users.create(tx, account, email=f"{account.name}@tintype.test", password_hash="-")
    if token_kind == "session":
        return sessions.start(tx, account, "A test browser")
    return access_tokens.create(tx, account, ["read", "write"], "An app")


async def issue(node: Node, account: Account, kind: str) -> str:
    return await node.db.write(_issue, account, KINDS[kind][1])


def _end_all(tx: Writer, account: Account) -> None:
    sessions.end_all(tx, account)
    access_tokens.revoke_all(tx, account)


async def ask(app: App, kind: str, token: str, network: str = "a member") -> int:
    path, token_kind = KINDS[kind]
    name, value = (
        ("cookie", f"{SESSION_COOKIE}={token}")
        if token_kind == "session"
        else ("authorization", f"Bearer {token}")
    )
    method = "POST" if "posts" in kind else "GET"
    return (await Client(app, {name: value, "x-from": network}).call(method, path)).status


async def waits(app: App, kind: str, token: str) -> bool:
    """Returns whether a request waits where all turns but those of tokens are taken."""
    async with turns_taken(app, but="_token_turns"):
        task = asyncio.create_task(ask(app, kind, token))
        done, _ = await asyncio.wait([task], timeout=0.3)
        if not done:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    return not done


@EACH_KIND
async def test_made_up_tokens_of_many_networks_keep_no_member_out(
    node: Node, alice: Account, app: App, kind: str, member_reads: MemberReads
) -> None:
    """The member's token is not known yet, as after a start."""
    token = await issue(node, alice, kind)
    made_up = [token[:-1] + ("x" if token[-1] != "x" else "y"), token + "x", token[1:], "made-up"]

    async with turns_taken(app, but="_token_turns"):
        liars = [
            asyncio.create_task(ask(app, kind, f"{made_up[n % 4]}", f"network {n}")) for n in range(NETWORKS)
        ]
        async with waiting(liars):
            assert member_reads.number == 0, "what is made up is looked up for nobody"
            async with asyncio.timeout(30):
                assert await ask(app, kind, token) in (200, 422)
            assert sum(not task.done() for task in liars) > 200


@EACH_KIND
async def test_ended_tokens_of_one_account_delay_nobody_elses(
    node: Node, alice: Account, bob: Account, app: App, kind: str, member_reads: MemberReads
) -> None:
    token = await issue(node, alice, kind)
    ended = [await issue(node, bob, kind) for _ in range(NETWORKS)]
    await node.db.write(_end_all, bob)

    async with AsyncExitStack() as stack:
        async with turns_taken(app):
            senders = [
                asyncio.create_task(ask(app, kind, one, f"network {n}")) for n, one in enumerate(ended)
            ]
            await stack.enter_async_context(waiting(senders))
            member = asyncio.create_task(ask(app, kind, token))
            await asyncio.sleep(0.05)
        async with asyncio.timeout(30):
            assert await member in (200, 422)
        assert member_reads.number < 10, "looked up before the member's, and for the member"


@EACH_KIND
async def test_one_ended_token_of_an_account_does_not_delay_its_others(
    node: Node, alice: Account, app: App, kind: str, member_reads: MemberReads
) -> None:
    """As one that was stolen, or of an app that was signed out because it misbehaved."""
    ended = await issue(node, alice, kind)
    await node.db.write(_end_all, alice)
    token = await issue(node, alice, kind)

    async with AsyncExitStack() as stack:
        async with turns_taken(app):
            senders = [asyncio.create_task(ask(app, kind, ended, f"network {n}")) for n in range(NETWORKS)]
            await stack.enter_async_context(waiting(senders))
            member = asyncio.create_task(ask(app, kind, token))
            await asyncio.sleep(0.05)
        async with asyncio.timeout(30):
            assert await member in (200, 422)
        assert member_reads.number < 10, "looked up before the member's, and for the member"


@pytest.mark.parametrize("kind", ["page", "app"])
@pytest.mark.parametrize("end", ["ended", "disabled"])
async def test_a_token_that_is_not_good_any_more_is_forgotten_when_it_is_used(
    node: Node, alice: Account, app: App, kind: str, end: str
) -> None:
    """Another process may have ended it, so only the database tells."""
    token = await issue(node, alice, kind)
    assert await ask(app, kind, token) == 200
    assert not await waits(app, kind, token)

    def unit(tx: Writer) -> None:
        if end == "ended":
            _end_all(tx, alice)
        else:
            tx.run("UPDATE users SET state = 'disabled' WHERE account_id = :id", id=alice.id)

    await node.db.write(unit)
    assert await ask(app, kind, token) in (303, 401, 403)

    assert await waits(app, kind, token)
    if end == "disabled":
        await node.db.write(lambda tx: tx.run("UPDATE users SET state = 'active'"))
        assert not await waits(app, kind, token), "it is good again"


@EACH_KIND
async def test_an_ended_token_that_is_not_checked_is_looked_up_again_soon(
    node: Node, alice: Account, app: App, kind: str, later: Callable[[float], None]
) -> None:
    token = await issue(node, alice, kind)
    await ask(app, kind, token)
    await node.db.write(_end_all, alice)
    later(50.0)
    if kind == "file":
        assert await ask(app, kind, token) == 200
        assert not await waits(app, kind, token), "nobody has asked the database"
    later(100.0)

    assert await waits(app, kind, token)


@EACH_KIND
async def test_a_token_in_use_is_not_looked_up_in_turn(
    node: Node, alice: Account, app: App, kind: str, later: Callable[[float], None]
) -> None:
    token = await issue(node, alice, kind)
    used = "page" if kind == "file" else kind
    await ask(app, used, token)
    for seconds in (50.0, 100.0, 150.0):
        later(seconds)
        async with turns_taken(app), asyncio.timeout(30):
            assert await ask(app, kind, token) in (200, 422)
            await ask(app, used, token)


@pytest.mark.parametrize("end", ["suspended", "disabled", "deleted"])
async def test_the_address_of_a_file_is_a_members_as_long_as_its_account_can_sign_in(
    node: Node, alice: Account, app: App, end: str, later: Callable[[float], None]
) -> None:
    """The address that an app was given lasts for longer than its token."""
    await issue(node, alice, "app")
    address = f"/media/p/{node.site.media_capability('a.jpg', alice.id)}/a.jpg"
    assert (await Client(app).get(address)).status == 404
    async with turns_taken(app), asyncio.timeout(30):
        assert (await Client(app).get(address)).status == 404

    def unit(tx: Writer) -> None:
        if end == "suspended":
            accounts.set_visible(tx, alice.id, is_visible=False)
        elif end == "disabled":
            tx.run("UPDATE users SET state = 'disabled' WHERE account_id = :id", id=alice.id)
        else:
            tx.run("UPDATE accounts SET deleted_at = 1 WHERE id = :id", id=alice.id)

    await node.db.write(unit)
    later(100.0)
    async with turns_taken(app, but="_token_turns"):
        task = asyncio.create_task(Client(app).get(address))
        done, _ = await asyncio.wait([task], timeout=0.3)
    assert not done
    assert (await task).status == 404


@pytest.mark.parametrize(("kind", "other"), [("page", "app"), ("file", "app"), ("app", "page")])
async def test_a_token_of_the_other_kind_is_nobodys(
    node: Node, alice: Account, app: App, kind: str, other: str, member_reads: MemberReads
) -> None:
    token = await issue(node, alice, other)
    assert await ask(app, other, token) == 200
    member_reads.number = 0

    assert await waits(app, kind, token)
    assert member_reads.number == 0
