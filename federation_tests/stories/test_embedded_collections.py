"""The replies of a post come with it, since some servers read no collection that they would have to fetch."""

from __future__ import annotations

import json
from typing import Any

import pytest

from activitypub.documents.notes import EMBEDDED_REPLIES
from activitypub.remote import conversations, lookup
from federation_tests.fediverse import Fediverse
from federation_tests.remote_server import RemoteServer
from federation_tests.security.scenes import alice_follows_rita
from node.models.post import Post


def _attached_page(note: dict[str, Any]) -> dict[str, Any] | None:
    """The page that GoToSocial reads: of an embedded collection the embedded `first`, both ordered or both not."""
    replies = note["replies"]
    if not isinstance(replies, dict) or replies["type"] not in ("Collection", "OrderedCollection"):
        return None
    first = replies.get("first")
    is_page = isinstance(first, dict) and first["type"] == replies["type"] + "Page"
    return first if is_page else None


async def _note(server: RemoteServer, post: Post) -> dict[str, Any]:
    status, body, _ = await server.get(post.uri, author="rita")
    assert status == 200
    found: dict[str, Any] = json.loads(body)
    return found


async def test_a_post_holds_the_first_page_of_its_public_replies(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    post = await alice.posts("A lake", photo="A lake")
    assert _attached_page(await _note(evil, post)) is not None
    texts = range(EMBEDDED_REPLIES + 3)
    comments = [await alice.comments(post, f"Comment {number}") for number in texts]
    hidden = await alice.comments(post, "Only for followers", visibility="followers")
    await alice.likes(post)
    await fediverse.settle()

    note = await _note(evil, post)

    page = _attached_page(note)
    assert page is not None
    assert page["items"] == [one.uri for one in reversed(comments[3:])]
    assert note["replies"]["totalItems"] == len(comments)
    assert hidden.uri not in json.dumps(note)
    status, body, _ = await evil.get(page["next"], author="rita")
    assert status == 200
    assert json.loads(body)["orderedItems"] == [one.uri for one in reversed(comments[:3])]
    assert (note["likes"]["totalItems"], note["shares"]["totalItems"]) == (1, 0)
    for name in ("replies", "likes", "shares"):
        status, body, _ = await evil.get(note[name]["id"], author="rita")
        assert (status, json.loads(body)["totalItems"]) == (200, note[name]["totalItems"])


@pytest.mark.parametrize("visibility", ["followers", "direct"])
async def test_a_post_that_is_not_open_tells_nothing_of_its_replies_and_counts(
    fediverse: Fediverse, evil: RemoteServer, visibility: str
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    await evil.send(alice.node, "rita", evil.activity("rita", "Follow", (await alice.account()).uri))
    await fediverse.settle()
    post = await alice.posts(f"@rita@{evil.domain}", photo="A lake", visibility=visibility)
    await alice.comments(post, "And more", visibility=visibility)
    await alice.likes(post)

    note = await _note(evil, post)

    for name in ("replies", "likes", "shares"):
        assert note[name] == f"{post.uri}/{name}"


async def test_another_node_reads_the_comments_of_a_post(fediverse: Fediverse) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    post = await alice.posts("A lake", photo="A lake")
    await alice.comments(post, "Deep")
    await bob.follows(alice)
    await fediverse.settle()
    await bob.finds(alice)
    found = await lookup.resolve(bob.node, post.uri, await bob.account())
    assert isinstance(found, Post)
    await conversations.queue_crawl(bob.node, found)
    await fediverse.settle()
    assert await bob.conversation(found) == ["Deep"]
