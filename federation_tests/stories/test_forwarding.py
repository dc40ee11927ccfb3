"""Inbox forwarding: a reply that is also addressed to the local author's followers reaches them unchanged."""

from __future__ import annotations

import time

from federation_tests.fediverse import Fediverse, Person
from federation_tests.remote_server import PUBLIC, RemoteServer, Reply
from node.models.post import Post


async def _followed_by(alice: Person, server: RemoteServer, name: str) -> None:
    server.person(name)
    await server.send(alice.node, name, server.activity(name, "Follow", (await alice.account()).uri))
    await alice.fediverse.settle()
    server.received.clear()


async def _post_to_reply_to(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> tuple[Person, str, Post]:
    """Alice, whom nina follows, the URI of her followers, and a post that rita of a third server can reply to."""
    (alice,) = await fediverse.people("alice@a.test")
    followers = (await alice.account()).followers_uri
    await _followed_by(alice, other, "nina")
    post = await alice.posts("Which bird?", photo="A bird")
    await fediverse.settle()
    other.received.clear()
    evil.person("rita")
    return alice, followers, post


async def test_remote_followers_get_the_reply_once_and_unchanged(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice, followers, post = await _post_to_reply_to(fediverse, evil, other)
    note = evil.note("rita", 1, inReplyTo=post.uri, cc=[followers])
    activity = evil.activity("rita", "Create", note, to=[PUBLIC], cc=[followers])
    for _ in range(2):
        assert await evil.send(alice.node, "rita", activity) == 202
        await fediverse.settle()
    assert other.received == [activity]
    assert evil.received == []


async def test_every_edit_is_forwarded_where_all_of_them_have_one_id(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice, followers, post = await _post_to_reply_to(fediverse, evil, other)
    start = time.time() - 600
    note = evil.note("rita", 1, inReplyTo=post.uri, cc=[followers], published=_at(start))
    sent = [evil.activity("rita", "Create", note, to=[PUBLIC], cc=[followers])]
    for number in (1, 2):
        edited = note | {"content": f"<p>Edit {number}</p>", "updated": _at(start + number * 60)}
        sent.append(evil.activity("rita", "Update", edited, to=[PUBLIC], cc=[followers]))
        sent[-1]["id"] = note["id"] + "/activity#Update"
    for number, activity in enumerate(sent):
        for _ in range(2):
            assert await evil.send(alice.node, "rita", activity, now=start + number * 60) == 202
            await fediverse.settle()
    assert other.received == sent


def _at(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


async def test_other_activities_are_not_forwarded(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice, followers, post = await _post_to_reply_to(fediverse, evil, other)
    unaddressed = evil.note("rita", 1, inReplyTo=post.uri)
    no_reply = evil.note("rita", 2, cc=[followers])
    for note in (unaddressed, no_reply):
        activity = evil.activity("rita", "Create", note, to=[PUBLIC], cc=note["cc"])
        assert await evil.send(alice.node, "rita", activity) == 202
    await fediverse.settle()
    assert other.received == []


async def test_the_deletion_of_a_forwarded_reply_is_forwarded(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice, followers, post = await _post_to_reply_to(fediverse, evil, other)
    forwarded = evil.note("rita", 1, inReplyTo=post.uri, cc=[followers])
    not_forwarded = evil.note("rita", 2, inReplyTo=post.uri)
    deletions = []
    for note in (forwarded, not_forwarded):
        await evil.send(alice.node, "rita", evil.activity("rita", "Create", note, to=[PUBLIC], cc=note["cc"]))
        await fediverse.settle()
        tombstone = {"id": note["id"], "type": "Tombstone"}
        deletions.append(evil.activity("rita", "Delete", tombstone, to=[PUBLIC]))
        for _ in range(2):
            assert await evil.send(alice.node, "rita", deletions[-1]) == 202
            await fediverse.settle()
    assert [one["type"] for one in other.received] == ["Create", "Delete"]
    assert other.received[1] == deletions[0]


async def test_a_forwarded_deletion_deletes_the_reply_on_the_other_node(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    await bob.follows(alice)
    await fediverse.settle()
    post = await alice.posts("Which bird?", photo="A bird")
    await fediverse.settle()
    evil.person("rita")
    cc = [(await alice.account()).followers_uri]
    note = evil.note("rita", 1, inReplyTo=post.uri, cc=cc)
    await evil.send(alice.node, "rita", evil.activity("rita", "Create", note, to=[PUBLIC], cc=cc))
    await fediverse.settle()
    assert await bob.conversation(post) == ["Post 1"]
    evil.replies["/users/rita/statuses/1"] = Reply(410)
    await evil.send(alice.node, "rita", evil.activity("rita", "Delete", note["id"], to=[PUBLIC]))
    await fediverse.settle()
    assert await bob.conversation(post) == []
