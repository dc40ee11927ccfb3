"""Timelines: home, public, a hashtag, and the caller's own bookmarks and favourites."""

from __future__ import annotations

from collections.abc import Sequence

from node.database import Reader
from node.paging import Page
from node.timelines import post_summaries, timelines
from node.timelines.post_summaries import Glance
from node.timelines.timelines import Entry
from web.api.endpoint import Answer, Call


def home(tx: Reader, call: Call) -> Answer:
    page = call.page()
    return _answer(tx, call, page, post_summaries.home(tx, call.who, page))


def public(tx: Reader, call: Call) -> Answer:
    page, only_photos = call.page(), call.params.flag("only_media")
    if call.params.flag("remote"):
        entries = timelines.elsewhere(tx, call.account, page, only_photos=only_photos)
    else:
        only_local = call.params.flag("local")
        entries = timelines.public(tx, call.account, page, only_local=only_local, only_photos=only_photos)
    return _shown(tx, call, page, entries, "local", "remote", "only_media")


def tag(tx: Reader, call: Call) -> Answer:
    page = call.page()
    entries = timelines.hashtag(
        tx,
        call.account,
        call.args[0],
        page,
        only_local=call.params.flag("local"),
        only_photos=call.params.flag("only_media"),
    )
    return _shown(tx, call, page, entries, "local", "only_media")


def bookmarks(tx: Reader, call: Call) -> Answer:
    page = call.page()
    return _shown(tx, call, page, timelines.bookmarks(tx, call.who, page))


def favourites(tx: Reader, call: Call) -> Answer:
    page = call.page()
    return _shown(tx, call, page, timelines.likes(tx, call.who, page))


def _shown(tx: Reader, call: Call, page: Page, entries: Sequence[Entry], *kept: str) -> Answer:
    return _answer(tx, call, page, post_summaries.of(tx, call.account, entries), *kept)


def _answer(tx: Reader, call: Call, page: Page, glanced: Sequence[Glance], *kept: str) -> Answer:
    bodies = call.entities.page(tx, call.account, glanced)
    return call.listed(bodies, page, [one.id for one in glanced], *kept)
