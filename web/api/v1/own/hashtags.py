"""Hashtags: one with its use, and following them."""

from __future__ import annotations

import msgspec

from node.database import Reader, Writer
from node.errors import NotFound
from node.posts import followed_hashtags, hashtags
from node.posts.hashtags import Hashtag
from node.text.formatting import cut_hashtag, normalize_hashtag
from web.api.endpoint import ApiRequest, JsonResponse, RouteTable

routes = RouteTable()


@routes.public("/api/v1/tags/{name}", "read:follows", "follow")
def show(tx: Reader, request: ApiRequest) -> JsonResponse:
    """Returns a hashtag, also one that no post has; what can be no hashtag is not found."""
    name = request.path_args[0]
    found = hashtags.by_name(tx, name)
    if found is None:
        if not normalize_hashtag(name):
            raise NotFound
        found = Hashtag(0, normalize_hashtag(name), cut_hashtag(name), 0)
    is_followed = followed_hashtags.is_followed(tx, request.account, found)
    return request.json_response(request.entities.tag(tx, found, is_followed=is_followed))


@routes.write("POST", "/api/v1/tags/{name}/follow", "write:follows", "follow")
def follow(tx: Writer, request: ApiRequest) -> JsonResponse:
    found = followed_hashtags.follow(tx, request.caller, request.path_args[0])
    return request.json_response(request.entities.tag(tx, found, is_followed=True))


@routes.write("POST", "/api/v1/tags/{name}/unfollow", "write:follows", "follow")
def unfollow(tx: Writer, request: ApiRequest) -> JsonResponse:
    followed_hashtags.unfollow(tx, request.caller, request.path_args[0])
    return show(tx, request)


@routes.read("/api/v1/followed_tags", "read:follows", "follow")
def list_followed(tx: Reader, request: ApiRequest) -> JsonResponse:
    page = request.requested_page(100, 200)
    found = followed_hashtags.by_account(tx, request.caller, page)
    bodies = [msgspec.json.encode(request.entities.tag(tx, one, is_followed=True)) for _, one in found]
    return request.page_response(bodies, page, [row_id for row_id, _ in found])
