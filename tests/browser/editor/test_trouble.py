"""Nothing edited is lost: no WebGL, a lost picture, no network, a session that ended, a page loaded again."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, expect

from federation_tests.fediverse import Fediverse
from node.auth import sessions
from tests.browser.editor.opened import draft, drag, drawn, enter, page_of, recipe_of, sign_in, tool
from tests.browser.seen import axe, complaints
from tests.browser.test_accessibility import RUN
from web.request.session import SESSION_COOKIE

LOSE = "() => { window.lost = document.querySelector('.e-canvas').getContext('webgl2').getExtension('WEBGL_lose_context'); window.lost.loseContext(); }"


async def test_without_webgl_the_server_shows_what_is_edited(fediverse: Fediverse, browser: Browser) -> None:
    here, page = await page_of(fediverse, browser, has_webgl=False, width=390, touch=True)
    found = complaints(page)
    [photo], back = await draft(here)
    await page.goto(here.url(f"/photos/{photo}/edit?back={back}"))
    await expect(page.get_by_text("Previews come from the server, a moment later.")).to_be_visible()
    await page.locator(".e-look", has_text="Juniper").tap()
    await expect(page.locator(".e-picture")).to_have_attribute("data-shown", re.compile("juniper"))
    await page.locator(".e-picture").evaluate("(one) => one.decode()")
    await page.get_by_role("tab", name="Crop").tap()
    await page.get_by_role("button", name="1:1", exact=True).tap()
    await page.get_by_role("button", name="Done", exact=True).tap()

    await expect(page).to_have_url(here.url(back))
    recipe = await recipe_of(here, photo)
    assert recipe.look == "juniper"
    assert recipe.crop[0] > 0.1
    assert not found


async def test_a_lost_picture_comes_back(fediverse: Fediverse, browser: Browser) -> None:
    here, page = await page_of(fediverse, browser)
    [photo], back = await draft(here)
    await enter(page, here, photo, back)
    await page.locator(".e-look", has_text="Chalk").click()
    await drawn(page, look="chalk")

    await page.evaluate(LOSE)
    await expect(page.get_by_text("Previews come from the server, a moment later.")).to_be_visible()
    await expect(page.locator(".e-picture")).to_be_visible()
    await page.evaluate("window.lost.restoreContext()")
    await expect(page.locator(".e-picture")).to_be_hidden()
    await drawn(page, look="chalk")
    await expect(page.locator(".e-note")).to_be_hidden()


async def test_what_is_not_saved_is_there_after_a_reload_with_its_steps(
    fediverse: Fediverse, browser: Browser
) -> None:
    here, page = await page_of(fediverse, browser)
    [photo], back = await draft(here)
    await enter(page, here, photo, back)
    await page.locator(".e-look", has_text="Chalk").click()
    await page.get_by_role("tab", name="Adjust").click()
    await drag(page, tool(page, "Shadows"), 0.8)
    shadows = int(await tool(page, "Shadows").input_value())
    await page.reload()

    await expect(page.get_by_text("Your unsaved changes are back.")).to_be_visible()
    await drawn(page, look="chalk", adjust={"shadows": shadows})
    await page.get_by_role("button", name="Undo").click()
    await drawn(page, look="chalk", adjust=None)


async def test_no_network_keeps_the_edit_and_the_message_stands_where_one_looks(
    fediverse: Fediverse, browser: Browser
) -> None:
    here, page = await page_of(fediverse, browser)
    [photo], back = await draft(here)
    await enter(page, here, photo, back)
    await page.context.set_offline(True)
    await page.get_by_role("tab", name="Adjust").click()
    await drag(page, tool(page, "Exposure"), 0.8)
    exposure = int(await tool(page, "Exposure").input_value())
    await drawn(page, adjust={"exposure": exposure})
    await page.get_by_role("button", name="Done", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("Not saved. Your edit is kept here.")
    assert (await recipe_of(here, photo)).is_neutral

    await page.context.set_offline(False)
    await page.get_by_role("alert").get_by_role("button", name="Try again").click()
    await expect(page).to_have_url(here.url(back))
    assert (await recipe_of(here, photo)).adjust.exposure == exposure


@pytest.mark.parametrize("has_webgl", [True, False])
async def test_looks_that_do_not_load_have_their_names_and_come_with_the_network(
    fediverse: Fediverse, browser: Browser, has_webgl: bool
) -> None:
    here, page = await page_of(fediverse, browser, has_webgl=has_webgl, width=390, touch=True)
    [photo], back = await draft(here)
    await page.route("**/swatches?*", lambda route: route.abort())
    await page.goto(here.url(f"/photos/{photo}/edit?back={back}"))

    missing = page.get_by_role("status").filter(has_text="The pictures of the looks did not load.")
    await expect(missing).to_be_visible()
    await expect(page.locator(".e-look image[href]")).to_have_count(0)
    await expect(page.locator(".e-look", has_text="Juniper")).to_be_visible()
    await page.unroute("**/swatches?*")
    await page.context.set_offline(True)
    await missing.get_by_role("button", name="Try again").tap()
    await expect(missing).to_be_visible()
    await page.context.set_offline(False)

    await expect(missing).to_have_count(0)
    await expect(page.locator(".e-look image[href]")).to_have_count(25)


async def test_without_webgl_a_preview_that_was_lost_comes_with_the_network(
    fediverse: Fediverse, browser: Browser
) -> None:
    here, page = await page_of(fediverse, browser, has_webgl=False)
    [photo], back = await draft(here)
    await page.goto(here.url(f"/photos/{photo}/edit?back={back}"))
    await expect(page.get_by_text("Previews come from the server, a moment later.")).to_be_visible()
    await page.context.set_offline(True)
    await page.locator(".e-look", has_text="Chalk").click()
    await expect(page.get_by_text("The preview could not be made.")).to_be_visible()
    await page.context.set_offline(False)

    await expect(page.get_by_text("Previews come from the server, a moment later.")).to_be_visible()
    await page.locator(".e-picture").evaluate("(one) => one.decode()")


async def test_back_after_done_shows_an_editor_that_can_save_again(
    fediverse: Fediverse, browser: Browser
) -> None:
    here, page = await page_of(fediverse, browser)
    [photo], back = await draft(here)
    await enter(page, here, photo, back)
    await page.locator(".e-look", has_text="Chalk").click()
    await drawn(page, look="chalk")
    # The page stays as it is left: Playwright's browser has no cache of pages for Back.
    await page.route("**/compose?*", lambda route: route.fulfill(status=204))
    await page.locator(".e-done").click()
    await expect(page.locator(".e-done")).to_have_text("Saving")
    await page.wait_for_event("requestfailed", lambda one: "/compose?" in one.url)

    await page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")

    await expect(page.locator(".e-done")).to_have_text("Done")
    await page.unroute("**/compose?*")
    await page.locator(".e-look", has_text="Soot").click()
    await drawn(page, look="soot")
    await page.get_by_role("button", name="Done", exact=True).click()
    await expect(page).to_have_url(here.url(back))
    assert (await recipe_of(here, photo)).look == "soot"


async def test_a_session_that_ended_keeps_the_edit(fediverse: Fediverse, browser: Browser) -> None:
    here, page = await page_of(fediverse, browser)
    [photo], back = await draft(here)
    await enter(page, here, photo, back)
    await page.locator(".e-look", has_text="Chalk").click()
    await drawn(page, look="chalk")
    [cookie] = [one for one in await page.context.cookies() if one["name"] == SESSION_COOKIE]
    await here.node.db.write(sessions.end, cookie["value"])
    await page.get_by_role("button", name="Done", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("Your edit is kept here.")
    await expect(page.get_by_role("link", name="Sign in")).to_be_visible()

    await sign_in(page.context, here)
    await page.goto(here.url(f"/photos/{photo}/edit?back={back}"))
    await drawn(page, look="chalk")
    await page.get_by_role("button", name="Done", exact=True).click()
    await expect(page).to_have_url(here.url(back))
    assert (await recipe_of(here, photo)).look == "chalk"


@pytest.mark.parametrize(
    ("width", "theme"), [(390, "light"), (1280, "dark"), (1280, "light"), (320, "dark"), (800, "light")]
)
async def test_every_panel_is_accessible_and_fits(
    fediverse: Fediverse, browser: Browser, width: int, theme: str
) -> None:
    here, page = await page_of(fediverse, browser, width=width)
    source = axe()
    ids, back = await draft(here, count=2)
    await page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
    found = complaints(page)
    await enter(page, here, ids[0], back)
    await page.evaluate(source)
    problems = []
    for mode in ("Looks", "Adjust", "Crop"):
        await page.get_by_role("tab", name=mode).click()
        if mode == "Looks":
            await page.locator(".e-look", has_text="Linen").click()
            await page.get_by_role("button", name="Before and after").click()
        problems += await page.evaluate(RUN)
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        problems += [f"{mode}: too wide"] if await page.evaluate(wide) > 0 else []
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog", name="Discard your changes?")).to_be_visible()
    problems += await page.evaluate(RUN)

    assert (problems, found) == ([], [])
    hues = await page.evaluate("getComputedStyle(document.querySelector('.e-app')).backgroundColor")
    assert hues == "rgb(16, 16, 16)"
