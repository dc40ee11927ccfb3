"""Timelines: home, public, and that of a hashtag."""

from __future__ import annotations

from node.database import Reader
from node.paging import Found, Page
from node.timelines import post_summaries, timelines
from node.timelines.post_summaries import PostSummary
from node.timelines.timelines import TimelineEntry
from web.api.endpoint import ApiRequest, JsonResponse, RouteTable

routes = RouteTable()


@routes.read("/api/v1/timelines/home", "read:statuses")
def home(tx: Reader, request: ApiRequest) -> JsonResponse:
    page = request.requested_page()
    return _respond_with_summaries(tx, request, page, post_summaries.home(tx, request.caller, page))


@routes.public("/api/v1/timelines/public", "read:statuses")
def public(tx: Reader, request: ApiRequest) -> JsonResponse:
    page, only_photos = request.requested_page(), request.params.flag("only_media")
    only_local, only_remote = _origin(request)
    if only_remote:
        entries = timelines.remote(tx, request.account, page, only_photos=only_photos)
    else:
        entries = timelines.public(tx, request.account, page, only_local=only_local, only_photos=only_photos)
    return respond_with_entries(tx, request, page, entries, "local", "remote", "only_media")


@routes.public("/api/v1/timelines/tag/{name}", "read:statuses")
def tag(tx: Reader, request: ApiRequest) -> JsonResponse:
    page = request.requested_page()
    only_local, only_remote = _origin(request)
    entries = timelines.hashtag(
        tx,
        request.account,
        request.path_args[0],
        page,
        only_local=only_local,
        only_remote=only_remote,
        only_photos=request.params.flag("only_media"),
        any_of=_hashtags(request, "any"),
        all_of=_hashtags(request, "all"),
        none_of=_hashtags(request, "none"),
    )
    return respond_with_entries(
        tx, request, page, entries, "local", "remote", "only_media", "any", "all", "none"
    )


def _origin(request: ApiRequest) -> tuple[bool, bool]:
    """Returns whether only local posts are asked for, and whether only remote ones; both together are all."""
    local, remote = request.params.flag("local"), request.params.flag("remote")
    return local and not remote, remote and not local


def _hashtags(request: ApiRequest, name: str) -> list[str]:
    return [tag for tag in request.params.all_values(name) if tag.strip()]


def respond_with_entries(
    tx: Reader, request: ApiRequest, page: Page, entries: Found[TimelineEntry], *list_params: str
) -> JsonResponse:
    summaries = entries.replaced_by(post_summaries.by_entries(tx, request.account, entries))
    return _respond_with_summaries(tx, request, page, summaries, *list_params)


def _respond_with_summaries(
    tx: Reader, request: ApiRequest, page: Page, summaries: Found[PostSummary], *list_params: str
) -> JsonResponse:
    bodies = request.entities.page(tx, request.account, summaries)
    return request.page_response(
        bodies, page, summaries.replaced_by([one.id for one in summaries]), *list_params
    )
