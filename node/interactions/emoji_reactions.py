"""Emoji reactions by remote accounts to posts, shown beside the likes. Owns `reactions`. Called by the inbox.

A reaction is also a like, and both are one like in the count. Local accounts only like, so reactions are never
sent. An account gives one emoji once, and at most `MAX_PER_ACCOUNT` to a post.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.attachments import custom_emoji
from node.database import Reader, Row, Writer, build, columns
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
class Reaction:
    """What an account gave to a post; `name` is the same for emoji that look the same."""

    uri: str
    post_id: int
    name: str


@dataclass(frozen=True, slots=True)
class ReactionCount:
    """An emoji and how many accounts gave it. `emoji` is JSON {shortcode: emoji id} of a custom one, to show its picture."""

    content: str
    emoji: str
    count: int


def react(
    tx: Writer,
    account: Account,
    post: Post,
    uri: str,
    *,
    name: str,
    content: str,
    remote_emoji: RemoteEmoji | None = None,
    visibility_checked: bool = False,
) -> None:
    """Adds an emoji reaction to a post, and a like. `name` is the same for emoji that look the same.

    Beyond `MAX_PER_ACCOUNT` only the like counts. `visibility_checked` and what is raised: as for `likes.like`.
    """
    likes.like(tx, account, post, uri, visibility_checked=visibility_checked)
    given = by_account_and_post(tx, account, post)
    same = next((one for one in given if one.name == name), None)
    if same is not None:
        _change_uri(tx, same, uri)
    if same is not None or len(given) >= MAX_PER_ACCOUNT:
        return
    offered = [remote_emoji] if remote_emoji is not None else []
    tx.run(
        """INSERT INTO reactions (id, uri, account_id, post_id, name, content, emoji, created_at)
           VALUES (:id, :uri, :account, :post, :name, :content, :emoji, :now) ON CONFLICT DO NOTHING""",
        id=new_id(),
        uri=uri,
        account=account.id,
        post=post.id,
        name=name,
        content=content,
        emoji=custom_emoji.record_used(tx, hostnames.from_uri(account.uri), offered, content),
        now=now_ms(),
    )


def _change_uri(tx: Writer, given: Reaction, uri: str) -> None:
    """Gives a reaction the id under which it was given last, unless that is in use; its like too."""
    changed = tx.run(
        """UPDATE reactions SET uri = :uri
           WHERE uri = :old AND NOT EXISTS (SELECT 1 FROM reactions r WHERE r.uri = :uri)""",
        uri=uri,
        old=given.uri,
    )
    liked = likes.by_uri(tx, given.uri) if changed else None
    if liked is not None:
        likes.set_uri(tx, liked, uri)


def unreact_by_uri(tx: Writer, account: Account, uri: str) -> bool:
    """Removes a reaction, and with the account's last one to the post the like. Returns whether there was one.

    A like that was given apart, under an id of its own, stays.
    """
    post_id = tx.value(
        "DELETE FROM reactions WHERE uri = :uri AND account_id = :account RETURNING post_id",
        uri=uri,
        account=account.id,
    )
    if post_id is None:
        return False
    liked = likes.by_uri(tx, uri)
    post = posts.by_id(tx, post_id)
    other = tx.value(
        "SELECT uri FROM reactions WHERE post_id = :post AND account_id = :account ORDER BY id LIMIT 1",
        post=post_id,
        account=account.id,
    )
    if liked is None or liked.account_id != account.id or post is None:
        return True
    if other is None:
        likes.unlike(tx, account, post)
    else:
        likes.set_uri(tx, liked, other)
    return True


def by_uri(tx: Reader, account: Account, uri: str) -> Reaction | None:
    """Returns the reaction of an account with this id."""
    row = tx.one(
        f"SELECT {columns(Reaction)} FROM reactions WHERE account_id = :account AND uri = :uri",  # noqa: S608
        account=account.id,
        uri=uri,
    )
    return None if row is None else build(Reaction, row)


def by_account_and_post(tx: Reader, account: Account, post: Post) -> list[Reaction]:
    """Returns the reactions of an account to a post, oldest first."""
    rows = tx.all(
        f"""SELECT {columns(Reaction)} FROM reactions
            WHERE account_id = :account AND post_id = :post ORDER BY id""",  # noqa: S608
        account=account.id,
        post=post.id,
    )
    return [build(Reaction, row) for row in rows]


def counts_by_post(tx: Reader, viewer: Account | None, post: Post) -> list[ReactionCount]:
    """Returns the emoji given to a post, most often first, without those by accounts blocked by or blocking the viewer."""
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
    """Returns the reactions by (post id, account id), each with a count of 1."""
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
