"""The table from the type of an activity to the function that handles it, and the checks before any of them.

Job `receive` (`inbox.process`) hands in verified activities. A handler calls the same functions of `node` as
the pages and the client API do; `received_activity` holds the checks that several handlers share.
"""

from __future__ import annotations

from collections.abc import Callable

from activitypub.handlers import (
    announce,
    block,
    create,
    delete,
    flag,
    follow,
    like,
    move,
    pin,
    quote,
    undo,
    update,
)
from activitypub.handlers.received_activity import Ignored, NeedsFetch, ReceivedActivity, dedup_key
from node.database import Writer

ALLOWED_WHEN_SUSPENDED = frozenset({"Block", "Delete", "Undo"})
"""Handled for suspended actors too: what they end must not be there when the suspension is lifted."""


def handle_activity(tx: Writer, received: ReceivedActivity) -> None:
    """Applies an activity once, however often it is delivered.

    Raises Ignored or NeedsFetch before anything is changed; a duplicate is Ignored, but a duplicate Follow is
    answered again.
    """
    actor, kind = received.actor, received.activity.type
    # An account that its own server had suspended returns with an Update of itself.
    updates_itself = kind == "Update" and received.activity.object.uri == actor.uri
    is_allowed = kind in ALLOWED_WHEN_SUSPENDED and actor.deleted_at is None
    if actor.is_inactive and not is_allowed and not (actor.suspended_there and updates_itself):
        raise Ignored("the actor is suspended or deleted")
    handle = HANDLERS.get(kind)
    if handle is None:
        raise Ignored(f"{kind} is not supported")
    if received.uri is None:
        handle(tx, received)
        return
    key = dedup_key(actor, received.uri)
    if not received.unseen.mark_seen(key):
        if kind == "Follow":
            follow.resend_accept(tx, received)
        raise Ignored("a duplicate")
    try:
        handle(tx, received)
    except (Ignored, NeedsFetch):
        received.unseen.unmark_seen(key)
        raise


HANDLERS: dict[str, Callable[[Writer, ReceivedActivity], None]] = {
    "Accept": follow.handle_accept,
    "Add": pin.handle_add,
    "Announce": announce.handle_announce,
    "Block": block.handle_block,
    "Create": create.handle_create,
    "Delete": delete.handle_delete,
    "EmojiReact": like.handle_emoji_react,
    "Flag": flag.handle_flag,
    "Follow": follow.handle_follow,
    "Like": like.handle_like,
    "Move": move.handle_move,
    "QuoteRequest": quote.handle_quote_request,
    "Reject": follow.handle_reject,
    "Remove": pin.handle_remove,
    "Undo": undo.handle_undo,
    "Update": update.handle_update,
}
