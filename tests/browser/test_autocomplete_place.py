"""What is suggested while one types lies on the page, beside what was typed, and is named, wherever one can type it."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from federation_tests.fediverse import Fediverse
from node.attachments import photos
from tests.browser.seen import Place, axe, place, signed_in
from tests.browser.test_accessibility import RUN
from tests.support.pictures import picture
from tests.support.posting import publish

PLACE = """(field) => {
  const list = document.querySelector(".suggestions");
  const [a, b] = [list.getBoundingClientRect(), field.getBoundingClientRect()];
  const root = document.documentElement;
  return {
    wider: root.scrollWidth - root.clientWidth,
    outside: a.left < 0 || a.right > root.clientWidth || a.top < 0 || a.bottom > innerHeight,
    covers: a.bottom > b.top && a.top < b.bottom,
    low: [...list.children].filter((one) => one.getBoundingClientRect().height < 24).length,
  };
}"""
WELL = {"wider": 0, "outside": False, "covers": False, "low": 0}


async def _caption(here: Place, page: Page) -> Locator:
    await page.goto(here.url("/compose"), wait_until="networkidle")
    return page.get_by_label("Caption")


async def _comment(here: Place, page: Page) -> Locator:
    await page.goto(here.url(f"/p/alice/{here.post.id}"), wait_until="networkidle")
    return page.locator("#answer textarea")


async def _reply(here: Place, page: Page) -> Locator:
    await page.goto(here.url(f"/p/alice/{here.post.id}"), wait_until="networkidle")
    await page.locator("[data-reply]").last.click()
    return page.locator(".reply textarea, form textarea:focus").first


async def _person(here: Place, page: Page) -> Locator:
    shown = await photos.upload(here.node, here.bob, picture(900, 600), alt="A lake")
    await page.goto(here.url(f"/photos/{shown.id}/details?part=people"), wait_until="networkidle")
    return page.get_by_label("Person")


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("field_of", [_caption, _comment, _reply, _person])
async def test_suggestions_lie_on_the_page_and_beside_what_was_typed(
    fediverse: Fediverse, browser: Browser, field_of: object, width: int
) -> None:
    here = await place(fediverse)
    await here.node.db.write(lambda tx: publish(tx, here.bob, "At the #LakeGeneva and the #LakeComo"))
    page = await (await signed_in(browser, here, here.bob, width=width, touch=width < 1280)).new_page()
    assert callable(field_of)
    field = await field_of(here, page)
    typed = "ali" if field_of is _person else "a long way to the old one, with @ali"

    await field.press_sequentially(typed)

    await expect(page.get_by_role("listbox", name="Suggestions")).to_be_visible()
    assert await field.evaluate(PLACE) == WELL
    await page.evaluate(axe())
    assert await page.evaluate(RUN) == []
