"""Which inboxes each kind of activity is sent to."""

from __future__ import annotations

import pytest

from activitypub.delivery import audience
from node.database import Reader, Writer
from node.federation import deliveries, outbox
from node.federation.outbox import OutgoingActivity
from node.interactions import blocks, boosts, follows, likes
from node.models.account import Account
from node.models.post import Post
from node.moderation import domain_rules
from node.node import Node
from node.posts.drafts import Draft
from node.publishing import post_deletion, publishing
from tests.support import people, posting

SHARED = "https://far.example/inbox"
RITA, ROB = "https://far.example/users/rita/inbox", "https://far.example/users/rob/inbox"


def last(tx: Reader, actor: Account) -> OutgoingActivity:
    number = tx.value("SELECT MAX(id) FROM outbox WHERE account_id = :id", id=actor.id)
    activity = outbox.by_id(tx, number)
    assert activity is not None
    return activity


async def inboxes(node: Node, actor: Account) -> set[str]:
    """Where the newest activity of an account goes."""

    def read(tx: Reader) -> list[tuple[str, str]]:
        return audience.inboxes(tx, last(tx, actor), actor)

    found = await node.db.read(read)
    assert len(found) == len(set(found))
    return {inbox for inbox, _ in found}


@pytest.fixture
async def rita(node: Node) -> Account:
    return await node.db.write(people.remote)


@pytest.fixture
async def followed(node: Node, alice: Account, rita: Account) -> Account:
    """Alice, followed by rita and rob of one server."""

    def unit(tx: Writer) -> None:
        for follower in (rita, people.remote(tx, "rob")):
            posting.follow(tx, follower, alice)

    await node.db.write(unit)
    return alice


async def publish(node: Node, author: Account, caption: str = "Morning", visibility: str = "public") -> Post:
    return await node.db.write(publishing.publish, author, Draft(caption=caption, visibility=visibility))


async def test_a_post_goes_to_the_shared_inbox_of_followers_once(node: Node, followed: Account) -> None:
    await publish(node, followed)

    assert await inboxes(node, followed) == {SHARED}


@pytest.mark.parametrize(("visibility", "is_checked"), [("followers", True), ("public", False)])
async def test_only_a_post_for_followers_compares_followers(
    node: Node, followed: Account, visibility: str, is_checked: bool
) -> None:
    await publish(node, followed, visibility=visibility)

    assert await node.db.read(lambda tx: audience.is_followers_only(tx, last(tx, followed))) is is_checked


async def test_a_direct_post_goes_to_personal_inboxes_only(node: Node, followed: Account) -> None:
    await publish(node, followed, "Psst @rita@far.example", "direct")

    assert await inboxes(node, followed) == {RITA}


async def test_a_like_goes_to_the_author_and_a_boost_to_followers_too(node: Node, followed: Account) -> None:
    sam = await node.db.write(people.remote, "sam", "sea.example")
    post = await node.db.write(posting.receive_post, sam)

    await node.db.write(likes.like, followed, post)
    assert await inboxes(node, followed) == {sam.inbox}
    for action in (boosts.boost, boosts.unboost):
        await node.db.write(action, followed, post)
        assert await inboxes(node, followed) == {sam.inbox, SHARED}


async def test_a_deletion_goes_to_every_inbox_that_was_sent_the_post(
    node: Node, followed: Account, rita: Account
) -> None:
    post = await publish(node, followed)
    created = await node.db.read(last, followed)
    await node.db.write(deliveries.queue, created, [("https://old.example/inbox", "old.example")])

    await node.db.write(post_deletion.delete, followed, post)

    assert await inboxes(node, followed) == {SHARED, "https://old.example/inbox"}


async def test_a_forwarded_activity_does_not_go_back_to_its_server(node: Node, followed: Account) -> None:
    def forward(tx: Writer, origin: str) -> None:
        outbox.forward(tx, followed, f"{origin}/activity", f"{origin}/object", "{}")

    await node.db.write(forward, "https://sea.example")
    assert await inboxes(node, followed) == {SHARED}
    await node.db.write(forward, "https://far.example")
    assert await inboxes(node, followed) == set()


async def test_no_activity_goes_to_this_node_or_to_a_blocked_server(
    node: Node, followed: Account, bob: Account
) -> None:
    await node.db.write(posting.follow, bob, followed)
    await publish(node, followed)
    assert await inboxes(node, followed) == {SHARED}

    await node.db.write(domain_rules.block, "far.example")

    assert await inboxes(node, followed) == set()


async def test_current_inboxes_leave_out_who_was_blocked_since(
    node: Node, followed: Account, rita: Account
) -> None:
    post = await publish(node, followed, "Psst @rita@far.example @rob@far.example", "direct")
    created = await node.db.read(last, followed)

    def current(tx: Reader, *, includes_open: bool = False) -> set[str] | None:
        return audience.current_inboxes(tx, created.id, includes_open=includes_open)

    assert await node.db.read(current) == {RITA, ROB}
    await node.db.write(blocks.block, followed, rita)
    assert await node.db.read(current) == {ROB}
    assert post.visibility == "direct"


async def test_current_inboxes_of_open_posts_are_checked_only_on_demand(
    node: Node, followed: Account, rita: Account
) -> None:
    await publish(node, followed)
    created = await node.db.read(last, followed)
    await node.db.write(follows.follow, followed, rita)
    follow = await node.db.read(last, followed)

    def current(tx: Reader, activity: OutgoingActivity, *, includes_open: bool) -> set[str] | None:
        return audience.current_inboxes(tx, activity.id, includes_open=includes_open)

    assert await node.db.read(lambda tx: current(tx, created, includes_open=False)) is None
    assert await node.db.read(lambda tx: current(tx, created, includes_open=True)) == {SHARED}
    assert await node.db.read(lambda tx: current(tx, follow, includes_open=True)) is None
