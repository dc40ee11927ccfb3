"""Search: accounts, hashtags and posts in the database, and with `resolve` one remote account or post."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from activitypub.remote import lookup
from node import rate_limits
from node.accounts import accounts
from node.database import Reader
from node.discovery import search
from node.errors import Invalid, Refused
from node.models.account import Account
from node.models.post import Post
from node.posts import followed_hashtags
from node.timelines import post_summaries
from node.timelines.timelines import TimelineEntry
from web.api.auth import InvalidToken
from web.api.endpoint import ApiRequest, JsonResponse, RouteTable

routes = RouteTable()

MAX_RESOLVES = 1000
RESOLVE_WINDOW_SECONDS = 300


@dataclass(slots=True)
class SearchEntities:
    accounts: list[bytes] = field(default_factory=list)
    statuses: list[bytes] = field(default_factory=list)
    hashtags: list[dict[str, Any]] = field(default_factory=list)


@routes.asynchronous("GET", "/api/v2/search", "read:search", access="anyone")
async def search_all(request: ApiRequest) -> JsonResponse:
    """Searches accounts, posts and hashtags. All three lists are always present; `type` fills only one."""
    query = request.required_param("q")[:2500]
    resolves = request.params.flag("resolve")
    if request.account is None and (resolves or request.params.number("offset", 0)):
        raise InvalidToken("The access token is invalid")
    resolved = await _resolve(request, query) if resolves and _is_handle_or_url(query) else None
    found = await request.node.db.read(_search_local, request, query, resolved)
    return request.json_response(
        {
            "accounts": [msgspec.Raw(body) for body in found.accounts],
            "statuses": [msgspec.Raw(body) for body in found.statuses],
            "hashtags": found.hashtags,
        }
    )


@routes.asynchronous("GET", "/api/v1/accounts/search", "read:accounts")
async def search_accounts(request: ApiRequest) -> JsonResponse:
    """Searches accounts alone, as an app does while a mention is typed."""
    query = request.required_param("q").removeprefix("@")[:2500]
    resolves = request.params.flag("resolve") and _is_handle_or_url(query)
    resolved = await _resolve(request, query) if resolves else None
    return await request.node.db.read(_list_accounts, request, query, resolved)


def _list_accounts(
    tx: Reader, request: ApiRequest, query: str, resolved: Account | Post | None
) -> JsonResponse:
    limit = request.params.number("limit", 40, minimum=1, maximum=search.MAX_RESULTS)
    offset = request.params.number("offset", 0, maximum=1000)
    found = _search_accounts(tx, request, query, resolved, limit, offset)
    return request.json_response(
        [msgspec.Raw(request.entities.account_with_move(tx, account)) for account in found]
    )


def _is_handle_or_url(query: str) -> bool:
    """Returns whether the query is a handle or a URL, rather than text."""
    return query.startswith(("https://", "http://")) or ("@" in query.strip("@") and " " not in query)


async def _resolve(request: ApiRequest, query: str) -> Account | Post | None:
    """Fetches the account or post that the query names from its server; None if that fails."""
    await request.node.db.write(
        rate_limits.count_attempt,
        f"resolve:{request.caller.id}",
        limit=MAX_RESOLVES,
        seconds=RESOLVE_WINDOW_SECONDS,
    )
    try:
        return await lookup.resolve(request.node, query, request.caller)
    except Refused:
        return None


def _search_local(
    tx: Reader, request: ApiRequest, query: str, resolved: Account | Post | None
) -> SearchEntities:
    kind = request.params.text("type")
    if kind not in ("", "accounts", "statuses", "hashtags"):
        raise Invalid("type is accounts, statuses or hashtags.", field="type")
    limit = request.params.number("limit", 20, minimum=1, maximum=40)
    offset = request.params.number("offset", 0, maximum=1000) if kind else 0
    is_one = _is_handle_or_url(query)
    found = SearchEntities()
    if kind in ("", "accounts"):
        found.accounts = [
            request.entities.account_with_move(tx, one)
            for one in _search_accounts(tx, request, query, resolved, limit, offset)
        ]
    if kind in ("", "statuses"):
        ids: list[int] = []
        if isinstance(resolved, Post):
            ids = [] if offset else [resolved.id]
        elif not is_one and request.account is not None:
            ids = _search_posts(tx, request, query, limit, offset)
        entries = [TimelineEntry(id_, id_) for id_ in ids]
        summaries = post_summaries.by_entries(tx, request.account, entries) if entries else []
        found.statuses = request.entities.page(tx, request.account, summaries)
    if kind in ("", "hashtags") and not is_one:
        tags = search.hashtags(tx, query, offset + limit)[offset:]
        followed = followed_hashtags.followed_ids(tx, request.account, [tag.id for tag in tags])
        found.hashtags = [request.entities.tag(tx, tag, is_followed=tag.id in followed) for tag in tags]
    return found


def _search_posts(tx: Reader, request: ApiRequest, query: str, limit: int, offset: int) -> list[int]:
    author_id = request.params.reference("account_id")
    author = accounts.by_id(tx, author_id) if author_id is not None else None
    if author_id is not None and author is None:
        return []
    max_id, min_id = request.params.id("max_id") or 0, request.params.id("min_id") or 0
    found = search.posts(tx, query, request.account, limit, offset=offset, max_id=max_id, author=author)
    return [id_ for id_ in found if id_ > min_id]


def _search_accounts(
    tx: Reader, request: ApiRequest, query: str, resolved: Account | Post | None, limit: int, offset: int
) -> list[Account]:
    if isinstance(resolved, Account):
        return [] if offset else [resolved]
    if query.startswith(("https://", "http://")):
        return []
    only_followed = request.params.flag("following") and request.account is not None
    return search.accounts(tx, query, request.account, limit, offset=offset, only_followed=only_followed)
