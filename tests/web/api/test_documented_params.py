"""Every parameter that Mastodon documents for an endpoint we have is read, refused, or named as one without effect."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from node.models.account import Account
from tests.support.asgi import Client
from tests.web.api.conftest import App
from web.api import params
from web.api.routes import ROUTES

DOCUMENT = Path(__file__).parents[3] / "docs" / "client-api.md"
PAGE = "max_id since_id min_id limit"

# What Mastodon's documentation lists for each endpoint that takes any.
DOCUMENTED = {
    "GET /api/v1/accounts/lookup": "acct",
    "GET /api/v1/accounts/relationships": "id with_suspended",
    "GET /api/v1/accounts/search": "q limit offset resolve following",
    "PATCH /api/v1/accounts/update_credentials": (
        "display_name note avatar header avatar_description header_description locked bot discoverable "
        "hide_collections indexable fields_attributes attribution_domains source[privacy] source[sensitive] "
        "source[language] source[quote_policy]"
    ),
    "GET /api/v1/followed_tags": PAGE,
    "GET /api/v1/markers": "timeline",
    "POST /api/v1/markers": "home[last_read_id] notifications[last_read_id]",
    "GET /api/v1/accounts/{id}/statuses": f"{PAGE} only_media exclude_replies exclude_reblogs pinned tagged",
    "GET /api/v1/accounts/{id}/followers": PAGE,
    "GET /api/v1/accounts/{id}/following": PAGE,
    "GET /api/v1/blocks": PAGE,
    "GET /api/v1/mutes": PAGE,
    "POST /api/v1/accounts/{id}/follow": "reblogs notify languages",
    "POST /api/v1/accounts/{id}/mute": "notifications duration",
    "GET /api/v1/bookmarks": PAGE,
    "GET /api/v1/statuses/{id}/favourited_by": PAGE,
    "GET /api/v1/favourites": PAGE,
    "GET /api/v1/follow_requests": PAGE,
    "POST /api/v2/media": "file thumbnail description focus",
    "POST /api/v1/media": "file thumbnail description focus",
    "PUT /api/v1/media/{id}": "thumbnail description focus",
    "GET /api/v1/notifications": f"{PAGE} types exclude_types account_id include_filtered",
    "GET /api/v1/notifications/unread_count": "limit types exclude_types account_id",
    "POST /api/v1/statuses/{id}/reblog": "visibility",
    "GET /api/v1/statuses/{id}/reblogged_by": PAGE,
    "POST /api/v1/reports": "account_id status_ids comment forward category rule_ids",
    "GET /api/v2/search": "q type resolve following account_id exclude_unreviewed max_id min_id limit offset",
    "POST /api/v1/statuses": (
        "status media_ids poll[options] poll[expires_in] poll[multiple] in_reply_to_id sensitive spoiler_text "
        "visibility language scheduled_at allowed_mentions quoted_status_id quote_approval_policy"
    ),
    "PUT /api/v1/statuses/{id}": (
        "status spoiler_text sensitive language media_ids media_attributes poll[options] poll[multiple] "
        "quote_approval_policy"
    ),
    "DELETE /api/v1/statuses/{id}": "delete_media",
    "GET /api/v1/scheduled_statuses": PAGE,
    "GET /api/v1/timelines/home": PAGE,
    "GET /api/v1/timelines/public": f"{PAGE} local remote only_media",
    "GET /api/v1/timelines/tag/{name}": f"{PAGE} any all none local remote only_media",
}
VALUES = {
    **dict.fromkeys(("max_id", "min_id", "since_id"), "117700000000000000"),
    **dict.fromkeys(("limit",), "2"),
    "visibility": "unlisted",
    "language": "de",
    "quote_approval_policy": "followers",
    "category": "spam",
    "duration": "300",
    "focus": "0,0",
    "acct": "alice",
    "q": "lake",
    "type": "statuses",
}
NO_EFFECT = re.compile(r"^- `(\S+)` of `([A-Z]+ \S+)`: ", re.MULTILINE)


class RecordedParams(params.Params):
    """Parameters that note which names were asked for."""

    asked: set[str] = set()  # noqa: RUF012

    def _last(self, name: str) -> Any:
        self.asked.add(name)
        return super()._last(name)

    def __contains__(self, name: str) -> bool:
        self.asked.add(name)
        return super().__contains__(name)

    def all_values(self, name: str) -> list[str]:
        self.asked.add(name)
        return super().all_values(name)

    def all_ids(self, name: str, limit: int = 100) -> list[int]:
        self.asked.add(name)
        return super().all_ids(name, limit)

    def objects(self, name: str) -> list[dict[str, str]]:
        self.asked.add(name)
        return super().objects(name)


def _without_effect() -> set[tuple[str, str]]:
    return {(endpoint, name) for name, endpoint in NO_EFFECT.findall(DOCUMENT.read_text())}


async def _asked(
    client: Client, route: str, name: str, status_id: str, other: int, photo: bytes
) -> tuple[set[str], int]:
    RecordedParams.asked = set()
    method, path = route.split()
    if "accounts/{id}" in path:
        path = path.replace("{id}", str(other))
    path = path.replace("{id}", status_id).replace("{name}", "lake")
    value = VALUES.get(name, "1")
    extra = {"status": "Words"} if route == "POST /api/v1/statuses" and name != "status" else {}
    extra |= {"q": "lake"} if "search" in path and name != "q" else {}
    extra |= {"account_id": str(other)} if path.endswith("/reports") else {}
    extra |= {"type": "accounts"} if name == "offset" else {}
    if path.endswith("/media") and name != "file":
        reply = await client.call(method, path, form={name: value}, files={"file": photo})
    elif path.endswith("/media"):
        reply = await client.call(method, path, form={}, files={"file": photo})
        RecordedParams.asked.add("file")
    else:
        reply = await client.call(method, path, {**extra, name: value})
    return RecordedParams.asked, reply.status


@pytest.mark.parametrize("route", DOCUMENTED)
async def test_no_documented_parameter_is_ignored_silently(
    app: App,
    alice: Account,
    bob: Account,
    photo: Callable[..., bytes],
    monkeypatch: pytest.MonkeyPatch,
    route: str,
) -> None:
    client = await app(alice)
    monkeypatch.setattr(params, "Params", RecordedParams)
    ignored = []
    for name in DOCUMENTED[route].split():
        kept = (await client.post("/api/v1/statuses", sent={"status": "A #lake"})).json["id"]
        if "/api/v1/media/{id}" in route:
            kept = (await client.post("/api/v2/media", files={"file": photo(60, 40)})).json["id"]
        asked, status = await _asked(client, route, name, kept, bob.id, photo(60, 40))
        assert status < 500, (route, name)
        if name not in asked and status != 422:
            ignored.append((route, name))
    assert set(ignored) == {one for one in _without_effect() if one[0] == route}


def test_the_table_names_endpoints_that_exist() -> None:
    known = {f"{route.method} {route.path}" for route in ROUTES}
    assert set(DOCUMENTED) <= known
    assert {endpoint for endpoint, _ in _without_effect()} <= known
