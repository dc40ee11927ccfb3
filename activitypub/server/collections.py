"""Builds the collections of this node: outbox, followers, following, featured, replies, context, likes, shares, tags.

Pages start at a cursor, not at an offset, so they stay consistent while rows come and go. They are the same for every
reader and list only what anybody may read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from activitypub.documents import activities, contexts, notes
from node.accounts import accounts
from node.database import Reader
from node.errors import NotFound
from node.federation import public_collections
from node.ids import parse_id
from node.interactions import follows, pins
from node.models.account import Account
from node.models.post import Post
from node.paging import Found, Page
from node.posts import posts
from node.text import formatting

PAGE_SIZE = 40
OUTBOX_PAGE_SIZE = 20
"""Fewer, since these items are whole posts; as many as Mastodon's."""
MAX_HASHTAG_LENGTH = 200
PageReader = Callable[[Reader, Page], Found[tuple[int, Any]]]


def cursor(query: Mapping[str, str]) -> int | None:
    """Returns the cursor in a query: None for the collection itself, 0 for its first page."""
    return (parse_id(query.get("max_id", "")) or 0) if "page" in query else None


def instance_outbox(tx: Reader, cursor: int | None) -> dict[str, Any]:
    """Returns the outbox of the instance actor, which is always empty."""
    return activities.render_collection(tx.site.uri("/actor/outbox"), 0)


def hashtag_collection(tx: Reader, tag: str, cursor: int | None) -> dict[str, Any]:
    """Returns the public posts with a hashtag. Raises NotFound, as all of these functions do."""
    if len(tag) > MAX_HASHTAG_LENGTH:
        raise NotFound
    name = formatting.normalize_hashtag(tag)
    total = public_collections.hashtag_total(tx, name)
    if total == 0:
        raise NotFound
    uri = tx.site.uri("/tags/" + quote(name, safe=""))
    return _collection_or_page(
        tx, uri, total, cursor, lambda tx, page: public_collections.hashtag(tx, name, page)
    )


def _local_account(tx: Reader, name: str) -> Account:
    account = accounts.by_handle(tx, name) if "@" not in name else None
    if account is None or not account.is_local or account.is_inactive:
        raise NotFound
    return account


def _public_local_post(tx: Reader, name: str, post_id: int) -> Post:
    post = posts.visible_by_id(tx, None, post_id)
    if not post.is_local or post.uri != tx.site.uri(f"/p/{name}/{post_id}"):
        raise NotFound
    return post


def actor_collection(tx: Reader, name: str, kind: str, cursor: int | None) -> dict[str, Any]:
    """Returns a collection of a local actor; `kind` is outbox, followers,
    following or collections/featured."""
    account = _local_account(tx, name)
    uri = f"{account.uri}/{kind}"
    if account.hides_follows and kind in ("followers", "following"):
        total = account.followers_count if kind == "followers" else account.following_count
        return activities.render_collection(uri, total, has_items=False)
    match kind:
        case "outbox":
            total = public_collections.outbox_total(tx, account)
            return _collection_or_page(
                tx,
                uri,
                total,
                cursor,
                lambda tx, page: _outbox_activities(tx, account, page),
                context=contexts.NOTE,
                size=OUTBOX_PAGE_SIZE,
            )
        case "followers":
            return _collection_or_page(
                tx,
                uri,
                account.followers_count,
                cursor,
                lambda tx, page: follows.accepted_uris(tx, account, page),
            )
        case "following":
            return _collection_or_page(
                tx,
                uri,
                account.following_count,
                cursor,
                lambda tx, page: follows.accepted_uris(tx, account, page, followers=False),
            )
        case _:
            pinned = pins.post_uris(tx, account)
            return activities.render_collection(uri, len(pinned), items=pinned)


def post_collection(tx: Reader, name: str, post_id: int, kind: str, cursor: int | None) -> dict[str, Any]:
    """Returns a collection of a local post; `kind` is replies, context, likes or shares."""
    post = _public_local_post(tx, name, post_id)
    uri = f"{post.uri}/{kind}"
    match kind:
        case "replies":
            total = public_collections.replies_total(tx, post)
            return _collection_or_page(
                tx, uri, total, cursor, lambda tx, page: public_collections.replies(tx, post, page)
            )
        case "context":
            if post.root_id != post.id:
                raise NotFound
            author = accounts.get(tx, post.account_id)
            posts_total = public_collections.thread_total(tx, post)
            paged = _collection_or_page(
                tx, uri, posts_total, cursor, lambda tx, page: public_collections.thread(tx, post, page)
            )
            return paged | {"attributedTo": author.uri}
        case "likes":
            return _collection_or_page(
                tx, uri, post.likes_count, cursor, lambda tx, page: public_collections.likes(tx, post, page)
            )
        case _:
            return _collection_or_page(
                tx, uri, post.boosts_count, cursor, lambda tx, page: public_collections.shares(tx, post, page)
            )


def _collection_or_page(
    tx: Reader,
    uri: str,
    total: int | None,
    cursor: int | None,
    items: PageReader,
    *,
    context: list[Any] = contexts.ACTIVITY,
    size: int = PAGE_SIZE,
) -> dict[str, Any]:
    if cursor is None:
        return activities.render_collection(uri, total)
    found = items(tx, Page(max_id=cursor or None, limit=size))
    return activities.render_collection_page(
        uri,
        total,
        [item for _, item in found],
        cursor=cursor or None,
        next_cursor=found.older,
        context=context,
    )


def _outbox_activities(tx: Reader, account: Account, page: Page) -> Found[tuple[int, Any]]:
    entries = public_collections.outbox(tx, account, page)
    own = posts.by_ids(tx, [entry.post_id for entry in entries if entry.boost_uri is None])
    data_by_post = {data.post.id: data for data in notes.load_data(tx, list(own.values()))}
    found: list[tuple[int, Any]] = []
    for entry in entries:
        if entry.boost_uri is None:
            activity = activities.render_create(tx.site, data_by_post[entry.post_id])
        else:
            activity = activities.render_announce(
                account,
                entry.boost_uri,
                entry.boosted_uri,
                entry.visibility,
                entry.created_at,
                entry.boosted_author_uri,
            )
        found.append((entry.id, activity))
    return entries.replaced_by(found)
