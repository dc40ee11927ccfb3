"""Every table that grows has a bound or an age: the tables below say which, and the clean-up is run to see it."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

from node.database import Database, Reader, Writer
from node.ids import now_ms
from node.maintenance import clean_up
from node.models.account import Account
from tests.support.posting import publish
from tests.support.rows import Rows
from tests.support.schema import columns, owners

# Deleted by age: what makes a row outdated, beside times of long ago, and what makes one that is not.
LONG_AGO, NOW = 1, now_ms()
BY_AGE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "apps": ({}, {}),
    "app_tokens": ({}, {}),
    "attempts": ({}, {}),
    "authorization_codes": ({}, {}),
    "audit_log": ({"id": LONG_AGO}, {}),
    "cached_media": ({"bytes": 0, "try_after": LONG_AGO}, {"bytes": 0, "try_after": NOW}),
    "deliveries": ({"id": 1, "state": "delivered", "finished_at": LONG_AGO}, {"state": "waiting"}),
    "early_updates": ({"id": 1}, {}),
    "hashtag_days": ({"day": LONG_AGO}, {"day": NOW // 86_400_000}),
    "hashtag_uses": ({"hour": LONG_AGO}, {"hour": NOW // 3_600_000}),
    "hashtags": ({}, {}),
    "hosts": ({"failures": 1}, {"failures": 1}),
    "idempotency_keys": ({}, {}),
    "invites": ({}, {"expires_at": NOW + 86_400_000}),
    "jobs": ({"failed_at": LONG_AGO}, {"failed_at": NOW}),
    "outbox": ({"id": 1}, {}),
    "rejected_sign_ups": ({}, {}),
    "reports": ({"id": LONG_AGO, "closed_at": LONG_AGO}, {"closed_at": NOW}),
    "seen_activities": ({}, {}),
    "sessions": ({}, {}),
    "lost_follows": ({}, {}),
    "severed_follows": ({}, {}),
    "sign_ins": ({}, {}),
    "tombstones": ({}, {}),
    "uploads": ({}, {"expires_at": NOW + 3_600_000}),
}

# Deleted by rules of their own: the tests that show it.
BY_RULE = {
    "accounts": "tests.node.maintenance.test_unused_accounts",
    "emoji": "tests.node.attachments.test_custom_emoji",
    "feed": "tests.node.posts.test_home_feed",
    "notifications": "tests.node.notifications.test_notifications",
    "photos": "tests.node.attachments.test_photos",
    "posts": "tests.node.maintenance.test_old_conversations",
}

# Deleted with the post or account they are about, and at most so many for each: a constant, or why there is only one.
PER_ROW = {
    "avatar_files": "a few sizes for each picture of a profile",
    "blocks": "one for each two accounts",
    "bookmarks": "one for each account and post",
    "boosts": "one for each account and post",
    "draft_photos": "node.posts.drafts.MAX_PHOTOS",
    "followed_hashtags": "node.posts.followed_hashtags.MAX_FOLLOWED",
    "follows": "one for each two accounts",
    "keys": "node.accounts.keys.MAX_KEYS",
    "likes": "one for each account and post",
    "markers": "one for each account and timeline",
    "mentions": "node.publishing.remote_posts.MAX_MENTIONS",
    "moves": "one for each account",
    "mutes": "one for each two accounts",
    "passkey_handles": "one for each account",
    "passkeys": "node.auth.passkeys.passkeys.MAX_PER_ACCOUNT",
    "photo_files": "a few sizes for each photo",
    "pins": "node.interactions.pins.MAX_REMOTE_PINS",
    "post_edits": "node.posts.revisions.MAX_VERSIONS",
    "post_hashtags": "node.publishing.remote_posts.MAX_HASHTAGS",
    "quote_stamps": "node.interactions.quotes.MAX_PER_ACCOUNT",
    "quotes": "one for each post",
    "recovery_codes": "node.auth.second_step.recovery_codes.NUMBER",
    "report_posts": "node.admin.reports.MAX_POSTS",
    "reactions": "node.interactions.emoji_reactions.MAX_PER_ACCOUNT",
    "second_steps": "one for each account",
    "tagged_people": "node.posts.tagged_people.MAX_PER_PHOTO",
    "saved_drafts": "node.publishing.saved_drafts.MAX_DRAFTS",
    "tokens": "node.auth.access_tokens.MAX_PER_ACCOUNT",
    "users": "one for each local account",
}

# Made by admins, or by the node for each of something that is bounded itself.
BY_ADMINS = {
    "block_list_entries": "node.moderation.block_list_csv.MAX_ENTRIES",
    "block_lists": "node.moderation.block_lists.MAX_LISTS",
    "cached_hosts": "one for each host in cached_media",
    "domain_allows": "an admin's decision each",
    "domain_blocks": "an admin's decision each",
    "domain_exclusions": "an admin's decision each",
    "lanes": "one for each host with jobs",
    "settings": "one for each setting of the admin pages",
}


def test_the_bound_of_every_table_is_named() -> None:
    named = [*BY_AGE, *BY_RULE, *PER_ROW, *BY_ADMINS]

    assert sorted(named) == sorted(owners())


@pytest.mark.parametrize(
    "bound", [bound for bound in (*PER_ROW.values(), *BY_ADMINS.values()) if "." in bound]
)
def test_a_bound_that_is_a_number_is_in_the_code(bound: str) -> None:
    module, _, name = bound.rpartition(".")

    assert getattr(importlib.import_module(module), name) > 0


@pytest.mark.parametrize("module", sorted(BY_RULE.values()))
def test_a_rule_of_its_own_has_tests_that_run_the_clean_up(module: str) -> None:
    file = importlib.import_module(module).__file__
    assert file is not None
    assert re.search(r"\b(clean_up|trim|delete_outdated)\(|\b(clean_up|trim),", Path(file).read_text())


def _add(rows: Rows, table: str, time: int, values: dict[str, Any]) -> dict[str, object]:
    times = {
        column.name: time
        for column in columns()
        if column.table == table and column.is_required and column.name.endswith("_at")
    }
    return rows.add(table, **(times | values))


def _remains(tx: Reader, table: str, row: dict[str, object]) -> bool:
    where = " AND ".join(f"{name} = :{name}" for name in row)
    return bool(tx.value(f"SELECT COUNT(*) FROM {table} WHERE {where}", **row))


async def test_outdated_rows_are_deleted_and_recent_ones_stay(
    db: Database, alice: Account, bob: Account, mallory: Account
) -> None:
    def given(tx: Writer) -> tuple[dict[str, dict[str, object]], dict[str, dict[str, object]]]:
        post = publish(tx, alice)
        old, recent = Rows(tx, bob, post), Rows(tx, mallory, post)
        return (
            {table: _add(old, table, LONG_AGO, values) for table, (values, _) in BY_AGE.items()},
            {table: _add(recent, table, NOW, values) for table, (_, values) in BY_AGE.items()},
        )

    outdated, recent = await db.write(given)
    assert {table for table, row in outdated.items() if await db.read(_remains, table, row)} == set(BY_AGE)

    await clean_up.delete_outdated(db, now_ms(), keep_remote_posts_days=180)

    assert not {table for table, row in outdated.items() if await db.read(_remains, table, row)}
    assert {table for table, row in recent.items() if await db.read(_remains, table, row)} == set(BY_AGE)


async def test_more_rows_than_one_batch_are_deleted_in_one_run(db: Database) -> None:
    def given(tx: Writer) -> None:
        tx.many(
            "INSERT INTO tombstones (uri, created_at) VALUES (:uri, 1)",
            [{"uri": f"https://far.example/{number}"} for number in range(1_700)],
        )

    await db.write(given)

    await clean_up.delete_outdated(db, now_ms(), keep_remote_posts_days=0)

    assert await db.read(lambda tx: tx.value("SELECT COUNT(*) FROM tombstones")) == 0
