"""Likes: who likes which post. Owns the table `likes`.

A like is the same deed from the web, an app or another server. Only who may see a post can like it, and
to anybody else it is as if the post were not there.
"""

from __future__ import annotations

from dataclasses import dataclass

from node.accounts import accounts
from node.database import Reader, Writer, build, columns
from node.federation import outbox
from node.ids import new_id, now_ms
from node.models import deletion_hooks
from node.models.account import Account, ListedAccount
from node.models.post import Post
from node.models.visibility import no_block, viewer_value
from node.notifications import notifications
from node.paging import Page
from node.posts import permissions, posts


@dataclass(frozen=True, slots=True)
class Like:
    id: int
    uri: str
    account_id: int
    post_id: int
    created_at: int


def like(tx: Writer, who: Account, post: Post, uri: str | None = None, *, is_visible: bool = False) -> None:
    """Like a post. Liking it twice changes nothing. `uri` is the id another server gave the like.

    `is_visible`: in this unit of work they have been found to see the post.
    """
    permissions.check(tx, who, post, "like", is_visible=is_visible)
    id_ = new_id()
    uri = tx.value(
        """INSERT INTO likes (id, uri, account_id, post_id, created_at)
           VALUES (:id, :uri, :who, :post, :now)
           ON CONFLICT DO NOTHING RETURNING uri""",
        id=id_,
        uri=uri or tx.site.uri(f"/users/{who.name}#likes/{id_}"),
        who=who.id,
        post=post.id,
        now=now_ms(),
    )
    if uri is None:
        return
    posts.adjust_counts(tx, post.id, likes=1)
    notifications.notify(tx, post.account_id, "like", who, post)
    if who.is_local:  # `record` would say nothing of others, but their author would be looked up for it
        author = accounts.get(tx, post.account_id)
        outbox.record(tx, who, "Like", post.uri, uri=uri, post=post, target=author)


def unlike(tx: Writer, who: Account, post: Post) -> None:
    """Take a like back. Without one, nothing changes."""
    uri = tx.value(
        "DELETE FROM likes WHERE account_id = :who AND post_id = :post RETURNING uri",
        who=who.id,
        post=post.id,
    )
    if uri is None:
        return
    posts.adjust_counts(tx, post.id, likes=-1)
    notifications.withdraw(tx, "like", who, post=post)
    earlier = {"verb": "Like", "uri": uri, "object_uri": post.uri}
    outbox.record(tx, who, "Undo", uri, post=post, target=accounts.get(tx, post.account_id), extra=earlier)


def by_uri(tx: Reader, uri: str) -> Like | None:
    row = tx.one(f"SELECT {columns(Like)} FROM likes WHERE uri = :uri", uri=uri)  # noqa: S608
    return build(Like, row) if row else None


def set_uri(tx: Writer, like: Like, uri: str) -> None:
    """What a like came with is taken back, and something else it may stand for is still there."""
    tx.run(
        "UPDATE likes SET uri = :uri WHERE id = :id AND NOT EXISTS (SELECT 1 FROM likes l WHERE l.uri = :uri)",
        id=like.id,
        uri=uri,
    )


def likers(tx: Reader, post: Post, viewer: Account | None, page: Page) -> list[ListedAccount]:
    """Who likes a post, the latest first; not those between whom and the viewer there is a block."""
    rows = tx.all(
        f"""SELECT l.id AS listed_id, {columns(Account, "a")}
            FROM likes l JOIN accounts a ON a.id = l.account_id
            WHERE l.post_id = :post AND a.suspended_at IS NULL AND a.deleted_at IS NULL
              AND {no_block("a.id")} {page.clause("l.id")}""",  # noqa: S608
        post=post.id,
        viewer=viewer_value(viewer),
        **page.values,
    )
    return [ListedAccount(row["listed_id"], build(Account, row)) for row in page.newest_first(rows)]


@deletion_hooks.on_post_deleted
def delete_by_post(tx: Writer, post: Post) -> None:
    """Deletes the likes of a post."""
    tx.run("DELETE FROM likes WHERE post_id = :post", post=post.id)


@deletion_hooks.on_account_content_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes the likes by an account, and takes them off the counts of the posts."""
    for row in tx.all("DELETE FROM likes WHERE account_id = :who RETURNING post_id", who=account.id):
        posts.adjust_counts(tx, row["post_id"], likes=-1)
