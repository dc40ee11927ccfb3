"""Writing notifications: who is notified of what, once, and when it is withdrawn."""

from __future__ import annotations

import pytest

from node.database import Database
from node.ids import now_ms
from node.interactions import blocks, likes
from node.maintenance import clean_up
from node.models.account import Account
from node.notifications import notifications
from node.paging import Page
from node.posts.drafts import Draft
from node.publishing import publishing
from node.timelines import notification_list
from tests.support import people


async def test_an_event_is_notified_once(db: Database, alice: Account, bob: Account) -> None:
    post = await db.write(publishing.publish, alice, Draft(caption="Lake"))
    for _ in range(3):
        await db.write(notifications.notify, alice.id, "like", bob, post)
        await db.write(notifications.notify, alice.id, "follow", bob)

    assert await db.read(people.notifications_of, alice) == [("like", bob.id), ("follow", bob.id)]


async def test_the_oldest_of_many_notifications_are_deleted(
    db: Database, alice: Account, bob: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications, "MAX_PER_ACCOUNT", 2)
    for kind in ("follow", "like", "boost", "mention"):
        await db.write(notifications.notify, alice.id, kind, bob)
    await db.write(notifications.notify, bob.id, "follow", alice)

    await clean_up.delete_outdated(db, now_ms(), keep_remote_posts_days=180)

    assert [kind for kind, _ in await db.read(people.notifications_of, alice)] == ["boost", "mention"]
    assert [kind for kind, _ in await db.read(people.notifications_of, bob)] == ["follow"]


async def test_own_actions_and_remote_accounts_are_not_notified(db: Database, alice: Account) -> None:
    rita = await db.write(people.remote)
    await db.write(notifications.notify, alice.id, "follow", alice)
    await db.write(notifications.notify, rita.id, "follow", alice)

    assert await db.read(lambda tx: tx.value("SELECT COUNT(*) FROM notifications")) == 0


async def test_nothing_is_notified_between_blocked_and_muted_accounts(
    db: Database, alice: Account, bob: Account, mallory: Account
) -> None:
    rita = await db.write(people.remote)
    await db.write(blocks.block, mallory, alice)
    await db.write(blocks.mute, alice, bob)
    await db.write(blocks.mute, alice, rita, hides_notifications=False)
    for actor in (mallory, bob, rita):
        await db.write(notifications.notify, alice.id, "follow", actor)

    assert await db.read(people.notifications_of, alice) == [("follow", rita.id)]


async def test_a_notification_is_withdrawn_when_its_event_is_undone(
    db: Database, alice: Account, bob: Account
) -> None:
    post = await db.write(publishing.publish, alice, Draft(caption="Lake"))
    await db.write(likes.like, bob, post)
    assert await db.read(people.notifications_of, alice) == [("like", bob.id)]

    await db.write(likes.unlike, bob, post)

    assert await db.read(people.notifications_of, alice) == []


async def test_a_notification_is_dismissed_by_its_owner_only(
    db: Database, alice: Account, bob: Account
) -> None:
    await db.write(notifications.notify, alice.id, "follow", bob)
    [one] = await db.read(notification_list.page, alice, Page())

    await db.write(notifications.dismiss, bob, one.id)
    assert await db.read(notification_list.by_id, bob, one.id) is None
    assert await db.read(notification_list.by_id, alice, one.id) == one
    await db.write(notifications.dismiss, alice, one.id)
    assert await db.read(notification_list.by_id, alice, one.id) is None


async def test_clearing_leaves_notifications_of_others(db: Database, alice: Account, bob: Account) -> None:
    await db.write(notifications.notify, alice.id, "follow", bob)
    await db.write(notifications.notify, bob.id, "follow", alice)

    await db.write(notifications.clear, alice)

    assert await db.read(people.notifications_of, alice) == []
    assert await db.read(people.notifications_of, bob) == [("follow", alice.id)]


async def test_a_withdrawal_of_one_kind_leaves_the_others(
    db: Database, alice: Account, bob: Account, mallory: Account
) -> None:
    post = await db.write(publishing.publish, alice, Draft(caption="Lake"))
    for kind, actor in (("like", bob), ("boost", bob), ("like", mallory)):
        await db.write(notifications.notify, alice.id, kind, actor, post)
    await db.write(notifications.notify, alice.id, "follow", bob)

    await db.write(notifications.withdraw, "like", bob, post=post)
    await db.write(notifications.withdraw, "follow", bob, account=alice)

    assert await db.read(people.notifications_of, alice) == [("boost", bob.id), ("like", mallory.id)]


async def test_deleting_a_post_deletes_only_its_own_notifications(
    db: Database, alice: Account, bob: Account
) -> None:
    one = await db.write(publishing.publish, alice, Draft(caption="Lake"))
    other = await db.write(publishing.publish, alice, Draft(caption="Fog"))
    await db.write(notifications.notify, alice.id, "like", bob, one)
    await db.write(notifications.notify, alice.id, "boost", bob, other)

    await db.write(notifications.delete_by_post, one)

    assert await db.read(people.notifications_of, alice) == [("boost", bob.id)]


async def test_deleting_an_account_deletes_both_directions(
    db: Database, alice: Account, bob: Account, mallory: Account
) -> None:
    for owner, actor in ((alice, bob), (bob, alice), (alice, mallory)):
        await db.write(notifications.notify, owner.id, "follow", actor)

    await db.write(notifications.delete_between, mallory.id, bob.id)
    await db.write(notifications.delete_by_account, bob)

    assert await db.read(people.notifications_of, alice) == [("follow", mallory.id)]
    assert await db.read(people.notifications_of, bob) == []
