"""Search: people, tags and words known here, and anyone or anything elsewhere by their address."""

from __future__ import annotations

from dataclasses import dataclass

from quart import Blueprint, Response, redirect, request

from activitypub import lookups
from node import accounts, limits, search
from node.accounts import Account
from node.database import Reader
from node.errors import Refused
from node.hashtags import Hashtag
from node.timelines import Entry
from web import current
from web.cards import Cards, Sheet
from web.pages.lists import Bond, bonds
from web.pieces import path_of, post_path
from web.render import cards, page
from web.words import _, gettext

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
    await current.look(current.nothing)
    person = current.person()
    if person is None:
        return "", _("Sign in to look for people and photos on other servers.")
    await current.limit(f"lookup {person.account.id}", most=LOOKUPS, seconds=LOOKUP_SECONDS)
    try:
        found = await lookups.resolve(current.node(), q, person.account)
    except Refused as refused:
        return "", gettext(refused.message)
    if found is None:
        return "", _("Nothing was found at that address. Check the spelling and whether it is public.")
    if isinstance(found, Account):
        return path_of(found), ""
    author = await current.look(_author, found.account_id)
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
    if q and current.person() is None:
        # Searching words costs the most of all pages, so strangers may do it only so often.
        await current.limit(f"search {limits.network(current.address())}", most=30, seconds=60)
    found = await current.look(_search, cards(), q) if q else Results([], {}, [], None)
    return await page(
        "search.html",
        q=q,
        note=note,
        people=found.people,
        bonds=found.bonds,
        tags=found.tags,
        sheet=found.sheet,
    )
