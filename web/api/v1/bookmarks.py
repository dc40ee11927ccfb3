"""Bookmarks: adding, removing and listing them."""

from __future__ import annotations

from node.database import Reader, Writer
from node.interactions import bookmarks
from node.timelines import timelines
from web.api.endpoint import ApiRequest, JsonResponse, RouteTable
from web.api.v1.statuses import post_or_boosted, status_entity
from web.api.v1.timelines import respond_with_entries

routes = RouteTable()


@routes.write("POST", "/api/v1/statuses/{id}/bookmark", "write:bookmarks")
def bookmark(tx: Writer, request: ApiRequest) -> JsonResponse:
    post = post_or_boosted(tx, request)
    bookmarks.add(tx, request.caller, post, visibility_checked=True)
    return JsonResponse(status_entity(tx, request, post.id))


@routes.write("POST", "/api/v1/statuses/{id}/unbookmark", "write:bookmarks")
def unbookmark(tx: Writer, request: ApiRequest) -> JsonResponse:
    post = post_or_boosted(tx, request)
    bookmarks.remove(tx, request.caller, post)
    return JsonResponse(status_entity(tx, request, post.id))


@routes.read("/api/v1/bookmarks", "read:bookmarks")
def list_bookmarks(tx: Reader, request: ApiRequest) -> JsonResponse:
    page = request.requested_page()
    return respond_with_entries(tx, request, page, timelines.bookmarks(tx, request.caller, page))
