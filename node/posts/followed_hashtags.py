"""Hashtags that accounts follow: public posts with them come into the home feed. Owns `followed_hashtags`.

Nothing of them is sent or shown to others.
"""

from __future__ import annotations

from collections.abc import Collection

from node.database import Reader, Writer, build, columns
from node.errors import Invalid
from node.ids import new_id
from node.models import deletion_hooks
from node.models.account import Account
from node.paging import Found, Page
from node.posts import hashtags, home_feed
from node.posts.hashtags import Hashtag

MAX_FOLLOWED = 200


def follow(tx: Writer, account: Account, name: str) -> Hashtag:
    """Follows a hashtag by any way of writing it, also one that no post has yet, and puts its latest posts into the feed.

    Doing it twice changes nothing. Raises NotFound for what is no hashtag, Invalid beyond `MAX_FOLLOWED`.
    """
    hashtag = hashtags.get_or_create(tx, name)
    if is_followed(tx, account, hashtag):
        return hashtag
    followed = tx.value(
        "SELECT COUNT(*) FROM followed_hashtags WHERE account_id = :account", account=account.id
    )
    if followed >= MAX_FOLLOWED:
        raise Invalid(f"You can follow {MAX_FOLLOWED} hashtags. Unfollow one first.")
    tx.run(
        """INSERT INTO followed_hashtags (account_id, id, hashtag_id) VALUES (:account, :id, :hashtag)
           ON CONFLICT DO NOTHING""",
        account=account.id,
        id=new_id(),
        hashtag=hashtag.id,
    )
    home_feed.backfill_hashtag(tx, account.id, hashtag.id)
    return hashtag


def unfollow(tx: Writer, account: Account, name: str) -> Hashtag | None:
    """Unfollows a hashtag and takes out of the feed what only it brought there. Returns it, None if there is none such."""
    hashtag = hashtags.by_name(tx, name)
    if hashtag is None:
        return None
    removed = tx.run(
        "DELETE FROM followed_hashtags WHERE account_id = :account AND hashtag_id = :hashtag",
        account=account.id,
        hashtag=hashtag.id,
    )
    if removed:
        home_feed.remove_hashtag(tx, account.id, hashtag.id)
    return hashtag


def is_followed(tx: Reader, account: Account | None, hashtag: Hashtag) -> bool:
    """Returns whether an account follows a hashtag; nobody follows any."""
    return hashtag.id in followed_ids(tx, account, [hashtag.id])


def followed_ids(tx: Reader, account: Account | None, ids: Collection[int]) -> set[int]:
    """Returns which of these hashtags an account follows."""
    if account is None or not ids:
        return set()
    rows = tx.all(
        "SELECT hashtag_id FROM followed_hashtags WHERE account_id = :account AND hashtag_id IN (:ids)",
        account=account.id,
        ids=list(ids),
    )
    return {row["hashtag_id"] for row in rows}


def by_account(tx: Reader, account: Account, page: Page) -> Found[tuple[int, Hashtag]]:
    """Returns a page of the followed hashtags with the ids that the page is ordered by, the latest first."""
    rows = tx.all(
        f"""SELECT f.id AS row_id, {columns(Hashtag, "h")}
            FROM followed_hashtags f JOIN hashtags h ON h.id = f.hashtag_id
            WHERE f.account_id = :account {page.clause("f.id")}""",  # noqa: S608
        account=account.id,
        **page.values,
    )
    return Found([(row["row_id"], build(Hashtag, row)) for row in page.newest_first(rows)])


@deletion_hooks.on_account_content_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes what an account follows."""
    tx.run("DELETE FROM followed_hashtags WHERE account_id = :account", account=account.id)
