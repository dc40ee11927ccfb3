from __future__ import annotations

import pytest

from node.admin import account_actions
from node.auth import passwords, sessions, users
from node.database import Database, Writer
from node.errors import Invalid, NotAllowed, TooManyRequests
from node.ids import now_ms
from node.models.account import Account
from node.node import Node

PASSWORD = "a lake in the morning"
HERE = {"address": "192.0.2.1", "user_agent": "Test browser"}


@pytest.fixture
async def user(db: Database, alice: Account) -> users.User:
    hashed = passwords.hash_sync(PASSWORD)
    return await db.write(users.create, alice, email="alice@a.test", password_hash=hashed)


async def test_a_session_lasts_until_it_is_ended(node: Node, alice: Account, user: users.User) -> None:
    token = await sessions.sign_in(node, "alice", PASSWORD, **HERE)

    found = await node.db.read(sessions.by_token, token)
    assert found is not None
    assert found[0] == alice
    assert found[1].email == "alice@a.test"
    assert await node.db.read(sessions.by_token, token + "x") is None
    [one] = await node.db.read(sessions.by_account, alice)
    assert one.user_agent == "Test browser"
    assert one.id == sessions.id_from_token(token)
    assert token not in repr(one)

    await node.db.write(sessions.end, token)
    assert await node.db.read(sessions.by_token, token) is None


async def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(
    node: Node, alice: Account, user: users.User
) -> None:
    answers = set()
    for login, password in (("alice", "wrong word"), ("nobody", PASSWORD), ("", ""), ("alice", "")):
        with pytest.raises(Invalid) as refused:
            await sessions.sign_in(node, login, password, **HERE)
        answers.add((refused.value.message, refused.value.field))

    assert len(answers) == 1


async def test_guessing_is_soon_too_much_but_not_for_others(
    node: Node, alice: Account, user: users.User
) -> None:
    for _ in range(sessions.MAX_ATTEMPTS_PER_NAME):
        with pytest.raises(Invalid):
            await sessions.sign_in(node, "alice", "wrong word", **HERE)
    with pytest.raises(TooManyRequests) as refused:
        await sessions.sign_in(node, "alice", "wrong word", **HERE)

    assert refused.value.retry_after > 0
    with pytest.raises(TooManyRequests):
        await sessions.sign_in(node, "Alice ", PASSWORD, **HERE)
    assert await sessions.sign_in(node, "alice", PASSWORD, address="192.0.2.2", user_agent="")


async def test_signing_in_again_and_again_is_not_guessing(
    node: Node, alice: Account, user: users.User
) -> None:
    for _ in range(sessions.MAX_ATTEMPTS_PER_NAME + 2):
        await sessions.sign_in(node, "alice", PASSWORD, **HERE)


async def test_an_old_hash_is_made_anew_when_its_owner_signs_in(node: Node, alice: Account) -> None:
    import argon2

    old = argon2.PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    await node.db.write(users.create, alice, email="alice@a.test", password_hash=old)

    await sessions.sign_in(node, "alice", PASSWORD, **HERE)

    kept = await node.db.read(users.password_hash, alice.id)
    assert kept is not None
    assert "m=19456" in kept
    assert await sessions.sign_in(node, "alice", PASSWORD, **HERE)


async def test_changing_the_password_signs_out_everywhere_else(
    node: Node, alice: Account, user: users.User
) -> None:
    here = await sessions.sign_in(node, "alice", PASSWORD, **HERE)
    there = await sessions.sign_in(node, "alice", PASSWORD, **HERE)
    with pytest.raises(Invalid) as refused:
        await sessions.change_password(node, alice, "wrong word", "another morning", keep_token=here)
    assert refused.value.field == "current"

    await sessions.change_password(node, alice, PASSWORD, "another morning", keep_token=here)

    assert await node.db.read(sessions.by_token, here) is not None
    assert await node.db.read(sessions.by_token, there) is None
    with pytest.raises(Invalid):
        await sessions.sign_in(node, "alice", PASSWORD, **HERE)


async def test_the_suspended_and_the_disabled_are_signed_out(
    node: Node, alice: Account, bob: Account, user: users.User
) -> None:
    def given(tx: Writer) -> str:
        users.create(tx, bob, email="bob@a.test", password_hash="x", role="moderator")
        return sessions.start(tx, alice, "")

    token = await node.db.write(given)

    await node.db.write(account_actions.suspend, bob, alice)

    assert await node.db.read(sessions.by_token, token) is None
    with pytest.raises(NotAllowed, match="suspended by the moderators"):
        await sessions.sign_in(node, "alice", PASSWORD, **HERE)


async def test_a_session_nobody_comes_back_to_runs_out(
    db: Database, alice: Account, user: users.User, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = await db.write(sessions.start, alice, "")
    used = await db.write(sessions.start, alice, "")
    later = now_ms() + sessions.RETENTION_MS - 1000
    monkeypatch.setattr(sessions, "now_ms", lambda: later)
    await db.write(sessions.touch, used)
    monkeypatch.setattr(sessions, "now_ms", lambda: later + 2000)

    assert await db.read(sessions.by_token, left) is None
    assert await db.read(sessions.by_token, used) is not None
    assert await db.write(sessions.clean_up, later + 2000) == 1


async def test_one_ends_ones_own_sessions_only(
    db: Database, alice: Account, bob: Account, user: users.User
) -> None:
    token = await db.write(sessions.start, alice, "")
    await db.write(sessions.end_by_id, bob, sessions.id_from_token(token))
    assert await db.read(sessions.by_token, token) is not None

    await db.write(sessions.end_by_id, alice, sessions.id_from_token(token))
    assert await db.read(sessions.by_token, token) is None
