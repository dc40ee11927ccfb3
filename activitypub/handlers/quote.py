"""QuoteRequest and the answers to ours (FEP-044f)."""

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


def handle_quote_request(tx: Writer, heard: ReceivedActivity) -> None:
    """QuoteRequest: answered at once, by the policy of the post."""
    asked = quote_vocab.parse_request(heard.activity)
    post = visible_local_post(tx, Ref(uri=asked.quoted_uri), heard.actor)
    if heard.uri is None:
        raise Ignored("a question without an id")
    quotes.receive_request(tx, heard.actor, post, request_uri=heard.uri, quote_uri=asked.quote_uri)


def handle_quote_response(tx: Writer, heard: ReceivedActivity, *, is_allowed: bool) -> bool:
    """An Accept or a Reject of a question of ours, by the author of what is to be quoted. Whether it was one."""
    said = quote_vocab.parse_response(heard.activity)
    ids = [said.id, f"{said.request.quote_uri}{quotes.REQUEST_SUFFIX}" if said.request is not None else None]
    for id_ in filter(None, ids):
        found = quotes.by_request_uri(tx, id_)
        if found is None:
            continue
        post, wanted = found
        target = posts.by_uri(tx, wanted.target_uri)
        if target is None or target.account_id != heard.actor.id:
            raise Ignored("an answer by somebody who was not asked")
        if is_allowed and said.authorization_uri is not None:
            quotes.record_unapproved(tx, post.id, wanted.target_uri, said.authorization_uri)
            queue.add(tx, "check_quote", {"id": post.id}, lane=f"fetch {host_of(wanted.target_uri)}")
        return True
    return False


def handle_authorization_deletion(tx: Writer, actor: Account, uri: str) -> bool:
    """A Delete that may be of a stamp."""
    return quotes.receive_revocation(tx, actor, uri)
