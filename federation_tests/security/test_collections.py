"""Section C of the security table: featured collections, reports and follower lists of other servers."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from activitypub.remote import actors
from activitypub.signatures import follower_digest, sign_cavage
from activitypub.signatures.follower_digest import filter_by_origin
from federation_tests.fediverse import Fediverse
from federation_tests.remote_server import RemoteServer
from federation_tests.security.scenes import alice_follows_rita, create
from node.accounts import relationships
from node.admin import reports
from node.paging import Page


@pytest.mark.parametrize(
    "claim", ["the post of another", "the post of another server", "another's collection", "no collection"]
)
async def test_C7_only_the_owner_pins_their_own_posts_in_their_own_featured(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer, claim: str
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    featured = f"{evil.base}/users/rita/featured"
    evil.person("rita", featured=featured)
    mark = evil.person("mark", featured=f"{evil.base}/users/mark/featured")
    await actors.find(alice.node, f"{evil.base}/users/rita", refresh=True)
    await actors.find(alice.node, mark)
    own = create(evil)
    assert await evil.send(alice.node, "rita", own) == 202
    await fediverse.settle()
    other.person("rita")
    others_note = other.note("rita", 5, content="<p>Mine</p>")
    marks_note = evil.note("mark", 6)
    objects: dict[str, tuple[Any, str]] = {
        "the post of another": (marks_note["id"], featured),
        "the post of another server": (others_note, featured),
        "another's collection": (own["object"]["id"], f"{evil.base}/users/mark/featured"),
        "no collection": (own["object"]["id"], f"{evil.base}/users/rita/followers"),
    }
    object_, target = objects[claim]
    assert await evil.send(alice.node, "rita", evil.activity("rita", "Add", object_, target=target)) == 202
    await fediverse.settle()
    assert await alice.node.db.read(lambda tx: tx.value("SELECT COUNT(*) FROM pins")) == 0

    # An Add of the own post counts, and nobody else may remove it.
    genuine = evil.activity("rita", "Add", own["object"]["id"], target=featured)
    await evil.send(alice.node, "rita", genuine)
    await fediverse.settle()
    assert await alice.node.db.read(lambda tx: tx.value("SELECT COUNT(*) FROM pins")) == 1
    for target in (featured, f"{evil.base}/users/mark/featured"):
        removed = evil.activity("mark", "Remove", own["object"]["id"], target=target)
        await evil.send(alice.node, "mark", removed)
    await fediverse.settle()
    assert await alice.node.db.read(lambda tx: tx.value("SELECT COUNT(*) FROM pins")) == 1


@pytest.mark.parametrize(
    "about", ["remote accounts", "10 000 objects", "9 000 objects", "many local accounts", "markup"]
)
async def test_C10_a_report_is_bounded_and_harmless(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer, about: str
) -> None:
    alice, *others = await fediverse.people(*(f"{name}@a.test" for name in ("alice", *"bcdefghijklmno")))
    evil.person("rita")
    target = (await alice.account()).uri
    objects = {
        "remote accounts": [other.person("victim"), f"{other.base}/users/victim/statuses/1"],
        "10 000 objects": [target, *(f"{alice.node.site.base_url}/p/alice/{n}" for n in range(10_000))],
        "9 000 objects": [target, *(f"{alice.node.site.base_url}/p/alice/{n}" for n in range(9_000))],
        "many local accounts": [target, *[(await one.account()).uri for one in others]],
        "markup": [target],
    }[about]
    comment = "<img src=x onerror=alert(1)><script>alert(1)</script><p>Look</p>" + "x" * 100_000
    flag = evil.activity("rita", "Flag", objects, content=comment)
    assert await evil.send(alice.node, "rita", flag) == (400 if about == "10 000 objects" else 202)
    await fediverse.settle()

    found = await alice.node.db.read(reports.page, Page())
    expected = {"9 000 objects": 1, "many local accounts": 10, "markup": 1}.get(about, 0)
    assert len(found) == expected
    for case in found:
        assert case.posts == []
        assert len(case.report.words) <= reports.MAX_REMOTE_COMMENT_LENGTH
        assert "<" not in case.report.words
        assert "onerror" not in case.report.words
    assert not other.requests
    assert evil.requests["/users/rita"] <= 2


@pytest.mark.parametrize(
    "case", ["unsigned", "the followers of another", "a list on another server", "a list that is not the one"]
)
async def test_C11_a_foreign_or_unsigned_follower_digest_is_ignored(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer, case: str
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    mallory = evil.person("mallory")
    await actors.find(alice.node, mallory)
    rita, node = f"{evil.base}/users/rita", alice.node
    empty = {"type": "OrderedCollection", "orderedItems": []}
    urls = [
        server.serve("/everybody", {**empty, "id": f"{server.base}/everybody"}) for server in (evil, other)
    ]
    for server in (evil, other):
        server.requests.clear()
    collection, url, digest = (
        f"{rita}/followers",
        urls[0],
        follower_digest.compute_digest(filter_by_origin([], node.site.base_url)),
    )
    author = "rita"
    if case == "the followers of another":
        author = "mallory"
    elif case == "a list on another server":
        url = urls[1]
    elif case == "a list that is not the one":
        digest = "1" * 64
    header = f'collectionId="{collection}", url="{url}", digest="{digest}"'
    extra = [(follower_digest.HEADER, header)]
    body = json.dumps(evil.activity(author, "Like", f"{other.base}/1")).encode()
    target = node.site.uri("/inbox")
    signed = sign_cavage(
        evil.key(author), "POST", target, body, time.time(), [] if case == "unsigned" else extra
    )
    status, _, _ = await evil.request("POST", target, {**signed, **dict(extra)}, body)
    assert status == 202
    await fediverse.settle()

    follow = await node.db.read(
        relationships.follow_between, await alice.account(), await actors.find(node, rita)
    )
    assert follow is not None
    assert follow.is_accepted
    assert other.requests["/everybody"] == 0
    assert evil.requests["/everybody"] <= (case == "a list that is not the one")
