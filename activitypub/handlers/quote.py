"""QuoteRequest, and the answers to quote requests of local accounts (FEP-044f)."""

from __future__ import annotations

from activitypub.handlers.received_activity import Ignored, ReceivedActivity, visible_local_post
from activitypub.uris import host_of
from activitypub.vocab import Ref
from activitypub.vocab import quotes as quote_vocab
from node.database import Writer
from node.interactions import quotes
from node.jobs import queue
from node.models.account import Account
from node.posts import posts


def handle_quote_request(tx: Writer, received: ReceivedActivity) -> None:
    """Answers a request to quote a local post at once, by the interaction policy of the post."""
    request = quote_vocab.parse_request(received.activity)
    post = visible_local_post(tx, Ref(uri=request.quoted_uri), received.actor)
    if received.uri is None:
        raise Ignored("a quote request without an id")
    quotes.receive_request(tx, received.actor, post, request_uri=received.uri, quote_uri=request.quote_uri)


def handle_quote_response(tx: Writer, received: ReceivedActivity, *, is_allowed: bool) -> bool:
    """Handles an Accept or a Reject of a quote request of a local account;
    False if it answers something else.

    The authorization it names is only recorded here: job `check_quote` fetches it before the quote is shown.
    Raises Ignored if the sender is not the author of the quoted post.
    """
    response = quote_vocab.parse_response(received.activity)
    request = response.request
    ids = [response.id, None if request is None else f"{request.quote_uri}{quotes.REQUEST_SUFFIX}"]
    for id_ in filter(None, ids):
        found = quotes.by_request_uri(tx, id_)
        if found is None:
            continue
        post, quote = found
        target = posts.by_uri(tx, quote.target_uri)
        if target is None or target.account_id != received.actor.id:
            raise Ignored("the answer is not by the author of the quoted post")
        if is_allowed and response.authorization_uri is not None:
            quotes.record_unapproved(tx, post.id, quote.target_uri, response.authorization_uri)
            queue.add(tx, "check_quote", {"id": post.id}, lane=f"fetch {host_of(quote.target_uri)}")
        return True
    return False


def handle_authorization_deletion(tx: Writer, actor: Account, uri: str) -> bool:
    """Revokes the quote authorization with this URI; False if there is none of this actor."""
    return quotes.receive_revocation(tx, actor, uri)
