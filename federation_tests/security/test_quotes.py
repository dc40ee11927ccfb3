"""Rows C8, C9 and F10 of the security table: quote authorizations, votes, and what an authorization reveals."""

from __future__ import annotations

import json
from typing import Any

import pytest

from federation_tests.fediverse import Fediverse
from federation_tests.remote_server import PUBLIC, RemoteServer
from federation_tests.security.scenes import alice_follows_rita
from node.interactions import quotes
from node.models.interaction_policy import EVERYONE, InteractionPolicy
from node.posts import posts
from node.posts.drafts import Draft
from node.publishing import publishing

AS = "https://www.w3.org/ns/activitystreams"


def _stamp(server: RemoteServer, path: str, **changes: Any) -> str:
    return server.serve(
        path,
        {"@context": AS, "id": server.base + path, "type": "QuoteAuthorization", **changes},
    )


@pytest.mark.parametrize(
    "case",
    ["by another author", "for another quote", "for another post", "from another origin", "under another id"],
)
async def test_C8_a_wrong_quote_authorization_does_not_block_a_valid_one(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer, case: str
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    nina = other.person("nina")
    target, quote = other.note("nina", 1), f"{evil.base}/users/rita/statuses/1"
    right = {"attributedTo": nina, "interactingObject": quote, "interactionTarget": target["id"]}
    wrong = {
        "by another author": {"attributedTo": other.person("mallory")},
        "for another quote": {"interactingObject": quote + "0"},
        "for another post": {"interactionTarget": other.note("nina", 2)["id"]},
        "under another id": {"id": f"{other.base}/stamps/9"},
    }.get(case, {})
    bogus = _stamp(evil if case == "from another origin" else other, "/stamps/bogus", **(right | wrong))
    # First, an Accept for a request that was never sent.
    offered = evil.activity("rita", "Accept", {"type": "QuoteRequest", "object": target["id"]}, result=bogus)
    await evil.send(alice.node, "rita", offered)

    note = evil.note("rita", 1, quote=target["id"], quoteAuthorization=bogus)
    await evil.send(alice.node, "rita", evil.activity("rita", "Create", note, to=[PUBLIC]))
    await fediverse.settle()
    post = await alice.node.db.read(posts.by_uri, quote)
    assert post is not None
    stored = await alice.node.db.read(quotes.by_post, post)
    assert stored is not None
    assert stored.target_id is None

    genuine = _stamp(other, "/stamps/genuine", **right)
    note = evil.note(
        "rita",
        1,
        quote=target["id"],
        quoteAuthorization=genuine,
        content="<p>New</p>",
        updated="2030-01-01T00:00:00Z",
    )
    await evil.send(alice.node, "rita", evil.activity("rita", "Update", note, to=[PUBLIC]))
    await fediverse.settle()
    stored = await alice.node.db.read(quotes.by_post, post)
    assert stored is not None
    assert stored.target_id is not None


async def test_C9_votes_are_never_counted_or_shown(fediverse: Fediverse, evil: RemoteServer) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    post = await alice.posts("Which bird?", photo="A bird")
    evil.person("rita")
    for number in range(5):
        vote = evil.note(
            "rita", number, name="A wren", inReplyTo=post.uri, to=[(await alice.account()).uri], cc=[]
        )
        del vote["content"]
        await evil.send(alice.node, "rita", evil.activity("rita", "Create", vote, to=vote["to"]))
    await fediverse.settle()
    assert await alice.conversation(post) == []
    assert await alice.notifications() == []
    seen = await alice.sees(post)
    assert seen is not None
    assert seen.post.comments_count == 0


async def test_F10_authorizations_and_contexts_reveal_nothing_private(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    evil.person("rita")
    await evil.send(alice.node, "rita", evil.activity("rita", "Follow", (await alice.account()).uri))
    await fediverse.settle()
    secret = await alice._do(
        publishing.publish,
        Draft(caption="The secret", visibility="followers", policy=InteractionPolicy(quote=EVERYONE)),
    )
    opened = await alice._do(
        publishing.publish, Draft(caption="The open text", policy=InteractionPolicy(quote=EVERYONE))
    )
    await alice.comments(opened, "A hidden aside", visibility="followers")
    await fediverse.settle()
    evil.received.clear()
    for number, post in enumerate((secret, opened)):
        quote = evil.note("rita", number, quote=post.uri)
        await evil.send(alice.node, "rita", evil.activity("rita", "QuoteRequest", post.uri, instrument=quote))
    await fediverse.settle()
    responses = {
        response["object"]["object"]: response
        for response in evil.received
        if response["type"] in ("Accept", "Reject")
    }
    assert responses[secret.uri]["type"] == "Reject"
    status, body, _ = await evil.get(responses[opened.uri]["result"])
    assert status == 200
    assert set(json.loads(body)) == {
        "@context",
        "id",
        "type",
        "attributedTo",
        "interactingObject",
        "interactionTarget",
    }
    for address in (f"{opened.uri}/context?page=true", f"{opened.uri}/replies?page=true"):
        _, body, _ = await evil.get(address)
        assert b"aside" not in body
        assert json.loads(body)["totalItems"] <= 1
    assert (await evil.get(f"{secret.uri}/context"))[0] == 404
    for response in responses.values():
        assert "secret" not in json.dumps(response)
        assert "open text" not in json.dumps(response)
