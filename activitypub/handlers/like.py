"""Like and EmojiReact: a post of ours is liked, with an emoji or without."""

from __future__ import annotations

from activitypub.handlers.received_activity import Ignored, ReceivedActivity, visible_local_post
from activitypub.vocab import emoji_reactions as reaction_vocab
from node.database import Writer
from node.interactions import emoji_reactions, likes
from node.models.account import Account
from node.models.post import Post
from node.models.remote_actor import RemoteEmoji
from node.posts import posts


def handle_like(tx: Writer, heard: ReceivedActivity) -> None:
    post = visible_local_post(tx, heard.activity.object, heard.actor)
    if not _add_reaction(tx, heard, post):
        likes.like(tx, heard.actor, post, heard.uri, is_visible=True)


def handle_emoji_react(tx: Writer, heard: ReceivedActivity) -> None:
    if not _add_reaction(tx, heard, visible_local_post(tx, heard.activity.object, heard.actor)):
        raise Ignored("a reaction without an emoji that can be shown")


def _add_reaction(tx: Writer, heard: ReceivedActivity, post: Post) -> bool:
    given = reaction_vocab.parse(heard.activity)
    if given is None or heard.uri is None:
        return False
    picture = given.emoji
    emoji_reactions.react(
        tx,
        heard.actor,
        post,
        heard.uri,
        name=_reaction_name(heard.actor, given),
        content=given.content,
        remote_emoji=None
        if picture is None
        else RemoteEmoji(given.content.strip(":"), picture.url, picture.updated_ms or 0),
        is_seen=True,
    )
    return True


def _reaction_name(by: Account, given: reaction_vocab.EmojiReaction) -> str:
    """Custom emoji of two servers may share a short name and still be two."""
    return given.key if given.emoji is None else f"{given.key}{by.domain}"


def undo_reaction(tx: Writer, actor: Account, uri: str | None, object_uri: str | None) -> bool:
    """By its id; one that is described without is the one its actor gave to that post last."""
    if uri is None and object_uri is not None:
        post = posts.by_uri(tx, object_uri)
        uri = None if post is None else emoji_reactions.latest_uri(tx, actor, post)
    return uri is not None and emoji_reactions.unreact_by_uri(tx, actor, uri)
