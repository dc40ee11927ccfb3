"""The numbers a node publishes about itself: which accounts and posts are counted."""

from __future__ import annotations

import pytest

from node.admin import account_actions, statistics
from node.admin.statistics import DAY_MS
from node.auth import users
from node.database import Database, Writer
from node.ids import now_ms
from node.models.account import Account
from tests.support.people import remote
from tests.support.posting import publish, receive_post


def sign_up(tx: Writer, account: Account, role: str = "user", state: str = "active") -> None:
    users.create(tx, account, email=f"{account.name}@a.test", password_hash="-", role=role, state=state)


def seen(tx: Writer, account: Account, days_ago: float) -> None:
    at = now_ms() - int(days_ago * DAY_MS)
    tx.run("UPDATE users SET seen_at = :at WHERE account_id = :id", at=at, id=account.id)


async def test_an_empty_node_counts_nothing_not_even_its_own_actor(db: Database) -> None:
    found = await db.read(statistics.current)

    assert found == statistics.Statistics(0, 0, 0, 0, 0)


async def test_only_active_local_users_and_their_posts_count(
    db: Database, alice: Account, bob: Account, mallory: Account
) -> None:
    def given(tx: Writer) -> None:
        sign_up(tx, alice, "admin")
        sign_up(tx, mallory)
        publish(tx, alice, "1")
        publish(tx, alice, "2")
        publish(tx, bob, "by an account without a user")
        publish(tx, mallory, "by one that is suspended next")
        receive_post(tx, remote(tx))
        account_actions.suspend(tx, alice, mallory)

    await db.write(given)

    found = await db.read(statistics.current)
    assert (found.people, found.posts) == (1, 2)


async def test_a_pending_sign_up_is_not_counted(db: Database, alice: Account, bob: Account) -> None:
    await db.write(sign_up, alice)
    await db.write(sign_up, bob, state="pending")

    assert (await db.read(statistics.current)).people == 1


async def test_servers_are_counted_by_domain(db: Database) -> None:
    for name, domain in (("rita", "far.example"), ("ron", "far.example"), ("kim", "near.example")):
        await db.write(remote, name, domain)

    assert (await db.read(statistics.current)).servers == 2


@pytest.mark.parametrize(
    ("days_ago", "month", "half_year"), [(1, 1, 1), (29.9, 1, 1), (30.1, 0, 1), (181.9, 0, 1), (182.1, 0, 0)]
)
async def test_activity_is_counted_within_30_and_182_days(
    db: Database, alice: Account, days_ago: float, month: int, half_year: int
) -> None:
    await db.write(sign_up, alice)
    await db.write(seen, alice, days_ago)

    found = await db.read(statistics.current)
    assert (found.active_month, found.active_half_year) == (month, half_year)
