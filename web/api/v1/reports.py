"""Reports: reporting an account to the moderators, and on request to its own server."""

from __future__ import annotations

import msgspec

from node import rate_limits
from node.accounts import accounts
from node.admin import reports
from node.database import Writer
from node.errors import NotFound
from web.api.endpoint import ApiRequest, JsonResponse, RouteTable
from web.api.entity_fields import format_datetime

routes = RouteTable()

MAX_REPORTS_PER_HOUR = 30


@routes.asynchronous("POST", "/api/v1/reports", "write:reports")
async def create(request: ApiRequest) -> JsonResponse:
    await request.node.db.write(
        rate_limits.count_attempt, f"report {request.caller.id}", limit=MAX_REPORTS_PER_HOUR, seconds=3600
    )
    return await request.node.db.write(_create, request)


def _create(tx: Writer, request: ApiRequest) -> JsonResponse:
    params = request.params
    target = accounts.by_id(tx, params.id("account_id") or 0)
    if target is None:
        raise NotFound
    made = reports.report(
        tx,
        request.caller,
        target,
        comment=params.text("comment"),
        post_ids=params.ids("status_ids"),
        category=params.text("category") or "other",
        is_forwarded=params.flag("forward"),
    )
    found = reports.details(tx, made.id)
    return request.json_response(
        {
            "id": str(made.id),
            "action_taken": not made.is_open,
            "action_taken_at": None,
            "category": made.category,
            "comment": made.words,
            "forwarded": made.is_forwarded,
            "created_at": format_datetime(made.created_at),
            "status_ids": [str(post.id) for post in found.posts] or None,
            "rule_ids": None,
            "collection_ids": None,
            "target_account": msgspec.Raw(request.entities.account(target)),
        }
    )
