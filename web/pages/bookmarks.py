"""The bookmarks of the signed-in account, as a grid. Adding and removing them: `web.html.post_actions`."""

from __future__ import annotations

from quart import Blueprint, Response

from node.database import Reader
from node.models.account import Account
from node.paging import Page
from node.timelines import timelines
from web.html.lists import requested_page
from web.html.post_cards import CardPage, CardRenderer
from web.html.templates import card_renderer, render_page
from web.i18n.translations import _
from web.request import context

blueprint = Blueprint("bookmarks", __name__)

CELLS_PER_PAGE = 24


def _load_bookmarks(tx: Reader, account: Account, cards: CardRenderer, page: Page) -> CardPage:
    return cards.prepare_entries(tx, account, timelines.bookmarks(tx, account, page))


@blueprint.get("/bookmarks")
async def show_bookmarks() -> Response:
    card_page = await context.read_signed_in(_load_bookmarks, card_renderer(), requested_page(CELLS_PER_PAGE))
    return await render_page(
        "posts/list.html",
        title=_("Bookmarks"),
        note=_("Only visible to you"),
        card_page=card_page,
        empty={
            "icon": "bookmark",
            "title": _("No bookmarks yet"),
            "hint": _("Posts you bookmark appear here."),
        },
    )
