"""Sessions: signing in, limits on guessing, expiry, and ending them."""

from __future__ import annotations

import contextlib

import argon2
import pytest

from node.admin import account_actions
from node.auth import passwords, sessions, users
from node.database import Database, Writer
from node.errors import Invalid, NotAllowed, TooManyRequests
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
    token = await sessions.sign_in(node, "alice", PASSWORD, **CLIENT)

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


async def test_a_wrong_name_and_a_wrong_password_get_the_same_error(
    node: Node, alice: Account, user: users.User
) -> None:
    errors = set()
    for login, password in (("alice", "wrong password"), ("nobody", PASSWORD), ("", ""), ("alice", "")):
        with pytest.raises(Invalid) as refused:
            await sessions.sign_in(node, login, password, **CLIENT)
        errors.add((refused.value.message, refused.value.field))

    assert len(errors) == 1


async def test_guessing_is_limited_by_name_and_network(node: Node, alice: Account, user: users.User) -> None:
    for _ in range(sessions.MAX_ATTEMPTS_PER_NAME):
        with pytest.raises(Invalid):
            await sessions.sign_in(node, "alice", "wrong password", **CLIENT)
    with pytest.raises(TooManyRequests) as refused:
        await sessions.sign_in(node, "alice", "wrong password", **CLIENT)

    assert refused.value.retry_after > 0
    with pytest.raises(TooManyRequests):
        await sessions.sign_in(node, "Alice ", PASSWORD, **CLIENT)
    assert await sessions.sign_in(node, "alice", PASSWORD, address="192.0.2.2", user_agent="")


async def test_signing_in_by_address_costs_the_same_whoever_is_registered(
    node: Node, alice: Account, bob: Account, user: users.User, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = passwords.hash_sync("another password")
    await node.db.write(users.create, bob, email="alice@a.test", password_hash=other)
    calls: list[str] = []
    real = argon2.PasswordHasher.verify

    def counted(self: argon2.PasswordHasher, hashed: str, password: str) -> bool:
        calls.append(hashed)
        return real(self, hashed, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)
    mark = sessions.known_browser_mark(node.site, bob)
    costs = set()
    for login, password, known in (
        ("nobody@a.test", "wrong password", ""),
        ("alice@a.test", "wrong password", ""),
        ("alice@a.test", "wrong password", mark),
        ("alice@a.test", PASSWORD, ""),
        ("Alice@A.test", "another password", ""),
    ):
        calls.clear()
        with contextlib.suppress(Invalid):
            await sessions.sign_in(node, login, password, **CLIENT, known_browser=known)
        costs.add(len(calls))

    assert costs == {users.MAX_SAME_EMAIL}


async def test_a_browser_known_to_one_account_guesses_no_more_at_another_with_its_address(
    node: Node, alice: Account, bob: Account, user: users.User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MAX_ATTEMPTS_PER_ACCOUNT", 3)
    await node.db.write(
        users.create, bob, email="alice@a.test", password_hash=passwords.hash_sync("bob's password")
    )
    mark = sessions.known_browser_mark(node.site, bob)

    async def guess(n: int, password: str) -> str:
        return await sessions.sign_in(
            node, "alice@a.test", password, address=f"198.51.{n}.1", user_agent="", known_browser=mark
        )

    for n in range(3):
        with pytest.raises(Invalid):
            await guess(n, "wrong password")
    with pytest.raises(TooManyRequests):
        await guess(4, PASSWORD)
    assert await guess(5, "bob's password")


async def test_the_limit_of_an_account_does_not_tell_whose_an_address_is(
    node: Node, alice: Account, user: users.User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MAX_ATTEMPTS_PER_ACCOUNT", 3)
    for n in range(4):
        with pytest.raises(TooManyRequests if n == 3 else Invalid):
            await sessions.sign_in(node, "alice", "wrong", address=f"198.51.{n}.1", user_agent="")
    with pytest.raises(Invalid):
        await sessions.sign_in(node, "alice@a.test", "wrong", address="198.51.9.1", user_agent="")


async def test_successful_sign_ins_do_not_count_as_guesses(
    node: Node, alice: Account, user: users.User
) -> None:
    for _ in range(sessions.MAX_ATTEMPTS_PER_NAME + 2):
        await sessions.sign_in(node, "alice", PASSWORD, **CLIENT)


async def test_an_outdated_hash_is_replaced_when_its_user_signs_in(node: Node, alice: Account) -> None:
    old = argon2.PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    await node.db.write(users.create, alice, email="alice@a.test", password_hash=old)

    await sessions.sign_in(node, "alice", PASSWORD, **CLIENT)

    hashed = await node.db.read(users.password_hash, alice.id)
    assert hashed is not None
    assert "m=19456" in hashed
    assert await sessions.sign_in(node, "alice", PASSWORD, **CLIENT)


async def test_changing_the_password_ends_all_other_sessions(
    node: Node, alice: Account, user: users.User
) -> None:
    current = await sessions.sign_in(node, "alice", PASSWORD, **CLIENT)
    other = await sessions.sign_in(node, "alice", PASSWORD, **CLIENT)
    with pytest.raises(Invalid) as refused:
        await sessions.change_password(node, alice, "wrong password", "another morning", keep_token=current)
    assert refused.value.field == "current"

    await sessions.change_password(node, alice, PASSWORD, "another morning", keep_token=current)

    assert await node.db.read(sessions.by_token, current) is not None
    assert await node.db.read(sessions.by_token, other) is None
    with pytest.raises(Invalid):
        await sessions.sign_in(node, "alice", PASSWORD, **CLIENT)


async def test_a_suspended_user_is_signed_out_and_cannot_sign_in(
    node: Node, alice: Account, bob: Account, user: users.User
) -> None:
    def given(tx: Writer) -> str:
        users.create(tx, bob, email="bob@a.test", password_hash="x", role="moderator")
        return sessions.start(tx, alice, "")

    token = await node.db.write(given)

    await node.db.write(account_actions.suspend, bob, alice)

    assert await node.db.read(sessions.by_token, token) is None
    with pytest.raises(NotAllowed, match="suspended by the moderators"):
        await sessions.sign_in(node, "alice", PASSWORD, **CLIENT)


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
