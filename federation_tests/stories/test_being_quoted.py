"""Being quoted needs one's consent: by the policy of the post, with a stamp that can be taken back."""

from __future__ import annotations

import json
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
    made: Post = await alice._do(
        publishing.publish, Draft(caption=caption, policy=InteractionPolicy(quote=EVERYONE))
    )
    return made


def _ask(evil: RemoteServer, post: Post, quote: dict[str, Any]) -> dict[str, Any]:
    return evil.activity("rita", "QuoteRequest", post.uri, instrument=quote)


async def _rita_follows(alice: Person, evil: RemoteServer) -> None:
    evil.person("rita")
    await evil.send(alice.node, "rita", evil.activity("rita", "Follow", (await alice.account()).uri))
    await alice.fediverse.settle()
    evil.received.clear()


async def test_a_question_is_answered_with_a_stamp_that_can_be_taken_back(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    await _rita_follows(alice, evil)
    post = await _quotable(alice)
    quote = evil.note("rita", 1, quote=post.uri)
    asked = _ask(evil, post, quote)
    for _ in range(2):
        await evil.send(alice.node, "rita", asked)
    await fediverse.settle()

    (answer,) = [said for said in evil.received if said["type"] == "Accept"]
    assert answer["object"]["id"] == asked["id"]
    status, body, _ = await evil.get(answer["result"])
    stamp = json.loads(body)
    assert status == 200
    assert (stamp["type"], stamp["interactingObject"], stamp["interactionTarget"]) == (
        "QuoteAuthorization",
        quote["id"],
        post.uri,
    )
    assert ("quote", "rita@evil.test") in await alice.notifications()

    hers = await sign_in(alice.node, await alice.account())
    assert "Quoted by" in (await hers.get(f"/p/alice/{post.id}")).words
    await hers.post(f"/quotes/{answer['result'].rpartition('/')[2]}/withdraw")
    await fediverse.settle()
    assert (await evil.get(answer["result"]))[0] == 404
    assert [said["object"] for said in evil.received if said["type"] == "Delete"] == [answer["result"]]


async def test_a_post_that_nobody_may_quote_is_refused(fediverse: Fediverse, evil: RemoteServer) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    await _rita_follows(alice, evil)
    post = await alice.posts("Not for quoting", photo="A wall")
    await evil.send(alice.node, "rita", _ask(evil, post, evil.note("rita", 1, quote=post.uri)))
    await fediverse.settle()
    assert [said["type"] for said in evil.received if said["type"] in ("Accept", "Reject")] == ["Reject"]


async def test_a_quote_with_a_stamp_is_shown_and_one_without_is_a_link(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    other.person("nina")
    target = other.note("nina", 1, content="<p>The words of Nina</p>")
    plain = evil.note("rita", 1, quoteUrl=target["id"])
    allowed = evil.note("rita", 2, quote=target["id"], quoteAuthorization=f"{other.base}/stamps/1")
    other.serve(
        "/stamps/1",
        {
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": f"{other.base}/stamps/1",
            "type": "QuoteAuthorization",
            "attributedTo": f"{other.base}/users/nina",
            "interactingObject": allowed["id"],
            "interactionTarget": target["id"],
        },
    )
    hers = await sign_in(alice.node, await alice.account())
    for note, is_shown in ((plain, False), (allowed, True)):
        await evil.send(alice.node, "rita", evil.activity("rita", "Create", note, to=[PUBLIC]))
        await fediverse.settle()
        post = await alice.node.db.read(posts.by_uri, note["id"])
        assert post is not None
        seen = await hers.get(f"/posts/{post.id}")
        assert ("The words of Nina" in seen.words) is is_shown
        assert ("Quotes a post" in seen.words) is not is_shown

    await other.send(alice.node, "nina", other.activity("nina", "Delete", f"{other.base}/stamps/1"))
    await fediverse.settle()
    assert "The words of Nina" not in (await hers.get(f"/posts/{post.id}")).words
    said = await alice.node.db.read(quotes.by_post, post)
    assert said is not None
    assert said.target_id is None


async def test_a_quote_that_an_edit_removes_is_gone(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    own = evil.note("rita", 1)
    note = evil.note("rita", 2, quote=own["id"])
    await evil.send(alice.node, "rita", evil.activity("rita", "Create", note, to=[PUBLIC]))
    await fediverse.settle()
    post = await alice.node.db.read(posts.by_uri, note["id"])
    assert post is not None
    said = await alice.node.db.read(quotes.by_post, post)
    assert said is not None
    assert said.target_id is not None, "nobody needs their own consent"
    plain = evil.note("rita", 2, content="<p>Alone</p>", updated="2030-01-01T00:00:00Z")
    await evil.send(alice.node, "rita", evil.activity("rita", "Update", plain, to=[PUBLIC]))
    await fediverse.settle()
    assert await alice.node.db.read(quotes.by_post, post) is None


async def test_one_person_gets_few_permissions_for_one_post(fediverse: Fediverse, evil: RemoteServer) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    await _rita_follows(alice, evil)
    post = await _quotable(alice)
    for number in range(quotes.MAX_PER_ACCOUNT + 5):
        quote = evil.note("rita", number, quote=post.uri)
        await evil.send(alice.node, "rita", _ask(evil, post, quote))
    await fediverse.settle()
    assert len(await alice.node.db.read(quotes.authorizations_by_post, post)) == quotes.MAX_PER_ACCOUNT


async def test_a_permission_taken_back_is_told_to_every_server_that_has_the_post(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    await _rita_follows(alice, evil)
    await bob.follows(alice)
    await fediverse.settle()
    post = await _quotable(alice, "The words of Alice")
    quote = evil.note("rita", 1, quote=post.uri)
    await evil.send(alice.node, "rita", _ask(evil, post, quote))
    await fediverse.settle()
    (answer,) = [said for said in evil.received if said["type"] == "Accept"]

    # Bob's server shows the quote as well, with the same stamp.
    await bob.finds(HandleOnly(f"rita@{evil.domain}"))
    await bob.follows(HandleOnly(f"rita@{evil.domain}"))
    await fediverse.settle()
    (asked,) = [said for said in evil.received if said["type"] == "Follow"]
    await evil.send(bob.node, "rita", evil.activity("rita", "Accept", asked))
    stamped = evil.note("rita", 1, quote=post.uri, quoteAuthorization=answer["result"])
    await evil.send(bob.node, "rita", evil.activity("rita", "Create", stamped, to=[PUBLIC]))
    await fediverse.settle()
    there = await bob.node.db.read(posts.by_uri, quote["id"])
    assert there is not None
    his = await sign_in(bob.node, await bob.account())
    assert "The words of Alice" in (await his.get(f"/posts/{there.id}")).words

    await alice._do(quotes.revoke, int(answer["result"].rpartition("/")[2]))
    await fediverse.settle()
    assert "The words of Alice" not in (await his.get(f"/posts/{there.id}")).words
