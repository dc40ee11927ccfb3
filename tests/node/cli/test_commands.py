"""Commands as they are typed: what they do, print, and refuse with which exit code."""

from __future__ import annotations

import io
import sqlite3
from pathlib import Path

import pytest

from node.__main__ import main

PASSWORD = "a lake in the morning\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD * 5))


def create(name: str = "alice", *more: str) -> int:
    return main(["account", "create", name, "--email", f"{name}@a.test", "--password-stdin", *more])


@pytest.mark.usefixtures("typed")
def test_users_are_created_and_listed(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    assert main(["account", "list"]) == 0
    assert "Nobody yet" in capsys.readouterr().out
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
        (["account", "create", "no-no", "--email", "x@a.test", "--password-stdin"], "letters"),
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


@pytest.mark.parametrize("before", [True, False])
def test_the_config_file_may_be_named_before_or_after_the_command(
    folder: Path, capsys: pytest.CaptureFixture[str], before: bool
) -> None:
    (folder / "other.toml").write_text('[database]\nurl = "sqlite:other/node.db"\n')
    named = ["--config", "other.toml"]

    assert main([*named, "migrate"] if before else ["migrate", *named]) == 0
    assert "up to date" in capsys.readouterr().out
    assert (folder / "other" / "node.db").exists()


def test_a_wrong_option_is_named_and_exits_with_2(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "config.toml").write_text('[registration]\nmood = "open"\n')

    assert main(["migrate"]) == 2
    assert "mode" in capsys.readouterr().err
    assert main(["migrate", "--config", "missing.toml"]) == 2


def test_a_database_that_cannot_be_opened_is_reported_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "file").write_text("")
    monkeypatch.setenv("TINTYPE_DATABASE_URL", "sqlite:file/x.db")
    assert main(["migrate"]) == 1
    monkeypatch.setenv("TINTYPE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none?connect_timeout=2")
    assert main(["migrate"]) == 1
    assert all(line.startswith("tintype: ") for line in capsys.readouterr().err.splitlines())


def test_a_database_of_a_newer_program_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate"]) == 0
    with sqlite3.connect(folder / "data" / "tintype.db") as db:
        db.execute("INSERT INTO migrations VALUES (9999, 'from the future')")
    db.close()

    assert main(["account", "list"]) == 1
    assert "newer" in capsys.readouterr().err


def test_an_unknown_command_is_explained() -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["sreve"])

    assert stopped.value.code == 2
