"""Search: accounts, hashtags and text in the database, and remote accounts and posts by handle or URL."""

from __future__ import annotations

from dataclasses import dataclass

from quart import Blueprint, Response, jsonify, redirect, request

from activitypub.remote import lookup
from node import rate_limits
from node.accounts import accounts
from node.database import Reader
from node.discovery import search
from node.errors import Refused
from node.models.account import Account
from node.paging import Found
from node.posts import hashtags
from node.posts.hashtags import Hashtag
from node.timelines import post_views
from node.timelines.post_views import PostView
from node.timelines.timelines import TimelineEntry
from web.html.helpers import avatar_path, post_path, profile_path
from web.html.lists import ViewerRelationship, viewer_relationships
from web.html.post_cards import CardPage, CardRenderer
from web.html.templates import card_renderer, render_page
from web.i18n.translations import _, gettext
from web.request import context

blueprint = Blueprint("search", __name__)

MAX_LOOKUPS = 40
MAX_SUGGESTIONS = 6
LOOKUP_WINDOW_SECONDS = 600
MAX_PHOTOS, MAX_COMMENTS = 24, 12


@dataclass(frozen=True, slots=True)
class SearchResults:
    people: list[Account]
    relationships: dict[int, ViewerRelationship]
    tags: list[Hashtag]
    posts: CardPage | None
    comments: list[PostView]


def _search(tx: Reader, viewer: Account | None, cards: CardRenderer, q: str) -> SearchResults:
    people = search.accounts(tx, q, viewer, 12)
    photos: list[int] = []
    comments: list[int] = []
    if not q.startswith(("@", "#")):
        photos = search.posts(tx, q, viewer, MAX_PHOTOS, is_comment=False)
        comments = search.posts(tx, q, viewer, MAX_COMMENTS, is_comment=True)
    return SearchResults(
        people,
        viewer_relationships(tx, viewer, people),
        [] if q.startswith("@") else search.hashtags(tx, q.lstrip("#"), 12),
        cards.prepare_entries(tx, viewer, Found([TimelineEntry(id_, id_) for id_ in photos])),
        post_views.by_entries(tx, viewer, comments),
    )


def is_handle_or_url(q: str) -> bool:
    """Returns whether the query names one account or post, perhaps on another server."""
    return q.startswith(("https://", "http://")) or (q.lstrip("@").count("@") == 1 and " " not in q)


async def _look_up_remote(q: str) -> tuple[str, str]:
    """Looks up a handle or URL; returns the path of its page on this node, or '' and a message that says why not."""
    await context.read(context.read_nothing)
    signed_in = context.signed_in_user()
    if signed_in is None:
        return "", _("Sign in to look for people and photos on other servers.")
    await context.limit_rate(
        f"lookup {signed_in.account.id}", max_attempts=MAX_LOOKUPS, seconds=LOOKUP_WINDOW_SECONDS
    )
    try:
        found = await lookup.resolve(context.current_node(), q, signed_in.account)
    except Refused as refused:
        return "", gettext(refused.message)
    if found is None:
        return "", _("Nothing was found at that address. Check the spelling and whether it is public.")
    if isinstance(found, Account):
        return profile_path(found), ""
    author = await context.read(_load_author, found.account_id)
    return post_path(found, author), ""


def _load_author(tx: Reader, viewer: Account | None, account_id: int) -> Account:
    return accounts.get(tx, account_id)


@blueprint.get("/search")
async def show_results() -> Response:
    q = " ".join(request.args.get("q", "").split())[:2500]
    note = ""
    if q and is_handle_or_url(q):
        path, note = await _look_up_remote(q)
        if path:
            return redirect(path, 302)  # type: ignore[return-value]
    if q and context.signed_in_user() is None:
        # Full-text search is the most expensive page, so visitors are rate-limited.
        await context.limit_rate(
            f"search {rate_limits.client_network(context.client_address())}", max_attempts=30, seconds=60
        )
    found = await context.read(_search, card_renderer(), q) if q else SearchResults([], {}, [], None, [])
    return await render_page(
        "search.html",
        q=q,
        note=note,
        people=found.people,
        relationships=found.relationships,
        tags=found.tags,
        card_page=found.posts,
        comments=found.comments,
    )


@blueprint.get("/search/suggestions")
async def suggest() -> Response:
    """Returns how a mention or a hashtag that is being typed (`q`, with its sign) may go on, as JSON for a script.

    Each has the text to put in its place, a name, and for people the path of their avatar.
    """
    return jsonify(await context.read_signed_in(_suggest, request.args.get("q", "")[:200]))


def _suggest(tx: Reader, account: Account, q: str) -> list[dict[str, str]]:
    if q.startswith("#"):
        return [
            {"text": f"#{tag.display}", "name": tag.display, "image": ""}
            for tag in hashtags.suggest(tx, q[1:], MAX_SUGGESTIONS)
        ]
    if not q.startswith("@"):
        return []
    return [
        {"text": f"@{one.handle}", "name": one.label, "image": avatar_path(one)}
        for one in search.accounts(tx, q, account, MAX_SUGGESTIONS)
    ]
