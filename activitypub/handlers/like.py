"""Like and EmojiReact (FEP-c0e0): a remote account likes a local post, with an emoji or without."""

from __future__ import annotations

from activitypub.handlers.received_activity import (
    ALL_REACTIONS,
    Ignored,
    ReceivedActivity,
    reaction_name,
    visible_local_post,
)
from activitypub.vocab import emoji_reactions as reaction_vocab
from node.database import Writer
from node.interactions import emoji_reactions, likes
from node.models.post import Post
from node.models.remote_actor import RemoteEmoji


def handle_like(tx: Writer, received: ReceivedActivity) -> None:
    """Likes a post; a Like with an emoji (Misskey, Pleroma) is stored as a reaction."""
    post = visible_local_post(tx, received.activity.object, received.actor)
    if not _add_reaction(tx, received, post):
        likes.like(tx, received.actor, post, received.uri, changes_uri=True, visibility_checked=True)


def handle_emoji_react(tx: Writer, received: ReceivedActivity) -> None:
    """Reacts to a post. Raises Ignored without an emoji that can be shown."""
    if not _add_reaction(tx, received, visible_local_post(tx, received.activity.object, received.actor)):
        raise Ignored("a reaction without an emoji that can be shown")


def _add_reaction(tx: Writer, received: ReceivedActivity, post: Post) -> bool:
    """Stores the activity as a reaction; False if it has no usable emoji or no id of its own."""
    reaction = reaction_vocab.parse(received.activity)
    if reaction is None or received.uri is None:
        return False
    if received.is_outdated(ALL_REACTIONS, post.uri):
        raise Ignored("older than the Undo of all reactions")
    emoji = reaction.emoji
    emoji_reactions.react(
        tx,
        received.actor,
        post,
        received.uri,
        name=reaction_name(received.actor, reaction),
        content=reaction.content,
        remote_emoji=None
        if emoji is None
        else RemoteEmoji(reaction.content.strip(":"), emoji.url, emoji.updated_ms or 0),
        visibility_checked=True,
    )
    return True
