"""Which commits count as a change that a visitor may notice, on a real database."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from node import rate_limits
from node.accounts import accounts
from node.database import Writer, public_changes
from node.database.public_changes import is_public_change
from node.interactions import bookmarks, likes
from node.models.account import Account
from node.node import Node
from node.publishing import post_deletion
from tests.support.posting import publish

MIGRATIONS = Path(public_changes.__file__).parent / "migrations"


async def test_what_visitors_may_notice_counts_and_private_marks_do_not(
    node: Node, alice: Account, bob: Account
) -> None:
    def version() -> int:
        return node.db.public_changes.version

    before = version()
    post = await node.db.write(publish, alice)
    assert (published := version()) > before

    await node.db.write(bookmarks.add, bob, post)
    await node.db.write(rate_limits.count_attempt, "a key", limit=5, seconds=60)
    assert version() == published

    await node.db.write(likes.like, bob, post)
    assert (liked := version()) > published

    await node.db.write(post_deletion.delete, alice, post)
    assert version() > liked


async def test_a_change_that_was_rolled_back_does_not_count(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        publish(tx, alice)
        raise RuntimeError("on purpose")

    before = node.db.public_changes.version
    with pytest.raises(RuntimeError, match="on purpose"):
        await node.db.write(unit)

    assert node.db.public_changes.version == before


async def test_a_change_counts_before_its_caller_goes_on_even_if_it_was_cancelled(
    node: Node, alice: Account
) -> None:
    before = node.db.public_changes.version
    writing = asyncio.create_task(node.db.write(publish, alice))
    await asyncio.sleep(0)
    writing.cancel()
    while await node.db.read(lambda tx: tx.value("SELECT COUNT(*) FROM posts")) == 0:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await node.db.write(lambda tx: None)  # whatever was committed before it has been noted

    assert node.db.public_changes.version > before


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT a FROM posts", False),
        ("SELECT a FROM jobs FOR UPDATE SKIP LOCKED", False),
        ("INSERT INTO posts (id) VALUES (1)", True),
        ("insert into  jobs (id) values (1)", False),
        ("INSERT INTO jobs (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET id = 1", False),
        ("UPDATE\n accounts SET bio = ''", True),
        ("DELETE FROM bookmarks WHERE id = 1", False),
        ("WITH old AS (SELECT 1) DELETE FROM posts", True),
        ("WITH old AS (DELETE FROM jobs RETURNING id) UPDATE posts SET a = 1", True),
        ("UPDATE a_table_of_the_future SET a = 1", True),
        ("TRUNCATE posts", True),
    ],
)
def test_a_statement_counts_unless_it_writes_only_what_is_private(sql: str, expected: bool) -> None:
    assert is_public_change(sql) is expected


def test_the_private_tables_exist() -> None:
    made = set()
    for file in MIGRATIONS.glob("*.sql"):
        made |= set(re.findall(r"CREATE TABLE (\w+)", file.read_text()))
    assert made >= public_changes.PRIVATE_TABLES
    assert not public_changes.PRIVATE_TABLES & {"posts", "photos", "accounts", "users", "settings", "emoji"}


async def test_an_account_that_is_suspended_counts(node: Node, alice: Account) -> None:
    before = node.db.public_changes.version
    await node.db.write(accounts.set_visible, alice.id, is_visible=False)
    assert node.db.public_changes.version > before
