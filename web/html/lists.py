"""Helpers of pages with lists: the requested page, relationships with listed accounts, grids, trees of comments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quart import request

from node.accounts import relationships
from node.accounts.relationships import Relationship
from node.database import Reader
from node.discovery.trends import TrendCache
from node.ids import parse_id
from node.models.account import Account
from node.paging import Page
from node.timelines import timelines
from node.timelines.post_views import CommentNode, PostView
from web.html.post_cards import CardPage, CardRenderer

MAX_DEPTH = 6
MAX_UNFOLDED = 3


@dataclass(frozen=True, slots=True)
class HashtagRow:
    """A trending hashtag in a list."""

    name: str
    display: str
    authors: int


def requested_page(limit: int) -> Page:
    """Returns the page that the query string requests with `max_id`."""
    return Page(max_id=parse_id(request.args.get("max_id", "")), limit=limit)


def trending_hashtags(tx: Reader, cache: TrendCache, limit: int) -> list[HashtagRow]:
    return [
        HashtagRow(trend.hashtag.name, trend.hashtag.display, trend.authors)
        for trend in cache.current(tx, limit)
    ]


@dataclass(frozen=True, slots=True)
class ViewerRelationship:
    """The relationship of the viewer with another account."""

    is_self: bool
    following: bool
    requested: bool
    followed_by: bool
    requested_by: bool
    blocking: bool
    muting: bool
    showing_boosts: bool


def _to_viewer_relationship(viewer: Account, found: Relationship) -> ViewerRelationship:
    return ViewerRelationship(
        found.id == viewer.id,
        found.following,
        found.requested,
        found.followed_by,
        found.requested_by,
        found.blocking,
        found.muting,
        found.showing_boosts,
    )


def viewer_relationships(
    tx: Reader, viewer: Account | None, accounts: Sequence[Account]
) -> dict[int, ViewerRelationship]:
    """Returns the viewer's relationships with listed accounts by account id; empty for visitors."""
    if viewer is None or not accounts:
        return {}
    return {
        one.id: _to_viewer_relationship(viewer, one)
        for one in relationships.with_accounts(tx, viewer, [account.id for account in accounts])
    }


def recent_photos(
    tx: Reader, viewer: Account | None, cards: CardRenderer, page: Page, *, local: bool
) -> CardPage:
    """Returns the newest public photos: of this server, or of all others."""
    if local:
        entries = timelines.public(tx, viewer, page, only_local=True, only_photos=True)
    else:
        entries = timelines.remote(tx, viewer, page, only_photos=True)
    return cards.prepare_entries(tx, viewer, entries)


@dataclass(frozen=True, slots=True)
class CommentLine:
    """A comment in a flattened tree: `opens` threads begin before it, `closes` end after it.

    `folds` is above 0 if the thread that begins before it is folded, and then says how many replies are in it. The
    fold ends after `ends_fold` of the threads that end here.
    """

    view: PostView | None
    opens: int
    closes: int
    folds: int = 0
    ends_fold: int = 0


def flatten_comments(branches: Sequence[CommentNode], open_id: int | None = None) -> list[CommentLine]:
    """Flattens a tree of comments.

    However deep replies are nested, the nesting that is shown ends at `MAX_DEPTH`. More than `MAX_UNFOLDED` replies to
    one comment and each other are folded, but not those among which is `open_id`.
    """
    flat: list[tuple[PostView | None, int]] = []
    stack = [(branch, 0) for branch in reversed(branches)]
    while stack:
        branch, depth = stack.pop()
        flat.append((branch.view, depth))
        stack.extend((child, min(depth + 1, MAX_DEPTH)) for child in reversed(branch.children))
    folds, ends = _find_folds(flat, open_id)
    lines = []
    for n, (view, depth) in enumerate(flat):
        before = flat[n - 1][1] if n else -1
        after = flat[n + 1][1] if n + 1 < len(flat) else -1
        opens, closes = max(0, depth - before), max(0, depth - after)
        lines.append(CommentLine(view, opens, closes, folds.get(n, 0), depth if n in ends else 0))
    return lines


def _find_folds(
    flat: Sequence[tuple[PostView | None, int]], open_id: int | None
) -> tuple[dict[int, int], set[int]]:
    """Returns where folds begin, with the number of replies in each, and where they end."""
    folds: dict[int, int] = {}
    ends: set[int] = set()
    start = 0
    for n, (_view, depth) in enumerate([*flat, (None, 0)]):
        if depth:
            continue
        replies = flat[start + 1 : n]
        is_asked_for = any(view is not None and view.post.id == open_id for view, _depth in replies)
        if len(replies) > MAX_UNFOLDED and not is_asked_for:
            folds[start + 1] = len(replies)
            ends.add(n - 1)
        start = n
    return folds, ends
