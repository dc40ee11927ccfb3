"""Timelines: home, public, a hashtag, and the caller's own bookmarks and favourites."""

from __future__ import annotations

from collections.abc import Sequence

from node.database import Reader
from node.paging import Page
from node.timelines import post_summaries, timelines
from node.timelines.post_summaries import PostSummary
from node.timelines.timelines import TimelineEntry
from web.api.endpoint import ApiRequest, JsonResponse


def home(tx: Reader, call: ApiRequest) -> JsonResponse:
    page = call.requested_page()
    return _respond_with_summaries(tx, call, page, post_summaries.home(tx, call.caller, page))


def public(tx: Reader, call: ApiRequest) -> JsonResponse:
    page, only_photos = call.requested_page(), call.params.flag("only_media")
    if call.params.flag("remote"):
        entries = timelines.remote(tx, call.account, page, only_photos=only_photos)
    else:
        only_local = call.params.flag("local")
        entries = timelines.public(tx, call.account, page, only_local=only_local, only_photos=only_photos)
    return _respond_with_entries(tx, call, page, entries, "local", "remote", "only_media")


def tag(tx: Reader, call: ApiRequest) -> JsonResponse:
    page = call.requested_page()
    entries = timelines.hashtag(
        tx,
        call.account,
        call.path_args[0],
        page,
        only_local=call.params.flag("local"),
        only_photos=call.params.flag("only_media"),
    )
    return _respond_with_entries(tx, call, page, entries, "local", "only_media")


def bookmarks(tx: Reader, call: ApiRequest) -> JsonResponse:
    page = call.requested_page()
    return _respond_with_entries(tx, call, page, timelines.bookmarks(tx, call.caller, page))


def favourites(tx: Reader, call: ApiRequest) -> JsonResponse:
    page = call.requested_page()
    return _respond_with_entries(tx, call, page, timelines.likes(tx, call.caller, page))


def _respond_with_entries(
    tx: Reader, call: ApiRequest, page: Page, entries: Sequence[TimelineEntry], *kept: str
) -> JsonResponse:
    return _respond_with_summaries(
        tx, call, page, post_summaries.by_entries(tx, call.account, entries), *kept
    )


def _respond_with_summaries(
    tx: Reader, call: ApiRequest, page: Page, glanced: Sequence[PostSummary], *kept: str
) -> JsonResponse:
    bodies = call.entities.page(tx, call.account, glanced)
    return call.page_response(bodies, page, [one.id for one in glanced], *kept)
