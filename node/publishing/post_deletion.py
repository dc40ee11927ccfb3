"""Deletes posts and everything that refers to them, in one unit of work.

The row of a deleted post stays, emptied, for the comments by others below it. What other tables hold is deleted by
the modules that own them (see `deletion_hooks`). Owns no table.
"""

from __future__ import annotations

from typing import Any

from node.accounts import accounts
from node.attachments import photos
from node.database import Reader, Writer
from node.federation import outbox, recipients
from node.ids import now_ms
from node.models import deletion_hooks
from node.models.account import Account
from node.models.post import Post
from node.posts import mentions, posts

deletion_hooks.import_owners(
    "node.accounts",
    "node.attachments",
    "node.auth",
    "node.auth.passkeys",
    "node.auth.second_step",
    "node.federation",
    "node.interactions",
    "node.moderation",
    "node.notifications",
    "node.posts",
    "node.uploads",
)


def delete(tx: Writer, author: Account, post: Post, *, keeps_photos: bool = False) -> None:
    """Deletes a local post, here and on other servers. Raises NotFound, or NotAllowed for anybody but its author.

    `keeps_photos`: its author can use the photos in another post for a day, as someone does who corrects a post by
    deleting it. Otherwise they are deleted too.
    """
    current = posts.own_post(tx, author, post)
    details = _deletion_details(tx, current)
    if keeps_photos:
        photos.detach(tx, author, current)
    remove_locally(tx, current)
    outbox.record(tx, author, "Delete", post.uri, post=current, extra=details)


def _deletion_details(tx: Reader, post: Post) -> dict[str, Any]:
    """Collects what the Delete activity needs once the rows are gone: above all, who has received the post."""
    return {
        "former": "Note",
        "visibility": post.visibility,
        "mentions": [mention.account.id for mention in mentions.by_post(tx, post)],
        "interested": recipients.interested_ids(tx, post.id),
        "deleted_at": now_ms(),
    }


def remove_locally(tx: Writer, post: Post) -> None:
    """Empties a post's row, deletes what refers to it and adjusts the counts. Callers check the permission.

    Doing it twice changes nothing.
    """
    if post.deleted_at is not None:
        return
    posts.mark_deleted(tx, post.id)
    if post.parent_id is not None and post.is_open:
        posts.adjust_counts(tx, post.parent_id, comments=-1)
    if post.is_counted:
        accounts.adjust_counts(tx, post.account_id, posts=-1)
    deletion_hooks.on_post_deleted.run(tx, post)
