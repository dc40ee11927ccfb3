"""Timelines: home, public, and that of a hashtag."""

from __future__ import annotations

from collections.abc import Sequence

from node.database import Reader
from node.paging import Page
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
    if request.params.flag("remote"):
        entries = timelines.remote(tx, request.account, page, only_photos=only_photos)
    else:
        only_local = request.params.flag("local")
        entries = timelines.public(tx, request.account, page, only_local=only_local, only_photos=only_photos)
    return respond_with_entries(tx, request, page, entries, "local", "remote", "only_media")


@routes.public("/api/v1/timelines/tag/{name}", "read:statuses")
def tag(tx: Reader, request: ApiRequest) -> JsonResponse:
    page = request.requested_page()
    entries = timelines.hashtag(
        tx,
        request.account,
        request.path_args[0],
        page,
        only_local=request.params.flag("local"),
        only_photos=request.params.flag("only_media"),
    )
    return respond_with_entries(tx, request, page, entries, "local", "only_media")


def respond_with_entries(
    tx: Reader, request: ApiRequest, page: Page, entries: Sequence[TimelineEntry], *list_params: str
) -> JsonResponse:
    return _respond_with_summaries(
        tx, request, page, post_summaries.by_entries(tx, request.account, entries), *list_params
    )


def _respond_with_summaries(
    tx: Reader, request: ApiRequest, page: Page, summaries: Sequence[PostSummary], *list_params: str
) -> JsonResponse:
    bodies = request.entities.page(tx, request.account, summaries)
    return request.page_response(bodies, page, [one.id for one in summaries], *list_params)
