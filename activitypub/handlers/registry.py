"""The table from the type of an activity to the function that handles it, and the checks before any of them.

Job `receive` (`inbox.process`) hands in verified activities. A handler calls the same functions of `node` as
the pages and the client API do; `received_activity` holds the checks that several handlers share.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

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
from activitypub.handlers.received_activity import (
    Ignored,
    ReceivedActivity,
    dedup_key,
    own_id,
    relation_key,
    relation_of,
)
from activitypub.uris import Malformed
from activitypub.vocab import Activity
from node.database import Writer
from node.errors import Refused
from node.federation.seen_activities import SeenRequest, hash_of
from node.models.account import Account

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
    stands. One of a relation does nothing if the actor set or ended the same by something that was signed later.
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
    unseen, is_repeatable = received.unseen, kind in REPEATABLE
    key, relation, request = keys_of(actor, received.activity, received.signed_at)
    if key is not None and unseen.is_duplicate(key, request, is_repeatable=is_repeatable):
        raise Ignored("a duplicate")
    if relation is not None and unseen.is_outdated(relation, received.signed_at):
        raise Ignored("older than what the actor did since")
    try:
        handle(tx, received)
    except (Malformed, Refused):
        if key is not None:
            unseen.mark_seen(key, request)
        raise
    if key is not None:
        unseen.mark_seen(key, request)
    if relation is not None:
        unseen.supersede(relation, received.signed_at)


class Keys(NamedTuple):
    """What an activity is remembered by: itself, the relation it sets or ends, and the request that brought it."""

    activity: str | None
    relation: str | None
    request: SeenRequest

    def requests(self) -> dict[str, SeenRequest]:
        """Returns what is recorded by key once the activity was acted on."""
        found = {self.activity: self.request, self.relation: SeenRequest(self.request.signed_at)}
        return {key: request for key, request in found.items() if key is not None}


def keys_of(actor: Account, activity: Activity, signed_at: int) -> Keys:
    """Returns the keys of an activity. One without an id of its own is known by its content, if a replay of it would
    have an effect."""
    kind, id_ = activity.type, own_id(actor, activity)
    if kind not in REPEATABLE:
        return Keys(None if id_ is None else dedup_key(actor, id_), None, SeenRequest(signed_at))
    content = msgspec.json.encode(activity.raw, order="sorted").decode()
    relation = relation_of(actor, activity)
    return Keys(
        dedup_key(actor, id_ or content),
        None if relation is None else relation_key(actor, *relation),
        SeenRequest(signed_at, hash_of(content)),
    )


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
