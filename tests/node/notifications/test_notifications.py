"""Writing notifications: who is notified of what, once, and when it is withdrawn."""

from __future__ import annotations

import pytest

from node.database import Database, Writer
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
from tests.support.posting import publish, receive_post


async def test_an_event_is_notified_once(db: Database, alice: Account, bob: Account) -> None:
    post = await db.write(publishing.publish, alice, Draft(caption="Lake"))
    for _ in range(3):
        await db.write(notifications.notify, alice.id, "like", bob, post)
        await db.write(notifications.notify, alice.id, "follow", bob)

    assert await db.read(people.notifications_of, alice) == [("like", bob.id), ("follow", bob.id)]


async def _trim(db: Database, monkeypatch: pytest.MonkeyPatch, *, newest: int, older: int) -> None:
    monkeypatch.setattr(notifications, "MAX_NEWEST", newest)
    monkeypatch.setattr(notifications, "MAX_OLDER", older)
    await clean_up.delete_outdated(db, now_ms(), keep_remote_posts_days=180)


async def test_the_oldest_of_many_notifications_are_deleted(
    db: Database, alice: Account, bob: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in ("sign_up", "follow", "like", "boost", "mention"):
        await db.write(notifications.notify, alice.id, kind, bob)
    await db.write(notifications.notify, bob.id, "follow", alice)

    await _trim(db, monkeypatch, newest=2, older=1)

    assert [kind for kind, _ in await db.read(people.notifications_of, alice)] == ["like", "boost", "mention"]
    assert [kind for kind, _ in await db.read(people.notifications_of, bob)] == ["follow"]


async def test_an_account_of_many_mentions_pushes_out_nobody_else(
    db: Database, alice: Account, bob: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unit(tx: Writer) -> None:
        friends = [bob, people.remote(tx, "sam", "loud.example"), people.remote(tx)]
        for friend, many in zip(friends, (10, 3, 3), strict=True):
            for _ in range(many):
                notifications.notify(tx, alice.id, "like", friend, publish(tx, alice))
        for loud in (people.remote(tx, "loud", "loud.example"), people.remote(tx, "big", "big.example")):
            for _ in range(600):
                notifications.notify(tx, alice.id, "mention", loud, receive_post(tx, loud))

    await db.write(unit)
    before = await db.read(people.notifications_of, alice)

    await _trim(db, monkeypatch, newest=20, older=30)

    after = await db.read(people.notifications_of, alice)
    assert len(after) == 50
    assert (after[:16], after[-20:]) == (before[:16], before[-20:])


async def test_many_accounts_of_one_server_push_out_nobody_of_another(
    db: Database, alice: Account, bob: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unit(tx: Writer) -> None:
        for friend in (bob, people.remote(tx)):
            for kind in ("follow", "like", "boost"):
                notifications.notify(tx, alice.id, kind, friend)
        for number in range(40):
            notifications.notify(tx, alice.id, "follow", people.remote(tx, f"loud{number}", "loud.example"))

    await db.write(unit)
    before = await db.read(people.notifications_of, alice)

    await _trim(db, monkeypatch, newest=10, older=10)

    after = await db.read(people.notifications_of, alice)
    assert after == before[:6] + before[-14:]


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
