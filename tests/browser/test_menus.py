"""Menus and navigation on small screens: nothing of them is beyond the screen, whichever way a phone is held."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, expect

from federation_tests.fediverse import Fediverse
from tests.browser.seen import Place, place, signed_in
from tests.support.people import remote

# What one cannot reach: of a menu that is open, of the navigation, of the bar below a new post.
BEYOND = """() => [...document.querySelectorAll(
    ".menu[open] .sheet :is(a, button), .chrome a, .chrome summary, .compose-bar :is(button, summary)")]
  .filter((one) => one.checkVisibility())
  .map((one) => [one.innerText.trim() || one.getAttribute("aria-label"), one.getBoundingClientRect()])
  .filter(([, box]) => box.left < -.5 || box.right > innerWidth + .5 || box.top < -.5 || box.bottom > innerHeight + .5)
  .map(([name, box]) => `${name} at ${[box.left, box.top, box.right, box.bottom].map(Math.round)}`)"""


async def _page(browser: Browser, here: Place, width: int, height: int = 844) -> Page:
    page = await (await signed_in(browser, here, here.alice, width=width)).new_page()
    await page.set_viewport_size({"width": width, "height": height})
    return page


@pytest.mark.parametrize("width", [320, 390, 1280])
async def test_a_menu_is_wholly_on_the_screen(fediverse: Fediverse, browser: Browser, width: int) -> None:
    here = await place(fediverse)
    other = await here.node.db.write(remote, "zoe", "a-server-with-a-long-name.example")
    page = await _page(browser, here, width)
    for path in (f"/@{other.handle}", "/@bob", f"/p/alice/{here.post.id}", "/"):
        await page.goto(here.url(path), wait_until="networkidle")
        for summary in await page.locator(".menu > summary:visible").all():
            await summary.scroll_into_view_if_needed()
            await summary.click()
            await expect(page.locator(".menu[open] > .sheet")).to_be_visible()
            await page.wait_for_timeout(250)  # the sheet has come up
            assert await page.evaluate(BEYOND) == [], path
            await page.keyboard.press("Escape")


@pytest.mark.parametrize("size", [(844, 390), (780, 360)])
async def test_a_phone_on_its_side_shows_the_whole_navigation(
    fediverse: Fediverse, browser: Browser, size: tuple[int, int]
) -> None:
    here = await place(fediverse)
    page = await _page(browser, here, *size)
    for path in ("/", "/explore", "/compose", f"/p/alice/{here.post.id}"):
        await page.goto(here.url(path), wait_until="networkidle")
        assert await page.evaluate(BEYOND) == [], path
        smallest = await page.evaluate(
            """() => Math.min(...[...document.querySelectorAll(".chrome a, .chrome summary")]
                .filter((one) => one.checkVisibility()).map((one) => one.getBoundingClientRect().height))"""
        )
        assert smallest >= 24, path
    await page.goto(here.url("/"), wait_until="networkidle")
    await page.locator(".chrome > .menu > summary").click()
    assert await page.evaluate(BEYOND) == []
