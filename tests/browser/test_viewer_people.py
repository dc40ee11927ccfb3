"""In the viewer: who is in a photo, where they are, and passing a photo on."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from federation_tests.fediverse import Fediverse
from node.attachments import photo_rows
from node.posts import tagged_people
from tests.browser.conftest import visitor
from tests.browser.seen import Place, axe, complaints, place, signed_in
from tests.browser.test_accessibility import RUN
from tests.browser.viewing import LARGE, counter, dialog, post_photos

NO_SHARING = "Object.defineProperty(Navigator.prototype, 'share', {value: undefined});"
NO_CLIPBOARD = "Object.defineProperty(Navigator.prototype, 'clipboard', {get: () => undefined});"


async def _middle(of: Locator) -> tuple[float, float]:
    box = await of.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


async def _point(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where on the screen a point of the photo is."""
    box = await page.locator(".viewer-frame:not([inert]) img").bounding_box()
    assert box is not None
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


async def _post_with_bob(here: Place) -> int:
    post = await post_photos(here, LARGE, (900, 600))
    first = (await here.node.db.read(photo_rows.by_posts, [post]))[post][0]
    await here.node.db.write(tagged_people.tag, here.alice, first.id, here.bob, 0.6, 0.4)
    return post


@pytest.mark.parametrize("width", [390, 1280])
async def test_names_are_where_the_people_are_however_large_the_photo_is(
    fediverse: Fediverse, browser: Browser, width: int
) -> None:
    here = await place(fediverse)
    post = await _post_with_bob(here)
    page = await (await visitor(browser, width=width, touch=width == 390)).new_page()
    found = complaints(page)
    await page.emulate_media(reduced_motion="reduce")
    await page.goto(here.url(f"/p/alice/{post}"))
    await page.wait_for_load_state("networkidle")  # the scripts are there
    await page.locator(".post .shot").first.click()
    await expect(counter(page)).to_have_text("1 of 2")
    button = dialog(page).get_by_role("button", name="In this photo")
    name = dialog(page).get_by_role("link", name="bob")
    await expect(name).to_have_count(0)

    await button.click()
    await expect(button).to_have_attribute("aria-expanded", "true")
    assert await _middle(name) == pytest.approx(await _point(page, 0.6, 0.4), abs=3)
    for key in ("+", "ArrowRight", "+", "-"):
        await page.keyboard.press(key)
        assert await _middle(name) == pytest.approx(await _point(page, 0.6, 0.4), abs=3)
    await page.evaluate(axe())
    assert await page.evaluate(RUN) == []
    await page.keyboard.press("0")
    # Keys of the page below do nothing, wherever the focus is.
    await page.keyboard.press("n")

    await page.keyboard.press("ArrowRight")
    await expect(counter(page)).to_have_text("2 of 2")
    await expect(button).to_be_hidden()
    await page.keyboard.press("ArrowLeft")
    await name.click()
    await page.wait_for_url("**/@bob")
    await page.go_back()
    await expect(page).to_have_url(here.url(f"/p/alice/{post}"))
    assert found == []


async def test_a_photo_is_passed_on_by_its_own_address(fediverse: Fediverse, browser: Browser) -> None:
    here = await place(fediverse)
    post = await post_photos(here, LARGE, (900, 600))
    context = await visitor(browser, width=390, touch=True)
    await context.add_init_script(NO_SHARING + NO_CLIPBOARD)
    page = await context.new_page()
    await page.goto(here.url(f"/p/alice/{post}"))
    await page.wait_for_load_state("networkidle")  # the scripts are there
    await page.locator(".post .shot").first.tap()
    await expect(counter(page)).to_have_text("1 of 2")
    await page.keyboard.press("ArrowRight")

    await dialog(page).get_by_role("button", name="Share").tap()

    await expect(page.get_by_role("textbox", name="Copy this address")).to_have_value(
        here.url(f"/posts/{post}/photos/2")
    )


async def test_what_failed_is_said_above_the_photo(fediverse: Fediverse, browser: Browser) -> None:
    here = await place(fediverse)
    post = await post_photos(here, LARGE)
    context = await signed_in(browser, here, here.bob, width=390, touch=True)
    page = await context.new_page()
    await page.goto(here.url(f"/p/alice/{post}"))
    await page.wait_for_load_state("networkidle")  # the scripts are there
    await page.locator(".post .shot").first.tap()
    like = dialog(page).get_by_role("button", name="Like")
    await expect(like).to_be_visible()
    await context.set_offline(True)

    await like.tap()

    said = page.get_by_text("The connection was lost.")
    await expect(said).to_be_visible()
    # What is under a dialog is inert: no event and no screen reader reaches it.
    assert await said.evaluate("one => Boolean(one.closest('dialog:modal'))")
    await page.keyboard.press("Escape")
    await expect(like).to_have_count(0)
    await page.locator(".post").get_by_role("button", name="Like").first.tap()
    await expect(said).to_be_visible()
