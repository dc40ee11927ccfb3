"""The audit log: what an entry holds, when it is written, and when it is deleted."""

from __future__ import annotations

import logging

import pytest

from node.database import Database, Writer
from node.models.account import Account
from node.moderation import audit_log
from node.moderation.audit_log import AuditEntry
from node.paging import Page


async def entries(db: Database, page: Page | None = None) -> list[AuditEntry]:
    return await db.read(audit_log.entries, page or Page())


async def test_an_entry_names_moderator_action_and_target(db: Database, alice: Account) -> None:
    await db.write(audit_log.record, alice, "suspend", "mallory", "spam")

    [entry] = await entries(db)
    assert (entry.by_name, entry.action, entry.target, entry.detail) == (
        "alice",
        "suspend",
        "mallory",
        "spam",
    )


async def test_an_entry_of_the_node_itself_has_no_name(db: Database) -> None:
    await db.write(audit_log.record, None, "mode", "allowlist")

    [entry] = await entries(db)
    assert (entry.by_name, entry.detail) == ("", "")


async def test_entries_are_paged_newest_first(db: Database, alice: Account) -> None:
    for number in range(5):
        await db.write(audit_log.record, alice, "rule", f"{number}.example")

    newest = await entries(db, Page(limit=2))
    older = await entries(db, Page(max_id=newest[-1].id, limit=2))
    above = await entries(db, Page(min_id=older[-1].id, limit=2))

    assert [one.target for one in newest] == ["4.example", "3.example"]
    assert [one.target for one in older] == ["2.example", "1.example"]
    assert [one.target for one in above] == ["3.example", "2.example"]


async def test_long_texts_are_cut(db: Database, alice: Account) -> None:
    await db.write(audit_log.record, alice, "rule", "t" * 5000, "d" * 5000)

    [entry] = await entries(db)
    assert entry.target == "t" * audit_log.MAX_FIELD_LENGTH
    assert entry.detail == "d" * audit_log.MAX_FIELD_LENGTH


async def test_a_decision_that_is_rolled_back_is_neither_stored_nor_logged(
    db: Database, alice: Account, caplog: pytest.LogCaptureFixture
) -> None:
    def unit(tx: Writer) -> None:
        audit_log.record(tx, alice, "suspend", "mallory")
        raise RuntimeError("the decision fails after all")

    with caplog.at_level(logging.INFO, "tintype.audit"), pytest.raises(RuntimeError):
        await db.write(unit)

    assert await entries(db) == []
    assert caplog.messages == []


async def test_a_decision_is_logged_once_committed(
    db: Database, alice: Account, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "tintype.audit"):
        await db.write(audit_log.record, alice, "suspend", "mallory", "spam")
        await db.write(audit_log.record, None, "mode", "open")

    assert caplog.messages == ["alice: suspend mallory spam", "the node: mode open "]


async def test_entries_older_than_two_years_are_deleted(db: Database, alice: Account) -> None:
    await db.write(audit_log.record, alice, "suspend", "mallory")
    [entry] = await entries(db)

    assert await db.write(audit_log.clean_up, entry.created_at + audit_log.RETENTION_MS) == 0
    assert await entries(db) == [entry]
    assert await db.write(audit_log.clean_up, entry.created_at + audit_log.RETENTION_MS + 1) == 1
    assert await entries(db) == []
