"""On a phone every page below the first leads back, without the buttons of a browser."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from federation_tests.fediverse import Fediverse
from tests.browser.seen import place, signed_in

# What stands in for a link back: Close of the pages that are written on or looked at, Cancel of a question.
BACK = "main :is([data-back], [aria-label=Close], a.plain:text-is('Cancel'), .photo-details [value=done])"
DEEP = [
    "/p/alice/{post}",
    "/posts/{album}/photos/2",
    "/posts/{post}/edit",
    "/posts/{post}/likes",
    "/posts/{post}/history",
    "/posts/{post}/who-can-comment",
    "/posts/{post}/delete",
    "/@alice/followers",
    "/tags/lake",
    "/bookmarks",
    "/drafts",
    "/follow-requests",
    "/settings",
    "/settings/profile",
    "/settings/password",
    "/people/{bob}/mute",
    "/report?person={bob}",
    "/admin/people",
]


@pytest.mark.parametrize(("width", "height"), [(390, 844), (844, 390)])
async def test_every_deep_page_has_a_way_back_without_scripts(
    fediverse: Fediverse, browser: Browser, width: int, height: int
) -> None:
    here = await place(fediverse)
    page = await (await signed_in(browser, here, here.alice, width=width, scripts=False)).new_page()
    await page.set_viewport_size({"width": width, "height": height})
    places = {"post": here.post.id, "album": here.album.id, "bob": here.bob.id}
    missing = []
    for path in DEEP:
        await page.goto(here.url(path.format(**places)))
        if not await page.locator(f"{BACK} >> visible=true").count():
            missing.append(path)
    assert missing == []
    await page.goto(here.url(f"/p/alice/{here.post.id}"))
    await page.get_by_role("link", name="Back").click()
    await expect(page).to_have_url(here.url("/"))


async def test_back_leads_to_where_one_came_from(fediverse: Fediverse, browser: Browser) -> None:
    here = await place(fediverse)
    page = await (await signed_in(browser, here, here.bob, width=390)).new_page()
    # From a page to return to; from none; and from one that is done with, which leads to the page above instead.
    for first, leads_to in (("/@alice", "/@alice"), ("", "/"), ("/compose", "/")):
        if first:
            await page.goto(here.url(first))
            await page.wait_for_load_state("networkidle")
            await page.evaluate("path => location.assign(path)", f"/p/alice/{here.post.id}")
            await page.wait_for_url(f"**/p/alice/{here.post.id}")
        else:
            await page.goto(here.url(f"/p/alice/{here.post.id}"))
        await page.wait_for_load_state("networkidle")
        await page.get_by_role("link", name="Back").click()
        await expect(page).to_have_url(here.url(leads_to))


@pytest.mark.parametrize("kind", ["post", "album"])
async def test_a_photo_fits_a_phone_on_its_side(fediverse: Fediverse, browser: Browser, kind: str) -> None:
    here = await place(fediverse)
    page = await (await signed_in(browser, here, here.bob)).new_page()
    await page.set_viewport_size({"width": 844, "height": 390})
    for path in (f"/p/alice/{getattr(here, kind).id}", "/"):
        await page.goto(here.url(path))
        await page.wait_for_load_state("networkidle")
        heights = await page.locator(".post .photo").evaluate_all("all => all.map((one) => one.offsetHeight)")
        assert heights
        # The field for a comment stands below it, or the row of actions.
        assert max(heights) <= 390 - 64, path
