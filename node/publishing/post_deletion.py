"""Deletes posts and all that hangs on them, in one unit of work.

A tombstone row stays; comments by others stay below it.
"""

from __future__ import annotations

from typing import Any

from node.accounts import accounts
from node.attachments import photos
from node.database import Reader, Writer
from node.federation import outbox
from node.ids import now_ms
from node.interactions import bookmarks, boosts, emoji_reactions, likes, pins, quotes
from node.models.account import Account
from node.models.post import Post
from node.notifications import notifications
from node.posts import hashtags, home_feed, mentions, posts, revisions


def delete(tx: Writer, who: Account, post: Post) -> None:
    """Delete one's own post everywhere. A tombstone stays; comments by others stay under it."""
    current = posts.get_own(tx, who, post)
    facts = _last_words(tx, current)
    remove(tx, current)
    outbox.record(tx, who, "Delete", post.uri, post=current, extra=facts)


def _last_words(tx: Reader, post: Post) -> dict[str, Any]:
    """What is needed to tell of a deletion once the rows are gone: above all, who has heard of the post."""
    interested = tx.all(
        """SELECT a.id FROM accounts a WHERE NOT a.is_local AND a.id IN (
               SELECT account_id FROM likes WHERE post_id = :post
               UNION SELECT account_id FROM boosts WHERE post_id = :post
               UNION SELECT account_id FROM posts WHERE parent_id = :post)""",
        post=post.id,
    )
    return {
        "former": "Note",
        "visibility": post.visibility,
        "mentions": [mention.account.id for mention in mentions.of(tx, post)],
        "interested": [row["id"] for row in interested],
        "deleted_at": now_ms(),
    }


def remove(tx: Writer, post: Post) -> None:
    """Empty a post's row and delete all that hung on it. Whoever asks has checked that they may."""
    if post.deleted_at is not None:
        return
    posts.mark_deleted(tx, post.id)
    revisions.remove_of_post(tx, post.id)
    quotes.remove_of_post(tx, post.id)
    emoji_reactions.remove_of_post(tx, post.id)
    mentions.remove_of_post(tx, post.id)
    if post.parent_id is not None and post.is_open:
        posts.count(tx, post.parent_id, comments=-1)
    if post.counts:
        accounts.count(tx, post.account_id, posts=-1)
    hashtags.uncount(tx, post)
    photos.remove_of_post(tx, post.id)
    home_feed.remove_post(tx, post.id)
    likes.forget(tx, post.id)
    boosts.forget(tx, post.id)
    bookmarks.forget(tx, post.id)
    pins.forget(tx, post.id)
    notifications.remove_of_post(tx, post.id)
