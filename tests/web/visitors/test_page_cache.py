"""The cache of public responses: one render for many, dropped by change, bounded, and nothing personal in it."""

from __future__ import annotations

import asyncio

import pytest

from node.database.public_changes import PublicChanges
from node.errors import Overloaded
from web.visitors import page_cache
from web.visitors.page_cache import PageCache, WholeResponse


class Page:
    """What renders a page, and how often it did."""

    def __init__(self, response: WholeResponse | None = None) -> None:
        self.renders = 0
        self.response = response
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def __call__(self) -> WholeResponse:
        self.renders += 1
        body = b"render %d" % self.renders
        await self.may_end.wait()
        return self.response or WholeResponse(200, (), body)


@pytest.fixture
def changes() -> PublicChanges:
    return PublicChanges()


async def test_a_page_is_rendered_once_until_something_public_changes(changes: PublicChanges) -> None:
    cache, page = PageCache(changes, lambda: 0.0), Page()

    assert [(await cache.get("a", page)).body for _ in range(3)] == [b"render 1"] * 3
    changes.record()
    assert [(await cache.get("a", page)).body for _ in range(3)] == [b"render 2"] * 3


async def test_a_page_is_rendered_anew_after_seconds(changes: PublicChanges) -> None:
    clock = 0.0
    cache, page = PageCache(changes, lambda: clock), Page()

    await cache.get("a", page)
    clock += page_cache.TTL_SECONDS + 0.01

    assert (await cache.get("a", page)).body == b"render 2"


async def test_many_who_wait_get_one_render(changes: PublicChanges) -> None:
    cache, page = PageCache(changes, lambda: 0.0), Page()
    page.may_end.clear()

    waiting = [asyncio.create_task(cache.get("a", page)) for _ in range(20)]
    await asyncio.sleep(0)
    waiting[0].cancel()  # whoever came first leaves
    await asyncio.sleep(0)
    page.may_end.set()

    bodies = [one.body for one in await asyncio.gather(*waiting[1:])]
    assert (bodies, page.renders) == ([b"render 1"] * 19, 1)


async def test_a_render_that_began_before_a_change_is_for_nobody_who_came_after_it(
    changes: PublicChanges,
) -> None:
    cache, page = PageCache(changes, lambda: 0.0), Page()
    page.may_end.clear()
    before = asyncio.create_task(cache.get("a", page))
    await asyncio.sleep(0)

    changes.record()
    after = asyncio.create_task(cache.get("a", page))
    await asyncio.sleep(0)
    page.may_end.set()

    assert (await before).body == b"render 1"
    assert (await after).body == b"render 2"
    assert (await cache.get("a", page)).body == b"render 2"


@pytest.mark.parametrize(
    "response",
    [
        WholeResponse(200, ((b"Set-Cookie", b"a=b"),), b""),
        WholeResponse(404, (), b""),
        WholeResponse(500, (), b""),
        WholeResponse(302, (), b""),
        WholeResponse(200, (), b"x" * (page_cache.MAX_RESPONSE_BYTES + 1)),
        WholeResponse(200, (), b"", pieces=(b"x" * page_cache.MAX_RESPONSE_BYTES,), packed=(b"x",)),
    ],
)
async def test_what_is_personal_an_error_or_large_is_not_kept(
    changes: PublicChanges, response: WholeResponse
) -> None:
    cache, page = PageCache(changes, lambda: 0.0), Page(response)

    await cache.get("a", page)
    await cache.get("a", page)

    assert (page.renders, cache.bytes) == (2, 0)


async def test_what_is_kept_is_bounded_in_bytes(changes: PublicChanges) -> None:
    cache = PageCache(changes, lambda: 0.0)
    page = Page(WholeResponse(200, (), b"x" * 900_000))
    for n in range(40):
        await cache.get(n, page)
    for n in range(20_000):
        await cache.get(f"small {n}", Page(WholeResponse(200, (), b"")))
        assert cache.bytes <= page_cache.MAX_BYTES

    latest = Page()
    await cache.get("small 19999", latest)
    assert latest.renders == 0
    changes.record()
    for n in range(40):
        await cache.get(n, page)
    assert 0 < cache.bytes <= page_cache.MAX_BYTES


async def test_long_addresses_count_as_what_they_take(changes: PublicChanges) -> None:
    cache = PageCache(changes, lambda: 0.0)
    for n in range(1000):
        await cache.get((b"/", b"q=%d" % n + b"x" * 16_000), Page())

    first, latest = Page(), Page()
    await cache.get((b"/", b"q=999" + b"x" * 16_000), latest)
    await cache.get((b"/", b"q=0" + b"x" * 16_000), first)
    assert (latest.renders, first.renders) == (0, 1)


async def test_an_error_reaches_all_who_wait_and_is_not_kept(changes: PublicChanges) -> None:
    cache = PageCache(changes, lambda: 0.0)

    async def fail() -> WholeResponse:
        await asyncio.sleep(0)
        raise Overloaded("This server is busy.")

    results = await asyncio.gather(*(cache.get("a", fail) for _ in range(3)), return_exceptions=True)

    assert [type(one) for one in results] == [Overloaded] * 3
    assert (await cache.get("a", Page())).body == b"render 1"
