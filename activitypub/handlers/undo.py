"""Undo: an actor takes back something of their own, named by its id or described."""

from __future__ import annotations

from collections.abc import Callable

from activitypub.handlers import like
from activitypub.handlers.received_activity import Heard, Ignored, seen_as
from activitypub.uris import host_of, same_origin
from activitypub.vocab import values
from node.accounts import accounts, relationships
from node.database import Writer
from node.interactions import blocks, boosts, emoji_reactions, follows, likes
from node.jobs import queue
from node.models.account import Account
from node.posts import posts


def undo(tx: Writer, heard: Heard) -> None:
    by, ref = heard.by, heard.activity.object
    said = ref.doc or {}
    if said.get("actor") is not None and values.uri(said.get("actor")) != by.uri:
        raise Ignored("only the actor can take something back")
    kind = values.kind(said, frozenset(_TAKING_BACK))
    object_uri = values.uri(said.get("object"))
    undone = any(
        take_back(tx, by, ref.uri, object_uri)
        for name, take_back in _TAKING_BACK.items()
        if kind is None or kind == name
    )
    if not undone and ref.uri is not None and same_origin(ref.uri, by.uri):
        # It may still be on its way: when it comes, it has been heard before.
        heard.unheard.take(seen_as(by, ref.uri))


def _undo_follow(tx: Writer, by: Account, uri: str | None, object_uri: str | None) -> bool:
    found = relationships.by_uri(tx, uri) if uri is not None else None
    if found is None or found.follower_id != by.id:
        target = accounts.by_uri(tx, object_uri) if object_uri is not None else None
        found = relationships.between(tx, by, target) if target is not None else None
    if found is None:
        return False
    follows.unfollow(tx, by, accounts.get(tx, found.followed_id))
    return True


def _undo_like(tx: Writer, by: Account, uri: str | None, object_uri: str | None) -> bool:
    if uri is not None and emoji_reactions.take_back(tx, by, uri):
        return True
    found = likes.by_uri(tx, uri) if uri is not None else None
    if found is not None and found.account_id == by.id:
        post = posts.by_id(tx, found.post_id)
    else:
        post = posts.by_uri(tx, object_uri) if object_uri is not None else None
    if post is None:
        return False
    likes.unlike(tx, by, post)
    emoji_reactions.take_all_back(tx, by, post)
    return True


def _undo_announce(tx: Writer, by: Account, uri: str | None, object_uri: str | None) -> bool:
    found = boosts.by_uri(tx, uri) if uri is not None else None
    if found is not None and found.account_id == by.id:
        post = posts.by_id(tx, found.post_id)
    else:
        post = posts.by_uri(tx, object_uri) if object_uri is not None else None
    if post is None or boosts.between(tx, by, post) is None:
        return False
    boosts.unboost(tx, by, post)
    if not post.is_local and post.is_open:
        # A boost also ends when the post itself does, and nobody else would tell us.
        queue.add(tx, "check_post", {"id": post.id, "uri": post.uri}, lane=f"fetch {host_of(post.uri)}")
    return True


def _undo_block(tx: Writer, by: Account, uri: str | None, object_uri: str | None) -> bool:
    if uri is not None and blocks.unblock_by_uri(tx, by, uri):
        return True
    target = accounts.by_uri(tx, object_uri) if object_uri is not None else None
    if target is None or not target.is_local:
        return False
    blocks.unblock(tx, by, target)
    return True


_TAKING_BACK: dict[str, Callable[[Writer, Account, str | None, str | None], bool]] = {
    "EmojiReact": like.take_back,
    "Follow": _undo_follow,
    "Like": _undo_like,
    "Announce": _undo_announce,
    "Block": _undo_block,
}
