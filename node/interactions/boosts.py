"""Boosts: who shows which post to their own followers. Owns the table `boosts`.

Only what anybody may see can be boosted, and by its author also what is for followers; so a boost never
widens an audience. Boosts share the id space of posts, since apps know a boost as a post of its own.
"""

from __future__ import annotations

from collections.abc import Iterable

from node.accounts import accounts
from node.database import Reader, Writer, build, columns
from node.errors import NotAllowed
from node.federation import outbox
from node.ids import id_at, new_id, now_ms
from node.models import deletion_hooks
from node.models.account import Account, ListedAccount
from node.models.audience import narrower
from node.models.post import Boost, Post
from node.models.visibility import boost_visible_to, no_block, viewer_value
from node.notifications import notifications
from node.paging import Page
from node.posts import home_feed, permissions, posts

_MAX_ID_ATTEMPTS = 50


def can_boost(who: Account, post: Post) -> bool:
    """Whether to offer a boost of a post they can see; `permissions` has the last word."""
    if post.account_id == who.id:
        return post.visibility != "direct"
    return post.is_open and bool(post.interaction_policy.boost.automatic_approval)


def boost(
    tx: Writer,
    who: Account,
    post: Post,
    uri: str | None = None,
    visibility: str = "public",
    created_at: int | None = None,
    *,
    is_seen: bool = False,
) -> Boost:
    """Boost a post. Boosting it twice changes nothing. `uri` is the id another server gave the boost.

    `is_seen`: in this unit of work they have been found to see the post.
    Raises NotFound for what they may not see and NotAllowed for what may not go further.
    """
    permissions.check(tx, who, post, "boost", is_visible=is_seen)
    if post.visibility == "direct":
        raise NotAllowed("This post is not public, so it cannot be boosted.")
    existing = by_account_and_post(tx, who, post)
    if existing is not None:
        return existing
    visibility = narrower(visibility, "followers" if post.visibility == "followers" else "public")
    if visibility == "direct":
        raise NotAllowed("A boost has to be visible to followers at least.")
    made = _insert(tx, who, post, uri, visibility, created_at)
    if made is None:
        raise NotAllowed("That boost has already been processed.", detail=f"the boost id {uri} is in use")
    posts.adjust_counts(tx, post.id, boosts=1)
    home_feed.add_boost(tx, made, post)
    notifications.notify(tx, post.account_id, "boost", who, post)
    if who.is_local:  # as for a like
        author = accounts.get(tx, post.account_id)
        extra = {"visibility": made.visibility, "created_at": made.created_at}
        outbox.record(tx, who, "Announce", post.uri, uri=made.uri, post=post, target=author, extra=extra)
    return made


def _insert(
    tx: Writer, who: Account, post: Post, uri: str | None, visibility: str, created_at: int | None
) -> Boost | None:
    at = min(created_at or now_ms(), now_ms())
    for _ in range(_MAX_ID_ATTEMPTS):
        id_ = new_id() if created_at is None else id_at(at)
        if posts.by_id(tx, id_) is not None:
            continue
        row = tx.one(
            f"""INSERT INTO boosts ({columns(Boost)}) VALUES (:id, :uri, :who, :post, :visibility, :at)
                ON CONFLICT DO NOTHING RETURNING {columns(Boost)}""",  # noqa: S608
            id=id_,
            uri=uri or tx.site.uri(f"/users/{who.name}/boosts/{id_}"),
            who=who.id,
            post=post.id,
            visibility=visibility,
            at=at,
        )
        if row is not None:
            return build(Boost, row)
        if uri is not None and by_uri(tx, uri) is not None:
            return None
    return None


def unboost(tx: Writer, who: Account, post: Post) -> None:
    """Take a boost back. Without one, nothing changes."""
    row = tx.one(
        f"DELETE FROM boosts WHERE account_id = :who AND post_id = :post RETURNING {columns(Boost)}",  # noqa: S608
        who=who.id,
        post=post.id,
    )
    if row is None:
        return
    gone = build(Boost, row)
    posts.adjust_counts(tx, post.id, boosts=-1)
    home_feed.remove_boost(tx, gone, post)
    notifications.withdraw(tx, "boost", who, post=post)
    earlier = {
        "verb": "Announce",
        "uri": gone.uri,
        "object_uri": post.uri,
        "visibility": gone.visibility,
        "created_at": gone.created_at,
    }
    outbox.record(
        tx, who, "Undo", gone.uri, post=post, target=accounts.get(tx, post.account_id), extra=earlier
    )


def by_id(tx: Reader, boost_id: int) -> Boost | None:
    row = tx.one(f"SELECT {columns(Boost)} FROM boosts WHERE id = :id", id=boost_id)  # noqa: S608
    return build(Boost, row) if row else None


def visible_by_id(tx: Reader, viewer: Account | None, boost_id: int) -> Boost | None:
    """The boost, if this person may know of it. Whether they may see its post is asked apart."""
    row = tx.one(
        f"SELECT {columns(Boost, 'b')} FROM boosts b WHERE b.id = :id AND {boost_visible_to('b')}",  # noqa: S608
        id=boost_id,
        viewer=viewer_value(viewer),
    )
    return build(Boost, row) if row else None


def uris(tx: Reader, ids: Iterable[int]) -> dict[int, str]:
    """The identities of boosts, by id."""
    rows = tx.all("SELECT id, uri FROM boosts WHERE id IN (:ids)", ids=list(ids))
    return {row["id"]: row["uri"] for row in rows}


def by_uri(tx: Reader, uri: str) -> Boost | None:
    row = tx.one(f"SELECT {columns(Boost)} FROM boosts WHERE uri = :uri", uri=uri)  # noqa: S608
    return build(Boost, row) if row else None


def by_account_and_post(tx: Reader, who: Account, post: Post) -> Boost | None:
    row = tx.one(
        f"SELECT {columns(Boost)} FROM boosts WHERE account_id = :who AND post_id = :post",  # noqa: S608
        who=who.id,
        post=post.id,
    )
    return build(Boost, row) if row else None


def boosters(tx: Reader, post: Post, viewer: Account | None, page: Page) -> list[ListedAccount]:
    """Who has boosted a post openly, the latest first; not across a block with the viewer."""
    rows = tx.all(
        f"""SELECT b.id AS listed_id, {columns(Account, "a")}
            FROM boosts b JOIN accounts a ON a.id = b.account_id
            WHERE b.post_id = :post AND b.visibility <> 'followers'
              AND a.suspended_at IS NULL AND a.deleted_at IS NULL
              AND {no_block("a.id")} {page.clause("b.id")}""",  # noqa: S608
        post=post.id,
        viewer=viewer_value(viewer),
        **page.values,
    )
    return [ListedAccount(row["listed_id"], build(Account, row)) for row in page.newest_first(rows)]


@deletion_hooks.on_post_deleted
def delete_by_post(tx: Writer, post: Post) -> None:
    """Deletes the boosts of a post."""
    tx.run("DELETE FROM boosts WHERE post_id = :post", post=post.id)


@deletion_hooks.on_account_content_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes the boosts by an account, and takes them off the counts of the posts and out of home feeds."""
    rows = tx.all(
        f"DELETE FROM boosts WHERE account_id = :who RETURNING {columns(Boost)}",  # noqa: S608
        who=account.id,
    )
    for gone in [build(Boost, row) for row in rows]:
        posts.adjust_counts(tx, gone.post_id, boosts=-1)
        post = posts.by_id(tx, gone.post_id)
        if post is not None:
            home_feed.remove_boost(tx, gone, post)
