from __future__ import annotations

from node.database import Database
from node.interactions import blocks, likes
from node.models.account import Account
from node.notifications import notifications
from node.paging import Page
from node.posts.drafts import Draft
from node.publishing import publishing
from node.timelines import notification_list
from tests.support import people


async def test_each_happening_is_told_once(db: Database, alice: Account, bob: Account) -> None:
    post = await db.write(publishing.publish, alice, Draft(caption="Lake"))
    for _ in range(3):
        await db.write(notifications.notify, alice.id, "like", bob, post)
        await db.write(notifications.notify, alice.id, "follow", bob)

    assert await db.read(people.told, alice) == [("like", bob.id), ("follow", bob.id)]


async def test_nobody_is_told_of_their_own_deeds_and_nobody_elsewhere_is_told(
    db: Database, alice: Account
) -> None:
    rita = await db.write(people.remote)
    await db.write(notifications.notify, alice.id, "follow", alice)
    await db.write(notifications.notify, rita.id, "follow", alice)

    assert await db.read(lambda tx: tx.value("SELECT COUNT(*) FROM notifications")) == 0


async def test_the_blocked_and_the_muted_are_not_heard(
    db: Database, alice: Account, bob: Account, mallory: Account
) -> None:
    rita = await db.write(people.remote)
    await db.write(blocks.block, mallory, alice)
    await db.write(blocks.mute, alice, bob)
    await db.write(blocks.mute, alice, rita, hides_notifications=False)
    for by in (mallory, bob, rita):
        await db.write(notifications.notify, alice.id, "follow", by)

    assert await db.read(people.told, alice) == [("follow", rita.id)]


async def test_what_is_undone_is_no_longer_told(db: Database, alice: Account, bob: Account) -> None:
    post = await db.write(publishing.publish, alice, Draft(caption="Lake"))
    await db.write(likes.like, bob, post)
    assert await db.read(people.told, alice) == [("like", bob.id)]

    await db.write(likes.unlike, bob, post)

    assert await db.read(people.told, alice) == []


async def test_only_ones_own_can_be_dismissed(db: Database, alice: Account, bob: Account) -> None:
    await db.write(notifications.notify, alice.id, "follow", bob)
    [one] = await db.read(notification_list.page, alice, Page())

    await db.write(notifications.dismiss, bob, one.id)
    assert await db.read(notification_list.by_id, bob, one.id) is None
    assert await db.read(notification_list.by_id, alice, one.id) == one
    await db.write(notifications.dismiss, alice, one.id)
    assert await db.read(notification_list.by_id, alice, one.id) is None


async def test_clearing_leaves_those_of_others(db: Database, alice: Account, bob: Account) -> None:
    await db.write(notifications.notify, alice.id, "follow", bob)
    await db.write(notifications.notify, bob.id, "follow", alice)

    await db.write(notifications.clear, alice)

    assert await db.read(people.told, alice) == []
    assert await db.read(people.told, bob) == [("follow", alice.id)]
