"""QuoteRequest and its answers (FEP-044f)."""

from __future__ import annotations

import pytest

from activitypub.handlers.received_activity import Ignored
from node.database import Writer
from node.interactions import quotes
from node.models.account import Account
from node.models.interaction_policy import EVERYONE, InteractionPolicy
from node.models.post import Post
from node.node import Node
from tests.support.people import remote, verbs_of
from tests.support.posting import follow, publish, receive_post
from tests.support.received import handle, jobs

QUOTABLE = InteractionPolicy(quote=EVERYONE)
AUTHORIZATION = "https://far.example/authorizations/1"


@pytest.mark.parametrize(("policy", "answer"), [(QUOTABLE, "Accept"), (InteractionPolicy(), "Reject")])
async def test_a_request_is_answered_by_the_policy_of_the_post(
    node: Node, alice: Account, policy: InteractionPolicy, answer: str
) -> None:
    def unit(tx: Writer) -> None:
        rita, post = remote(tx), publish(tx, alice, policy=policy)
        quote = f"{rita.uri}/statuses/1"
        handle(tx, rita, "QuoteRequest", post.uri, id=f"{rita.uri}#1", instrument=quote)
        assert verbs_of(tx, alice)[-1] == answer
        assert len(quotes.authorizations_by_post(tx, post)) == (answer == "Accept")

    await node.db.write(unit)


async def test_a_request_needs_an_id_and_a_visible_post(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        post, hidden = publish(tx, alice, policy=QUOTABLE), publish(tx, alice, visibility="followers")
        quote = f"{rita.uri}/statuses/1"
        with pytest.raises(Ignored, match="without an id"):
            handle(tx, rita, "QuoteRequest", post.uri, instrument=quote)
        with pytest.raises(Ignored):
            handle(tx, rita, "QuoteRequest", hidden.uri, id=f"{rita.uri}#1", instrument=quote)
        assert "Reject" not in verbs_of(tx, alice)

    await node.db.write(unit)


def _quote_of(tx: Writer, author: Account, alice: Account) -> tuple[Post, str]:
    """A local post that quotes a remote one, and the id of its quote request."""
    follow(tx, alice, author)
    post = publish(tx, alice)
    quotes.record_unapproved(tx, post.id, receive_post(tx, author).uri, "")
    return post, f"{post.uri}{quotes.REQUEST_SUFFIX}"


async def test_an_accept_is_checked_before_the_quote_is_shown(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        post, request = _quote_of(tx, rita, alice)
        handle(tx, rita, "Accept", request, result=AUTHORIZATION)
        assert jobs(tx, "check_quote") == [{"id": post.id}]
        quote = quotes.by_post(tx, post)
        assert quote is not None
        assert quote.target_id is None

    await node.db.write(unit)


async def test_only_the_author_of_the_quoted_post_answers(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, omar = remote(tx), remote(tx, "omar")
        _, request = _quote_of(tx, rita, alice)
        with pytest.raises(Ignored, match="author of the quoted post"):
            handle(tx, omar, "Accept", request, result=AUTHORIZATION)
        assert jobs(tx, "check_quote") == []

    await node.db.write(unit)


async def test_a_reject_of_a_quote_request_ends_no_follow(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        _, request = _quote_of(tx, rita, alice)
        handle(tx, rita, "Reject", request)
        assert jobs(tx, "check_quote") == []
        assert tx.value("SELECT COUNT(*) FROM follows") == 1

    await node.db.write(unit)
