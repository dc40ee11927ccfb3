"""A node that received only a part of a conversation or a profile fetches the rest."""

from __future__ import annotations

import json

from activitypub.remote import conversations, lookup, profile_preview
from federation_tests.fediverse import Fediverse, HandleOnly, Person
from federation_tests.remote_server import RemoteServer
from node.models.post import Post
from node.posts import posts


async def _opens(person: Person, post: Post) -> Post:
    """Pastes the URL of a post into the search and opens the result."""
    found = await lookup.resolve(person.node, post.uri, await person.account())
    assert isinstance(found, Post)
    await conversations.queue_crawl(person.node, found)
    await person.fediverse.settle()
    return found


async def test_missing_comments_are_fetched_when_a_conversation_is_opened(fediverse: Fediverse) -> None:
    alice, bob, carol = await fediverse.people("alice@a.test", "bob@b.test", "carol@c.test")
    await bob.follows(alice)
    await fediverse.settle()
    post = await alice.posts("Which bird?", photo="A bird")
    await fediverse.settle()
    guess = await bob.comments(post, "A wren?")
    await fediverse.settle()
    await alice.comments(guess, "Yes, a wren")
    await fediverse.settle()

    await _opens(carol, post)

    assert await carol.conversation(post) == ["A wren?", "Yes, a wren"]
    seen = await carol.sees(post)
    assert seen is not None
    assert seen.post.comments_count == 1
    assert await carol.notifications() == []
    assert await carol.home() == []


async def test_a_private_comment_is_not_in_the_public_count(fediverse: Fediverse) -> None:
    alice, bob, carol = await fediverse.people("alice@a.test", "bob@b.test", "carol@c.test")
    await bob.follows(alice)
    await fediverse.settle()
    post = await alice.posts("Which bird?", photo="A bird")
    await fediverse.settle()
    await bob.comments(post, "Only for you", visibility="direct")
    await fediverse.settle()
    assert await alice.conversation(post) == ["Only for you"]
    await _opens(carol, post)
    assert await carol.conversation(post) == []
    for person in (alice, carol):
        seen = await person.sees(post)
        assert seen is not None
        assert seen.post.comments_count == 0


async def test_the_missing_parent_of_a_comment_is_fetched(fediverse: Fediverse) -> None:
    alice, bob, carol = await fediverse.people("alice@a.test", "bob@b.test", "carol@c.test")
    await carol.follows(bob)
    await fediverse.settle()
    post = await alice.posts("Which bird?", photo="A bird")
    await fediverse.settle()
    await bob.finds(alice)
    await lookup.resolve(bob.node, post.uri, await bob.account())

    await bob.comments(post, "A wren?")
    await fediverse.settle()

    assert await carol.conversation(post) == ["A wren?"]
    seen = await carol.sees(post)
    assert seen is not None
    assert seen.post.comments_count == 1


async def test_the_parent_of_a_comment_is_fetched_when_its_server_is_back(fediverse: Fediverse) -> None:
    alice, bob, carol = await fediverse.people("alice@a.test", "bob@b.test", "carol@c.test")
    await carol.follows(bob)
    await fediverse.settle()
    post = await alice.posts("Which bird?", photo="A bird")
    await lookup.resolve(bob.node, post.uri, await bob.account())
    await fediverse.settle()
    await fediverse.down("a.test")
    comment = await bob.comments(post, "A wren?")
    await fediverse.settle()
    assert await carol.sees(comment) is not None
    assert await carol.conversation(post) == []

    await fediverse.up("a.test")
    await fediverse.settle(now=comment.created_at + 10 * 60_000)

    assert await carol.conversation(post) == ["A wren?"]


async def test_a_conversation_has_a_collection_of_its_own(fediverse: Fediverse, other: RemoteServer) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    await bob.follows(alice)
    await fediverse.settle()
    post = await alice.posts("Which bird?", photo="A bird")
    await fediverse.settle()
    comment = await bob.comments(post, "A wren?")
    await bob.comments(post, "Only for you", visibility="direct")
    await fediverse.settle()

    _, body, _ = await other.get(comment.uri)
    context = json.loads(body)["context"]
    assert context == f"{post.uri}/context"
    status, body, _ = await other.get(context)
    collection = json.loads(body)
    assert (status, collection["totalItems"]) == (200, 2)
    assert collection["attributedTo"] == (await alice.account()).uri
    _, body, _ = await other.get(collection["first"])
    assert set(json.loads(body)["orderedItems"]) == {post.uri, comment.uri}
    assert (await other.get(f"{comment.uri}/context"))[0] == 404


async def test_a_profile_that_is_opened_for_the_first_time_is_fetched(fediverse: Fediverse) -> None:
    alice, bob, carol = await fediverse.people("alice@a.test", "bob@b.test", "carol@c.test")
    await carol.follows(bob)
    await fediverse.settle()
    for number in range(3):
        await bob.posts(f"Number {number}", photo="A stone")
    secret = await bob.posts("For friends", photo="A stone", visibility="followers")
    await fediverse.settle()

    known = await alice.finds(bob)
    assert await profile_preview.queue_refresh(alice.node, known)
    await fediverse.settle()

    known = await alice.finds(bob)
    assert known.displayed_counts == (3, 1, 0)
    assert known.posts_count == 3
    assert known.looked_at is not None
    assert not await profile_preview.queue_refresh(alice.node, known)
    assert await alice.node.db.read(posts.by_uri, secret.uri) is None
    assert await alice.home() == []
    assert await alice.notifications() == []


async def test_a_comment_deleted_before_its_parent_arrives_is_not_counted(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    other.person("rita")
    other.person("rob")
    await alice.follows(HandleOnly(f"rita@{other.domain}"))
    await fediverse.settle()
    follow = other.received[-1]
    await other.send(alice.node, "rita", other.activity("rita", "Accept", follow))
    await fediverse.settle()
    parent = other.note("rob", 1, is_served=False)
    comment = other.note("rita", 2, inReplyTo=parent["id"])
    await other.send(alice.node, "rita", other.activity("rita", "Create", comment))
    await fediverse.settle()
    await other.send(
        alice.node, "rita", other.activity("rita", "Delete", {"type": "Tombstone", "id": comment["id"]})
    )
    await fediverse.settle()
    answer = other.note("rita", 3, inReplyTo=parent["id"])
    other.note("rob", 1)
    await other.send(alice.node, "rita", other.activity("rita", "Create", answer))
    await fediverse.settle()
    found = await alice.node.db.read(posts.by_uri, parent["id"])
    assert found is not None
    assert found.comments_count == 1
