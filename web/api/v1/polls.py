"""Polls of remote posts, read-only: each has the id of its post."""

from __future__ import annotations

from node.database import Reader
from node.errors import NotFound
from node.posts import posts
from node.timelines import post_views
from web.api.endpoint import ApiRequest, JsonResponse, RouteTable

routes = RouteTable()


@routes.public("/api/v1/polls/{id}", "read:statuses")
def show(tx: Reader, request: ApiRequest) -> JsonResponse:
    """Returns the poll of a post that the caller may see, as it was counted last."""
    post = posts.visible_by_id(tx, request.account, request.path_id())
    [view] = post_views.by_entries(tx, request.account, [post.id])
    if view.extras.poll is None:
        raise NotFound
    return request.json_response(request.entities.poll(view))
