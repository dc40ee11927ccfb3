"""Search: people, tags and words known here, and anyone or anything elsewhere by their address."""

from __future__ import annotations

from dataclasses import dataclass

from quart import Blueprint, Response, redirect, request

from activitypub.remote import lookup
from node import rate_limits
from node.accounts import accounts
from node.database import Reader
from node.discovery import search
from node.errors import Refused
from node.models.account import Account
from node.posts.hashtags import Hashtag
from node.timelines.timelines import Entry
from web.html.helpers import path_of, post_path
from web.html.lists import Bond, bonds
from web.html.post_cards import Cards, Sheet
from web.html.templates import cards, page
from web.i18n.translations import _, gettext
from web.request import context

blueprint = Blueprint("search", __name__)

LOOKUPS = 40
LOOKUP_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Results:
    people: list[Account]
    bonds: dict[int, Bond]
    tags: list[Hashtag]
    sheet: Sheet | None


def _search(tx: Reader, viewer: Account | None, cards: Cards, q: str) -> Results:
    people = search.accounts(tx, q, viewer, 12)
    found = [] if q.startswith(("@", "#")) else search.posts(tx, q, viewer, 24)
    return Results(
        people,
        bonds(tx, viewer, people),
        [] if q.startswith("@") else search.hashtags(tx, q.lstrip("#"), 12),
        cards.entries(tx, viewer, [Entry(id_, id_) for id_ in found], 25),
    )


def is_address(q: str) -> bool:
    """Whether this names one person or post, perhaps on another server."""
    return q.startswith(("https://", "http://")) or (q.lstrip("@").count("@") == 1 and " " not in q)


async def _elsewhere(q: str) -> tuple[str, str]:
    """Where the person or post of an address is shown here, or the sentence that says why not."""
    await context.look(context.nothing)
    person = context.person()
    if person is None:
        return "", _("Sign in to look for people and photos on other servers.")
    await context.limit(f"lookup {person.account.id}", most=LOOKUPS, seconds=LOOKUP_SECONDS)
    try:
        found = await lookup.resolve(context.node(), q, person.account)
    except Refused as refused:
        return "", gettext(refused.message)
    if found is None:
        return "", _("Nothing was found at that address. Check the spelling and whether it is public.")
    if isinstance(found, Account):
        return path_of(found), ""
    author = await context.look(_author, found.account_id)
    return post_path(found, author), ""


def _author(tx: Reader, viewer: Account | None, account_id: int) -> Account:
    return accounts.get(tx, account_id)


@blueprint.get("/search")
async def searched() -> Response:
    q = " ".join(request.args.get("q", "").split())[:2500]
    note = ""
    if q and is_address(q):
        path, note = await _elsewhere(q)
        if path:
            return redirect(path, 302)  # type: ignore[return-value]
    if q and context.person() is None:
        # Searching words costs the most of all pages, so strangers may do it only so often.
        await context.limit(f"search {rate_limits.network(context.address())}", most=30, seconds=60)
    found = await context.look(_search, cards(), q) if q else Results([], {}, [], None)
    return await page(
        "search.html",
        q=q,
        note=note,
        people=found.people,
        bonds=found.bonds,
        tags=found.tags,
        sheet=found.sheet,
    )
