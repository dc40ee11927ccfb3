"""What people do with a status: favourites (likes), bookmarks and reblogs (boosts), and the lists of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from node.database import Reader, Writer
from node.interactions import bookmarks, boosts, likes
from node.models.account import Account
from node.models.post import Post
from node.timelines import post_views, timelines
from web.api.endpoint import ApiRequest, JsonResponse, RouteTable
from web.api.v1.accounts import account_list_response
from web.api.v1.statuses import parse_visibility, post_or_boosted, status_entity
from web.api.v1.timelines import respond_with_entries

routes = RouteTable()


def _act(tx: Writer, request: ApiRequest, action: Callable[[Writer, Account, Post], Any]) -> JsonResponse:
    """Does something to a post that the caller sees. The response is its status."""
    post = post_or_boosted(tx, request)
    action(tx, request.caller, post)
    return JsonResponse(status_entity(tx, request, post.id))


@routes.write("POST", "/api/v1/statuses/{id}/favourite", "write:favourites")
def favourite(tx: Writer, request: ApiRequest) -> JsonResponse:
    return _act(tx, request, partial(likes.like, visibility_checked=True))


@routes.write("POST", "/api/v1/statuses/{id}/unfavourite", "write:favourites")
def unfavourite(tx: Writer, request: ApiRequest) -> JsonResponse:
    return _act(tx, request, likes.unlike)


@routes.public("/api/v1/statuses/{id}/favourited_by", "read:statuses")
def list_favourited_by(tx: Reader, request: ApiRequest) -> JsonResponse:
    return account_list_response(
        request, lambda page: likes.likers(tx, post_or_boosted(tx, request), request.account, page)
    )


@routes.read("/api/v1/favourites", "read:favourites")
def list_favourites(tx: Reader, request: ApiRequest) -> JsonResponse:
    page = request.requested_page()
    return respond_with_entries(tx, request, page, timelines.likes(tx, request.caller, page))


@routes.write("POST", "/api/v1/statuses/{id}/bookmark", "write:bookmarks")
def bookmark(tx: Writer, request: ApiRequest) -> JsonResponse:
    return _act(tx, request, partial(bookmarks.add, visibility_checked=True))


@routes.write("POST", "/api/v1/statuses/{id}/unbookmark", "write:bookmarks")
def unbookmark(tx: Writer, request: ApiRequest) -> JsonResponse:
    return _act(tx, request, bookmarks.remove)


@routes.read("/api/v1/bookmarks", "read:bookmarks")
def list_bookmarks(tx: Reader, request: ApiRequest) -> JsonResponse:
    page = request.requested_page()
    return respond_with_entries(tx, request, page, timelines.bookmarks(tx, request.caller, page))


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
    return _act(tx, request, boosts.unboost)


@routes.public("/api/v1/statuses/{id}/reblogged_by", "read:statuses")
def list_reblogged_by(tx: Reader, request: ApiRequest) -> JsonResponse:
    return account_list_response(
        request, lambda page: boosts.boosters(tx, post_or_boosted(tx, request), request.account, page)
    )
