"""The signed-in user of a request, what roles it may use, and the address it comes from."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.auth.users import SEEN_UPDATE_INTERVAL_MS
from node.database import Reader, Writer
from node.errors import Conflict, NotAllowed, NotFound, TooManyRequests
from node.ids import now_ms
from node.models.account import Account
from node.node import Node
from tests.web.request.conftest import MakeRequest, SignIn
from web.request import context
from web.request.context import SignInRequired


def viewer_id(tx: Reader, viewer: Account | None) -> int | None:
    return viewer.id if viewer else None


def account_id(tx: Reader, account: Account) -> int:
    return account.id


def rename(tx: Writer, account: Account, name: str) -> None:
    tx.run("UPDATE accounts SET display_name = :name WHERE id = :id", name=name, id=account.id)


def rename_and_refuse(tx: Writer, account: Account, name: str) -> None:
    rename(tx, account, name)
    raise Conflict("Taken.")


async def display_name(node: Node, account: Account) -> str:
    return str(
        await node.db.read(
            lambda tx: tx.value("SELECT display_name FROM accounts WHERE id = :id", id=account.id)
        )
    )


async def test_a_read_knows_its_viewer_or_that_there_is_none(
    make_request: MakeRequest, sign_in: SignIn, alice: Account
) -> None:
    async with make_request():
        assert await context.read(viewer_id) is None
        assert context.signed_in_user() is None
    async with make_request(session=await sign_in(alice)):
        assert context.signed_in_user() is None
        assert await context.read(viewer_id) == alice.id
        user = context.signed_in_user()
        assert user is not None
        assert (user.account.id, user.is_staff) == (alice.id, False)


@pytest.mark.parametrize("token", ["", "forged", "x" * 4000])
async def test_a_visitor_is_asked_to_sign_in(make_request: MakeRequest, token: str) -> None:
    async with make_request(session=token):
        for attempt in (
            context.read_signed_in(account_id),
            context.read_as_staff(account_id),
            context.write(rename, "x"),
            context.write_as_staff(rename, "x"),
            context.write_as_admin(rename, "x"),
            context.require_account(),
        ):
            with pytest.raises(SignInRequired):
                await attempt


async def test_a_user_does_not_find_what_only_staff_may_read(
    make_request: MakeRequest, sign_in: SignIn, alice: Account
) -> None:
    async with make_request(session=await sign_in(alice)):
        assert await context.read_signed_in(account_id) == alice.id
        with pytest.raises(NotFound):
            await context.read_as_staff(account_id)
        assert (await context.require_account()).id == alice.id


@pytest.mark.parametrize(
    ("role", "as_staff", "as_admin"),
    [("user", False, False), ("moderator", True, False), ("admin", True, True)],
)
async def test_only_the_needed_role_may_write(
    node: Node,
    make_request: MakeRequest,
    sign_in: SignIn,
    alice: Account,
    role: str,
    as_staff: bool,
    as_admin: bool,
) -> None:
    async with make_request(session=await sign_in(alice, role)):
        await context.write(rename, "anyone")
        for write, is_allowed, name in (
            (context.write_as_staff, as_staff, "staff"),
            (context.write_as_admin, as_admin, "admin"),
        ):
            before = await display_name(node, alice)
            if is_allowed:
                await write(rename, name)
                assert await display_name(node, alice) == name
            else:
                with pytest.raises(NotAllowed):
                    await write(rename, name)
                assert await display_name(node, alice) == before


async def test_a_refused_read_still_tells_the_error_page_its_viewer(
    make_request: MakeRequest, sign_in: SignIn, alice: Account
) -> None:
    def refuse(tx: Reader, viewer: Account | None) -> None:
        raise NotFound

    async with make_request(session=await sign_in(alice)):
        with pytest.raises(NotFound):
            await context.read(refuse)
        user = context.signed_in_user()
        assert user is not None
        assert user.account.id == alice.id


async def test_a_refused_write_changes_nothing(
    node: Node, make_request: MakeRequest, sign_in: SignIn, alice: Account
) -> None:
    before = await display_name(node, alice)
    async with make_request(session=await sign_in(alice)):
        with pytest.raises(Conflict):
            await context.write(rename_and_refuse, "x")

    assert await display_name(node, alice) == before


async def test_a_user_is_seen_at_the_first_read_and_then_once_an_interval(
    node: Node, make_request: MakeRequest, sign_in: SignIn, alice: Account
) -> None:
    token = await sign_in(alice)
    recent = now_ms() - SEEN_UPDATE_INTERVAL_MS // 2

    async def seen_at_after_read(before: int | None) -> int:
        await node.db.write(
            lambda tx: tx.run("UPDATE users SET seen_at = :at WHERE account_id = :id", at=before, id=alice.id)
        )
        async with make_request(session=token):
            await context.read(viewer_id)
        return int(await node.db.read(lambda tx: tx.value("SELECT seen_at FROM users")))

    assert await seen_at_after_read(None) > recent
    assert await seen_at_after_read(recent) == recent
    assert await seen_at_after_read(recent - SEEN_UPDATE_INTERVAL_MS) > recent


@pytest.mark.parametrize(
    ("client", "forwarded", "expected"),
    [
        ("203.0.113.7", "", "203.0.113.7"),
        ("203.0.113.7", "192.0.2.1", "203.0.113.7"),
        ("10.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", "192.0.2.66, 192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", "192.0.2.66, 192.0.2.1, 10.0.0.2", "192.0.2.1"),
        ("10.0.0.1", "10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", " , ,", "10.0.0.1"),
        ("unix:/run/tintype.sock", "192.0.2.1", "192.0.2.1"),
    ],
)
async def test_the_client_is_the_nearest_hop_that_is_no_trusted_proxy(
    node: Node, make_request: MakeRequest, client: str, forwarded: str, expected: str
) -> None:
    server = dataclasses.replace(node.config.server, trusted_proxies=("10.0.0.1", "10.0.0.2"))
    node.config = dataclasses.replace(node.config, server=server)

    async with make_request(client=client, headers={"X-Forwarded-For": forwarded}):
        assert context.client_address() == expected


@given(st.text(alphabet="0123456789.,: abcdef", max_size=60))
@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_client_chooses_its_own_address(make_request: MakeRequest, forwarded: str) -> None:
    async with make_request(headers={"X-Forwarded-For": forwarded.strip()}):
        assert context.client_address() == "203.0.113.7"


async def test_attempts_above_the_limit_are_refused(make_request: MakeRequest) -> None:
    async with make_request():
        for _ in range(3):
            await context.limit_rate("sign-in alice", max_attempts=3, seconds=60)
        await context.limit_rate("sign-in bob", max_attempts=3, seconds=60)
        with pytest.raises(TooManyRequests):
            await context.limit_rate("sign-in alice", max_attempts=3, seconds=60)
