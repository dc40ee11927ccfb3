"""Limits on the requests that lists of other servers can cause."""

from __future__ import annotations

from typing import Any

import pytest

from activitypub.remote import actors, conversations, profile_preview
from federation_tests.fediverse import Fediverse
from federation_tests.remote_server import PUBLIC, RemoteServer
from federation_tests.security.scenes import alice_follows_rita, create
from node.posts import posts

AS = "https://www.w3.org/ns/activitystreams"


def _request_count(*servers: RemoteServer) -> int:
    return sum(sum(server.requests.values()) for server in servers)


def _page(server: RemoteServer, path: str, items: list[Any], **more: Any) -> str:
    return server.serve(
        path, {"@context": AS, "id": server.base + path, "type": "CollectionPage", "items": items, **more}
    )


async def test_D10_one_small_activity_causes_at_most_twenty_requests(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    # Each comment replies to another by a new author, whose server claims a handle on one more domain.
    parent = None
    for number in range(40):
        author = f"p{number}"
        other.person(author, webfinger=f"{author}@domain{number}.test")
        note = other.note(
            author,
            1,
            replies=f"{other.base}/replies/{number}",
            context=f"{other.base}/context",
            tag=[{"type": "Mention", "href": f"{other.base}/users/p{number + 1}", "name": "@x"}],
            **({"inReplyTo": parent} if parent else {}),
        )
        parent = note["id"]
    before = _request_count(evil, other)
    assert await evil.send(alice.node, "rita", create(evil, inReplyTo=parent)) == 202
    await fediverse.settle()
    requests = _request_count(evil, other) - before
    assert 0 < requests <= 21  # One more is the activity sent to its inbox.
    assert other.requests["/replies/0"] == other.requests["/context"] == 0


@pytest.mark.parametrize(
    "shape", ["parents in a circle", "pages in a circle", "endless pages", "replies of itself"]
)
async def test_D11_circles_and_endless_lists_end(
    fediverse: Fediverse, evil: RemoteServer, shape: str
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    base = f"{evil.base}/users/rita/statuses"
    note = evil.note("rita", 1, replies=f"{evil.base}/r/0")
    if shape == "parents in a circle":
        note = evil.note("rita", 1, inReplyTo=f"{base}/2")
        evil.note("rita", 2, inReplyTo=f"{base}/3")
        evil.note("rita", 3, inReplyTo=f"{base}/1")
    elif shape == "pages in a circle":
        _page(evil, "/r/0", [], next=f"{evil.base}/r/1")
        _page(evil, "/r/1", [], next=f"{evil.base}/r/0")
    elif shape == "endless pages":
        for number in range(100):
            _page(
                evil,
                f"/r/{number}",
                [f"{base}/x{number}-{n}" for n in range(50)],
                next=f"{evil.base}/r/{number + 1}",
            )
    else:
        _page(evil, "/r/0", [f"{base}/1", f"{evil.base}/r/0"], first=f"{evil.base}/r/0")
    await evil.send(alice.node, "rita", evil.activity("rita", "Create", note, to=[PUBLIC]))
    await fediverse.settle()
    evil.requests.clear()
    post = await alice.node.db.read(posts.by_uri, f"{base}/1")
    assert post is not None
    await conversations.queue_crawl(alice.node, post)
    await fediverse.settle()
    assert _request_count(evil) <= 20
    assert all(times <= 3 for times in evil.requests.values())


@pytest.mark.parametrize("total", [10**30, -5, "7", 3.5, None, True, [1]])
async def test_C13_forged_totals_are_not_stored(fediverse: Fediverse, evil: RemoteServer, total: Any) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    evil.person("rita")
    for kind in ("outbox", "followers"):
        evil.serve(
            f"/users/rita/{kind}",
            {
                "@context": AS,
                "id": f"{evil.base}/users/rita/{kind}",
                "type": "OrderedCollection",
                "totalItems": total,
            },
        )
    rita = await actors.find(alice.node, f"{evil.base}/users/rita")
    await profile_preview.queue_refresh(alice.node, rita)
    await fediverse.settle()
    rita = await actors.find(alice.node, rita.uri)
    assert rita.looked_at is not None
    assert rita.displayed_counts == (0, 0, 0)


async def test_only_the_owners_posts_are_imported_from_an_outbox(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    evil.person("rita")
    evil.person("mallory")
    other.person("nina")
    foreign = other.note("nina", 1)
    neighbour = evil.note("mallory", 2)
    own = evil.note("rita", 3)
    evil.serve(
        "/users/rita/outbox",
        {
            "@context": AS,
            "id": f"{evil.base}/users/rita/outbox",
            "type": "OrderedCollection",
            "totalItems": 3,
            "orderedItems": [evil.activity("rita", "Create", note) for note in (foreign, neighbour, own)],
        },
    )
    rita = await actors.find(alice.node, f"{evil.base}/users/rita")
    await profile_preview.queue_refresh(alice.node, rita)
    await fediverse.settle()
    found = [await alice.node.db.read(posts.by_uri, note["id"]) for note in (foreign, neighbour, own)]
    assert [one is not None for one in found] == [False, False, True]
    assert other.requests["/users/nina/statuses/1"] == 0


async def test_a_listed_reply_is_imported_only_below_a_known_post(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    other.person("nina")
    stray = other.note("nina", 1)
    faked = other.note("nina", 2, inReplyTo=f"{other.base}/users/nina/statuses/1")
    note = evil.note("rita", 1, replies=f"{evil.base}/r/0")
    reply = other.note("nina", 3, inReplyTo=note["id"])
    _page(evil, "/r/0", [stray["id"], faked["id"], reply["id"]])
    await evil.send(alice.node, "rita", evil.activity("rita", "Create", note, to=[PUBLIC]))
    await fediverse.settle()
    post = await alice.node.db.read(posts.by_uri, note["id"])
    assert post is not None
    await conversations.queue_crawl(alice.node, post)
    await fediverse.settle()
    found = [await alice.node.db.read(posts.by_uri, one["id"]) for one in (stray, faked, reply)]
    assert [one is not None for one in found] == [False, False, True]
