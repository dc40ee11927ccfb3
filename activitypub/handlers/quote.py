"""QuoteRequest and the answers to ours (FEP-044f)."""

from __future__ import annotations

from activitypub.handlers.received_activity import Heard, Ignored, our_post
from activitypub.uris import host_of
from activitypub.vocab import Ref
from activitypub.vocab import quotes as written
from node.database import Writer
from node.interactions import quotes
from node.jobs import queue
from node.models.account import Account
from node.posts import posts


def request(tx: Writer, heard: Heard) -> None:
    """QuoteRequest: answered at once, by the policy of the post."""
    asked = written.request(heard.activity)
    post = our_post(tx, Ref(uri=asked.quoted), heard.by)
    if heard.uri is None:
        raise Ignored("a question without an id")
    quotes.ask(tx, heard.by, post, request_uri=heard.uri, quote_uri=asked.quote)


def answered(tx: Writer, heard: Heard, *, is_allowed: bool) -> bool:
    """An Accept or a Reject of a question of ours, by the author of what is to be quoted. Whether it was one."""
    said = written.answer(heard.activity)
    ids = [said.id, f"{said.request.quote}{quotes.REQUEST}" if said.request is not None else None]
    for id_ in filter(None, ids):
        found = quotes.asked_by(tx, id_)
        if found is None:
            continue
        post, wanted = found
        target = posts.by_uri(tx, wanted.target_uri)
        if target is None or target.account_id != heard.by.id:
            raise Ignored("an answer by somebody who was not asked")
        if is_allowed and said.stamp is not None:
            quotes.note_down(tx, post.id, wanted.target_uri, said.stamp)
            queue.add(tx, "check_quote", {"id": post.id}, lane=f"fetch {host_of(wanted.target_uri)}")
        return True
    return False


def revoked(tx: Writer, by: Account, uri: str) -> bool:
    """A Delete that may be of a stamp."""
    return quotes.revoked(tx, by, uri)
