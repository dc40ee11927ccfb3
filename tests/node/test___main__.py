"""The command line: exit codes, errors in one line, and where the config file is named."""

from __future__ import annotations

import io
import sqlite3
from pathlib import Path

import pytest

from node.__main__ import main
from node.version import VERSION
from tests.support.ports import free_port


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


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


def test_a_database_that_cannot_be_reached_is_one_line(
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


def test_without_a_command_the_usage_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([])

    assert stopped.value.code == 2
    assert "COMMAND" in capsys.readouterr().err


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])

    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"Tintype {VERSION}\n"


def test_a_worker_is_refused_with_sqlite(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["worker"]) == 1
    assert "needs PostgreSQL" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("passwords", "message"),
    [(["a lake in the morning", "a lake in the evening"], "do not match"), (["short"], "at least 8")],
)
def test_a_password_typed_in_a_terminal_is_asked_for_twice(
    passwords: list[str], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(passwords)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(answers))

    assert main(["account", "create", "alice", "--email", "a@a.test"]) == 1
    assert message in capsys.readouterr().err
    assert list(answers) == []


def test_a_file_error_is_one_line_with_the_name_of_the_file(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "data").write_text("a file where a folder should be")

    assert main(["migrate"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("tintype: ")
    assert len(error.splitlines()) == 1
    assert "data" in error


@pytest.mark.parametrize("option", ["tls_certificate", "tls_key"])
def test_a_certificate_that_is_missing_is_named_with_its_option_and_nothing_is_created(
    folder: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    files = dict.fromkeys(("tls_certificate", "tls_key"), folder / "config.toml") | {
        option: folder / "missing.pem"
    }
    lines = [f'{name} = "{path}"' for name, path in files.items()]
    (folder / "config.toml").write_text("\n".join(["[server]", *lines]))

    assert main(["serve"]) == 2

    error = capsys.readouterr().err
    assert f"[server] {option} is '{folder}/missing.pem', which cannot be read: No such file" in error
    assert [one.name for one in folder.iterdir()] == ["config.toml"]


def test_a_certificate_that_is_none_is_said_with_its_options(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder / "config.toml"
    file.write_text(f'[server]\ntls_certificate = "{file}"\ntls_key = "{file}"')

    assert main(["serve"]) == 2
    assert "[server] tls_certificate and tls_key are no certificate" in capsys.readouterr().err


def test_serving_with_another_secret_is_refused_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a lake in the morning\n"))
    assert main(["account", "create", "ada", "--email", "ada@a.test", "--password-stdin"]) == 0
    (folder / "data" / "secret").write_text("wrong " * 10)
    monkeypatch.setenv("TINTYPE_SERVER_BIND", f"127.0.0.1:{free_port()}")
    capsys.readouterr()

    assert main(["serve"]) == 1

    [line] = capsys.readouterr().err.splitlines()
    assert "secret does not decrypt what it encrypted" in line
