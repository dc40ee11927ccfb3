"""What moderators do about accounts and posts, and who may do it."""

from __future__ import annotations

import pytest

from node.accounts import accounts
from node.admin import account_actions, reports
from node.auth import users
from node.database import Database, Writer
from node.errors import NotAllowed
from node.models.account import Account
from node.posts import posts
from tests.support import people
from tests.support.posting import arrives, rita


def staff(tx: Writer, who: Account) -> Account:
    users.create(tx, who, email=f"{who.name}@tintype.test", password_hash="-", role="moderator")
    return who


async def test_only_staff_may_suspend_and_only_an_admin_a_colleague(
    db: Database, alice: Account, bob: Account, mallory: Account
) -> None:
    def given(tx: Writer) -> None:
        users.create(tx, alice, email="a@a.test", password_hash="x", role="admin")
        users.create(tx, bob, email="b@a.test", password_hash="x", role="moderator")
        users.create(tx, mallory, email="m@a.test", password_hash="x")

    await db.write(given)

    for by, who in ((mallory, bob), (bob, alice), (alice, alice)):
        with pytest.raises(NotAllowed):
            await db.write(account_actions.suspend, by, who)
    await db.write(account_actions.suspend, bob, mallory)
    assert (await db.read(accounts.get, mallory.id)).is_inactive
    await db.write(account_actions.unsuspend, bob, mallory)
    assert not (await db.read(accounts.get, mallory.id)).is_inactive
    await db.write(account_actions.suspend, alice, bob)
    assert await db.read(people.verbs, mallory) == ["Update", "Update"]


async def test_a_post_of_another_server_is_deleted_here_alone(
    db: Database, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> None:
        judge, author = staff(tx, bob), rita(tx)
        post = arrives(tx, author)
        made = reports.report(tx, alice, author, post_ids=[post.id])
        account_actions.delete_reported_post(tx, judge, made.id, post.id)
        gone = posts.by_id(tx, post.id)
        assert gone is not None
        assert gone.deleted_at is not None
        account_actions.suspend(tx, judge, author)
        assert accounts.get(tx, author.id).is_inactive

    await db.write(unit)
