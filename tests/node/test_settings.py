"""Stored settings: one value for each key, and the clock of the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from node import settings
from node.database import Database


async def test_a_key_that_was_never_stored_has_no_value(db: Database) -> None:
    assert await db.read(settings.get, "test") is None


async def test_a_new_value_replaces_the_old_one(db: Database) -> None:
    await db.write(settings.put, "test", "a")
    await db.write(settings.put, "other", "x")
    await db.write(settings.put, "test", "")

    assert await db.read(settings.get, "test") == ""
    assert await db.read(settings.get, "other") == "x"


async def test_a_removed_key_has_no_value_and_may_be_removed_again(db: Database) -> None:
    await db.write(settings.put, "test", "a")
    await db.write(settings.remove, "test")
    await db.write(settings.remove, "test")

    assert await db.read(settings.get, "test") is None


async def test_the_clock_of_the_database_has_a_time_zone(db: Database) -> None:
    now = await db.read(settings.database_time)

    assert now.tzinfo is not None
    assert abs(now - datetime.now(UTC)) < timedelta(hours=1)
