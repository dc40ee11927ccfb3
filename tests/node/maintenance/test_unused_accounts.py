"""Remote accounts: kept while anything refers to them, or a moderator decided about them."""

from __future__ import annotations

import pytest

from node.database import Database, Reader, Writer
from node.ids import now_ms
from node.maintenance import clean_up, unused_accounts
from node.models.account import Account
from tests.support.people import remote
from tests.support.posting import publish
from tests.support.rows import Rows, ids_of

LATER = now_ms() + 200 * clean_up.DAY_MS
OWNED = {("keys", "account_id"), ("avatar_files", "account_id"), ("early_updates", "account_id")}
"""What is deleted with an account."""
OF_LOCAL_ACCOUNTS = {
    *(
        ("bookmarks", "account_id"),
        ("mutes", "account_id"),
        ("users", "account_id"),
        ("invites", "account_id"),
        ("lost_follows", "account_id"),
    ),
    *(("sessions", "account_id"), ("tokens", "account_id"), ("idempotency_keys", "account_id")),
    *(("outbox", "account_id"), ("notifications", "account_id")),
    *(("photos", "account_id"), ("pins", "account_id")),
    *(("followed_hashtags", "account_id"), ("markers", "account_id")),
    *(("authorization_codes", "account_id"), ("sign_ins", "account_id"), ("second_steps", "account_id")),
    *(("passkeys", "account_id"), ("passkey_handles", "account_id"), ("recovery_codes", "account_id")),
}
"""Only local accounts have rows there, or those who have posts."""


def handles(tx: Reader) -> list[str]:
    return [row["name"] for row in tx.all("SELECT name FROM accounts WHERE NOT is_local ORDER BY id")]


async def clean(db: Database) -> None:
    await clean_up.delete_outdated(db, LATER, keep_remote_posts_days=180)


async def test_an_account_that_nothing_refers_to_is_deleted_after_a_while(
    db: Database, alice: Account
) -> None:
    await db.write(remote)

    await clean_up.delete_outdated(db, now_ms(), keep_remote_posts_days=180)
    assert await db.read(handles) == ["rita"]

    await clean(db)
    assert await db.read(handles) == []
    assert await db.read(lambda tx: tx.value("SELECT COUNT(*) FROM keys WHERE private IS NULL")) == 0


async def test_an_account_that_a_moderator_suspended_stays(db: Database) -> None:
    def given(tx: Writer) -> None:
        tx.run("UPDATE accounts SET suspended_at = 1 WHERE id = :id", id=remote(tx).id)

    await db.write(given)

    await clean(db)

    assert await db.read(handles) == ["rita"]


@pytest.mark.parametrize(("table", "column"), unused_accounts.REFERENCES)
async def test_whatever_refers_to_an_account_keeps_it(
    db: Database, alice: Account, table: str, column: str
) -> None:
    def given(tx: Writer) -> None:
        rita = remote(tx)
        given = {"deleted_at": None} if table == "posts" else {}
        Rows(tx, alice, publish(tx, alice)).add(table, **{column: rita.id}, **given)

    await db.write(given)

    await db.write(unused_accounts.delete_batch, LATER, None, before=LATER)

    assert await db.read(handles) == ["rita"]


def test_every_column_that_refers_to_an_account_is_asked() -> None:
    referring = {(column.table, column.name) for column in ids_of("accounts") if column.references}

    assert referring == set(unused_accounts.REFERENCES) | OWNED | OF_LOCAL_ACCOUNTS
