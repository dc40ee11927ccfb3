"""Likes of posts. Owns `likes`. One function serves pages, the client API and the inbox.

Only an account that may see a post can like it; for any other the post does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass

from node.accounts import accounts
from node.database import Reader, Writer, build, columns
from node.federation import outbox
from node.ids import new_id, now_ms
from node.interactions import account_lists
from node.models import deletion_hooks
from node.models.account import Account, ListedAccount
from node.models.post import Post
from node.models.visibility import viewer_value
from node.notifications import notifications
from node.paging import Found, Page
from node.posts import permissions, posts


@dataclass(frozen=True, slots=True)
class Like:
    id: int
    uri: str
    account_id: int
    post_id: int
    created_at: int


def like(
    tx: Writer,
    account: Account,
    post: Post,
    uri: str | None = None,
    *,
    changes_uri: bool = False,
    visibility_checked: bool = False,
) -> None:
    """Likes a post. Liking it twice changes nothing, with `changes_uri` its id. `uri` is the id that a remote server
    gave the like.

    `visibility_checked`: the caller has checked in this unit of work that the account may see the post. Raises NotFound
    for one it may not see, and NotAllowed where its policy refuses.
    """
    permissions.check(tx, account, post, "like", visibility_checked=visibility_checked)
    id_ = new_id()
    made = tx.value(
        """INSERT INTO likes (id, uri, account_id, post_id, created_at)
           VALUES (:id, :uri, :account, :post, :now)
           ON CONFLICT DO NOTHING RETURNING uri""",
        id=id_,
        uri=uri or tx.site.uri(f"/users/{account.name}#likes/{id_}"),
        account=account.id,
        post=post.id,
        now=now_ms(),
    )
    if made is None:
        liked = by_account_and_post(tx, account, post) if changes_uri and uri is not None else None
        if liked is not None and uri is not None:
            set_uri(tx, liked, uri)
        return
    posts.adjust_counts(tx, post.id, likes=1)
    notifications.notify(tx, post.account_id, "like", account, post)
    if account.is_local:  # `record` ignores remote ones, but the author would be read for nothing
        author = accounts.get(tx, post.account_id)
        outbox.record(tx, account, "Like", post.uri, uri=made, post=post, target=author)


def unlike(tx: Writer, account: Account, post: Post) -> str | None:
    """Removes a like; returns its id. Without one, nothing changes."""
    uri = tx.value(
        "DELETE FROM likes WHERE account_id = :account AND post_id = :post RETURNING uri",
        account=account.id,
        post=post.id,
    )
    if uri is None:
        return None
    posts.adjust_counts(tx, post.id, likes=-1)
    notifications.withdraw(tx, "like", account, post=post)
    undone = {"verb": "Like", "uri": uri, "object_uri": post.uri}
    outbox.record(tx, account, "Undo", uri, post=post, target=accounts.get(tx, post.account_id), extra=undone)
    return str(uri)


def by_uri(tx: Reader, uri: str) -> Like | None:
    row = tx.one(f"SELECT {columns(Like)} FROM likes WHERE uri = :uri", uri=uri)  # noqa: S608
    return build(Like, row) if row else None


def by_account_and_post(tx: Reader, account: Account, post: Post) -> Like | None:
    row = tx.one(
        f"SELECT {columns(Like)} FROM likes WHERE account_id = :account AND post_id = :post",  # noqa: S608
        account=account.id,
        post=post.id,
    )
    return build(Like, row) if row else None


def set_uri(tx: Writer, like: Like, uri: str) -> None:
    """Gives a like another id, unless that is in use: it was given again, or what it came with was undone and another
    reaction stands for it."""
    tx.run(
        "UPDATE likes SET uri = :uri WHERE id = :id AND NOT EXISTS (SELECT 1 FROM likes l WHERE l.uri = :uri)",
        id=like.id,
        uri=uri,
    )


def likers(tx: Reader, post: Post, viewer: Account | None, page: Page) -> Found[ListedAccount]:
    """Returns who likes a post, latest first, without accounts blocked by or blocking the viewer."""
    return account_lists.visible_accounts(
        tx, "likes", "account_id", "t.post_id = :post", viewer_value(viewer), page, post=post.id
    )


@deletion_hooks.on_post_deleted
def delete_by_post(tx: Writer, post: Post) -> None:
    """Deletes the likes of a post."""
    tx.run("DELETE FROM likes WHERE post_id = :post", post=post.id)


@deletion_hooks.on_account_content_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes the likes by an account, and takes them off the counts of the posts."""
    for row in tx.all("DELETE FROM likes WHERE account_id = :account RETURNING post_id", account=account.id):
        posts.adjust_counts(tx, row["post_id"], likes=-1)
