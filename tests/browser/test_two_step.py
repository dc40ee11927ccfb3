"""Two-step sign-in set up in a real browser: the QR code is drawn, the codes are printed, and axe finds nothing."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, expect

from federation_tests.fediverse import Fediverse
from node.auth.second_step import authenticator_apps
from tests.browser.seen import axe, complaints, place, signed_in
from tests.support.second_step import code_of


async def _violations(page: Page) -> list[str]:
    await page.evaluate(axe())
    found: list[str] = await page.evaluate("axe.run().then((found) => found.violations.map((one) => one.id))")
    return found


@pytest.mark.parametrize("width", [320, 1280])
async def test_an_app_is_set_up_and_the_codes_are_printed(
    fediverse: Fediverse, browser: Browser, width: int
) -> None:
    here = await place(fediverse)
    context = await signed_in(browser, here, here.bob, width=width)
    page = await context.new_page()
    broken = complaints(page)
    await page.goto(here.url("/settings/two-step"), wait_until="networkidle")
    drawn = await page.get_by_role("img", name="QR code for your authenticator app").bounding_box()
    assert drawn is not None
    assert drawn["width"] == pytest.approx(drawn["height"], abs=1)
    assert drawn["width"] > 180
    assert await _violations(page) == []
    offered = await page.locator("[name=offered]").get_attribute("value")
    seed = authenticator_apps.offered_seed(here.node.site, here.bob, offered or "")
    await page.get_by_label("Code that the app shows now").fill(code_of(seed))
    await page.get_by_role("button", name="Turn on").click()

    codes = page.get_by_role("list", name="Recovery codes").get_by_role("listitem")
    await expect(codes).to_have_count(10)
    await page.wait_for_load_state("networkidle")
    assert await _violations(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.evaluate("() => { window.print = () => { document.title = 'printed' } }")
    await page.get_by_role("button", name="Print").click()
    await expect(page).to_have_title("printed")
    await page.emulate_media(media="print")
    await expect(codes.first).to_be_visible()
    await page.emulate_media(media="screen")
    await page.get_by_role("link", name="I have kept them").click()
    await expect(page.get_by_text("10 left")).to_be_visible()
    assert broken == []
    await context.close()
