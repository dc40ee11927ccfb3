from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from node.database import Database, Writer
from node.models.account import Account
from node.models.deletion_hooks import Hooks, import_owners


async def test_every_registered_function_gets_what_is_deleted(db: Database, alice: Account) -> None:
    hooks: Hooks[Account] = Hooks()
    got: list[tuple[str, Account]] = []

    @hooks
    def forget(_tx: Writer, account: Account) -> None:
        got.append(("forget", account))

    @hooks
    def erase(_tx: Writer, account: Account) -> None:
        got.append(("erase", account))

    await db.write(hooks.run, alice)

    assert sorted(got) == [("erase", alice), ("forget", alice)]


async def test_functions_run_in_the_order_of_their_names(db: Database, alice: Account) -> None:
    hooks: Hooks[Account] = Hooks()
    ran: list[str] = []

    @hooks
    def second(_tx: Writer, _account: Account) -> None:
        ran.append("second")

    @hooks
    def first(_tx: Writer, _account: Account) -> None:
        ran.append("first")

    await db.write(hooks.run, alice)

    assert ran == ["first", "second"]
    assert [name.rpartition(".")[2] for name in hooks.names()] == ["first", "second"]


async def test_a_function_registered_twice_runs_once(db: Database, alice: Account) -> None:
    hooks: Hooks[Account] = Hooks()
    ran: list[int] = []

    def forget(_tx: Writer, account: Account) -> None:
        ran.append(account.id)

    hooks(forget)
    hooks(forget)
    await db.write(hooks.run, alice)

    assert ran == [alice.id]


async def test_a_function_that_fails_undoes_the_whole_unit_of_work(db: Database, alice: Account) -> None:
    hooks: Hooks[Account] = Hooks()

    @hooks
    def a_rename(tx: Writer, account: Account) -> None:
        tx.run("UPDATE accounts SET display_name = 'Gone' WHERE id = :id", id=account.id)

    @hooks
    def b_fail(_tx: Writer, _account: Account) -> None:
        raise RuntimeError("the second one fails")

    with pytest.raises(RuntimeError, match="the second one fails"):
        await db.write(hooks.run, alice)

    name = await db.read(lambda tx: tx.value("SELECT display_name FROM accounts WHERE id = :id", id=alice.id))
    assert name == alice.display_name


def test_decorating_leaves_the_function_as_it_is() -> None:
    hooks: Hooks[Account] = Hooks()

    def forget(_tx: Writer, _account: Account) -> None: ...

    assert hooks(forget) is forget


def test_every_module_of_a_package_is_imported(tmp_path: Path) -> None:
    package = tmp_path / "owners"
    package.mkdir()
    for name in ("__init__", "likes", "boosts"):
        (package / f"{name}.py").write_text(f"print({name!r})\n")
    program = "from node.models import deletion_hooks; deletion_hooks.import_owners('owners')"

    run = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[3]}"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert sorted(run.stdout.split()) == ["__init__", "boosts", "likes"]


def test_a_package_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(ModuleNotFoundError):
        import_owners("node.interactoins")
