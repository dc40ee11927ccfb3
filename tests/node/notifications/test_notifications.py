from __future__ import annotations

import pytest

from node.accounts.accounts import show
from node.auth import users
from node.database import Database, Reader
from node.interactions import blocks, likes
from node.models.account import Account
from node.notifications import notifications
from node.paging import Page
from node.posts.drafts import Draft
from node.publishing import post_deletion, publishing
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


async def test_a_page_shows_who_and_which_post_and_marks_what_was_read(
    db: Database, alice: Account, bob: Account
) -> None:
    post = await db.write(publishing.publish, alice, Draft(caption="Lake"))
    await db.write(notifications.notify, alice.id, "like", bob, post)
    await db.write(notifications.notify, alice.id, "follow", bob)

    shown = await db.read(notification_list.page, alice, Page())
    assert [(one.kind, one.by, one.post and one.post.post.id) for one in shown] == [
        ("follow", bob, None),
        ("like", bob, post.id),
    ]
    only = await db.read(notification_list.page, alice, Page(), ["like", "nonsense"])
    assert [one.kind for one in only] == ["like"]
    assert await db.read(notification_list.page, alice, Page(), []) == []


async def test_read_ones_are_counted_no_more(db: Database, alice: Account, bob: Account) -> None:
    await db.write(users.create, alice, email="a@a.test", password_hash="x")
    await db.write(notifications.notify, alice.id, "follow", bob)
    await db.write(notifications.notify, alice.id, "like", bob)
    first = (await db.read(notification_list.page, alice, Page()))[-1]

    assert await db.read(notification_list.unread_count, alice) == 2
    await db.write(notification_list.mark_read, alice, first.id)
    assert await db.read(notification_list.unread_count, alice) == 1
    await db.write(notification_list.mark_read, alice)
    await db.write(notification_list.mark_read, alice, first.id)
    assert await db.read(notification_list.unread_count, alice) == 0


async def test_only_ones_own_can_be_dismissed(db: Database, alice: Account, bob: Account) -> None:
    await db.write(notifications.notify, alice.id, "follow", bob)
    [one] = await db.read(notification_list.page, alice, Page())

    await db.write(notifications.dismiss, bob, one.id)
    assert await db.read(notification_list.by_id, bob, one.id) is None
    assert await db.read(notification_list.by_id, alice, one.id) == one
    await db.write(notifications.dismiss, alice, one.id)
    assert await db.read(notification_list.by_id, alice, one.id) is None


async def test_suspended_people_fall_silent_and_deleted_posts_are_not_spoken_of(
    db: Database, alice: Account, bob: Account, mallory: Account
) -> None:
    post = await db.write(publishing.publish, alice, Draft(caption="Lake"))
    await db.write(notifications.notify, alice.id, "follow", mallory)
    await db.write(notifications.notify, alice.id, "like", bob, post)

    await db.write(show, mallory.id, is_shown=False)
    await db.write(post_deletion.delete, alice, post)

    assert await db.read(notification_list.page, alice, Page()) == []
    assert await db.read(notification_list.unread_count, alice) == 0


async def test_clearing_leaves_those_of_others(db: Database, alice: Account, bob: Account) -> None:
    await db.write(notifications.notify, alice.id, "follow", bob)
    await db.write(notifications.notify, bob.id, "follow", alice)

    await db.write(notifications.clear, alice)

    assert await db.read(people.told, alice) == []
    assert await db.read(people.told, bob) == [("follow", alice.id)]


@pytest.mark.parametrize("count", [1, 30])
async def test_a_page_takes_the_same_number_of_questions_however_long(
    db: Database, alice: Account, bob: Account, count: int
) -> None:
    for n in range(count):
        post = await db.write(publishing.publish, alice, Draft(caption=f"Lake {n}"))
        await db.write(notifications.notify, alice.id, "like", bob, post)

    def questions(tx: Reader) -> int:
        asked = 0
        everything, single = tx.all, tx.one

        def counted_all(sql: str, /, **values: object) -> object:
            nonlocal asked
            asked += 1
            return everything(sql, **values)

        def counted_one(sql: str, /, **values: object) -> object:
            nonlocal asked
            asked += 1
            return single(sql, **values)

        tx.all, tx.one = counted_all, counted_one  # type: ignore[method-assign, assignment]
        assert len(notification_list.page(tx, alice, Page(limit=40))) == count
        return asked

    assert await db.read(questions) <= 12
