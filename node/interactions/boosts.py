"""Boosts: posts that accounts show to their own followers (`Announce`). Owns `boosts`.

One function serves pages, the client API and the inbox. Only public and unlisted posts can be boosted, and by
their author also those for followers; so a boost never widens an audience. Boosts share the id space of posts,
since apps know a boost as a status of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from node.accounts import accounts
from node.database import Reader, Writer, build, columns
from node.errors import NotAllowed
from node.federation import outbox
from node.ids import id_at, new_id, now_ms
from node.interactions import account_lists
from node.models import deletion_hooks
from node.models.account import Account, ListedAccount
from node.models.audience import narrower
from node.models.post import Boost, Post
from node.models.visibility import boost_visible_to, viewer_value
from node.notifications import notifications
from node.paging import Found, Page
from node.posts import home_feed, permissions, posts

_MAX_ID_ATTEMPTS = 50


def can_boost(account: Account, post: Post) -> bool:
    """Returns whether to offer a boost of a visible post, from its row alone;
    `boost` decides with `permissions`."""
    if post.account_id == account.id:
        return post.visibility != "direct"
    return post.is_open and bool(post.interaction_policy.boost.automatic_approval)


def boost(
    tx: Writer,
    account: Account,
    post: Post,
    uri: str | None = None,
    visibility: str = "public",
    created_at: int | None = None,
    *,
    visibility_checked: bool = False,
) -> Boost:
    """Boosts a post. Boosting it twice changes nothing but `uri`, the id that a remote server gave it.

    `created_at` (milliseconds) is never taken to lie in the future. `visibility_checked`: the caller has checked in this
    unit of work that the account may see the post. Raises NotFound for a post it may not see, and NotAllowed for
    one that may not be boosted, for a boost that would be direct, and for a `uri` that is in use.
    """
    permissions.check(tx, account, post, "boost", visibility_checked=visibility_checked)
    if post.visibility == "direct":
        raise NotAllowed("This post is not public, so it cannot be boosted.")
    existing = by_account_and_post(tx, account, post)
    if existing is not None:
        if uri is not None and by_uri(tx, uri) is None:
            tx.run("UPDATE boosts SET uri = :uri WHERE id = :id", uri=uri, id=existing.id)
        return existing
    visibility = narrower(visibility, "followers" if post.visibility == "followers" else "public")
    if visibility == "direct":
        raise NotAllowed("A boost has to be visible to followers at least.")
    inserted = _insert(tx, account, post, uri, visibility, created_at)
    if inserted is None:
        raise NotAllowed("That boost has already been processed.", detail=f"the boost id {uri} is in use")
    posts.adjust_counts(tx, post.id, boosts=1)
    home_feed.add_boost(tx, inserted, post)
    notifications.notify(tx, post.account_id, "boost", account, post)
    if account.is_local:  # as in `likes.like`
        author = accounts.get(tx, post.account_id)
        extra = {"visibility": inserted.visibility, "created_at": inserted.created_at}
        outbox.record(
            tx, account, "Announce", post.uri, uri=inserted.uri, post=post, target=author, extra=extra
        )
    return inserted


def _insert(
    tx: Writer, account: Account, post: Post, uri: str | None, visibility: str, created_at: int | None
) -> Boost | None:
    at = min(created_at or now_ms(), now_ms())
    for _ in range(_MAX_ID_ATTEMPTS):
        id_ = new_id() if created_at is None else id_at(at)
        if posts.by_id(tx, id_) is not None:
            continue
        row = tx.one(
            f"""INSERT INTO boosts ({columns(Boost)}) VALUES (:id, :uri, :account, :post, :visibility, :at)
                ON CONFLICT DO NOTHING RETURNING {columns(Boost)}""",  # noqa: S608
            id=id_,
            uri=uri or tx.site.uri(f"/users/{account.name}/boosts/{id_}"),
            account=account.id,
            post=post.id,
            visibility=visibility,
            at=at,
        )
        if row is not None:
            return build(Boost, row)
        if uri is not None and by_uri(tx, uri) is not None:
            return None
    return None


def unboost(tx: Writer, account: Account, post: Post) -> None:
    """Removes a boost. Without one, nothing changes."""
    row = tx.one(
        f"DELETE FROM boosts WHERE account_id = :account AND post_id = :post RETURNING {columns(Boost)}",  # noqa: S608
        account=account.id,
        post=post.id,
    )
    if row is None:
        return
    removed = build(Boost, row)
    posts.adjust_counts(tx, post.id, boosts=-1)
    home_feed.remove_boost(tx, removed, post)
    notifications.withdraw(tx, "boost", account, post=post)
    undone = {
        "verb": "Announce",
        "uri": removed.uri,
        "object_uri": post.uri,
        "visibility": removed.visibility,
        "created_at": removed.created_at,
    }
    outbox.record(
        tx, account, "Undo", removed.uri, post=post, target=accounts.get(tx, post.account_id), extra=undone
    )


def by_id(tx: Reader, boost_id: int) -> Boost | None:
    row = tx.one(f"SELECT {columns(Boost)} FROM boosts WHERE id = :id", id=boost_id)  # noqa: S608
    return build(Boost, row) if row else None


def visible_by_id(tx: Reader, viewer: Account | None, boost_id: int) -> Boost | None:
    """Returns the boost if the viewer may see it. Whether they may see its post is checked apart."""
    row = tx.one(
        f"SELECT {columns(Boost, 'b')} FROM boosts b WHERE b.id = :id AND {boost_visible_to('b')}",  # noqa: S608
        id=boost_id,
        viewer=viewer_value(viewer),
    )
    return build(Boost, row) if row else None


def boosted_id(tx: Reader, viewer: Account, id_: int | None) -> int | None:
    """Returns the id of the boosted post for the id of a boost that the viewer may see; any other id as it is."""
    found = None if id_ is None else visible_by_id(tx, viewer, id_)
    return id_ if found is None else found.post_id


class BoostLabel(NamedTuple):
    uri: str
    visibility: str


def labels(tx: Reader, ids: Iterable[int]) -> dict[int, BoostLabel]:
    """Returns the `uri` and visibility of each boost, by its id."""
    rows = tx.all("SELECT id, uri, visibility FROM boosts WHERE id IN (:ids)", ids=list(ids))
    return {row["id"]: BoostLabel(row["uri"], row["visibility"]) for row in rows}


def by_uri(tx: Reader, uri: str) -> Boost | None:
    row = tx.one(f"SELECT {columns(Boost)} FROM boosts WHERE uri = :uri", uri=uri)  # noqa: S608
    return build(Boost, row) if row else None


def by_account_and_post(tx: Reader, account: Account, post: Post) -> Boost | None:
    row = tx.one(
        f"SELECT {columns(Boost)} FROM boosts WHERE account_id = :account AND post_id = :post",  # noqa: S608
        account=account.id,
        post=post.id,
    )
    return build(Boost, row) if row else None


def boosters(tx: Reader, post: Post, viewer: Account | None, page: Page) -> Found[ListedAccount]:
    """Returns who has boosted a post, except to followers only, latest first, without blocks with the viewer."""
    condition = "t.post_id = :post AND t.visibility <> 'followers'"
    return account_lists.visible_accounts(
        tx, "boosts", "account_id", condition, viewer_value(viewer), page, post=post.id
    )


@deletion_hooks.on_post_deleted
def delete_by_post(tx: Writer, post: Post) -> None:
    """Deletes the boosts of a post."""
    tx.run("DELETE FROM boosts WHERE post_id = :post", post=post.id)


@deletion_hooks.on_account_content_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes the boosts by an account, and takes them off the counts of the posts and out of home feeds."""
    rows = tx.all(
        f"DELETE FROM boosts WHERE account_id = :account RETURNING {columns(Boost)}",  # noqa: S608
        account=account.id,
    )
    for removed in [build(Boost, row) for row in rows]:
        posts.adjust_counts(tx, removed.post_id, boosts=-1)
        post = posts.by_id(tx, removed.post_id)
        if post is not None:
            home_feed.remove_boost(tx, removed, post)
