"""What pages that list things share: which part was asked for, and where the next one begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quart import request

from node.accounts import relationships
from node.accounts.relationships import Relationship
from node.database import Reader
from node.discovery.trends import Trends
from node.ids import read_id
from node.models.account import Account
from node.paging import Page
from node.timelines import timelines
from node.timelines.post_views import Branch, PostView
from web.html.post_cards import Cards, Sheet

DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Trending:
    """A tag that stands out, as a page lists it."""

    name: str
    display: str
    people: int


def paging(limit: int) -> Page:
    """The part of a list that the address asks for."""
    return Page(max_id=read_id(request.args.get("max_id", "")), limit=limit)


def trends(tx: Reader, kept: Trends, limit: int) -> list[Trending]:
    return [
        Trending(found.hashtag.name, found.hashtag.display, found.authors) for found in kept.now(tx, limit)
    ]


@dataclass(frozen=True, slots=True)
class Bond:
    """What is between whoever looks and someone else."""

    is_self: bool
    following: bool
    requested: bool
    followed_by: bool
    requested_by: bool
    blocking: bool
    muting: bool
    showing_boosts: bool


def _bond(viewer: Account, found: Relationship) -> Bond:
    return Bond(
        found.id == viewer.id,
        found.following,
        found.requested,
        found.followed_by,
        found.requested_by,
        found.blocking,
        found.muting,
        found.showing_boosts,
    )


def bonds(tx: Reader, viewer: Account | None, people: Sequence[Account]) -> dict[int, Bond]:
    """By account id, for everyone in a list; empty for someone who is not signed in."""
    if viewer is None or not people:
        return {}
    return {one.id: _bond(viewer, one) for one in relationships.of(tx, viewer, [who.id for who in people])}


def recent(tx: Reader, viewer: Account | None, cards: Cards, page: Page, *, only_local: bool) -> Sheet:
    """The newest public photos: of this node, or of everywhere it knows."""
    entries = timelines.public(tx, viewer, page, only_local=only_local, only_photos=True)
    return cards.entries(tx, viewer, entries, page.limit)


def flattened(branches: Sequence[Branch]) -> list[tuple[PostView | None, int, int]]:
    """A tree as a list of (view, threads that open before it, threads that close after it).

    However deep people answer each other, the nesting that is shown ends at `DEEPEST`.
    """
    flat: list[tuple[PostView | None, int]] = []
    stack = [(branch, 0) for branch in reversed(branches)]
    while stack:
        branch, depth = stack.pop()
        flat.append((branch.view, depth))
        stack.extend((child, min(depth + 1, DEEPEST)) for child in reversed(branch.children))
    entries = []
    for n, (view, depth) in enumerate(flat):
        before = flat[n - 1][1] if n else -1
        after = flat[n + 1][1] if n + 1 < len(flat) else -1
        entries.append((view, max(0, depth - before), max(0, depth - after)))
    return entries
