"""Collections: outbox, followers, following, featured, replies, likes, shares and tags, page by page.

Pages begin at a cursor, not at a number, so they stay whole while rows come and go. They are the same for
everyone and hold only what anybody may read.
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
from node.ids import read_id
from node.interactions import follows, pins
from node.models.account import Account
from node.models.post import Post
from node.paging import Page
from node.posts import posts
from node.text import formatting

PAGE = 40
MOST_TAG = 200
Items = Callable[[Reader, Page], list[tuple[int, Any]]]


def cursor(query: Mapping[str, str]) -> int | None:
    """Where a page begins; None for the front of a collection, 0 for its first page."""
    return (read_id(query.get("max_id", "")) or 0) if "page" in query else None


def of_instance(tx: Reader, cursor: int | None) -> dict[str, Any]:
    """The outbox of the node itself, which posts nothing."""
    return activities.collection(tx.site.uri("/actor/outbox"), 0)


def of_tag(tx: Reader, tag: str, cursor: int | None) -> dict[str, Any]:
    """Public posts with a hashtag. Raises NotFound, as all of these do."""
    if len(tag) > MOST_TAG:
        raise NotFound
    name = formatting.normal_tag(tag)
    total = public_collections.tagged_total(tx, name)
    if not total:
        raise NotFound
    uri = tx.site.uri("/tags/" + quote(name, safe=""))
    return _paged(tx, uri, total, cursor, lambda tx, page: public_collections.tagged(tx, name, page))


def _person(tx: Reader, name: str) -> Account:
    account = accounts.by_handle(tx, name) if "@" not in name else None
    if account is None or not account.is_local or account.is_gone:
        raise NotFound
    return account


def _post(tx: Reader, name: str, post_id: int) -> Post:
    post = posts.seen_by(tx, None, post_id)
    if not post.is_local or post.uri != tx.site.uri(f"/p/{name}/{post_id}"):
        raise NotFound
    return post


def of_person(tx: Reader, name: str, kind: str, cursor: int | None) -> dict[str, Any]:
    """Their outbox, followers, following or collections/featured."""
    who = _person(tx, name)
    uri = f"{who.uri}/{kind}"
    if who.hides_follows and kind in ("followers", "following"):
        total = who.followers_count if kind == "followers" else who.following_count
        return activities.collection(uri, total, has_items=False)
    match kind:
        case "outbox":
            total = public_collections.outbox_total(tx, who)
            return _paged(
                tx, uri, total, cursor, lambda tx, page: _outbox(tx, who, page), context=contexts.NOTE
            )
        case "followers":
            return _paged(
                tx, uri, who.followers_count, cursor, lambda tx, page: follows.accepted_uris(tx, who, page)
            )
        case "following":
            return _paged(
                tx,
                uri,
                who.following_count,
                cursor,
                lambda tx, page: follows.accepted_uris(tx, who, page, followers=False),
            )
        case _:
            pinned = pins.uris(tx, who)
            return activities.collection(uri, len(pinned), items=pinned)


def of_post(tx: Reader, name: str, post_id: int, kind: str, cursor: int | None) -> dict[str, Any]:
    """The replies, context, likes or shares of a post."""
    post = _post(tx, name, post_id)
    uri = f"{post.uri}/{kind}"
    match kind:
        case "replies":
            total = public_collections.replies_total(tx, post)
            return _paged(tx, uri, total, cursor, lambda tx, page: public_collections.replies(tx, post, page))
        case "context":
            if post.root_id != post.id:
                raise NotFound
            author = accounts.get(tx, post.account_id)
            total = public_collections.thread_total(tx, post)
            paged = _paged(tx, uri, total, cursor, lambda tx, page: public_collections.thread(tx, post, page))
            return paged | {"attributedTo": author.uri}
        case "likes":
            return _paged(
                tx, uri, post.likes_count, cursor, lambda tx, page: public_collections.likes(tx, post, page)
            )
        case _:
            return _paged(
                tx, uri, post.boosts_count, cursor, lambda tx, page: public_collections.shares(tx, post, page)
            )


def _paged(
    tx: Reader,
    uri: str,
    total: int,
    cursor: int | None,
    items: Items,
    *,
    context: list[Any] = contexts.ACTIVITY,
) -> dict[str, Any]:
    if cursor is None:
        return activities.collection(uri, total)
    found = items(tx, Page(max_id=cursor or None, limit=PAGE))
    further = found[-1][0] if len(found) == PAGE else None
    return activities.collection_page(
        uri,
        total,
        [item for _, item in found],
        asked=cursor or None,
        further=further,
        context=context,
    )


def _outbox(tx: Reader, who: Account, page: Page) -> list[tuple[int, Any]]:
    said = public_collections.outbox(tx, who, page)
    own = posts.by_ids(tx, [line.post_id for line in said if line.boost_uri is None])
    about = {facts.post.id: facts for facts in notes.facts(tx, list(own.values()))}
    lines: list[tuple[int, Any]] = []
    for line in said:
        if line.boost_uri is None:
            activity = activities.create(tx.site, about[line.post_id])
        else:
            activity = activities.announce(
                who,
                line.boost_uri,
                line.boosted_uri,
                line.visibility,
                line.created_at,
                line.boosted_author_uri,
            )
        lines.append((line.id, activity))
    return lines
