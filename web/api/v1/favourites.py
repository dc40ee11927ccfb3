"""Favourites (likes): liking and unliking a post, listing who likes it, and the posts the caller likes."""

from __future__ import annotations

from node.database import Reader, Writer
from node.interactions import likes
from node.timelines import timelines
from web.api.endpoint import ApiRequest, JsonResponse, RouteTable
from web.api.v1.accounts import account_list_response
from web.api.v1.statuses import post_or_boosted, status_entity
from web.api.v1.timelines import respond_with_entries

routes = RouteTable()


@routes.write("POST", "/api/v1/statuses/{id}/favourite", "write:favourites")
def favourite(tx: Writer, request: ApiRequest) -> JsonResponse:
    post = post_or_boosted(tx, request)
    likes.like(tx, request.caller, post, visibility_checked=True)
    return JsonResponse(status_entity(tx, request, post.id))


@routes.write("POST", "/api/v1/statuses/{id}/unfavourite", "write:favourites")
def unfavourite(tx: Writer, request: ApiRequest) -> JsonResponse:
    post = post_or_boosted(tx, request)
    likes.unlike(tx, request.caller, post)
    return JsonResponse(status_entity(tx, request, post.id))


@routes.public("/api/v1/statuses/{id}/favourited_by", "read:statuses")
def list_favourited_by(tx: Reader, request: ApiRequest) -> JsonResponse:
    return account_list_response(
        request, lambda page: likes.likers(tx, post_or_boosted(tx, request), request.account, page)
    )


@routes.read("/api/v1/favourites", "read:favourites")
def list_favourites(tx: Reader, request: ApiRequest) -> JsonResponse:
    page = request.requested_page()
    return respond_with_entries(tx, request, page, timelines.likes(tx, request.caller, page))
