"""Quoting others: here by the policy at once, elsewhere by asking first; a link until they agree."""

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


async def _open_to_quotes(who: Person, caption: str) -> Post:
    made: Post = await who._do(
        publishing.publish, Draft(caption=caption, policy=InteractionPolicy(quote=EVERYONE))
    )
    await who.fediverse.settle()
    return made


async def _page(who: Person, post: Post) -> str:
    mine = await who.node.db.read(posts.by_uri, post.uri)
    assert mine is not None
    return (await (await sign_in(who.node, await who.account())).get(f"/posts/{mine.id}")).words


async def test_between_two_nodes_a_quote_becomes_a_card_for_everybody(fediverse: Fediverse) -> None:
    alice, bob, carol = await fediverse.people("alice@a.test", "bob@b.test", "carol@c.test")
    for follower, followed in ((alice, bob), (carol, alice)):
        await follower.follows(followed)
    await fediverse.settle()
    target = await _open_to_quotes(bob, "The words of Bob")
    here = await alice.node.db.read(posts.by_uri, target.uri)
    assert here is not None

    hers = await sign_in(alice.node, await alice.account())
    seen = await hers.get(f"/posts/{here.id}")
    seen = await hers.get(seen.one("a", href=f"/compose?quote={here.id}").attributes["href"])
    assert "The words of Bob" in seen.words
    assert "The author has to approve" in seen.words
    await hers.post("/compose", {"caption": "How true", "visibility": "public", "quote": str(here.id)})
    await fediverse.settle()

    (mine,) = [view.post for view in await alice.home_views() if view.post.is_local]
    assert ("quote", "alice@a.test") in await bob.notifications()
    assert "Quoted by" in await _page(bob, target)
    for who in (alice, carol):
        words = await _page(who, mine)
        assert "The words of Bob" in words, who.handle
        assert "Quotes a post" not in words
        assert RE not in words

    # Bob takes it back: everywhere it is a link again.
    ((stamp, _),) = await bob.node.db.read(quotes.authorizations_by_post, target)
    await bob._do(quotes.revoke, stamp.id)
    await fediverse.settle()
    for who in (alice, carol):
        assert "The words of Bob" not in await _page(who, mine), who.handle


async def test_the_question_and_the_quote_are_written_for_everybody(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    allowed = {"canQuote": {"automaticApproval": ["https://www.w3.org/ns/activitystreams#Public"]}}
    said = create(evil, interactionPolicy=allowed)
    await evil.send(alice.node, "rita", said)
    await evil.send(alice.node, "rita", evil.activity("rita", "Follow", (await alice.account()).uri))
    await fediverse.settle()
    target = await alice.node.db.read(posts.by_uri, said["object"]["id"])
    assert target is not None
    evil.received.clear()
    mine = await alice._do(publishing.publish, Draft(caption="How true", quote_id=target.id))
    await fediverse.settle()

    by_type = {one["type"]: one for one in evil.received}
    asked, created = by_type["QuoteRequest"], by_type["Create"]
    assert (asked["object"], asked["instrument"]["id"]) == (target.uri, mine.uri)
    note: dict[str, Any] = created["object"]
    for name in ("quote", "quoteUrl", "_misskey_quote"):
        assert note[name] == target.uri
    assert "quoteAuthorization" not in note
    assert {"type": "Link", "href": target.uri}.items() <= note["tag"][-1].items()
    assert f'<p class="quote-inline">{RE}' in note["content"]

    # Somebody else's yes, and a stamp that is none, change nothing.
    evil.person("mallory")
    yes = {"result": f"{evil.base}/stamps/1"}
    await evil.send(alice.node, "mallory", evil.activity("mallory", "Accept", asked, **yes))
    await evil.send(alice.node, "rita", evil.activity("rita", "Accept", asked["id"], **yes))
    await fediverse.settle()
    assert "Quotes a post" in await _page(alice, mine)

    evil.serve(
        "/stamps/2",
        {
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": f"{evil.base}/stamps/2",
            "type": "QuoteAuthorization",
            "attributedTo": f"{evil.base}/users/rita",
            "interactingObject": mine.uri,
            "interactionTarget": target.uri,
        },
    )
    evil.received.clear()
    yes = {"result": f"{evil.base}/stamps/2"}
    await evil.send(alice.node, "rita", evil.activity("rita", "Accept", asked, **yes))
    await fediverse.settle()
    assert "Quotes a post" not in await _page(alice, mine)
    (update,) = [one for one in evil.received if one["type"] == "Update"]
    assert update["object"]["quoteAuthorization"] == f"{evil.base}/stamps/2"
    _, body, _ = await evil.get(mine.uri)
    assert json.loads(body)["quoteAuthorization"] == f"{evil.base}/stamps/2"

    # Taken back, it is told without.
    evil.received.clear()
    await evil.send(alice.node, "rita", evil.activity("rita", "Delete", f"{evil.base}/stamps/2"))
    await fediverse.settle()
    (update,) = [one for one in evil.received if one["type"] == "Update"]
    assert "quoteAuthorization" not in update["object"]
    assert "Quotes a post" in await _page(alice, mine)


async def test_on_one_node_the_policy_answers_at_once(fediverse: Fediverse) -> None:
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
    hers = await sign_in(alice.node, await alice.account())
    assert not (await hers.get(f"/posts/{closed.id}")).all("a", href=f"/compose?quote={closed.id}")
    assert "Quoting:" not in (await hers.get(f"/compose?quote={closed.id}")).words
    await bob._do(quotes.revoke, (await bob.node.db.read(quotes.authorizations_by_post, open_))[0][0].id)
    assert "Quote me" not in await _page(alice, mine)


async def test_nobody_quotes_what_they_may_not_see(fediverse: Fediverse) -> None:
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
