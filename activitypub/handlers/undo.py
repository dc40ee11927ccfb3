"""Undo: an actor takes back an activity of its own, named by its id or described."""

from __future__ import annotations

from collections.abc import Callable

from activitypub.handlers import like
from activitypub.handlers.received_activity import Ignored, ReceivedActivity, dedup_key
from activitypub.uris import host_of, same_origin
from activitypub.vocab import values
from node.accounts import accounts, relationships
from node.database import Writer
from node.interactions import blocks, boosts, emoji_reactions, follows, likes
from node.jobs import queue
from node.models.account import Account
from node.posts import posts


def handle_undo(tx: Writer, received: ReceivedActivity) -> None:
    """Undoes an activity; without its type, every kind is tried by the id.

    An activity that was sent before its Undo and arrives after it is ignored. One that is sent later counts, under
    the same id too.
    """
    actor, ref = received.actor, received.activity.object
    undone = ref.doc or {}
    if undone.get("actor") is not None and values.uri(undone.get("actor")) != actor.uri:
        raise Ignored("the activity belongs to another actor")
    kind = values.type_name(undone, frozenset(_UNDO_HANDLERS))
    object_uri = values.uri(undone.get("object"))
    for name, undo in _UNDO_HANDLERS.items():
        if kind is None or kind == name:
            ended = undo(tx, actor, ref.uri, object_uri)
            if ended is not None:
                # Its id may be another than the one that the Undo names.
                received.unseen.withdraw(dedup_key(actor, ended), received.signed_at, has_arrived=True)
                if ref.uri == ended:
                    return
                break
    if ref.uri is not None and same_origin(ref.uri, actor.uri):
        received.unseen.withdraw(dedup_key(actor, ref.uri), received.signed_at)


def _undo_follow(tx: Writer, actor: Account, uri: str | None, object_uri: str | None) -> str | None:
    found = relationships.follow_by_uri(tx, uri) if uri is not None else None
    if found is None or found.follower_id != actor.id:
        target = accounts.by_uri(tx, object_uri) if object_uri is not None else None
        found = relationships.follow_between(tx, actor, target) if target is not None else None
    if found is None:
        return None
    follows.unfollow(tx, actor, accounts.get(tx, found.followed_id))
    return found.uri


def _undo_like(tx: Writer, actor: Account, uri: str | None, object_uri: str | None) -> str | None:
    if uri is not None and emoji_reactions.unreact_by_uri(tx, actor, uri):
        return uri
    found = likes.by_uri(tx, uri) if uri is not None else None
    if found is not None and found.account_id == actor.id:
        post = posts.by_id(tx, found.post_id)
    else:
        post = posts.by_uri(tx, object_uri) if object_uri is not None else None
    if post is None:
        return None
    emoji_reactions.unreact_all(tx, actor, post)
    return likes.unlike(tx, actor, post)


def _undo_announce(tx: Writer, actor: Account, uri: str | None, object_uri: str | None) -> str | None:
    found = boosts.by_uri(tx, uri) if uri is not None else None
    if found is not None and found.account_id == actor.id:
        post = posts.by_id(tx, found.post_id)
    else:
        post = posts.by_uri(tx, object_uri) if object_uri is not None else None
    standing = None if post is None else boosts.by_account_and_post(tx, actor, post)
    if post is None or standing is None:
        return None
    boosts.unboost(tx, actor, post)
    if not post.is_local and post.is_open:
        # A boost also ends when the post is deleted, and its server may not send the Delete to this one.
        queue.add(tx, "check_post", {"id": post.id, "uri": post.uri}, lane=f"fetch {host_of(post.uri)}")
    return standing.uri


def _undo_block(tx: Writer, actor: Account, uri: str | None, object_uri: str | None) -> str | None:
    if uri is not None and blocks.unblock_by_uri(tx, actor, uri):
        return uri
    target = accounts.by_uri(tx, object_uri) if object_uri is not None else None
    return None if target is None or not target.is_local else blocks.unblock(tx, actor, target)


_UNDO_HANDLERS: dict[str, Callable[[Writer, Account, str | None, str | None], str | None]] = {
    "EmojiReact": like.undo_reaction,
    "Follow": _undo_follow,
    "Like": _undo_like,
    "Announce": _undo_announce,
    "Block": _undo_block,
}
"""Each takes (tx, actor, id of the undone activity, id of its object) and returns the id of what it ended."""
