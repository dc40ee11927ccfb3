"""What is not open: nobody can have it deleted by hearsay, and it is asked for by whom it is meant for."""

from __future__ import annotations

from typing import Any

from activitypub.remote import notes as remote_notes
from federation_tests.fediverse import Fediverse, Person
from federation_tests.remote_server import RemoteServer
from federation_tests.security.scenes import alice_follows_rita
from node.models.post import Post
from node.posts import posts


async def _stored(alice: Person, uri: str) -> Post:
    found = await alice.node.db.read(posts.by_uri, uri)
    assert found is not None
    return found


async def _private(alice: Person, server: RemoteServer, number: int, **changes: Any) -> Post:
    """A followers-only post of rita's, which her server shows no stranger."""
    to = [f"{server.base}/users/rita/followers"]
    note = server.note("rita", number, is_served=False, to=to, cc=[], **changes)
    assert await server.send(alice.node, "rita", server.activity("rita", "Create", note, to=to, cc=[])) == 202
    await alice.fediverse.settle()
    return await _stored(alice, note["id"])


async def test_nobody_has_a_private_answer_deleted_by_hearsay(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, other)
    evil.person("mallory")
    parent = evil.note("mallory", 1)
    await remote_notes.find(alice.node, parent["id"])
    answer = await _private(alice, other, 5, inReplyTo=parent["id"])
    forged = {**other.activity("rita", "Delete", answer.uri), "id": f"{other.base}/x/1"}
    assert await evil.send(alice.node, "mallory", forged) == 401
    await fediverse.settle()
    assert (await _stored(alice, answer.uri)).deleted_at is None


async def test_a_boost_of_a_private_post_taken_back_leaves_the_post(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    post = await _private(alice, evil, 5)
    boost = evil.activity("rita", "Announce", post.uri, to=[f"{evil.base}/users/rita/followers"])
    assert await evil.send(alice.node, "rita", boost) == 202
    await fediverse.settle()
    assert await evil.send(alice.node, "rita", evil.activity("rita", "Undo", boost)) == 202
    await fediverse.settle()
    assert (await _stored(alice, post.uri)).deleted_at is None


async def test_a_private_post_that_is_only_named_is_asked_for_in_a_followers_name(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    to = [f"{evil.base}/users/rita/followers"]
    note = evil.note("rita", 7, to=to, cc=[])
    said = evil.activity("rita", "Create", note["id"], to=to, cc=[])
    assert await evil.send(alice.node, "rita", said) == 202
    await fediverse.settle()
    assert await alice.home() == ["Post 7"]
    (signature,) = evil.signatures["/users/rita/statuses/7"]
    assert f'keyId="{(await alice.account()).uri}#main-key"' in signature

    # What is open is asked for by the node, so that nobody learns who reads.
    note = evil.note("rita", 8)
    said = evil.activity("rita", "Create", note["id"], to=note["to"], cc=note["cc"])
    assert await evil.send(alice.node, "rita", said) == 202
    await fediverse.settle()
    (signature,) = evil.signatures["/users/rita/statuses/8"]
    assert f'keyId="{alice.node.site.uri("/actor")}#main-key"' in signature


async def test_a_name_in_a_direct_post_lets_nobody_read_it_whom_it_is_not_for(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    (bob,) = await fediverse.people("bob@a.test")
    to = [(await bob.account()).uri]
    tag = [{"type": "Mention", "href": (await who.account()).uri, "name": who.handle} for who in (alice, bob)]
    note = evil.note("rita", 9, is_served=False, to=to, cc=[], tag=tag)
    assert await evil.send(alice.node, "rita", evil.activity("rita", "Create", note, to=to, cc=[])) == 202
    await fediverse.settle()
    post = await _stored(alice, note["id"])
    assert await bob.sees(post) is not None
    assert await alice.sees(post) is None
    assert await alice.notifications() == []
