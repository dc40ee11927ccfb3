"""The six personas of fediverse-pasture test a node, by default and in secure mode.

Alice and Dean sign nothing; Bob and Emily sign their requests; Claire and Frank also require a signature to fetch
their own actor. Only the first of each pair can be found by a handle.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

from activitypub.remote import lookup
from federation_tests.fediverse import Fediverse
from federation_tests.peers.processes import Peer
from node.database import Reader
from node.interactions import follows
from node.models.account import Account
from node.paging import Page
from node.posts import posts
from node.timelines import post_views, timelines


@dataclass(frozen=True)
class Named:
    """An account to be found by its handle."""

    handle: str


UNSIGNED = ("alice", "dean")
SIGNED = ("bob", "claire", "emily", "frank")

BOTH_MODES = pytest.mark.parametrize("is_secure", [False, True], ids=["open", "secure"])


@BOTH_MODES
@pytest.mark.parametrize("by", ["address", "handle"])
async def test_the_six_personas(world: Fediverse, pasture: Peer, is_secure: bool, by: str) -> None:
    anna = await world.person("anna@a.test")
    remote = (await anna.account()).uri if by == "address" else f"@{anna.handle}"

    found = await pasture.do("check", remote=remote)

    result: dict[str, Any] = found["result"]
    assert result.pop("webfinger") is True
    for name in SIGNED:
        assert result.pop(name) == {"get_actor": True, "post_inbox": True}, found["steps"]
    for name in UNSIGNED:
        # In secure mode the unsigned actor is reduced to what a signature check needs.
        assert result.pop(name) == {"get_actor": True, "post_inbox": False}, found["steps"]
    assert result == {}


@BOTH_MODES
async def test_the_personas_accept_deliveries_and_respond(
    world: Fediverse, pasture: Peer, is_secure: bool
) -> None:
    """All six are followed, accept, and receive a post, its edit and its deletion.

    Four of the inboxes verify the signatures, and fetch the keys for it; two of the actors are served only to
    signed requests. The responses are signed by bovine.
    """
    anna = await world.person("anna@a.test")
    me = await anna.account()
    base = await pasture.do("reset", scheme=anna.node.site.scheme)
    personas = {name: f"{base}/{name}" for name in (*SIGNED, *UNSIGNED)}

    for uri in personas.values():
        found = await lookup.resolve(anna.node, uri, me)
        assert isinstance(found, Account)
        await anna.node.db.write(follows.follow, me, found)
    await world.settle()

    received = await pasture.do("received")
    assert {(one["type"], one["actor"]) for one in received} == {("Follow", me.uri)}
    assert sorted(one["object"] for one in received) == sorted(personas.values())

    for name, uri in personas.items():
        (follow,) = (one for one in received if one["object"] == uri)
        activities = [
            {"id": f"{uri}/accept", "type": "Accept", "actor": uri, "object": follow},
            {"id": f"{uri}/follow", "type": "Follow", "actor": uri, "object": me.uri},
        ]
        assert await pasture.do("post", who=name, inbox=me.inbox, activities=activities) == [202, 202]
    await world.settle()

    def unit(tx: Reader) -> list[list[str]]:
        both = (list_(tx, me, me, Page()) for list_ in (follows.following, follows.followers))
        return [sorted(one.account.uri for one in listed) for listed in both]

    assert await anna.node.db.read(unit) == [sorted(personas.values())] * 2

    await pasture.do("reset", scheme=anna.node.site.scheme)
    post = await anna.posts("Fogg", photo="Fog")
    await world.settle()
    await anna.edits(post, "Fog")
    await world.settle()
    await anna.deletes(post)
    await world.settle()

    received = await pasture.do("received")
    assert Counter(one["type"] for one in received) == dict.fromkeys(("Create", "Update", "Delete"), 6)
    assert {one["object"]["id"] for one in received} == {post.uri}
    assert {one["object"].get("content") for one in received} == {"<p>Fogg</p>", "<p>Fog</p>", None}


async def test_every_input_of_the_pasture_is_accepted_and_shown(world: Fediverse, pasture: Peer) -> None:
    """The example objects that the pasture compares software with: none is refused, none breaks a page."""
    anna = await world.person("anna@a.test")
    me = await anna.account()
    bob = f"{await pasture.do('reset', scheme=anna.node.site.scheme)}/bob"
    await anna.follows(Named(f"bob@{pasture.domain}"))
    await world.settle()
    (follow,) = await pasture.do("received")
    accept = {"id": f"{bob}/accept", "type": "Accept", "actor": bob, "object": follow}
    assert await pasture.do("post", who="bob", inbox=me.inbox, activities=[accept]) == [202]
    await world.settle()

    inputs = await pasture.do("inputs", actor=bob)
    sent = {
        (topic, number): create(bob, f"{topic}/{number}", me.uri, example)
        for topic, examples in inputs.items()
        for number, example in enumerate(examples)
    }
    statuses = await pasture.do("post", who="bob", inbox=me.inbox, activities=list(sent.values()))
    await world.settle()

    assert len(sent) > 200
    assert {about: status for about, status in zip(sent, statuses, strict=True) if status != 202} == {}

    def unit(tx: Reader) -> list[tuple[str, int]]:
        post_views.by_entries(tx, me, timelines.home(tx, me, Page(limit=80)))
        known = {about: posts.by_uri(tx, f"{bob}/{about[0]}/{about[1]}") for about in sent}
        return [about for about, post in known.items() if post is None]

    lost = await anna.node.db.read(unit)
    assert set(lost) == NOT_POSTS


NOT_POSTS = {
    # Without an id, an author, or a type.
    *(("necessary_properties", number) for number in (1, 3, 4)),
    # Document, Place, Profile, Relationship, Tombstone, and again without a type.
    *(("object_types", number) for number in (2, 7, 8, 9, 10, 13)),
}
"""Inputs that are accepted and ignored."""


def create(actor: str, path: str, to: str, example: dict[str, Any]) -> dict[str, Any]:
    note = {
        "id": f"{actor}/{path}",
        "type": "Note",
        "attributedTo": actor,
        "published": "2026-01-02T03:04:05Z",
        "to": ["https://www.w3.org/ns/activitystreams#Public", to],
        "content": path,
        **example,
    }
    return {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": f"{actor}/{path}/create",
        "type": "Create",
        "actor": actor,
        "to": note["to"],
        "object": note,
    }
