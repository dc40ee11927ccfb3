"""Search: people, hashtags and posts known here, and with `resolve` one person or post from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from activitypub.remote import lookup
from node import rate_limits
from node.database import Reader
from node.discovery import search
from node.errors import Refused
from node.models.account import Account
from node.models.post import Post
from node.timelines import post_views
from web.api.auth import NotSignedIn
from web.api.endpoint import Answer, Call

RESOLVES = 1000
RESOLVES_SECONDS = 300


@dataclass(slots=True)
class Found:
    accounts: list[bytes] = field(default_factory=list)
    statuses: list[bytes] = field(default_factory=list)
    hashtags: list[dict[str, Any]] = field(default_factory=list)


async def find(call: Call) -> Answer:
    """All three lists are always there; `type` fills only one."""
    query = call.required("q")[:2500]
    resolves = call.params.flag("resolve")
    if call.account is None and (resolves or call.params.number("offset", 0)):
        raise NotSignedIn("The access token is invalid")
    elsewhere = await _resolve(call, query) if resolves and _names_one(query) else None
    found = await call.node.db.read(_local, call, query, elsewhere)
    return call.json(
        {
            "accounts": [msgspec.Raw(body) for body in found.accounts],
            "statuses": [msgspec.Raw(body) for body in found.statuses],
            "hashtags": found.hashtags,
        }
    )


def _names_one(query: str) -> bool:
    """Whether it is a handle or an address, rather than words."""
    return query.startswith(("https://", "http://")) or ("@" in query.strip("@") and " " not in query)


async def _resolve(call: Call, query: str) -> Account | Post | None:
    """Ask the server that the query names. One that does not answer is as good as nothing found."""
    await call.node.db.write(
        rate_limits.count, f"resolve:{call.who.id}", limit=RESOLVES, seconds=RESOLVES_SECONDS
    )
    try:
        return await lookup.resolve(call.node, query, call.who)
    except Refused:
        return None


def _local(tx: Reader, call: Call, query: str, elsewhere: Account | Post | None) -> Found:
    kind = call.params.text("type")
    limit = call.params.number("limit", 20, least=1, most=40)
    offset = call.params.number("offset", 0, most=1000) if kind else 0
    is_one = _names_one(query)
    found = Found()
    if kind in ("", "accounts"):
        found.accounts = [
            call.entities.account(one) for one in _people(tx, call, query, elsewhere, limit, offset)
        ]
    if kind in ("", "statuses"):
        ids: list[int] = []
        if isinstance(elsewhere, Post):
            ids = [elsewhere.id]
        elif not is_one and call.account is not None and not offset:
            max_id = call.params.id("max_id") or 0
            ids = search.posts(tx, query, call.account, limit, max_id=max_id)
        found.statuses = call.entities.statuses(post_views.of(tx, call.account, ids), call.account)
    if kind in ("", "hashtags") and not is_one and not offset:
        found.hashtags = [call.entities.tag(tx, tag) for tag in search.hashtags(tx, query, limit)]
    return found


def _people(
    tx: Reader, call: Call, query: str, elsewhere: Account | Post | None, limit: int, offset: int
) -> list[Account]:
    if isinstance(elsewhere, Account):
        return [elsewhere]
    if query.startswith(("https://", "http://")):
        return []
    only_followed = call.params.flag("following") and call.account is not None
    return search.accounts(tx, query, call.account, limit, offset=offset, only_followed=only_followed)
