from __future__ import annotations

from typing import Any

import pytest

from node.database import Reader, Writer
from node.errors import NotAllowed, NotFound
from node.interactions import blocks, quotes
from node.models.account import Account
from node.models.interaction_policy import EVERYONE, InteractionPolicy, rule_for
from node.models.post import Post
from node.node import Node
from node.posts import posts
from node.publishing import post_deletion
from tests.support.people import activities_of, notifications_of, remote
from tests.support.posting import follow, publish, receive_post

QUOTABLE = InteractionPolicy(quote=EVERYONE)
STAMP = "https://far.example/stamps/1"


def quote_of(tx: Reader, post: Post) -> quotes.PostQuote:
    found = quotes.by_post(tx, post)
    assert found is not None
    return found


def request(tx: Writer, actor: Account, post: Post, number: int = 1) -> quotes.QuoteAuthorization | None:
    uri = f"{actor.uri}/posts/{number}"
    return quotes.receive_request(tx, actor, post, request_uri=uri + quotes.REQUEST_SUFFIX, quote_uri=uri)


def sent(tx: Reader, account: Account) -> tuple[str, str, dict[str, Any]]:
    """The latest activity of an account."""
    return activities_of(tx, account)[-1]


async def test_a_local_post_is_quoted_at_once_where_its_policy_allows(
    node: Node, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> None:
        target = publish(tx, alice, policy=QUOTABLE)
        post = publish(tx, bob, "Look", quote_id=target.id)

        [(authorization, account)] = quotes.authorizations_by_post(tx, target)
        assert (account.id, authorization.quote_uri) == (bob.id, post.uri)
        stamp_uri = quotes.authorization_uri(alice, authorization)
        assert quote_of(tx, post) == quotes.PostQuote(post.id, target.uri, stamp_uri, target.id)
        assert quotes.authorization_by_id(tx, alice, authorization.id) == (authorization, target)
        assert notifications_of(tx, alice) == [("quote", bob.id)]

    await node.db.write(unit)


async def test_the_usual_policy_lets_only_the_author_quote(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        target = publish(tx, alice)
        assert [quotes.may_quote(tx, account, target) for account in (alice, bob)] == [True, False]
        with pytest.raises(NotAllowed):
            publish(tx, bob, quote_id=target.id)
        own = publish(tx, alice, quote_id=target.id)
        assert quote_of(tx, own).target_id == target.id
        assert (quotes.authorizations_by_post(tx, target), notifications_of(tx, alice)) == ([], [])

    await node.db.write(unit)


@pytest.mark.parametrize("visibility", ["followers", "direct"])
async def test_neither_side_of_a_quote_of_somebody_else_may_be_private(
    node: Node, alice: Account, bob: Account, visibility: str
) -> None:
    def unit(tx: Writer) -> None:
        target = publish(tx, bob, policy=QUOTABLE)
        with pytest.raises(NotAllowed):
            publish(tx, alice, visibility=visibility, quote_id=target.id)
        follow(tx, alice, bob)
        private = publish(tx, bob, caption="@alice", visibility=visibility, policy=QUOTABLE)
        with pytest.raises(NotAllowed):
            publish(tx, alice, quote_id=private.id)
        with pytest.raises(NotAllowed):
            publish(tx, alice, visibility=visibility, quote_id=private.id)


@pytest.mark.parametrize(
    ("quoted", "quoting", "is_allowed"),
    [
        ("public", "direct", True),
        ("unlisted", "public", True),
        ("followers", "unlisted", False),
        ("followers", "followers", True),
        ("followers", "direct", True),
        ("direct", "followers", False),
        ("direct", "direct", True),
    ],
)
async def test_a_quote_of_ones_own_post_is_for_no_more_people(
    node: Node, alice: Account, quoted: str, quoting: str, is_allowed: bool
) -> None:
    def unit(tx: Writer) -> None:
        target = publish(tx, alice, visibility=quoted)
        if not is_allowed:
            with pytest.raises(NotAllowed):
                publish(tx, alice, visibility=quoting, quote_id=target.id)
            return
        post = publish(tx, alice, visibility=quoting, quote_id=target.id)
        assert quote_of(tx, post).target_id == target.id

    await node.db.write(unit)


async def test_a_remote_author_is_asked_and_the_quote_waits(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        target = receive_post(tx, rita, policy='{"quote":{"asked":["everyone"]}}')
        post = publish(tx, alice, quote_id=target.id)

        assert quote_of(tx, post).target_id is None
        assert ("QuoteRequest", target.uri) in [(verb, uri) for verb, uri, _ in activities_of(tx, alice)]
        found = quotes.by_request_uri(tx, post.uri + quotes.REQUEST_SUFFIX)
        assert found == (post, quotes.PostQuote(post.id, target.uri, "", None))
        assert quotes.by_request_uri(tx, post.uri) is None

        quotes.record_unapproved(tx, post.id, target.uri, STAMP)
        quotes.approve(tx, quote_of(tx, post), target)
        assert quote_of(tx, post).target_id == target.id
        assert sent(tx, alice)[:2] == ("Update", post.uri)

    await node.db.write(unit)


async def test_a_remote_request_is_answered_by_the_policy(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        quotable = publish(tx, alice, policy=QUOTABLE)
        private = publish(tx, alice, policy=InteractionPolicy(quote=rule_for("followers")))

        authorization = request(tx, rita, quotable)
        assert authorization is not None
        verb, _, extra = sent(tx, alice)
        assert (verb, extra["quote"]["result"]) == ("Accept", quotes.authorization_uri(alice, authorization))
        assert notifications_of(tx, alice) == [("quote", rita.id)]

        assert request(tx, rita, private) is None
        verb, _, extra = sent(tx, alice)
        assert (verb, "result" in extra["quote"]) == ("Reject", False)

    await node.db.write(unit)


async def test_a_request_received_again_gets_the_same_authorization(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, post = remote(tx), publish(tx, alice, policy=QUOTABLE)
        first = request(tx, rita, post)

        assert first is not None
        assert request(tx, rita, post) == first
        assert len(quotes.authorizations_by_post(tx, post)) == 1

    await node.db.write(unit)


async def test_an_account_quotes_a_post_so_often_and_no_more(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, post = remote(tx), publish(tx, alice, policy=QUOTABLE)
        answers = [request(tx, rita, post, number) for number in range(quotes.MAX_PER_ACCOUNT + 1)]

        assert [answer is not None for answer in answers] == [True] * quotes.MAX_PER_ACCOUNT + [False]
        assert request(tx, rita, post, 0) == answers[0]
        assert request(tx, remote(tx, "sam"), post) is not None

    await node.db.write(unit)


async def test_a_revoked_authorization_hides_the_quote(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        target = publish(tx, alice, policy=QUOTABLE)
        post = publish(tx, bob, quote_id=target.id)
        [(authorization, _)] = quotes.authorizations_by_post(tx, target)
        with pytest.raises(NotFound):
            quotes.revoke(tx, bob, authorization.id)

        assert quotes.revoke(tx, alice, authorization.id) == target

        assert quote_of(tx, post).target_id is None
        assert (quotes.authorizations_by_post(tx, target), notifications_of(tx, alice)) == ([], [])
        assert sent(tx, alice)[:2] == ("Revoke", quotes.authorization_uri(alice, authorization))
        with pytest.raises(NotFound):
            quotes.authorization_by_id(tx, alice, authorization.id)

    await node.db.write(unit)


async def test_only_the_quoted_author_revokes_from_afar(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, sam = remote(tx), remote(tx, "sam")
        target, post = receive_post(tx, rita), publish(tx, alice)
        quotes.record_unapproved(tx, post.id, target.uri, STAMP)
        quotes.approve(tx, quote_of(tx, post), target)

        assert not quotes.receive_revocation(tx, sam, STAMP)
        assert quote_of(tx, post).target_id == target.id
        assert quotes.receive_revocation(tx, rita, STAMP)
        assert quote_of(tx, post) == quotes.PostQuote(post.id, target.uri, "", None)
        assert not quotes.receive_revocation(tx, rita, STAMP)

    await node.db.write(unit)


async def test_an_approval_for_another_quote_than_the_present_one_is_void(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        first, second, post = receive_post(tx, rita), receive_post(tx, rita), receive_post(tx, rita)
        quotes.record_unapproved(tx, post.id, first.uri, STAMP)
        checked = quote_of(tx, post)
        quotes.record_unapproved(tx, post.id, second.uri, STAMP)

        quotes.approve(tx, checked, first)
        assert quote_of(tx, post) == quotes.PostQuote(post.id, second.uri, STAMP, None)

        quotes.approve(tx, quote_of(tx, post), second)
        quotes.record_unapproved(tx, post.id, second.uri, STAMP)
        assert quote_of(tx, post).target_id == second.id
        quotes.remove_quote(tx, post.id)
        assert quotes.by_posts(tx, [post.id]) == {}

    await node.db.write(unit)


async def test_nobody_across_a_block_may_quote(node: Node, alice: Account, mallory: Account) -> None:
    def unit(tx: Writer) -> None:
        target = publish(tx, alice, policy=QUOTABLE)
        blocks.block(tx, alice, mallory)
        assert not quotes.may_quote(tx, mallory, target)
        with pytest.raises(NotFound):
            publish(tx, mallory, quote_id=target.id)

    await node.db.write(unit)


async def test_quotes_of_a_deleted_post_become_links(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        target = publish(tx, alice, policy=QUOTABLE)
        post = publish(tx, bob, quote_id=target.id)
        [(authorization, _)] = quotes.authorizations_by_post(tx, target)

        post_deletion.remove_locally(tx, target)

        assert quote_of(tx, post).target_id is None
        with pytest.raises(NotFound):
            quotes.authorization_by_id(tx, alice, authorization.id)
        post_deletion.remove_locally(tx, post)
        assert quotes.by_post(tx, post) is None
        assert posts.by_id(tx, post.id) is not None

    await node.db.write(unit)
