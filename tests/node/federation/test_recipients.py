"""Which inboxes an activity goes to: remote, active accounts, never across a block."""

from __future__ import annotations

from typing import Any

import pytest

from node.accounts import accounts
from node.database import Writer
from node.federation import deliveries, outbox, recipients
from node.federation.recipients import RecipientInbox
from node.interactions import blocks, boosts, follows, likes
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from tests.support import people, posting

RITA = RecipientInbox("https://far.example/users/rita/inbox", "https://far.example/inbox")
ROB = RecipientInbox("https://far.example/users/rob/inbox", "https://far.example/inbox")
SAM = RecipientInbox("https://sea.example/users/sam/inbox", "")


def meet(tx: Writer) -> dict[str, Account]:
    """Rita and rob of one server, and sam of another that has no shared inbox."""
    return {
        "rita": people.remote(tx),
        "rob": people.remote(tx, "rob"),
        "sam": people.remote(tx, "sam", "sea.example", shared_inbox=""),
    }


async def inboxes(node: Node, read: Any, *args: Any) -> set[RecipientInbox]:
    found = await node.db.read(read, *args)
    assert len(found) == len(set(found))
    return set(found)


async def test_followers_are_reached_once_per_shared_inbox(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        for follower in (*meet(tx).values(), bob):
            posting.follow(tx, follower, alice)

    await node.db.write(unit)

    found = await inboxes(node, recipients.followers, alice.id)

    assert {one.preferred for one in found} == {RITA.shared_inbox, SAM.inbox}


async def test_a_follow_that_is_not_accepted_reaches_nobody(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        locked = people.lock(tx, alice)
        follows.follow(tx, people.remote(tx), locked)

    await node.db.write(unit)

    assert await inboxes(node, recipients.followers, alice.id) == set()


async def test_local_deleted_and_suspended_accounts_have_no_inbox(node: Node, bob: Account) -> None:
    known = await node.db.write(meet)
    ids = [bob.id, *(one.id for one in known.values())]
    assert await inboxes(node, recipients.accounts, ids) == {RITA, ROB, SAM}

    await node.db.write(accounts.set_visible, known["rita"].id, is_visible=False)
    await node.db.write(accounts.mark_deleted, known["rob"].id)

    assert await inboxes(node, recipients.accounts, ids) == {SAM}


async def test_a_mention_does_not_reach_across_a_block(node: Node, alice: Account) -> None:
    known = await node.db.write(meet)
    post = await node.db.write(posting.publish, alice, "Hello @rita@far.example @rob@far.example")
    assert await inboxes(node, recipients.mentioned, post.id, alice.id) == {RITA, ROB}

    await node.db.write(blocks.block, alice, known["rita"])

    assert await inboxes(node, recipients.mentioned, post.id, alice.id) == {ROB}


async def test_a_deletion_reaches_whoever_is_interested_across_a_block_too(
    node: Node, alice: Account, bob: Account
) -> None:
    known = await node.db.write(meet)

    def given(tx: Writer) -> Post:
        post = posting.publish(tx, alice)
        for account in (bob, known["rita"], known["sam"]):
            likes.like(tx, account, post, uri=f"like:{account.id}")
        blocks.block(tx, known["sam"], alice)
        return post

    post = await node.db.write(given)

    assert set(await node.db.read(recipients.interested_ids, post.id)) == {known["rita"].id, known["sam"].id}
    assert await inboxes(node, recipients.interested, post.id, alice.id) == {RITA}


async def test_an_edit_reaches_whoever_liked_boosted_or_replied(
    node: Node, alice: Account, bob: Account
) -> None:
    known = await node.db.write(meet)
    post: Post = await node.db.write(posting.publish, alice)

    def react(tx: Writer) -> None:
        likes.like(tx, known["rita"], post)
        likes.like(tx, bob, post)
        boosts.boost(tx, known["rob"], post)
        posting.receive_post(tx, known["sam"], parent_uri=post.uri)

    await node.db.write(react)
    assert await inboxes(node, recipients.interested, post.id, alice.id) == {RITA, ROB, SAM}

    await node.db.write(blocks.block, known["sam"], alice)
    assert await inboxes(node, recipients.interested, post.id, alice.id) == {RITA, ROB}


async def test_a_reply_reaches_the_authors_of_all_posts_above_it(
    node: Node, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> Post:
        known = meet(tx)
        top = posting.receive_post(tx, known["rita"])
        middle = posting.receive_post(tx, known["sam"], parent_uri=top.uri)
        between = posting.publish(tx, bob, "Between", parent_id=middle.id)
        return posting.publish(tx, alice, "Below", parent_id=between.id)

    reply = await node.db.write(unit)

    assert await inboxes(node, recipients.thread_authors, reply) == {RITA, SAM}


async def test_a_deletion_reaches_every_inbox_that_was_sent_the_post(node: Node, alice: Account) -> None:
    post = await node.db.write(posting.publish, alice)
    created = await node.db.read(outbox.by_uri, f"{post.uri}/activity")
    assert created is not None
    await node.db.write(deliveries.queue, created, [("https://a.example/inbox", "a.example")])
    await node.db.write(
        deliveries.record_refused, created, [("https://b.example/inbox", "b.example")], "gone"
    )

    assert await inboxes(node, recipients.previous_recipients, post.id) == {
        RecipientInbox("https://a.example/inbox", ""),
        RecipientInbox("https://b.example/inbox", ""),
    }


@pytest.mark.parametrize(
    ("visibility", "readers"),
    [("followers", {"far.example", "sea.example"}), ("direct", {"sea.example"})],
)
async def test_a_server_has_a_reader_who_follows_or_is_mentioned(
    node: Node, alice: Account, bob: Account, visibility: str, readers: set[str]
) -> None:
    known = await node.db.write(meet)

    def unit(tx: Writer) -> Post:
        posting.follow(tx, known["rita"], alice)
        posting.follow(tx, bob, alice)
        return posting.publish(tx, alice, "Hello @sam@sea.example", visibility=visibility)

    post = await node.db.write(unit)

    hosts = ("far.example", "sea.example", "far.example.evil", "tintype.test", "")
    assert {
        host for host in hosts if await node.db.read(recipients.has_reader_on_server, post, host)
    } == readers


@pytest.mark.parametrize("who", ["a newcomer", "the first follower", "the last follower"])
async def test_the_reader_of_a_direct_post_is_found_among_many_followers(
    node: Node, alice: Account, who: str
) -> None:
    def unit(tx: Writer) -> Post:
        crowd = [people.remote(tx, f"fan{number:02}") for number in range(40)]
        for one in crowd:
            posting.follow(tx, one, alice)
        people.remote(tx, "nora")
        reader = {"a newcomer": "nora", "the first follower": "fan00", "the last follower": "fan39"}[who]
        return posting.publish(tx, alice, f"Hello @{reader}@far.example", visibility="direct")

    post = await node.db.write(unit)

    assert await node.db.read(recipients.has_reader_on_server, post, "far.example")
    assert not await node.db.read(recipients.has_reader_on_server, post, "sea.example")


async def test_a_local_reader_is_somebody_addressed_or_else_a_follower(
    node: Node, alice: Account, bob: Account
) -> None:
    rita = await node.db.write(people.remote)
    assert await node.db.read(recipients.local_reader, rita.id, [alice.uri]) == alice.id
    assert await node.db.read(recipients.local_reader, rita.id, ["https://far.example/users/rob"]) is None
    assert not await node.db.read(recipients.is_followed_locally, rita.id)

    await node.db.write(posting.follow, bob, rita)

    assert await node.db.read(recipients.local_reader, rita.id, []) == bob.id
    assert await node.db.read(recipients.local_reader, rita.id, [alice.uri]) == alice.id
    assert await node.db.read(recipients.is_followed_locally, rita.id)
