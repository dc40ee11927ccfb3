"""Reading notifications: pages, the unread count, and what is filtered out."""

from __future__ import annotations

import pytest

from node.accounts.accounts import set_visible
from node.auth import users
from node.database import Database, Reader
from node.models.account import Account
from node.notifications import notifications
from node.paging import Page
from node.posts.drafts import Draft
from node.publishing import post_deletion, publishing
from node.timelines import notification_list


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


async def test_suspended_people_fall_silent_and_deleted_posts_are_not_spoken_of(
    db: Database, alice: Account, bob: Account, mallory: Account
) -> None:
    post = await db.write(publishing.publish, alice, Draft(caption="Lake"))
    await db.write(notifications.notify, alice.id, "follow", mallory)
    await db.write(notifications.notify, alice.id, "like", bob, post)

    await db.write(set_visible, mallory.id, is_visible=False)
    await db.write(post_deletion.delete, alice, post)

    assert await db.read(notification_list.page, alice, Page()) == []
    assert await db.read(notification_list.unread_count, alice) == 0


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
