"""Quoting: at once by the policy of a local post, after a request for a remote one; a link until it is accepted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from federation_tests.fediverse import Fediverse, Person
from federation_tests.remote_server import RemoteServer
from federation_tests.security.scenes import alice_follows_rita, create
from node.errors import NotAllowed, Refused
from node.interactions import quotes
from node.models.interaction_policy import EVERYONE, NOBODY, InteractionPolicy
from node.models.post import Post
from node.posts import posts
from node.posts.drafts import Draft
from node.publishing import publishing
from tests.support.visitors import sign_in

RE = "RE:"


async def _open_to_quotes(author: Person, caption: str) -> Post:
    post: Post = await author._do(
        publishing.publish, Draft(caption=caption, policy=InteractionPolicy(quote=EVERYONE))
    )
    await author.fediverse.settle()
    return post


async def _page(viewer: Person, post: Post) -> str:
    """The text of the page of a post on the viewer's node."""
    stored = await viewer.node.db.read(posts.by_uri, post.uri)
    assert stored is not None
    browser = await sign_in(viewer.node, await viewer.account())
    return (await browser.get(f"/posts/{stored.id}")).main_text


async def test_an_accepted_quote_is_shown_as_a_card_on_every_node(fediverse: Fediverse) -> None:
    alice, bob, carol = await fediverse.people("alice@a.test", "bob@b.test", "carol@c.test")
    for follower, followed in ((alice, bob), (carol, alice)):
        await follower.follows(followed)
    await fediverse.settle()
    target = await _open_to_quotes(bob, "The post of Bob")
    stored = await alice.node.db.read(posts.by_uri, target.uri)
    assert stored is not None

    browser = await sign_in(alice.node, await alice.account())
    seen = await browser.get(f"/posts/{stored.id}")
    seen = await browser.get(seen.one("a", href=f"/compose?quote={stored.id}").attributes["href"])
    assert "The post of Bob" in seen.main_text
    assert "The author has to approve" in seen.main_text
    await browser.post("/compose", {"caption": "How true", "visibility": "public", "quote": str(stored.id)})
    await fediverse.settle()

    (mine,) = [view.post for view in await alice.home_views() if view.post.is_local]
    assert ("quote", "alice@a.test") in await bob.notifications()
    assert "Quoted by" in await _page(bob, target)
    for viewer in (alice, carol):
        words = await _page(viewer, mine)
        assert "The post of Bob" in words, viewer.handle
        assert "Quotes a post" not in words
        assert RE not in words

    # Bob revokes it: on every node it is a link again.
    ((authorization, _),) = await bob.node.db.read(quotes.authorizations_by_post, target)
    await bob._do(quotes.revoke, authorization.id)
    await fediverse.settle()
    for viewer in (alice, carol):
        assert "The post of Bob" not in await _page(viewer, mine), viewer.handle


async def test_the_request_and_the_quote_have_the_properties_of_all_peers(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    allowed = {"canQuote": {"automaticApproval": ["https://www.w3.org/ns/activitystreams#Public"]}}
    activity = create(evil, interactionPolicy=allowed)
    await evil.send(alice.node, "rita", activity)
    await evil.send(alice.node, "rita", evil.activity("rita", "Follow", (await alice.account()).uri))
    await fediverse.settle()
    target = await alice.node.db.read(posts.by_uri, activity["object"]["id"])
    assert target is not None
    evil.received.clear()
    mine = await alice._do(publishing.publish, Draft(caption="How true", quote_id=target.id))
    await fediverse.settle()

    by_type = {one["type"]: one for one in evil.received}
    request, created = by_type["QuoteRequest"], by_type["Create"]
    assert (request["object"], request["instrument"]["id"]) == (target.uri, mine.uri)
    note: dict[str, Any] = created["object"]
    for name in ("quote", "quoteUrl", "_misskey_quote"):
        assert note[name] == target.uri
    assert "quoteAuthorization" not in note
    assert {"type": "Link", "href": target.uri}.items() <= note["tag"][-1].items()
    assert f'<p class="quote-inline">{RE}' in note["content"]

    # An Accept by another account, and an authorization that cannot be fetched, change nothing.
    evil.person("mallory")
    accepted = {"result": f"{evil.base}/authorizations/1"}
    await evil.send(alice.node, "mallory", evil.activity("mallory", "Accept", request, **accepted))
    await evil.send(alice.node, "rita", evil.activity("rita", "Accept", request["id"], **accepted))
    await fediverse.settle()
    assert "Quotes a post" in await _page(alice, mine)

    evil.serve(
        "/authorizations/2",
        {
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": f"{evil.base}/authorizations/2",
            "type": "QuoteAuthorization",
            "attributedTo": f"{evil.base}/users/rita",
            "interactingObject": mine.uri,
            "interactionTarget": target.uri,
        },
    )
    evil.received.clear()
    accepted = {"result": f"{evil.base}/authorizations/2"}
    await evil.send(alice.node, "rita", evil.activity("rita", "Accept", request, **accepted))
    await fediverse.settle()
    assert "Quotes a post" not in await _page(alice, mine)
    (update,) = [one for one in evil.received if one["type"] == "Update"]
    assert update["object"]["quoteAuthorization"] == f"{evil.base}/authorizations/2"
    _, body, _ = await evil.get(mine.uri)
    assert json.loads(body)["quoteAuthorization"] == f"{evil.base}/authorizations/2"

    # Once revoked, the post is sent without it.
    evil.received.clear()
    await evil.send(alice.node, "rita", evil.activity("rita", "Delete", f"{evil.base}/authorizations/2"))
    await fediverse.settle()
    (update,) = [one for one in evil.received if one["type"] == "Update"]
    assert "quoteAuthorization" not in update["object"]
    assert "Quotes a post" in await _page(alice, mine)


async def test_on_one_node_the_policy_decides_at_once(fediverse: Fediverse) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@a.test")
    open_, closed = await _open_to_quotes(bob, "Quote me"), await bob.posts("Not me", photo="A wall")
    mine = await alice._do(publishing.publish, Draft(caption="How true", quote_id=open_.id))
    assert "Quote me" in await _page(alice, mine)
    assert ("quote", "alice@a.test") in await bob.notifications()
    own = await bob._do(publishing.publish, Draft(caption="As I said", quote_id=closed.id))
    assert "Not me" in await _page(alice, own)
    with pytest.raises(NotAllowed):
        await alice._do(publishing.publish, Draft(caption="No", quote_id=closed.id))
    with pytest.raises(NotAllowed):
        await alice._do(publishing.publish, Draft(caption="No", quote_id=open_.id, visibility="followers"))
    browser = await sign_in(alice.node, await alice.account())
    assert not (await browser.get(f"/posts/{closed.id}")).all("a", href=f"/compose?quote={closed.id}")
    assert "Quoting:" not in (await browser.get(f"/compose?quote={closed.id}")).main_text
    await bob._do(quotes.revoke, (await bob.node.db.read(quotes.authorizations_by_post, open_))[0][0].id)
    assert "Quote me" not in await _page(alice, mine)


async def test_a_hidden_post_cannot_be_quoted(fediverse: Fediverse) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@a.test")
    hidden = await bob._do(
        publishing.publish,
        Draft(caption="Hidden", visibility="followers", policy=InteractionPolicy(quote=EVERYONE)),
    )
    direct = await bob._do(
        publishing.publish,
        Draft(caption="Hidden", visibility="direct", policy=InteractionPolicy(quote=NOBODY)),
    )
    for post in (hidden, direct):
        with pytest.raises(Refused, match=r"no such post|does not want"):
            await alice._do(publishing.publish, Draft(caption="x", quote_id=post.id))
