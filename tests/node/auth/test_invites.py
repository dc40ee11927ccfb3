"""Invites: who may create one, how often and how long it serves, and that nobody else ends it."""

from __future__ import annotations

import asyncio

import pytest

from node.accounts import accounts
from node.auth import invites, users
from node.database import Database, Writer
from node.errors import Invalid, NotAllowed
from node.ids import now_ms
from node.models.account import Account


@pytest.fixture
async def host(db: Database, alice: Account) -> Account:
    """An account whose user is active."""
    await db.write(users.create, alice, email="alice@a.test", password_hash="x")
    return alice


async def test_an_invite_can_be_redeemed_as_often_as_it_says(db: Database, host: Account) -> None:
    invite = await db.write(invites.create, host, uses=2, days=1)

    redeemed = [await db.write(invites.redeem, f" {invite.code}\n") for _ in range(3)]

    assert [one and (one.account_id, one.uses_left) for one in redeemed] == [(host.id, 1), (host.id, 0), None]
    assert await db.read(invites.usable_by_code, invite.code) is None
    assert await db.read(invites.by_account, host) == []


async def test_an_expired_invite_cannot_be_used(
    db: Database, host: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    invite = await db.write(invites.create, host, days=1)
    assert await db.read(invites.usable_by_code, invite.code) == invite

    monkeypatch.setattr(invites, "now_ms", lambda: invite.expires_at)

    assert await db.read(invites.usable_by_code, invite.code) is None
    assert await db.write(invites.redeem, invite.code) is None
    assert await db.read(invites.by_account, host) == []


@pytest.mark.parametrize(("uses", "days"), [(0, 7), (101, 7), (1, 0), (1, 91)])
async def test_numbers_out_of_range_are_refused(db: Database, host: Account, uses: int, days: int) -> None:
    with pytest.raises(Invalid):
        await db.write(invites.create, host, uses=uses, days=days)


@pytest.mark.parametrize("state", ["pending", "disabled"])
async def test_only_an_active_user_may_invite(db: Database, alice: Account, bob: Account, state: str) -> None:
    def given(tx: Writer) -> None:
        users.create(tx, alice, email="alice@a.test", password_hash="x", state="pending")
        tx.run("UPDATE users SET state = :state WHERE account_id = :id", state=state, id=alice.id)

    await db.write(given)

    for account in (alice, bob):  # bob has no user at all
        with pytest.raises(NotAllowed):
            await db.write(invites.create, account)


async def test_only_its_own_account_revokes_an_invite(db: Database, host: Account, bob: Account) -> None:
    invite = await db.write(invites.create, host)

    await db.write(invites.revoke, bob, invite.code)
    assert await db.read(invites.by_account, host) == [invite]

    await db.write(invites.revoke, host, invite.code)
    assert await db.read(invites.by_account, host) == []


async def test_used_up_and_expired_invites_are_cleaned_up(db: Database, host: Account) -> None:
    used = await db.write(invites.create, host, days=90)
    await db.write(invites.redeem, used.code)
    await db.write(invites.create, host, days=1)
    usable = await db.write(invites.create, host, days=90)

    assert await db.write(invites.clean_up, now_ms()) == 1
    assert await db.write(invites.clean_up, now_ms() + 2 * invites.DAY_MS) == 1

    assert await db.read(invites.by_account, host) == [usable]


async def test_the_invites_of_a_deleted_account_are_deleted(db: Database, host: Account) -> None:
    invite = await db.write(invites.create, host)

    await db.write(invites.delete_by_account, await db.read(accounts.get, host.id))

    assert await db.read(invites.usable_by_code, invite.code) is None


async def test_a_user_invites_so_many_people_in_a_month(
    db: Database, host: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await db.write(invites.create, host, uses=invites.MAX_PEOPLE - 1)
    last = await db.write(invites.create, host)
    with pytest.raises(NotAllowed, match="10 people"):
        await db.write(invites.create, host)
    await db.write(invites.revoke, host, made.code)
    await db.write(invites.create, host, uses=invites.MAX_PEOPLE - 1)

    # Who came counts as much as who may still come.
    await db.write(invites.redeem, last.code)
    await db.write(lambda tx: tx.run("UPDATE users SET invited_by = account_id"))
    with pytest.raises(NotAllowed):
        await db.write(invites.create, host)
    later = now_ms() + (invites.PERIOD_DAYS + 1) * invites.DAY_MS
    monkeypatch.setattr(invites, "now_ms", lambda: later)
    await db.write(invites.create, host)


async def test_staff_may_invite_more(db: Database, host: Account) -> None:
    await db.write(users.set_role, None, host, "admin")
    for _ in range(3):
        await db.write(invites.create, host, uses=100)


async def test_an_invite_ends_with_the_right_of_its_author_to_be_here(db: Database, host: Account) -> None:
    invite = await db.write(invites.create, host)
    await db.write(accounts.set_visible, host.id, is_visible=False)
    assert await db.read(invites.usable_by_code, invite.code) is None
    assert await db.write(invites.redeem, invite.code) is None
    await db.write(accounts.set_visible, host.id)
    assert await db.write(invites.redeem, invite.code) is not None


async def test_invites_created_at_once_keep_to_the_limit(db: Database, host: Account) -> None:
    for _ in range(20):
        for one in await db.read(invites.by_account, host):
            await db.write(invites.revoke, host, one.code)
        await db.write(invites.create, host, uses=invites.MAX_PEOPLE - 1)

        await asyncio.gather(*(db.write(invites.create, host) for _ in range(8)), return_exceptions=True)

        found = await db.read(invites.by_account, host)
        assert sum(one.uses_left for one in found) == invites.MAX_PEOPLE
