"""The page of a hashtag: its photos, how many people used it on each of the last days, and following it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from quart import Blueprint, Response

from node.database import Reader, Writer
from node.errors import NotFound
from node.models.account import Account
from node.paging import Page
from node.posts import followed_hashtags, hashtag_days, hashtags
from node.posts.hashtag_days import DayUsage
from node.posts.hashtags import Hashtag
from node.timelines import timelines
from web.html.lists import requested_page
from web.html.post_cards import CardPage, CardRenderer
from web.html.templates import card_renderer, render_page
from web.i18n import formats
from web.i18n.translations import _
from web.request import context
from web.request.redirects import see_other

blueprint = Blueprint("hashtags", __name__)

CELLS_PER_PAGE = 24


@dataclass(frozen=True, slots=True)
class DayBar:
    """One bar of the chart."""

    label: str
    people: int


def _load_hashtag(
    tx: Reader, viewer: Account | None, cards: CardRenderer, name: str, page: Page
) -> tuple[Hashtag | None, bool, list[DayUsage], CardPage]:
    entries = timelines.hashtag(tx, viewer, name, page, only_photos=True)
    hashtag = hashtags.by_name(tx, name)
    return (
        hashtag,
        hashtag is not None and followed_hashtags.is_followed(tx, viewer, hashtag),
        hashtag_days.usage(tx, name),
        cards.prepare_entries(tx, viewer, entries),
    )


@blueprint.get("/tags/<name>")
async def show_hashtag(name: str) -> Response:
    if len(name) > 200 or not name.strip("#"):
        raise NotFound(_("There is no such tag."))
    hashtag, is_followed, periods, card_page = await context.read(
        _load_hashtag, card_renderer(), name, requested_page(CELLS_PER_PAGE)
    )
    days = [DayBar(formats.format_utc_day(day.start), day.authors) for day in periods]
    return await render_page(
        "posts/hashtag.html",
        display=hashtag.display if hashtag else name.strip("#"),
        is_followed=is_followed,
        days=days[::-1] if any(day.people for day in days) else [],
        most=max((day.people for day in days), default=0),
        people=periods[0].authors,
        local_people=periods[0].local_authors,
        card_page=card_page,
    )


def _follow(tx: Writer, account: Account, name: str) -> None:
    followed_hashtags.follow(tx, account, name)


def _unfollow(tx: Writer, account: Account, name: str) -> None:
    followed_hashtags.unfollow(tx, account, name)


@blueprint.post("/tags/<name>/follow")
async def follow_hashtag(name: str) -> Response:
    await context.write(_follow, name)
    return see_other(f"/tags/{quote(name)}")


@blueprint.post("/tags/<name>/unfollow")
async def unfollow_hashtag(name: str) -> Response:
    await context.write(_unfollow, name)
    return see_other(f"/tags/{quote(name)}")
