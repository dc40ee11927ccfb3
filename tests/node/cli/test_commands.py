"""Commands: their database work on both databases, and as they are typed: output, refusals, exit codes."""

from __future__ import annotations

import io
import sqlite3
from pathlib import Path

import pytest

from node.__main__ import main
from node.accounts import keys
from node.auth import access_tokens, sessions, users
from node.cli import commands
from node.database import Database, Writer
from node.errors import Invalid, NotFound, Refused
from node.models.account import Account
from tests.node.cli.conftest import PASSWORD, create, create_on, perform
from tests.support import people

pytestmark = pytest.mark.usefixtures("folder")


async def test_keys_pass_through_json_unchanged(db: Database, pairs: dict[str, keys.KeyPair]) -> None:
    assert await create_on(db, "alice", pairs["alice"]) == "alice@tintype.test"

    stored = await db.read(lambda tx: {row["public"] for row in tx.all("SELECT public FROM keys")})
    assert {pairs["alice"].public_pem, pairs["alice"].ed25519_public} <= stored


@pytest.mark.parametrize("login", ["alice", "ALICE", "@alice@tintype.test", "Alice@A.test"])
async def test_a_user_is_found_by_name_or_email(
    db: Database, pairs: dict[str, keys.KeyPair], login: str
) -> None:
    await create_on(db, "alice", pairs["alice"])

    assert await perform(db, "account find", name=login) == "alice"


async def test_commands_for_an_unknown_user_are_refused(db: Database, bob: Account) -> None:
    """An account without a user counts as unknown: nobody can sign in to it."""
    pair = commands.pack_keys(keys.generate())
    for command, values in (
        ("account find", {}),
        ("account password", {"password_hash": "x"}),
        ("account rotate-keys", {"pair": pair}),
        ("token create", {"scopes": ["read"], "app": "cli"}),
    ):
        with pytest.raises(NotFound, match="bob"):
            await perform(db, command, name="bob", **values)


async def test_an_unknown_command_is_refused_with_a_hint(db: Database) -> None:
    with pytest.raises(Invalid, match="older version"):
        await perform(db, "account explode")


async def test_a_new_password_ends_all_sessions(db: Database, pairs: dict[str, keys.KeyPair]) -> None:
    await create_on(db, "alice", pairs["alice"])
    found = await db.read(users.by_login, "alice")
    assert found is not None
    token = await db.write(sessions.start, found.account, "")

    await perform(db, "account password", name="alice", password_hash="another")

    assert await db.read(sessions.by_token, token) is None
    assert await db.read(users.password_hash, found.account.id) == "another"


async def test_rotated_keys_are_announced_to_other_servers(
    db: Database, pairs: dict[str, keys.KeyPair]
) -> None:
    await create_on(db, "alice", pairs["alice"])
    found = await db.read(users.by_login, "alice")
    assert found is not None
    before = await db.read(people.verbs_of, found.account)

    handle = await perform(db, "account rotate-keys", name="alice", pair=commands.pack_keys(pairs["mallory"]))

    assert handle == "alice@tintype.test"
    assert await db.read(people.verbs_of, found.account) == [*before, "Update"]
    assert (await db.read(keys.private_pem, found.account))[1] == pairs["mallory"].private_pem


async def test_users_are_listed_newest_first_below_an_id(
    db: Database, pairs: dict[str, keys.KeyPair]
) -> None:
    for name in ("alice", "bob", "mallory"):
        await create_on(db, name, pairs[name], "admin" if name == "alice" else "user")

    def suspend(tx: Writer) -> None:
        tx.run("UPDATE accounts SET suspended_at = 1 WHERE name = 'bob'")
        tx.run("UPDATE users SET state = 'pending' WHERE email = 'mallory@a.test'")

    await db.write(suspend)

    first = await perform(db, "account list", max_id=0)
    assert [(one["name"], one["role"], one["state"]) for one in first] == [
        ("mallory", "user", "pending"),
        ("bob", "user", "suspended"),
        ("alice", "admin", "active"),
    ]
    rest = await perform(db, "account list", max_id=first[1]["id"])
    assert [one["name"] for one in rest] == ["alice"]


async def test_a_token_has_the_scopes_it_was_created_with(
    db: Database, pairs: dict[str, keys.KeyPair]
) -> None:
    await create_on(db, "alice", pairs["alice"])

    token = await perform(db, "token create", name="alice", scopes=["read", "write:statuses"], app="cli")

    found = await db.read(access_tokens.by_token, token)
    assert found is not None
    assert (found.scopes, found.app.name) == ({"read", "write:statuses"}, "cli")


async def test_only_commands_that_write_may_write(db: Database, pairs: dict[str, keys.KeyPair]) -> None:
    for name in ("account find", "account list", "migration"):
        assert not commands.COMMANDS[name].writes
    assert await perform(db, "check") == await perform(db, "migration") > 0
    assert await db.read(lambda tx: tx.value("SELECT COUNT(*) FROM users")) == 0


@pytest.mark.parametrize(
    "values",
    [{"name": "no-no"}, {"name": "alice", "email": "none"}, {"name": "alice", "role": "queen"}],
)
async def test_a_refused_user_leaves_nothing_behind(
    db: Database, pairs: dict[str, keys.KeyPair], values: dict[str, str]
) -> None:
    given = {"name": "alice", "email": "a@a.test", "password_hash": "x", "role": "user"} | values
    before = await db.read(lambda tx: tx.value("SELECT COUNT(*) FROM accounts"))

    with pytest.raises(Refused):
        await perform(db, "account create", pair=commands.pack_keys(pairs["alice"]), **given)

    assert await db.read(lambda tx: tx.value("SELECT COUNT(*) FROM accounts")) == before


@pytest.mark.usefixtures("typed")
def test_users_are_created_and_listed(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    assert main(["account", "list"]) == 0
    assert "No accounts yet" in capsys.readouterr().out
    assert create("alice", "--role", "admin") == 0
    assert create("bob") == 0
    assert "@bob@localhost:8080 can sign in now" in capsys.readouterr().out

    assert main(["account", "list"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.split()[:3] == ["alice", "admin", "active"]
    assert second.split()[:3] == ["bob", "user", "active"]
    assert (folder / "data" / "tintype.db").exists()


@pytest.mark.usefixtures("typed")
def test_a_refused_command_prints_one_line_and_exits_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert create() == 0
    capsys.readouterr()
    for command, part in (
        (["account", "create", "ALICE", "--email", "x@a.test", "--password-stdin"], "taken"),
        (["account", "create", "rob", "--email", "alice@A.test", "--password-stdin"], "e-mail"),
        (["account", "create", "no-no", "--email", "x@a.test", "--password-stdin"], "1 to 30 characters"),
        (["account", "create", "rob", "--email", "x", "--password-stdin"], "e-mail"),
        (["account", "password", "nobody", "--password-stdin"], "nobody"),
        (["token", "create", "nobody"], "nobody"),
        (["token", "create", "alice", "--scopes", "read everything"], "everything"),
        (["account", "create", "rob", "--email", "x@a.test"], "--password-stdin"),
        (["worker"], "PostgreSQL"),
    ):
        assert main(command) == 1
        printed = capsys.readouterr()
        assert part in printed.err
        assert printed.err.startswith("tintype: ")
        assert len(printed.err.splitlines()) == 1


def test_a_short_password_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))

    assert create() == 1
    assert "at least 8" in capsys.readouterr().err


def test_a_new_password_replaces_the_old_hash(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stored_hash() -> str:
        with sqlite3.connect(folder / "data" / "tintype.db") as db:
            found: str = db.execute("SELECT password_hash FROM users").fetchone()[0]
        db.close()
        return found

    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "another morning\n"))
    assert create() == 0
    before = stored_hash()

    assert main(["account", "password", "alice@a.test", "--password-stdin"]) == 0
    assert stored_hash() != before


@pytest.mark.usefixtures("typed")
def test_new_signing_keys_replace_the_old(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def stored_keys() -> list[str]:
        with sqlite3.connect(folder / "data" / "tintype.db") as db:
            found = [
                row[0] for row in db.execute("SELECT public FROM keys WHERE id LIKE '%alice%' ORDER BY id")
            ]
        db.close()
        return found

    create()
    before = stored_keys()
    assert main(["account", "rotate-keys", "alice"]) == 0
    assert "new keys" in capsys.readouterr().out
    assert len(before) == 2
    assert not set(before) & set(stored_keys())


@pytest.mark.usefixtures("typed")
def test_a_token_is_printed_alone_for_use_in_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    create()
    capsys.readouterr()

    assert main(["token", "create", "alice", "--scopes", "read write follow"]) == 0
    assert len(capsys.readouterr().out.split()) == 1


async def test_a_new_password_ends_sessions_and_tokens_unless_apps_are_kept(
    db: Database, pairs: dict[str, keys.KeyPair]
) -> None:
    await create_on(db, "alice", pairs["alice"])
    found = await db.read(users.by_login, "alice")
    assert found is not None
    for keeps_apps in (True, False):
        session = await db.write(sessions.start, found.account, "A browser")
        token = await perform(db, "token create", name="alice", scopes=["read"], app="Camera")
        await perform(db, "account password", name="alice", password_hash="new", keeps_apps=keeps_apps)
        assert await db.read(sessions.by_token, session) is None
        assert (await db.read(access_tokens.by_token, token) is not None) is keeps_apps


async def test_tokens_are_listed_and_revoked_by_command(db: Database, pairs: dict[str, keys.KeyPair]) -> None:
    await create_on(db, "alice", pairs["alice"])
    await create_on(db, "bob", pairs["bob"])
    for app in ("Camera", "Tablet", "Phone"):
        await perform(db, "token create", name="alice", scopes=["read"], app=app)
    listed = await perform(db, "token list", name="alice")
    assert [one["app"] for one in listed] == ["Phone", "Tablet", "Camera"]
    with pytest.raises(NotFound):
        await perform(db, "token revoke", name="bob", id=listed[0]["id"])
    with pytest.raises(NotFound):
        await perform(db, "token revoke", name="alice", id=12)
    assert await perform(db, "token revoke", name="alice", id=listed[0]["id"]) == 1
    assert [one["app"] for one in await perform(db, "token list", name="alice")] == ["Tablet", "Camera"]
    assert await perform(db, "token revoke", name="alice", id=0) == 2
    assert await perform(db, "token list", name="alice") == []


def test_tokens_are_created_listed_and_revoked_as_typed(
    typed: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert create() == 0
    assert main(["token", "create", "alice", "--app", "Camera"]) == 0
    capsys.readouterr()
    assert main(["token", "list", "alice"]) == 0
    line = capsys.readouterr().out
    assert "Camera" in line
    assert "read" in line
    assert "never used" in line
    id_ = line.split()[0]
    assert main(["token", "revoke", "alice"]) == 2
    assert main(["token", "revoke", "alice", "12"]) == 1
    assert "no such token" in capsys.readouterr().err.lower()
    assert main(["token", "revoke", "alice", id_]) == 0
    assert main(["token", "revoke", "alice", "--all"]) == 0
    assert main(["token", "list", "nobody"]) == 1
    capsys.readouterr()
    assert main(["token", "list", "alice"]) == 0
    assert "No tokens" in capsys.readouterr().out


def test_a_new_password_says_what_it_ended(typed: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert create() == 0
    capsys.readouterr()
    assert main(["account", "password", "alice", "--password-stdin"]) == 0
    assert "apps" in capsys.readouterr().out
    assert main(["account", "password", "alice", "--password-stdin", "--keep-apps"]) == 0
    assert "apps stay" in capsys.readouterr().out
