"""The table from the type of an activity to the function that handles it, and the checks before any of them.

Job `receive` (`inbox.process`) hands in verified activities. A handler calls the same functions of `node` as
the pages and the client API do; `received_activity` holds the checks that several handlers share.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

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
from activitypub.uris import Malformed
from node.database import Writer
from node.errors import Refused

REPEATABLE = frozenset(
    {
        *(
            "Accept",
            "Add",
            "Announce",
            "Block",
            "EmojiReact",
            "Follow",
            "Like",
            "Move",
            "QuoteRequest",
            "Reject",
        ),
        *("Remove", "Undo", "Update"),
    }
)
"""Set or end one thing, so that doing them twice changes nothing. Pixelfed, Misskey and Takahe use their ids again;
all edits of one post have the same id from GoToSocial and Takahe, and all moves between two accounts from Misskey."""

ALLOWED_WHEN_SUSPENDED = frozenset({"Block", "Delete", "Undo"})
"""Handled for suspended actors too: what they end must not be there when the suspension is lifted."""


def handle_activity(tx: Writer, received: ReceivedActivity) -> None:
    """Applies an activity once, however often it is delivered.

    Raises Ignored or NeedsFetch before anything is changed; a duplicate is Ignored. An activity of a kind in
    REPEATABLE counts again under the same id if it was signed later; whether it changes anything is decided by what
    stands.
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
    key, is_repeatable = _dedup_key(received), kind in REPEATABLE
    if key is not None and received.unseen.is_duplicate(key, received.signed_at, is_repeatable=is_repeatable):
        raise Ignored("a duplicate")
    try:
        handle(tx, received)
    except (Ignored, NeedsFetch):
        raise
    except (Malformed, Refused):
        _mark_seen(received, key)
        raise
    _mark_seen(received, key)


def _dedup_key(received: ReceivedActivity) -> str | None:
    """Returns the key an activity is remembered by.

    One without an id of its own has a key only if a replay of it would have an effect: its content.
    """
    if received.uri is not None:
        return dedup_key(received.actor, received.uri)
    if received.activity.type not in REPEATABLE:
        return None
    return dedup_key(received.actor, msgspec.json.encode(received.activity.raw, order="sorted").decode())


def _mark_seen(received: ReceivedActivity, key: str | None) -> None:
    if key is not None:
        received.unseen.mark_seen(key, received.signed_at)


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
