"""Home scrolled through two hundred posts: nothing moves by itself, and every post comes once.

How long the browser is busy meanwhile is measured by `tests/bench/scrolling.py`, since a test does not ask for time.
"""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from federation_tests.fediverse import Fediverse
from tests.browser.seen import complaints, place, signed_in
from tests.support import long_feeds

POSTS = 200
WATCH = """
  window.moved = {sum: 0, what: []};
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) if (!one.hadRecentInput) {
      moved.sum += one.value;
      moved.what.push(...one.sources.map((source) => source.node?.outerHTML?.slice(0, 100)));
    }
  }).observe({type: "layout-shift", buffered: true});
"""


@pytest.mark.parametrize(("width", "touch"), [(390, True), (1280, False)])
async def test_nothing_jumps_while_two_hundred_posts_are_scrolled_through(
    fediverse: Fediverse, browser: Browser, width: int, touch: bool
) -> None:
    here = await place(fediverse)
    await long_feeds.fill(here.node, here.alice, POSTS)
    page = await (await signed_in(browser, here, here.alice, width=width, touch=touch)).new_page()
    await page.add_init_script(WATCH)
    found = complaints(page)
    await page.goto(here.url("/"))
    posts = page.locator("#stream .post")
    while await posts.count() < POSTS:
        before = await posts.count()
        await page.evaluate("scrollBy(0, innerHeight * 0.9)")
        if await page.evaluate("scrollY + innerHeight >= document.documentElement.scrollHeight - 5"):
            await expect(posts).not_to_have_count(before, timeout=60_000)
        else:
            await page.wait_for_timeout(30)
    ids = await posts.evaluate_all("all => all.map((one) => one.dataset.post)")
    assert len(set(ids)) == len(ids)
    moved = await page.evaluate("moved")
    assert moved["sum"] < 0.001, moved["what"][:10]
    assert not found
