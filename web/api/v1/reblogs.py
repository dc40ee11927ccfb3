"""Reblogs (boosts): boosting and unboosting a post, and listing who boosts it."""

from __future__ import annotations

from node.database import Reader, Writer
from node.interactions import boosts
from node.timelines import post_views, timelines
from web.api.endpoint import ApiRequest, JsonResponse, RouteTable
from web.api.v1.accounts import account_list_response
from web.api.v1.statuses import parse_visibility, post_or_boosted, status_entity

routes = RouteTable()


@routes.write("POST", "/api/v1/statuses/{id}/reblog", "write:statuses")
def reblog(tx: Writer, request: ApiRequest) -> JsonResponse:
    """Boosts a post. The response is the status of the boost, with that of the post inside."""
    post = post_or_boosted(tx, request)
    visibility = request.params.text("visibility", "public")
    boost = boosts.boost(
        tx, request.caller, post, visibility=parse_visibility(visibility or "public"), visibility_checked=True
    )
    (view,) = post_views.by_entries(
        tx, request.account, [timelines.TimelineEntry(boost.id, post.id, request.caller.id)]
    )
    return JsonResponse(request.entities.status(view, request.account))


@routes.write("POST", "/api/v1/statuses/{id}/unreblog", "write:statuses")
def unreblog(tx: Writer, request: ApiRequest) -> JsonResponse:
    post = post_or_boosted(tx, request)
    boosts.unboost(tx, request.caller, post)
    return JsonResponse(status_entity(tx, request, post.id))


@routes.public("/api/v1/statuses/{id}/reblogged_by", "read:statuses")
def list_reblogged_by(tx: Reader, request: ApiRequest) -> JsonResponse:
    return account_list_response(
        request, lambda page: boosts.boosters(tx, post_or_boosted(tx, request), request.account, page)
    )
