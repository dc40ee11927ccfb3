"""Reading notifications: pages, the unread count, and what is filtered out."""

from __future__ import annotations

import pytest

from node.accounts.accounts import set_visible
from node.auth import users
from node.database import Database, Writer
from node.ids import MAX_ID
from node.interactions import blocks
from node.models.account import Account
from node.moderation import domain_rules
from node.node import Node
from node.notifications import notifications
from node.paging import Page
from node.posts.drafts import Draft
from node.publishing import post_deletion, publishing
from node.timelines import notification_list
from tests.support.people import remote
from tests.support.posting import follow
from tests.support.statements import Recording


async def test_a_page_shows_actor_and_post_of_the_kinds_asked_for(
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


async def test_summaries_are_of_the_same_notifications_as_the_page(
    db: Database, alice: Account, bob: Account, mallory: Account
) -> None:
    posts = [await db.write(publishing.publish, alice, Draft(caption="Lake")) for _ in range(2)]
    for post in posts:
        for person in (bob, mallory):
            await db.write(notifications.notify, alice.id, "like", person, post)
    await db.write(notifications.notify, alice.id, "follow", bob)
    await db.write(post_deletion.remove_locally, posts[0])
    await db.write(set_visible, mallory.id, is_visible=False)

    found = await db.read(notification_list.summaries, alice, Page(), notifications.KINDS)

    assert [(one.kind, one.by, one.post and one.post.post_id) for one in found] == [
        ("follow", bob, None),
        ("like", bob, posts[1].id),
    ]
    page = await db.read(notification_list.page, alice, Page())
    assert [one.id for one in page] == [one.id for one in found]
    assert await db.read(notification_list.summaries, alice, Page(), []) == []


async def test_read_notifications_are_not_counted_and_stay_read(
    db: Database, alice: Account, bob: Account
) -> None:
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


async def test_those_of_suspended_accounts_and_deleted_posts_are_left_out(
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
async def test_a_page_takes_as_many_queries_however_long_it_is(
    node: Node, db: Database, alice: Account, bob: Account, count: int
) -> None:
    for n in range(count):
        post = await db.write(publishing.publish, alice, Draft(caption=f"Lake {n}"))
        await db.write(notifications.notify, alice.id, "like", bob, post)

    node.db = recording = Recording(node.db)  # type: ignore[assignment]
    assert len(await recording.read(notification_list.page, alice, Page(limit=40))) == count
    assert len(recording.statements) <= 12


async def test_a_notification_is_read_by_its_owner_only(db: Database, alice: Account, bob: Account) -> None:
    await db.write(notifications.notify, alice.id, "follow", bob)
    [one] = await db.read(notification_list.page, alice, Page())

    assert await db.read(notification_list.by_id, alice, one.id) == one
    assert await db.read(notification_list.by_id, bob, one.id) is None
    assert await db.read(notification_list.by_id, alice, one.id + 1) is None


async def test_those_of_an_account_muted_since_come_back_with_it(
    db: Database, alice: Account, bob: Account
) -> None:
    await db.write(notifications.notify, alice.id, "follow", bob)

    await db.write(blocks.mute, alice, bob)
    assert await db.read(notification_list.page, alice, Page()) == []
    assert await db.read(notification_list.unread_count, alice) == 0

    await db.write(blocks.unmute, alice, bob)
    assert len(await db.read(notification_list.page, alice, Page())) == 1


async def test_of_limited_accounts_only_follow_requests_and_followed_ones_show(
    db: Database, alice: Account
) -> None:
    def given(tx: Writer) -> None:
        rita, kim = remote(tx, "rita"), remote(tx, "kim")
        domain_rules.block(tx, "far.example", strength="limit")
        follow(tx, alice, kim)
        for actor, kind in ((rita, "mention"), (rita, "follow_request"), (kim, "mention")):
            notifications.notify(tx, alice.id, kind, actor)

    await db.write(given)

    shown = await db.read(notification_list.page, alice, Page())
    assert [(one.kind, one.by.name) for one in shown] == [("mention", "kim"), ("follow_request", "rita")]
    assert await db.read(notification_list.unread_count, alice) == 2


async def test_unread_ones_are_counted_up_to_a_limit(db: Database, alice: Account) -> None:
    def given(tx: Writer) -> None:
        for number in range(4):
            notifications.notify(tx, alice.id, "follow", remote(tx, f"r{number}"))

    await db.write(given)

    assert await db.read(notification_list.unread_count, alice, 3) == 3
    assert await db.read(notification_list.unread_count, alice, 9) == 4


async def test_an_id_beyond_the_newest_marks_only_what_there_is(
    db: Database, alice: Account, bob: Account, mallory: Account
) -> None:
    await db.write(users.create, alice, email="a@a.test", password_hash="x")
    await db.write(notifications.notify, alice.id, "follow", bob)

    await db.write(notification_list.mark_read, alice, MAX_ID)
    await db.write(notifications.notify, alice.id, "follow", mallory)

    assert await db.read(notification_list.unread_count, alice) == 1
