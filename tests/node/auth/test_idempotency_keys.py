"""Idempotency keys: a request that is sent again gets the post of the first one."""

from __future__ import annotations

import asyncio

import pytest

from node.auth import idempotency_keys
from node.database import Database, Writer
from node.ids import now_ms
from node.models.account import Account


def create_once(tx: Writer, account: Account, key: str, post_id: int) -> tuple[int, bool]:
    """As the client API creates a post; whether it was new."""
    known = idempotency_keys.claim(tx, account, key)
    if known is not None:
        return known, False
    idempotency_keys.record_post(tx, account, key, post_id)
    return post_id, True


async def test_the_second_request_gets_the_first_post(db: Database, alice: Account) -> None:
    assert await db.write(create_once, alice, "key", 7) == (7, True)
    assert await db.write(create_once, alice, "key", 8) == (7, False)
    assert await db.write(create_once, alice, "another key", 9) == (9, True)


async def test_each_account_has_its_own_keys(db: Database, alice: Account, bob: Account) -> None:
    await db.write(create_once, alice, "key", 7)

    assert await db.write(create_once, bob, "key", 8) == (8, True)


async def test_a_request_that_failed_leaves_its_key_unused(db: Database, alice: Account) -> None:
    def failing(tx: Writer) -> None:
        assert idempotency_keys.claim(tx, alice, "key") is None
        raise ValueError("no such photo")

    with pytest.raises(ValueError, match="no such photo"):
        await db.write(failing)

    assert await db.write(create_once, alice, "key", 7) == (7, True)


async def test_of_requests_at_the_same_moment_one_creates_the_post(db: Database, alice: Account) -> None:
    results = await asyncio.gather(*[db.write(create_once, alice, "key", number) for number in range(1, 9)])

    assert sum(is_new for _, is_new in results) == 1
    assert len({post_id for post_id, _ in results}) == 1


async def test_only_the_hash_of_a_key_is_stored(db: Database, alice: Account) -> None:
    await db.write(create_once, alice, "a key that an app chose", 7)

    [row] = await db.read(lambda tx: tx.all("SELECT hash FROM idempotency_keys"))

    assert "app" not in row["hash"]


async def test_a_key_is_kept_for_a_day(db: Database, alice: Account) -> None:
    await db.write(create_once, alice, "key", 7)

    await db.write(idempotency_keys.clean_up, now_ms())
    assert await db.write(create_once, alice, "key", 8) == (7, False)

    await db.write(idempotency_keys.clean_up, now_ms() + idempotency_keys.RETENTION_MS + 1000)
    assert await db.write(create_once, alice, "key", 8) == (8, True)
