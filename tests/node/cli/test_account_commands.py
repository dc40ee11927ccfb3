"""What commands do to accounts: roles, suspensions, deletions, sessions, and letting somebody in again."""

from __future__ import annotations

import pytest

from node.__main__ import main
from node.accounts import accounts, keys
from node.auth import sessions, sign_in_limits, signing_in, users
from node.auth.second_step import ways_in
from node.database import Database
from node.errors import Invalid, NotAllowed, NotFound, TooManyRequests
from node.moderation import audit_log, domain_rules
from node.node import Node
from node.paging import Page
from tests.node.cli.conftest import create, create_on, perform
from tests.support import people
from tests.support.second_step import set_up

pytestmark = pytest.mark.usefixtures("folder")


async def test_sessions_are_listed_and_an_account_is_unlocked_by_command(
    node: Node, pairs: dict[str, keys.KeyPair]
) -> None:
    db = node.db
    await create_on(db, "alice", pairs["alice"])
    found = await db.read(users.by_login, "alice")
    assert found is not None
    assert await perform(db, "account sessions", name="alice") == []
    await db.write(sessions.start, found.account, "A browser")
    [listed] = await perform(db, "account sessions", name="alice")
    assert listed["user_agent"] == "A browser"
    where = {"address": "192.0.2.1", "user_agent": ""}
    for _ in range(sign_in_limits.MAX_ATTEMPTS_PER_NAME):
        with pytest.raises(Invalid):
            await signing_in.sign_in(node, "alice", "wrong", **where)
    with pytest.raises(TooManyRequests):
        await signing_in.sign_in(node, "alice", "wrong", **where)
    assert await perform(db, "account unlock", name="alice@a.test", address="192.0.2.1") == "alice"
    with pytest.raises(Invalid):
        await signing_in.sign_in(node, "alice", "wrong", **where)
    with pytest.raises(NotFound):
        await perform(db, "account unlock", name="nobody", address="")


async def test_an_admin_lets_somebody_in_who_has_lost_phone_and_codes(
    node: Node, pairs: dict[str, keys.KeyPair]
) -> None:
    await create_on(node.db, "alice", pairs["alice"], "admin")
    found = await node.db.read(users.by_login, "alice")
    assert found is not None
    await set_up(node, found.account)

    assert await perform(node.db, "account two-step-off", name="alice") == "alice"

    ways = await node.db.read(ways_in.of_account, found.account)
    assert (ways.has_second_step, ways.recovery_codes) == (False, 0)


def test_sessions_and_unlocking_as_typed(typed: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert create() == 0
    capsys.readouterr()
    assert main(["account", "sessions", "alice"]) == 0
    assert "signed in nowhere" in capsys.readouterr().out
    assert main(["account", "unlock", "alice", "--address", "192.0.2.1"]) == 0
    assert "alice can try to sign in again." in capsys.readouterr().out
    assert main(["account", "unlock", "nobody"]) == 1
    assert main(["account", "two-step-off", "alice"]) == 0
    assert "password alone" in capsys.readouterr().out


async def test_a_role_is_changed_and_the_last_admin_stays_one(
    db: Database, pairs: dict[str, keys.KeyPair]
) -> None:
    await create_on(db, "alice", pairs["alice"], role="admin")
    await create_on(db, "bob", pairs["bob"])

    for command in ("account role", "account suspend", "account delete"):
        values = {"role": "user"} if command == "account role" else {}
        with pytest.raises(NotAllowed, match="at least one admin"):
            await perform(db, command, name="alice", **values)
    assert await perform(db, "account role", name="bob", role="admin") == "bob@tintype.test"
    await perform(db, "account role", name="alice", role="user")

    roles = {one["name"]: one["role"] for one in await perform(db, "account list", max_id=0)}
    assert roles == {"alice": "user", "bob": "admin"}
    log = await db.read(audit_log.entries, Page())
    assert [(one.action, one.target, one.detail) for one in log] == [
        ("role", "alice", "user"),
        ("role", "bob", "admin"),
    ]


async def test_accounts_of_this_and_other_servers_are_suspended_and_back(
    db: Database, pairs: dict[str, keys.KeyPair]
) -> None:
    await create_on(db, "alice", pairs["alice"])
    rita = await db.write(people.remote)

    for name, handle in (("alice", "alice@tintype.test"), ("@rita@far.example", "rita@far.example")):
        assert await perform(db, "account suspend", name=name) == handle
    assert (await db.read(accounts.get, rita.id)).suspended_at is not None
    assert [one["state"] for one in await perform(db, "account list", max_id=0)] == ["suspended"]
    for name in ("alice", "@rita@far.example"):
        await perform(db, "account unsuspend", name=name)
    assert (await db.read(accounts.get, rita.id)).suspended_at is None

    await db.write(domain_rules.block, "far.example")
    with pytest.raises(NotAllowed, match="because its server is"):
        await perform(db, "account unsuspend", name="@rita@far.example")
    for name in ("nobody", "nobody@far.example"):
        with pytest.raises(NotFound):
            await perform(db, "account suspend", name=name)


async def test_an_account_is_deleted_as_its_owner_would_expect(
    db: Database, pairs: dict[str, keys.KeyPair]
) -> None:
    await create_on(db, "alice", pairs["alice"], role="admin")
    await create_on(db, "bob", pairs["bob"])

    assert await perform(db, "account delete", name="bob") == "bob@tintype.test"

    bob = await db.read(accounts.by_handle, "bob")
    assert bob is not None
    assert bob.deleted_at is not None
    assert await db.read(people.verbs_of, bob) == ["Delete"]
    with pytest.raises(NotFound):
        await perform(db, "account find", name="bob")


@pytest.mark.usefixtures("typed")
def test_a_deletion_asks_for_the_name_again(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert create("ada", "--role", "admin") == create("bob") == 0
    assert main(["account", "delete", "bob"]) == 1
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda prompt: "ada")
    assert main(["account", "delete", "bob"]) == 1
    assert "Nothing was deleted." in capsys.readouterr().err
    monkeypatch.setattr("builtins.input", lambda prompt: "bob")
    assert main(["account", "delete", "bob"]) == 0
    assert main(["account", "suspend", "bob"]) == 1
    assert main(["account", "role", "ada", "user"]) == 1
    assert main(["account", "delete", "ada", "--yes"]) == 1
