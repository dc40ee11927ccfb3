"""Undo: an actor takes back an activity of its own, named by its id or described."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from activitypub import vocab
from activitypub.handlers.received_activity import (
    ALL_REACTIONS,
    Ignored,
    ReceivedActivity,
    dedup_key,
    reaction_kind,
    relation_of,
)
from activitypub.uris import Malformed, host_of, same_origin
from activitypub.vocab import values
from node.accounts import accounts, relationships
from node.database import Writer
from node.interactions import blocks, boosts, emoji_reactions, follows, likes
from node.interactions.emoji_reactions import Reaction
from node.jobs import queue
from node.models.post import Post
from node.posts import posts


class Ended(NamedTuple):
    """What an Undo has ended: its kind and its object, and its id."""

    kind: str
    object_uri: str
    uri: str


def handle_undo(tx: Writer, received: ReceivedActivity) -> None:
    """Undoes an activity; without its type, every kind is tried by the id.

    The order is that in which the activities were signed, not that in which they arrive. So an Undo is ignored if what
    stands was signed later, and an activity if its Undo was; whatever is signed after its Undo counts, under the
    same id too. Raises Ignored.
    """
    actor, ref, unseen = received.actor, received.activity.object, received.unseen
    undone = ref.doc or {}
    if undone.get("actor") is not None and values.uri(undone.get("actor")) != actor.uri:
        raise Ignored("the activity belongs to another actor")
    named = dedup_key(actor, ref.uri) if ref.uri is not None and same_origin(ref.uri, actor.uri) else None
    if named is not None and unseen.is_outdated(named, received.signed_at):
        raise Ignored("what it names was signed later")
    kind = values.type_name(undone, frozenset(_UNDO_HANDLERS))
    object_uri = values.uri(undone.get("object"))
    ended = None
    for name, undo in _UNDO_HANDLERS.items():
        if ended is None and (kind is None or kind == name):
            ended = undo(tx, received, ref.uri, object_uri)
    found = ended and (ended.kind, ended.object_uri)
    if ended is not None:
        # Its id may be another than the one that the Undo names.
        unseen.supersede(dedup_key(actor, ended.uri), received.signed_at)
    elif kind is not None:
        found = _described(received, undone)
    if found is not None:
        received.supersede(*found, includes_same_second=ended is None)
        if found[0] == "Like" and ref.uri is None:
            received.supersede(ALL_REACTIONS, found[1], includes_same_second=ended is None)
    if named is not None and (ended is None or ended.uri != ref.uri):
        unseen.supersede(named, received.signed_at + 1)


def _described(received: ReceivedActivity, undone: dict[str, Any]) -> tuple[str, str] | None:
    """Returns the kind and the object of what an Undo describes."""
    try:
        activity = vocab.parse_activity({**undone, "actor": received.actor.uri})
    except Malformed:
        return None
    found = relation_of(received.actor, activity)
    # The picture of an emoji is not repeated: which of the actor's reactions it was is told by the id alone.
    return None if found is None or (found[0] == "Like" and activity.content) else found


def _check_order(received: ReceivedActivity, kind: str, object_uri: str) -> None:
    if received.is_outdated(kind, object_uri):
        raise Ignored("what stands was signed later")


def _undo_follow(
    tx: Writer, received: ReceivedActivity, uri: str | None, object_uri: str | None
) -> Ended | None:
    actor = received.actor
    found = relationships.follow_by_uri(tx, uri) if uri is not None else None
    if found is None or found.follower_id != actor.id:
        target = accounts.by_uri(tx, object_uri) if object_uri is not None else None
        found = relationships.follow_between(tx, actor, target) if target is not None else None
    if found is None:
        return None
    followed = accounts.get(tx, found.followed_id)
    _check_order(received, "Follow", followed.uri)
    follows.unfollow(tx, actor, followed)
    return Ended("Follow", followed.uri, found.uri)


def _undo_like(
    tx: Writer, received: ReceivedActivity, uri: str | None, object_uri: str | None
) -> Ended | None:
    """Takes back a like, or the reaction with this id; without an id, all that the actor gave to that post."""
    actor = received.actor
    if uri is not None and (ended := _undo_reaction(tx, received, uri, object_uri)) is not None:
        return ended
    found = likes.by_uri(tx, uri) if uri is not None else None
    if found is not None and found.account_id == actor.id:
        post = posts.by_id(tx, found.post_id)
    else:
        post = posts.by_uri(tx, object_uri) if object_uri is not None else None
    if post is None:
        return None
    reactions = emoji_reactions.by_account_and_post(tx, actor, post)
    if uri is not None:
        return _undo_one_like(tx, received, post, reactions)
    older = [one for one in reactions if not received.is_outdated(reaction_kind(one.name), post.uri)]
    for reaction in older:
        emoji_reactions.unreact_by_uri(tx, actor, reaction.uri)
    uri = older[0].uri if older else None
    if len(older) == len(reactions) and not received.is_outdated("Like", post.uri):
        uri = likes.unlike(tx, actor, post) or uri
    return None if uri is None else Ended("Like", post.uri, uri)


def _undo_one_like(
    tx: Writer, received: ReceivedActivity, post: Post, reactions: Sequence[Reaction]
) -> Ended | None:
    """Takes back a like that is none of the reactions, which stay: with them the post is still liked."""
    like = likes.by_account_and_post(tx, received.actor, post)
    if like is None or any(one.uri == like.uri for one in reactions):
        return None
    _check_order(received, "Like", post.uri)
    if reactions:
        likes.set_uri(tx, like, reactions[-1].uri)
    else:
        likes.unlike(tx, received.actor, post)
    return Ended("Like", post.uri, like.uri)


def _undo_reaction(
    tx: Writer, received: ReceivedActivity, uri: str | None, object_uri: str | None
) -> Ended | None:
    """Removes a reaction by its id, or with the emoji that is described; without an id, the latest one to that post."""
    actor = received.actor
    reaction = emoji_reactions.by_uri(tx, actor, uri) if uri is not None else None
    if reaction is None and object_uri is not None:
        post = posts.by_uri(tx, object_uri)
        given = [] if post is None else emoji_reactions.by_account_and_post(tx, actor, post)
        if uri is not None:
            described = _described(received, received.activity.object.doc or {})
            given = [one for one in given if (reaction_kind(one.name), object_uri) == described]
        reaction = given[-1] if given else None
    post = posts.by_id(tx, reaction.post_id) if reaction is not None else None
    if reaction is None or post is None:
        return None
    kind = reaction_kind(reaction.name)
    _check_order(received, kind, post.uri)
    emoji_reactions.unreact_by_uri(tx, actor, reaction.uri)
    return Ended(kind, post.uri, reaction.uri)


def _undo_announce(
    tx: Writer, received: ReceivedActivity, uri: str | None, object_uri: str | None
) -> Ended | None:
    actor = received.actor
    found = boosts.by_uri(tx, uri) if uri is not None else None
    if found is not None and found.account_id == actor.id:
        post = posts.by_id(tx, found.post_id)
    else:
        post = (posts.by_uri(tx, object_uri) or posts.by_url(tx, object_uri)) if object_uri else None
    standing = None if post is None else boosts.by_account_and_post(tx, actor, post)
    if post is None or standing is None:
        return None
    _check_order(received, "Announce", post.uri)
    boosts.unboost(tx, actor, post)
    if not post.is_local and post.is_open:
        # A boost also ends when the post is deleted, and its server may not send the Delete to this one.
        queue.add(tx, "check_post", {"id": post.id, "uri": post.uri}, lane=f"fetch {host_of(post.uri)}")
    return Ended("Announce", post.uri, standing.uri)


def _undo_block(
    tx: Writer, received: ReceivedActivity, uri: str | None, object_uri: str | None
) -> Ended | None:
    actor = received.actor
    target_id = blocks.target_id_by_uri(tx, actor, uri) if uri is not None else None
    if target_id is not None:
        target = accounts.by_id(tx, target_id)
    else:
        target = accounts.by_uri(tx, object_uri) if object_uri is not None else None
    if target is None or not target.is_local:
        return None
    _check_order(received, "Block", target.uri)
    ended = blocks.unblock(tx, actor, target)
    return None if ended is None else Ended("Block", target.uri, ended)


_UNDO_HANDLERS: dict[str, Callable[[Writer, ReceivedActivity, str | None, str | None], Ended | None]] = {
    "EmojiReact": _undo_reaction,
    "Follow": _undo_follow,
    "Like": _undo_like,
    "Announce": _undo_announce,
    "Block": _undo_block,
}
"""Each takes (tx, Undo, id of the undone activity, id of its object). Raises Ignored if what stands was signed later."""
