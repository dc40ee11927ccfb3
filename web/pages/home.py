"""Home for who is signed in, a welcome for everyone else; Explore."""

from __future__ import annotations

from quart import Blueprint, Response, jsonify

from node.database import Reader
from node.discovery.trends import Trends
from node.lifecycle import registration
from node.models.account import Account
from node.paging import Page
from node.timelines import post_summaries
from web.html.lists import Trending, paging, recent, trends
from web.html.post_cards import Cards, Sheet
from web.html.templates import cards, page
from web.request import context

blueprint = Blueprint("home", __name__)

POSTS = 20
CELLS = 24


def _start(
    tx: Reader, viewer: Account | None, cards: Cards, kept: Trends, part: Page
) -> tuple[Sheet, list[Trending], bool]:
    if viewer is None:
        here = recent(tx, None, cards, Page(limit=CELLS), only_local=True)
        return here, [], registration.needs_admin(tx)
    seen = post_summaries.home(tx, viewer, part, include_comments=False)
    older = seen[-1].id if len(seen) >= part.limit else None
    return (
        cards.sheet(tx, viewer, seen, "card", older),
        trends(tx, kept, 6) if part.max_id is None else [],
        False,
    )


@blueprint.get("/")
async def start() -> Response:
    sheet, tags, needs_admin = await context.look(_start, cards(), context.node().part(Trends), paging(POSTS))
    if context.person() is None:
        return await page("welcome.html", sheet=sheet, needs_admin=needs_admin)
    return await page("home.html", sheet=sheet, trends=tags)


def _explore(tx: Reader, viewer: Account | None, cards: Cards, part: Page, only_local: bool) -> Sheet:
    return recent(tx, viewer, cards, part, only_local=only_local)


@blueprint.get("/explore")
async def explore() -> Response:
    sheet = await context.look(_explore, cards(), paging(CELLS), True)
    return await page("explore.html", tab="/explore", sheet=sheet, trends=[])


@blueprint.get("/explore/network")
async def network() -> Response:
    sheet = await context.look(_explore, cards(), paging(CELLS), False)
    return await page("explore.html", tab="/explore/network", sheet=sheet, trends=[])


def _tags(tx: Reader, viewer: Account | None, kept: Trends) -> list[Trending]:
    return trends(tx, kept, 30)


@blueprint.get("/explore/tags")
async def tags() -> Response:
    found = await context.look(_tags, context.node().part(Trends))
    return await page("explore.html", tab="/explore/tags", trends=found, sheet=None)


@blueprint.get("/manifest.webmanifest")
async def manifest() -> Response:
    node = context.node()
    from web.files.asset_urls import Assets

    icon = {"src": node.part(Assets).url("favicon.svg"), "sizes": "any", "type": "image/svg+xml"}
    response = jsonify(
        name=node.config.node.title,
        short_name=node.config.node.title[:12],
        start_url="/",
        scope="/",
        display="standalone",
        background_color="#ffffff",
        theme_color="#ffffff",
        icons=[icon],
    )
    response.content_type = "application/manifest+json"
    return response
