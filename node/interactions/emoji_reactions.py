"""Reactions: emoji that people of other servers give to posts, shown beside the likes. Owns `reactions`.

Whoever reacts also likes: both together are one like in the count. Here people like with a heart, so nothing of
this is ever sent. One person gives one emoji once, and few of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.attachments import custom_emoji
from node.database import Reader, Row, Writer
from node.ids import new_id, now_ms
from node.interactions import likes
from node.models import deletion_hooks
from node.models.account import Account
from node.models.post import Post
from node.models.remote_actor import RemoteEmoji
from node.models.visibility import no_block, viewer_value
from node.posts import posts
from node.text import hostnames

MAX_PER_ACCOUNT = 10
MAX_SHOWN = 30


@dataclass(frozen=True, slots=True)
class ReactionCount:
    """An emoji and how many gave it. `emoji` is what is kept of a custom one, to show its picture."""

    content: str
    emoji: str
    count: int


def react(
    tx: Writer,
    who: Account,
    post: Post,
    uri: str,
    *,
    name: str,
    content: str,
    remote_emoji: RemoteEmoji | None = None,
    is_seen: bool = False,
) -> None:
    """Give an emoji to a post, and like it. `name` is the same for emoji that look the same. Raises as a like.

    `is_seen`: in this unit of work they have been found to see the post.
    """
    likes.like(tx, who, post, uri, is_visible=is_seen)
    given = tx.value(
        "SELECT COUNT(*) FROM reactions WHERE post_id = :post AND account_id = :who", post=post.id, who=who.id
    )
    if given >= MAX_PER_ACCOUNT:
        return
    offered = [remote_emoji] if remote_emoji is not None else []
    tx.run(
        """INSERT INTO reactions (id, uri, account_id, post_id, name, content, emoji, created_at)
           VALUES (:id, :uri, :who, :post, :name, :content, :emoji, :now) ON CONFLICT DO NOTHING""",
        id=new_id(),
        uri=uri,
        who=who.id,
        post=post.id,
        name=name,
        content=content,
        emoji=custom_emoji.record_used(tx, hostnames.from_uri(who.uri), offered, content),
        now=now_ms(),
    )


def unreact_by_uri(tx: Writer, who: Account, uri: str) -> bool:
    """Take one emoji back, and with the last of them the like that came along. Whether there was one."""
    post_id = tx.value(
        "DELETE FROM reactions WHERE uri = :uri AND account_id = :who RETURNING post_id", uri=uri, who=who.id
    )
    if post_id is None:
        return False
    liked = likes.by_uri(tx, uri)
    post = posts.by_id(tx, post_id)
    other = tx.value(
        "SELECT uri FROM reactions WHERE post_id = :post AND account_id = :who ORDER BY id LIMIT 1",
        post=post_id,
        who=who.id,
    )
    if liked is None or liked.account_id != who.id or post is None:
        return True
    if other is None:
        likes.unlike(tx, who, post)
    else:
        likes.set_uri(tx, liked, other)
    return True


def latest_uri(tx: Reader, who: Account, post: Post) -> str | None:
    """The id of what somebody gave to a post last."""
    found = tx.value(
        "SELECT uri FROM reactions WHERE account_id = :who AND post_id = :post ORDER BY id DESC LIMIT 1",
        who=who.id,
        post=post.id,
    )
    return None if found is None else str(found)


def unreact_all(tx: Writer, who: Account, post: Post) -> None:
    """All that somebody gave to a post, because they no longer like it."""
    tx.run("DELETE FROM reactions WHERE post_id = :post AND account_id = :who", post=post.id, who=who.id)


def counts_by_post(tx: Reader, viewer: Account | None, post: Post) -> list[ReactionCount]:
    """What was given to a post, most often first, without what people gave whom the viewer does not meet."""
    rows = tx.all(
        f"""SELECT r.name, MAX(r.content) AS content, MAX(r.emoji) AS emoji, COUNT(*) AS n
            FROM reactions r JOIN accounts a ON a.id = r.account_id
            WHERE r.post_id = :post AND a.deleted_at IS NULL AND a.suspended_at IS NULL
              AND {no_block("r.account_id")}
            GROUP BY r.name ORDER BY n DESC, MIN(r.id) LIMIT :most""",  # noqa: S608
        post=post.id,
        viewer=viewer_value(viewer),
        most=MAX_SHOWN,
    )
    return [_reaction_count(row) for row in rows]


def by_posts_and_accounts(
    tx: Reader, post_ids: Sequence[int], account_ids: Sequence[int]
) -> dict[tuple[int, int], list[ReactionCount]]:
    """(post, person) → what they gave."""
    rows = tx.all(
        """SELECT post_id, account_id, content, emoji, 1 AS n FROM reactions
           WHERE post_id IN (:posts) AND account_id IN (:people) ORDER BY id""",
        posts=list(post_ids),
        people=list(account_ids),
    )
    found: dict[tuple[int, int], list[ReactionCount]] = {}
    for row in rows:
        found.setdefault((row["post_id"], row["account_id"]), []).append(_reaction_count(row))
    return found


def _reaction_count(row: Row) -> ReactionCount:
    return ReactionCount(row["content"], row["emoji"], row["n"])


@deletion_hooks.on_post_deleted
def delete_by_post(tx: Writer, post: Post) -> None:
    """Deletes the reactions to a post."""
    tx.run("DELETE FROM reactions WHERE post_id = :post", post=post.id)


@deletion_hooks.on_account_content_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes the reactions by an account."""
    tx.run("DELETE FROM reactions WHERE account_id = :account", account=account.id)
