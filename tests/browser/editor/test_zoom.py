"""Looking closer while editing, and going from photo to photo: nothing of that changes a photo, and no edit is lost."""

from __future__ import annotations

from collections.abc import Sequence

from playwright.async_api import Browser, Page, expect

from federation_tests.fediverse import Fediverse
from tests.browser.editor.opened import draft, drawn, enter, page_of, recipe_of, tool
from tests.browser.seen import complaints
from tests.browser.viewing import swipe


async def _box(page: Page) -> tuple[float, float, float]:
    """Where the middle of the photo is, and its width."""
    box = await page.locator(".e-photo").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, box["width"]


def _is_near(found: Sequence[float], wanted: Sequence[float]) -> bool:
    """Whether no number is further from the other than two pixels."""
    return all(abs(one - other) <= 2 for one, other in zip(found, wanted, strict=True))


async def _pixels(page: Page) -> int:
    return int(await page.locator(".e-canvas").evaluate("(one) => one.width"))


async def test_by_buttons_and_keys_and_the_photo_is_as_sharp_as_it_is_large(
    fediverse: Fediverse, browser: Browser
) -> None:
    here, page = await page_of(fediverse, browser, width=800)
    found = complaints(page)
    [photo], back = await draft(here)
    await enter(page, here, photo, back)
    level = page.locator(".e-level")
    x, y, whole = await _box(page)
    coarse = await _pixels(page)
    await expect(level).to_have_text("Fit")
    await expect(page.get_by_role("button", name="Zoom out")).to_be_disabled()

    await page.get_by_role("button", name="Zoom in").click()
    assert _is_near(await _box(page), (x, y, 1.5 * whole))
    await expect(level).to_contain_text("%")
    while await _pixels(page) < 1.4 * coarse:
        await page.wait_for_timeout(50)

    # What is edited meanwhile stays as large as it is; its middle moves with the arrow keys, to its edges and no further.
    await page.get_by_role("tab", name="Adjust").click()
    await tool(page, "Exposure").focus()
    await page.keyboard.press("PageUp")
    await drawn(page, adjust={"exposure": 10})
    await page.get_by_role("group", name="Your photo as edited").focus()
    await page.keyboard.press("ArrowLeft")
    assert _is_near(await _box(page), (x + 60, y, 1.5 * whole))
    for _ in range(20):
        await page.keyboard.press("ArrowLeft")
    stage = await page.locator(".e-stage").bounding_box()
    photo_box = await page.locator(".e-photo").bounding_box()
    assert stage is not None
    assert photo_box is not None
    assert _is_near((photo_box["x"],), (stage["x"],))

    for key in ("+", "-", "-", "-"):
        await page.keyboard.press(key)
    await expect(level).to_have_text("Fit")
    await level.click()
    await expect(level).not_to_have_text("Fit")
    await page.keyboard.press("0")
    await expect(level).to_have_text("Fit")
    assert _is_near(await _box(page), (x, y, whole))

    # A crop is chosen of the whole photo.
    await page.keyboard.press("+")
    await page.keyboard.press("3")
    await expect(level).to_have_text("Fit")
    await expect(page.get_by_role("button", name="Zoom in")).to_be_disabled()
    await page.get_by_role("button", name="Done", exact=True).click()
    await expect(page).to_have_url(here.url(back))
    assert (await recipe_of(here, photo)).crop == (0, 0, 1, 1)
    assert not found


async def test_by_wheel_and_mouse_about_the_pointer(fediverse: Fediverse, browser: Browser) -> None:
    here, page = await page_of(fediverse, browser)
    [photo], back = await draft(here)
    await enter(page, here, photo, back)
    x, y, whole = await _box(page)
    await page.mouse.move(x + 100, y)
    await page.mouse.wheel(0, -400)
    await expect(page.locator(".e-level")).not_to_have_text("Fit")
    left, _y, width = await _box(page)
    assert width > 1.5 * whole
    assert _is_near((x + 100 - left,), (100 * width / whole,))
    await page.mouse.down()
    await page.mouse.move(x + 160, y, steps=4)
    await page.mouse.up()
    assert (await _box(page))[0] > left + 40
    await expect(page.locator(".e-photo.was")).to_have_count(0)
    await page.mouse.dblclick(x, y)
    await expect(page.locator(".e-level")).to_have_text("Fit")


async def test_by_two_fingers_and_one_that_rests_still_shows_the_photo_before(
    fediverse: Fediverse, browser: Browser
) -> None:
    here, page = await page_of(fediverse, browser, width=390, touch=True)
    found = complaints(page)
    [photo], back = await draft(here)
    await enter(page, here, photo, back)
    x, y, whole = await _box(page)
    await swipe(page, [((x - 30, y), (x - 90, y)), ((x + 30, y), (x + 90, y))])
    _x, _y, width = await _box(page)
    assert width > 2 * whole
    await expect(page.locator(".e-photo.was")).to_have_count(0)

    await swipe(page, [((x, y), (x + 80, y))])
    assert (await _box(page))[0] > x + 40

    client = await page.context.new_cdp_session(page)
    await client.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    await expect(page.locator(".e-photo.was")).to_be_visible()
    await client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    await expect(page.locator(".e-photo.was")).to_have_count(0)

    level = page.locator(".e-level")
    await expect(level).not_to_have_text("Fit")
    await level.tap()
    await expect(level).to_have_text("Fit")
    assert not found


async def test_on_a_phone_one_goes_from_photo_to_photo_and_each_keeps_its_edits(
    fediverse: Fediverse, browser: Browser
) -> None:
    here, page = await page_of(fediverse, browser, width=390, touch=True)
    found = complaints(page)
    ids, back = await draft(here, count=9)
    await enter(page, here, ids[8], back)
    film = page.get_by_role("navigation", name="Photos of this post").get_by_role("link")
    await expect(film.nth(8)).to_be_in_viewport()
    await page.locator(".e-look", has_text="Juniper").tap()
    await drawn(page, look="juniper")

    await film.nth(7).tap()
    await page.wait_for_url(f"**/photos/{ids[7]}/edit*")
    await drawn(page)
    await page.get_by_role("tab", name="Adjust").tap()
    await tool(page, "Exposure").focus()
    await page.keyboard.press("PageUp")
    await drawn(page, adjust={"exposure": 10})
    await expect(page.locator(".e-film .e-dot:visible")).to_have_count(2)
    boxes = []
    for mode in ("Looks", "Adjust", "Crop"):
        await page.get_by_role("tab", name=mode).tap()
        boxes.append(await page.locator(".e-photo").bounding_box())
    assert boxes[0] == boxes[1] == boxes[2]

    await film.nth(8).tap()
    await page.wait_for_url(f"**/photos/{ids[8]}/edit*")
    await drawn(page, look="juniper")
    await page.get_by_role("button", name="Done", exact=True).tap()
    await expect(page).to_have_url(here.url(back))
    assert (await recipe_of(here, ids[8])).look == "juniper"
    assert (await recipe_of(here, ids[7])).adjust.exposure == 10
    assert not found
