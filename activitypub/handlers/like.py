"""Like and EmojiReact: a post of ours is liked, with an emoji or without."""

from __future__ import annotations

from activitypub.handlers.received_activity import Heard, Ignored, our_post
from activitypub.vocab import emoji_reactions as written
from node.database import Writer
from node.interactions import emoji_reactions, likes
from node.models.account import Account
from node.models.post import Post
from node.models.remote_actor import RemoteEmoji
from node.posts import posts


def like(tx: Writer, heard: Heard) -> None:
    post = our_post(tx, heard.activity.object, heard.by)
    if not _react(tx, heard, post):
        likes.like(tx, heard.by, post, heard.uri, is_seen=True)


def emoji_react(tx: Writer, heard: Heard) -> None:
    if not _react(tx, heard, our_post(tx, heard.activity.object, heard.by)):
        raise Ignored("a reaction without an emoji that can be shown")


def _react(tx: Writer, heard: Heard, post: Post) -> bool:
    given = written.read(heard.activity)
    if given is None or heard.uri is None:
        return False
    picture = given.emoji
    emoji_reactions.react(
        tx,
        heard.by,
        post,
        heard.uri,
        name=_name(heard.by, given),
        content=given.content,
        picture=None
        if picture is None
        else RemoteEmoji(given.content.strip(":"), picture.url, picture.updated_ms or 0),
        is_seen=True,
    )
    return True


def _name(by: Account, given: written.Reaction) -> str:
    """Custom emoji of two servers may share a short name and still be two."""
    return given.key if given.emoji is None else f"{given.key}{by.domain}"


def take_back(tx: Writer, by: Account, uri: str | None, object_uri: str | None) -> bool:
    """By its id; one that is described without is the one its actor gave to that post last."""
    if uri is None and object_uri is not None:
        post = posts.by_uri(tx, object_uri)
        uri = None if post is None else emoji_reactions.latest_uri(tx, by, post)
    return uri is not None and emoji_reactions.take_back(tx, by, uri)
