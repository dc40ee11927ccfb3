"""Sessions: how long they last, and ending them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from node.auth import passwords, sessions, signing_in, users
from node.database import Database
from node.errors import Invalid
from node.ids import now_ms
from node.models.account import Account
from node.node import Node

PASSWORD = "a lake in the morning"
CLIENT = {"address": "192.0.2.1", "user_agent": "Test browser"}


@pytest.fixture
async def user(db: Database, alice: Account) -> users.User:
    hashed = passwords.hash_sync(PASSWORD)
    return await db.write(users.create, alice, email="alice@a.test", password_hash=hashed)


async def test_a_session_lasts_until_it_is_ended(node: Node, alice: Account, user: users.User) -> None:
    token = await signing_in.sign_in(node, "alice", PASSWORD, **CLIENT)

    found = await node.db.read(sessions.by_token, token)
    assert found is not None
    assert found[0] == alice
    assert found[1].email == "alice@a.test"
    assert await node.db.read(sessions.by_token, token + "x") is None
    [session] = await node.db.read(sessions.by_account, alice)
    assert session.user_agent == "Test browser"
    assert session.id == sessions.id_from_token(token)
    assert token not in repr(session)

    await node.db.write(sessions.end, token)
    assert await node.db.read(sessions.by_token, token) is None


async def test_changing_the_password_ends_all_other_sessions(
    node: Node, alice: Account, user: users.User
) -> None:
    current = await signing_in.sign_in(node, "alice", PASSWORD, **CLIENT)
    other = await signing_in.sign_in(node, "alice", PASSWORD, **CLIENT)
    with pytest.raises(Invalid) as refused:
        await sessions.change_password(node, alice, "short", keep_token=current)
    assert refused.value.field == "password"

    await sessions.change_password(node, alice, "another morning", keep_token=current)

    assert await node.db.read(sessions.by_token, current) is not None
    assert await node.db.read(sessions.by_token, other) is None
    with pytest.raises(Invalid):
        await signing_in.sign_in(node, "alice", PASSWORD, **CLIENT)


async def test_a_session_that_is_not_used_expires(
    db: Database, alice: Account, user: users.User, monkeypatch: pytest.MonkeyPatch
) -> None:
    unused = await db.write(sessions.start, alice, "")
    used = await db.write(sessions.start, alice, "")
    later = now_ms() + sessions.RETENTION_MS - 1000
    monkeypatch.setattr(sessions, "now_ms", lambda: later)
    await db.write(sessions.touch, used)
    monkeypatch.setattr(sessions, "now_ms", lambda: later + 2000)

    assert await db.read(sessions.by_token, unused) is None
    assert await db.read(sessions.by_token, used) is not None
    last = await db.write(sessions.clean_up, later + 2000, None)
    assert await db.write(sessions.clean_up, later + 2000, last) is None
    assert await db.read(lambda tx: tx.value("SELECT COUNT(*) FROM sessions")) == 1


async def test_of_too_many_sessions_the_one_used_longest_ago_ends(
    db: Database, alice: Account, user: users.User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MAX_PER_ACCOUNT", 3)
    tokens = []
    for second in range(5):
        at = now_ms() + second * 1000
        monkeypatch.setattr(sessions, "now_ms", lambda at=at: at)
        tokens.append(await db.write(sessions.start, alice, ""))

    assert [token for token in tokens if await db.read(sessions.by_token, token)] == tokens[2:]


async def test_users_can_end_only_their_own_sessions(
    db: Database, alice: Account, bob: Account, user: users.User
) -> None:
    token = await db.write(sessions.start, alice, "")
    await db.write(sessions.end_by_id, bob, sessions.id_from_token(token))
    assert await db.read(sessions.by_token, token) is not None

    await db.write(sessions.end_by_id, alice, sessions.id_from_token(token))
    assert await db.read(sessions.by_token, token) is None


async def test_a_session_says_whether_its_owner_was_there_a_moment_ago(
    db: Database, alice: Account, user: users.User, clock: Callable[[int], None]
) -> None:
    token, other = await db.write(sessions.start, alice, ""), await db.write(sessions.start, alice, "")
    assert await db.read(sessions.is_proved, token)

    clock(sessions.PROOF_LIFETIME_MS + 1000)
    assert not await db.read(sessions.is_proved, token)
    await db.write(sessions.prove, token)
    assert await db.read(sessions.is_proved, token)
    assert not await db.read(sessions.is_proved, other)
