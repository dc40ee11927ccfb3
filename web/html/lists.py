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
    tx: Reader, viewer: Account | None, cards: CardRenderer, page: Page, *, only_local: bool
) -> CardPage:
    """Returns the newest public photos: of local accounts, or of all."""
    entries = timelines.public(tx, viewer, page, only_local=only_local, only_photos=True)
    return cards.prepare_entries(tx, viewer, entries, page.limit)


def flatten_comments(branches: Sequence[CommentNode]) -> list[tuple[PostView | None, int, int]]:
    """Flattens a tree into a list of (view, threads that open before it, threads that close after it).

    However deep replies are nested, the nesting that is shown ends at `MAX_DEPTH`.
    """
    flat: list[tuple[PostView | None, int]] = []
    stack = [(branch, 0) for branch in reversed(branches)]
    while stack:
        branch, depth = stack.pop()
        flat.append((branch.view, depth))
        stack.extend((child, min(depth + 1, MAX_DEPTH)) for child in reversed(branch.children))
    entries = []
    for n, (view, depth) in enumerate(flat):
        before = flat[n - 1][1] if n else -1
        after = flat[n + 1][1] if n + 1 < len(flat) else -1
        entries.append((view, max(0, depth - before), max(0, depth - after)))
    return entries
