"""A tag: its photos, and how many people used it on each of the last days. Bookmarks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from quart import Blueprint, Response

from node.database import Reader
from node.errors import NotFound
from node.models.account import Account
from node.paging import Page
from node.posts import hashtags
from node.posts.hashtags import Hashtag, Period
from node.timelines import timelines
from web.html.lists import paging
from web.html.post_cards import Cards, Sheet
from web.html.templates import cards, page
from web.i18n.translations import _
from web.request import context

blueprint = Blueprint("tags", __name__)

CELLS = 24


@dataclass(frozen=True, slots=True)
class Day:
    """One bar of the chart."""

    label: str
    people: int


def _tag(
    tx: Reader, viewer: Account | None, cards: Cards, name: str, part: Page
) -> tuple[Hashtag | None, list[Period], Sheet]:
    entries = timelines.hashtag(tx, viewer, name, part, only_photos=True)
    return hashtags.of(tx, name), hashtags.history(tx, name), cards.entries(tx, viewer, entries, part.limit)


@blueprint.get("/tags/<name>")
async def tag(name: str) -> Response:
    if len(name) > 200 or not name.strip("#"):
        raise NotFound(_("There is no such tag."))
    known, periods, sheet = await context.look(_tag, cards(), name, paging(CELLS))
    days = [Day(f"{datetime.fromtimestamp(day.start / 1000, UTC):%d.%m.}", day.authors) for day in periods]
    return await page(
        "posts/hashtag.html",
        display=known.display if known else name.strip("#"),
        days=days[::-1] if any(day.people for day in days) else [],
        most=max((day.people for day in days), default=0),
        people=periods[0].authors,
        here_people=periods[0].local_authors,
        sheet=sheet,
    )


def _bookmarks(tx: Reader, who: Account, cards: Cards, part: Page) -> Sheet:
    return cards.entries(tx, who, timelines.bookmarks(tx, who, part), part.limit)


@blueprint.get("/bookmarks")
async def bookmarks() -> Response:
    sheet = await context.look_signed_in(_bookmarks, cards(), paging(CELLS))
    return await page("posts/bookmarks.html", sheet=sheet)
