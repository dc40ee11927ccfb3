"""The home feed of signed-in users, the welcome page of visitors; Explore; the web app manifest."""

from __future__ import annotations

from quart import Blueprint, Response, jsonify

from node.database import Reader
from node.discovery.trends import TrendCache
from node.lifecycle import registration
from node.models.account import Account
from node.paging import Page
from node.timelines import post_summaries
from web.html.lists import HashtagRow, recent_photos, requested_page, trending_hashtags
from web.html.post_cards import CardPage, CardRenderer
from web.html.templates import card_renderer, render_page
from web.i18n.translations import _
from web.request import context

blueprint = Blueprint("home", __name__)

POSTS_PER_PAGE = 20
CELLS_PER_PAGE = 24


def _load_home(
    tx: Reader, viewer: Account | None, cards: CardRenderer, trends: TrendCache, page: Page
) -> tuple[CardPage, list[HashtagRow], bool]:
    if viewer is None:
        recent = recent_photos(tx, None, cards, Page(limit=CELLS_PER_PAGE), local=True)
        return recent, [], registration.needs_admin(tx)
    summaries = post_summaries.home(tx, viewer, page, include_comments=False)
    return (
        cards.prepare(tx, viewer, summaries, "card", summaries.older),
        trending_hashtags(tx, trends, 6) if page.max_id is None else [],
        False,
    )


@blueprint.get("/")
async def show_home() -> Response:
    card_page, trends, needs_admin = await context.read(
        _load_home,
        card_renderer(),
        context.current_node().component(TrendCache),
        requested_page(POSTS_PER_PAGE),
    )
    if context.signed_in_user() is None:
        return await render_page("welcome.html", card_page=card_page, needs_admin=needs_admin)
    return await render_page("home.html", card_page=card_page, trends=trends)


def _load_explore(
    tx: Reader, viewer: Account | None, cards: CardRenderer, page: Page, local: bool
) -> CardPage:
    return recent_photos(tx, viewer, cards, page, local=local)


@blueprint.get("/explore")
async def show_explore_local() -> Response:
    card_page = await context.read(_load_explore, card_renderer(), requested_page(CELLS_PER_PAGE), True)
    return await render_page("explore.html", tab="/explore", card_page=card_page, trends=[])


@blueprint.get("/explore/network")
async def show_explore_network() -> Response:
    card_page = await context.read(_load_explore, card_renderer(), requested_page(CELLS_PER_PAGE), False)
    return await render_page("explore.html", tab="/explore/network", card_page=card_page, trends=[])


def _load_hashtags(tx: Reader, viewer: Account | None, trends: TrendCache) -> list[HashtagRow]:
    return trending_hashtags(tx, trends, 30)


@blueprint.get("/explore/tags")
async def show_explore_hashtags() -> Response:
    found = await context.read(_load_hashtags, context.current_node().component(TrendCache))
    return await render_page("explore.html", tab="/explore/tags", trends=found, card_page=None)


@blueprint.get("/manifest.webmanifest")
async def show_manifest() -> Response:
    node = context.current_node()
    from web.files.asset_urls import Assets

    assets = node.component(Assets)
    icons = [{"src": assets.url("favicon.svg"), "sizes": "any", "type": "image/svg+xml"}]
    icons += [
        {
            "src": assets.url(f"icon-{size}.png"),
            "sizes": f"{size}x{size}",
            "type": "image/png",
            "purpose": purpose,
        }
        for size in (192, 512)
        for purpose in ("any", "maskable")
    ]
    response = jsonify(
        name=node.config.node.title,
        short_name=node.config.node.title[:12],
        start_url="/",
        scope="/",
        display="standalone",
        background_color="#ffffff",
        theme_color="#ffffff",
        icons=icons,
        shortcuts=[{"name": _("New post"), "url": "/compose"}],
        share_target={
            "action": "/compose/share",
            "method": "POST",
            "enctype": "multipart/form-data",
            "params": {
                **{name: name for name in ("title", "text", "url")},
                "files": [{"name": "photos", "accept": ["image/*"]}],
            },
        },
    )
    response.content_type = "application/manifest+json"
    return response
