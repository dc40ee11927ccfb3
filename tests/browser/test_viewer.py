"""The full-screen viewer: opened from anywhere, by finger, mouse and keyboard, and left where it was entered."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Browser, Page, Route, expect

from federation_tests.fediverse import Fediverse
from node.attachments import photos
from node.posts.drafts import Draft
from node.publishing import publishing
from tests.browser.conftest import visitor
from tests.browser.seen import axe, complaints, place, signed_in
from tests.browser.test_accessibility import RUN, SHIFT
from tests.browser.viewing import LARGE, counter, dialog, post_photos, scale, swipe
from tests.support.pictures import picture


async def _double_tap(page: Page, seen: Callable[[float], Awaitable[None]]) -> None:
    """Taps twice until that is seen: on a busy machine two taps may come too late after each other to be one."""
    for _ in range(5):
        await page.touchscreen.tap(195, 420)
        await page.touchscreen.tap(195, 420)
        with contextlib.suppress(AssertionError):
            await seen(1_500)
            return
        await page.wait_for_timeout(400)
    await seen(1_500)


async def test_fingers_swipe_zoom_pull_and_back_closes_where_the_carousel_stands(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    await post_photos(here, LARGE, LARGE, LARGE)
    page = await (await signed_in(browser, here, here.alice, width=390, touch=True)).new_page()
    found = complaints(page)
    await page.goto(here.url("/"))
    await page.wait_for_load_state("networkidle")  # the scripts are there
    album = page.locator(".post").first
    await album.locator(".shot").first.tap()
    await expect(dialog(page)).to_be_visible()
    await expect(counter(page)).to_have_text("1 of 3")

    await swipe(page, [((320, 450), (120, 450))])
    await expect(counter(page)).to_have_text("2 of 3")
    await swipe(page, [((200, 450), (170, 450))])
    await expect(counter(page)).to_have_text("2 of 3")

    # Two fingers apart: larger. Two taps: back, and two more to real pixels.
    await swipe(page, [((180, 400), (60, 300)), ((220, 440), (340, 560))])
    assert await scale(page) > 2
    await expect(page.locator(".viewer-map")).to_be_visible()
    await _double_tap(page, lambda ms: expect(page.locator(".viewer-map")).to_be_hidden(timeout=ms))
    assert await scale(page) == 1
    await page.wait_for_timeout(400)
    await _double_tap(page, lambda ms: expect(page.locator(".viewer-level")).to_have_text("100%", timeout=ms))
    largest = await page.locator(".viewer-tools a[download]").get_attribute("href")
    await expect(page.locator(".viewer-frame:not([inert]) img")).to_have_attribute("src", largest or "")

    # Zoomed, a swipe pans; only beyond the edge it turns.
    await swipe(page, [((250, 450), (150, 450))])
    await expect(counter(page)).to_have_text("2 of 3")

    await page.go_back()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(album.locator(".position")).to_have_text("2 / 3")
    await expect(album.locator(".shot").nth(1)).to_be_focused()

    # Pulled down, it closes too, and leaves no entry in the history.
    length = await page.evaluate("history.length")
    await album.locator(".shot").nth(1).tap()
    await expect(counter(page)).to_have_text("2 of 3")
    await swipe(page, [((195, 400), (195, 430))])
    await expect(dialog(page)).to_be_visible()
    await swipe(page, [((195, 400), (195, 600))])
    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert await page.evaluate("history.length") == length
    await expect(page).to_have_url(here.url("/"))
    assert not found


async def test_a_tap_hides_the_bars_and_a_drag_up_tells_about_the_photo(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    page = await (await visitor(browser, width=390, touch=True)).new_page()
    await page.goto(here.url(f"/p/alice/{here.post.id}"))
    await page.wait_for_load_state("networkidle")  # the scripts are there
    await page.locator(".post .shot").first.tap()
    await expect(page.get_by_role("button", name="About this photo")).to_be_visible()
    await page.touchscreen.tap(195, 420)
    await expect(page.get_by_role("button", name="About this photo")).to_be_hidden()
    await page.touchscreen.tap(195, 420)
    await expect(page.get_by_role("button", name="About this photo")).to_be_visible()

    await page.get_by_role("button", name="ALT").tap()
    await expect(page.locator(".viewer-alt")).to_have_text("The lake, 0")
    await swipe(page, [((195, 300), (195, 200))])
    panel = page.get_by_role("complementary", name="About this photo")
    await expect(panel).to_contain_text("The lake, 0")
    await expect(panel.get_by_role("link", name="Download (900 × 600)")).to_be_visible()
    photo, sheet = await page.locator(".viewer-frame img").bounding_box(), await panel.bounding_box()
    assert photo is not None
    assert sheet is not None
    assert photo["y"] + photo["height"] <= sheet["y"]


async def test_the_viewer_needs_nothing_but_keys(fediverse: Fediverse, browser: Browser) -> None:
    here = await place(fediverse)
    page = await (await signed_in(browser, here, here.bob)).new_page()
    found = complaints(page)
    await page.goto(here.url(f"/p/alice/{here.album.id}"))
    await page.wait_for_load_state("networkidle")  # the scripts are there
    first = page.locator(".slides .shot").first
    await page.locator(".slides").focus()
    await page.keyboard.press("Tab")
    await expect(first).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(counter(page)).to_have_text("1 of 3")
    await expect(page.get_by_role("button", name="Close")).to_be_focused()

    for key, position in (("ArrowRight", 2), ("End", 3), ("ArrowRight", 3), ("Home", 1), ("ArrowRight", 2)):
        await page.keyboard.press(key)
        await expect(counter(page)).to_have_text(f"{position} of 3")
    await expect(page.locator(".viewer [role=status]")).to_have_text("2 of 3. The lake, 1")

    # Tab goes round inside, both ways.
    stops = set()
    for _ in range(40):
        await page.keyboard.press("Tab")
        assert await page.evaluate("Boolean(document.activeElement.closest('.viewer'))")
        stops.add(
            await page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.textContent")
        )
    assert {"Close", "Zoom in", "About this photo", "Download", "Next photo", "3 of 3"} <= stops
    await page.get_by_role("button", name="Close").focus()
    await page.keyboard.press("Shift+Tab")
    assert await page.evaluate("Boolean(document.activeElement.closest('.viewer'))")

    # Escape leaves the zoom, then what is told about the photo, then the viewer.
    await page.keyboard.press("i")
    await expect(page.get_by_role("complementary", name="About this photo")).to_be_visible()
    await page.keyboard.press("+")
    assert await scale(page) == pytest.approx(1.5)
    await page.keyboard.press("Escape")
    assert await scale(page) == 1
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("complementary", name="About this photo")).to_have_count(0)
    await expect(page.get_by_role("button", name="About this photo")).to_be_focused()
    await page.keyboard.press("l")
    await expect(page.locator(".post [data-action=like]").first).to_have_attribute("aria-pressed", "true")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.locator(".slides .shot").nth(1)).to_be_focused()
    await expect(page.locator(".position")).to_have_text("2 / 3")
    assert not found


async def test_wheel_and_mouse_zoom_and_pan_to_the_pixels(fediverse: Fediverse, browser: Browser) -> None:
    here = await place(fediverse)
    post = await post_photos(here, LARGE)
    page = await (await visitor(browser)).new_page()
    await page.emulate_media(reduced_motion="reduce")
    await page.goto(here.url(f"/p/alice/{post}"))
    await page.wait_for_load_state("networkidle")  # the scripts are there
    await page.locator(".post .shot").click()
    level = page.locator(".viewer-level")
    await expect(level).to_have_text("Fit")
    image = page.locator(".viewer-frame img")
    await page.mouse.move(900, 300)
    point = "one => { const box = one.getBoundingClientRect(); return (900 - box.left) / box.width; }"
    before = await image.evaluate(point)
    await page.mouse.wheel(0, -400)
    assert await scale(page) > 2
    # What was under the pointer still is.
    assert await image.evaluate(point) == pytest.approx(before, abs=0.002)
    left = await image.evaluate("one => one.getBoundingClientRect().left")
    await page.mouse.down()
    await page.mouse.move(950, 330, steps=4)
    await page.mouse.up()
    assert await image.evaluate("one => one.getBoundingClientRect().left") == pytest.approx(left + 50, abs=1)
    await level.click()
    await expect(level).to_have_text("Fit")
    await level.click()
    await expect(level).to_have_text("100%")
    shown = await image.evaluate("one => one.getBoundingClientRect().width * devicePixelRatio")
    assert shown == pytest.approx(2400, abs=1)


async def test_squares_and_photos_of_comments_open_too_and_lead_to_theirpost_photos(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    shot = await photos.upload(here.node, here.bob, picture(300, 200, seed=5), alt="My side of it")
    await here.node.db.write(
        publishing.publish, here.bob, Draft(caption="See", parent_id=here.post.id, photo_ids=[shot.id])
    )
    page = await (await visitor(browser, width=390, touch=True)).new_page()
    found = complaints(page)
    for path in ("/explore", "/@alice"):
        await page.goto(here.url(path))
        await page.wait_for_load_state("networkidle")  # the scripts are there
        cell = page.locator(f".cell[data-shots='{here.album.id}']").first
        await cell.tap()
        await expect(counter(page)).to_have_text("1 of 3")
        await dialog(page).get_by_role("link", name="Comments").tap()
        await page.wait_for_url(f"**/p/alice/{here.album.id}#comments")
        # Back leads to where the viewer was opened, not to an empty one.
        await page.go_back()
        await expect(page).to_have_url(here.url(path))
        await expect(page.get_by_role("dialog")).to_have_count(0)
    # A covered photo stays covered: its square leads to its post.
    await expect(page.locator(".cell:has(.veiled)")).not_to_have_attribute("data-shots", "")
    await page.goto(here.url(f"/p/alice/{here.post.id}"))
    await page.wait_for_load_state("networkidle")  # the scripts are there
    await page.locator(".comment .shot").tap()
    await page.get_by_role("button", name="ALT").tap()
    await expect(page.locator(".viewer-alt")).to_have_text("My side of it")
    assert not found


async def test_a_photo_that_does_not_load_says_so_and_can_be_tried_again(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    page = await (await visitor(browser)).new_page()
    await page.goto(here.url("/@alice"))
    await page.wait_for_load_state("networkidle")  # the scripts are there
    medium: list[str] = []

    async def lost(route: Route) -> None:
        medium.append(route.request.url)
        await route.abort()

    await page.route("**/media/**", lost)
    await page.locator(f".cell[data-shots='{here.post.id}']").click()
    await expect(page.get_by_role("alert")).to_contain_text("This photo did not load.")
    await page.unroute("**/media/**")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator(".viewer-frame img")).to_be_visible()
    await expect(page.locator(".viewer-frame img")).to_have_js_property("naturalWidth", 900)


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
async def test_nothing_is_wrong_with_the_viewer_and_no_frame_jumps(
    fediverse: Fediverse, browser: Browser, width: int, scheme: str
) -> None:
    here, source = await place(fediverse), axe()
    mixed = await post_photos(here, (900, 600), (600, 1200), (600, 600), (1600, 400))
    wide = await post_photos(here, (2000, 500))
    page = await (await visitor(browser, width=width)).new_page()
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    found = complaints(page)
    await page.goto(here.url(f"/p/alice/{wide}"))
    await page.wait_for_load_state("networkidle")  # the scripts are there
    await page.locator(".scrub .shot").focus()
    await page.keyboard.press("ArrowRight")
    while await page.evaluate("document.querySelector('.scrub').scrollLeft") <= 20:
        await page.wait_for_timeout(20)
    await expect(page.locator(".reach")).to_be_visible()

    await page.goto(here.url(f"/p/alice/{mixed}"))
    await page.wait_for_load_state("networkidle")  # the scripts are there
    shift, moved = await page.evaluate(SHIFT)
    assert shift < 0.005, moved
    boxes = await page.locator(".slides .photo").evaluate_all("all => all.map((one) => one.offsetHeight)")
    assert len(set(boxes)) == 1
    await page.locator(".slides .shot").first.click()
    await expect(counter(page)).to_have_text("1 of 4")
    await page.evaluate(source)
    problems = await page.evaluate(RUN)
    await page.keyboard.press("i")
    problems += await page.evaluate(RUN)
    small = await page.locator(".viewer :is(a, button):not(:disabled)").evaluate_all(
        "all => all.map((one) => [one.outerHTML.slice(0, 90), one.getBoundingClientRect()])"
        ".filter(([, box]) => box.width && (box.width < 24 || box.height < 24)).map(([html]) => html)"
    )
    assert (problems, small, found) == ([], [], [])
