"""Being quoted needs an authorization: given by the policy of the post, and revocable."""

from __future__ import annotations

import json
import time
from typing import Any

from federation_tests.fediverse import Fediverse, HandleOnly, Person
from federation_tests.remote_server import PUBLIC, RemoteServer
from federation_tests.security.scenes import alice_follows_rita
from node.interactions import quotes
from node.models.interaction_policy import EVERYONE, InteractionPolicy
from node.models.post import Post
from node.posts import posts
from node.posts.drafts import Draft
from node.publishing import publishing
from tests.support.visitors import sign_in


async def _quotable(alice: Person, caption: str = "Quote me") -> Post:
    post: Post = await alice._do(
        publishing.publish, Draft(caption=caption, policy=InteractionPolicy(quote=EVERYONE))
    )
    return post


def _request(evil: RemoteServer, post: Post, quote: dict[str, Any]) -> dict[str, Any]:
    return evil.activity("rita", "QuoteRequest", post.uri, instrument=quote)


async def _rita_follows(alice: Person, evil: RemoteServer) -> None:
    evil.person("rita")
    await evil.send(alice.node, "rita", evil.activity("rita", "Follow", (await alice.account()).uri))
    await alice.fediverse.settle()
    evil.received.clear()


async def test_a_request_is_answered_with_an_authorization_that_can_be_revoked(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    await _rita_follows(alice, evil)
    post = await _quotable(alice)
    quote = evil.note("rita", 1, quote=post.uri)
    request = _request(evil, post, quote)
    for second in (1, 0):
        await evil.send(alice.node, "rita", request, now=time.time() - second)
    await fediverse.settle()

    # A request that is sent again is answered again, since the first answer may be lost, with the same authorization.
    answer, again = [one for one in evil.received if one["type"] == "Accept"]
    assert (answer["object"]["id"], again["result"]) == (request["id"], answer["result"])
    status, body, _ = await evil.get(answer["result"])
    authorization = json.loads(body)
    assert status == 200
    assert (
        authorization["type"],
        authorization["interactingObject"],
        authorization["interactionTarget"],
    ) == (
        "QuoteAuthorization",
        quote["id"],
        post.uri,
    )
    assert ("quote", "rita@evil.test") in await alice.notifications()

    browser = await sign_in(alice.node, await alice.account())
    assert "Quoted by" in (await browser.get(f"/p/alice/{post.id}")).main_text
    await browser.post(f"/quotes/{answer['result'].rpartition('/')[2]}/withdraw")
    await fediverse.settle()
    assert (await evil.get(answer["result"]))[0] == 404
    assert [one["object"] for one in evil.received if one["type"] == "Delete"] == [answer["result"]]


async def test_a_request_to_quote_a_post_that_nobody_may_quote_is_rejected(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    await _rita_follows(alice, evil)
    post = await alice.posts("Not for quoting", photo="A wall")
    await evil.send(alice.node, "rita", _request(evil, post, evil.note("rita", 1, quote=post.uri)))
    await fediverse.settle()
    assert [one["type"] for one in evil.received if one["type"] in ("Accept", "Reject")] == ["Reject"]


async def test_a_quote_with_an_authorization_is_shown_and_one_without_is_a_link(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    other.person("nina")
    target = other.note("nina", 1, content="<p>The post of Nina</p>")
    plain = evil.note("rita", 1, quoteUrl=target["id"])
    allowed = evil.note("rita", 2, quote=target["id"], quoteAuthorization=f"{other.base}/authorizations/1")
    other.serve(
        "/authorizations/1",
        {
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": f"{other.base}/authorizations/1",
            "type": "QuoteAuthorization",
            "attributedTo": f"{other.base}/users/nina",
            "interactingObject": allowed["id"],
            "interactionTarget": target["id"],
        },
    )
    browser = await sign_in(alice.node, await alice.account())
    for note, is_shown in ((plain, False), (allowed, True)):
        await evil.send(alice.node, "rita", evil.activity("rita", "Create", note, to=[PUBLIC]))
        await fediverse.settle()
        post = await alice.node.db.read(posts.by_uri, note["id"])
        assert post is not None
        seen = await browser.get(f"/posts/{post.id}")
        assert ("The post of Nina" in seen.main_text) is is_shown
        assert ("Quotes a post" in seen.main_text) is not is_shown

    await other.send(alice.node, "nina", other.activity("nina", "Delete", f"{other.base}/authorizations/1"))
    await fediverse.settle()
    assert "The post of Nina" not in (await browser.get(f"/posts/{post.id}")).main_text
    quote = await alice.node.db.read(quotes.by_post, post)
    assert quote is not None
    assert quote.target_id is None


async def test_a_quote_that_an_edit_removes_is_removed(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    own = evil.note("rita", 1)
    note = evil.note("rita", 2, quote=own["id"])
    await evil.send(alice.node, "rita", evil.activity("rita", "Create", note, to=[PUBLIC]))
    await fediverse.settle()
    post = await alice.node.db.read(posts.by_uri, note["id"])
    assert post is not None
    quote = await alice.node.db.read(quotes.by_post, post)
    assert quote is not None
    assert quote.target_id is not None, "an author needs no authorization for an own post"
    plain = evil.note("rita", 2, content="<p>Alone</p>", updated="2030-01-01T00:00:00Z")
    await evil.send(alice.node, "rita", evil.activity("rita", "Update", plain, to=[PUBLIC]))
    await fediverse.settle()
    assert await alice.node.db.read(quotes.by_post, post) is None


async def test_one_account_gets_few_authorizations_for_one_post(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    await _rita_follows(alice, evil)
    post = await _quotable(alice)
    for number in range(quotes.MAX_PER_ACCOUNT + 5):
        quote = evil.note("rita", number, quote=post.uri)
        await evil.send(alice.node, "rita", _request(evil, post, quote))
    await fediverse.settle()
    assert len(await alice.node.db.read(quotes.authorizations_by_post, post)) == quotes.MAX_PER_ACCOUNT


async def test_a_revocation_reaches_every_server_that_has_the_post(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    await _rita_follows(alice, evil)
    await bob.follows(alice)
    await fediverse.settle()
    post = await _quotable(alice, "The post of Alice")
    quote = evil.note("rita", 1, quote=post.uri)
    await evil.send(alice.node, "rita", _request(evil, post, quote))
    await fediverse.settle()
    (answer,) = [one for one in evil.received if one["type"] == "Accept"]

    # Bob's server shows the quote as well, with the same authorization.
    await bob.finds(HandleOnly(f"rita@{evil.domain}"))
    await bob.follows(HandleOnly(f"rita@{evil.domain}"))
    await fediverse.settle()
    (follow,) = [one for one in evil.received if one["type"] == "Follow"]
    await evil.send(bob.node, "rita", evil.activity("rita", "Accept", follow))
    authorized = evil.note("rita", 1, quote=post.uri, quoteAuthorization=answer["result"])
    await evil.send(bob.node, "rita", evil.activity("rita", "Create", authorized, to=[PUBLIC]))
    await fediverse.settle()
    stored = await bob.node.db.read(posts.by_uri, quote["id"])
    assert stored is not None
    browser = await sign_in(bob.node, await bob.account())
    assert "The post of Alice" in (await browser.get(f"/posts/{stored.id}")).main_text

    await alice._do(quotes.revoke, int(answer["result"].rpartition("/")[2]))
    await fediverse.settle()
    assert "The post of Alice" not in (await browser.get(f"/posts/{stored.id}")).main_text
