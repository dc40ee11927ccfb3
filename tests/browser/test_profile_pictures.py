"""A picture of one's profile is picked or dropped, seen before it is saved, cropped, given up, and removed."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from federation_tests.fediverse import Fediverse
from tests.browser.seen import Place, axe, complaints, place, signed_in
from tests.browser.test_accessibility import RUN
from tests.support.pictures import picture

WIDE = {"name": "wide.jpg", "mimeType": "image/jpeg", "buffer": picture(900, 400)}
SHOWN = "canvas => canvas.toDataURL()"
DROP = """(box, data) => {
    const files = new DataTransfer();
    const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0));
    files.items.add(new File([bytes], "dropped.jpg", {type: "image/jpeg"}));
    box.dispatchEvent(new DragEvent("drop", {dataTransfer: files, bubbles: true, cancelable: true}));
}"""


def _form(page: Page, name: str = "avatar") -> Locator:
    return page.locator(f"form[action='/settings/{name}']")


async def _open(browser: Browser, here: Place, **options: Any) -> Page:
    page = await (await signed_in(browser, here, here.bob, **options)).new_page()
    await page.goto(here.url("/settings/profile"), wait_until="networkidle")
    return page


async def test_a_dropped_picture_is_seen_given_up_and_saved(fediverse: Fediverse, browser: Browser) -> None:
    here = await place(fediverse)
    page = await _open(browser, here)
    found, form = complaints(page), _form(page)
    data = base64.b64encode(picture(900, 400)).decode()
    cancel = form.get_by_role("button", name="Cancel")
    await expect(cancel).to_be_hidden()

    await form.locator(".picture-field").evaluate(DROP, data)

    canvas = form.get_by_role("img", name="Choose what is shown")
    await expect(canvas).to_be_visible()
    await expect(form.locator("img.avatar")).to_be_hidden()
    await cancel.click()
    await expect(canvas).to_have_count(0)
    await expect(form.locator("img.avatar")).to_be_visible()
    await expect(form.locator("input[type=file]")).to_have_value("")
    await form.locator(".picture-field").evaluate(DROP, data)
    await canvas.hover()
    before = await canvas.evaluate(SHOWN)
    await page.mouse.wheel(0, -400)
    await expect(form.get_by_label("Zoom")).not_to_have_value("1")
    assert await canvas.evaluate(SHOWN) != before
    await form.get_by_role("button", name="Save picture").click()
    await expect(page.get_by_role("status").first).to_have_text("Image saved.")
    page.on("dialog", lambda dialog: dialog.accept())
    await _form(page).get_by_role("button", name="Remove").click()
    await expect(_form(page).get_by_role("button", name="Remove")).to_have_count(0)
    assert found == []


async def test_two_fingers_zoom_and_one_moves_on_a_phone(fediverse: Fediverse, browser: Browser) -> None:
    here = await place(fediverse)
    page = await _open(browser, here, width=390, touch=True)
    form = _form(page)
    await form.locator("input[type=file]").set_input_files([WIDE])
    canvas = form.get_by_role("img", name="Choose what is shown")
    await canvas.scroll_into_view_if_needed()
    box = await canvas.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    fingers = await page.context.new_cdp_session(page)

    async def touch(kind: str, *points: tuple[float, float]) -> None:
        at = [{"x": x + dx, "y": y + dy, "id": n} for n, (dx, dy) in enumerate(points)]
        await fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    await touch("touchStart", (-20, 0), (20, 0))
    await touch("touchMove", (-60, 0), (60, 0))
    await touch("touchEnd")
    assert float(await form.get_by_label("Zoom").input_value()) > 1.5
    before = await canvas.evaluate(SHOWN)
    await touch("touchStart", (0, 0))
    await touch("touchMove", (0, -60))
    await touch("touchEnd")
    assert await canvas.evaluate(SHOWN) != before


@pytest.mark.parametrize("name", ["avatar", "header"])
async def test_without_scripts_the_picture_is_saved_and_an_avatar_is_its_middle(
    fediverse: Fediverse, browser: Browser, name: str
) -> None:
    here = await place(fediverse)
    page = await _open(browser, here, width=390, scripts=False)
    form = _form(page, name)
    await expect(form.get_by_text("drop a picture")).to_be_hidden()

    await form.locator("input[type=file]").set_input_files([WIDE])
    await form.get_by_role("button", name="Save picture").click()

    await expect(page.get_by_role("status").first).to_have_text("Image saved.")
    shown = _form(page, name).locator("img")
    ratio = await shown.evaluate("async (img) => (await img.decode(), img.naturalWidth / img.naturalHeight)")
    assert ratio == pytest.approx({"avatar": 1, "header": 2.25}[name], rel=0.02)


@pytest.mark.parametrize("width", [320, 390, 1280])
async def test_the_crop_fits_and_axe_finds_nothing(
    fediverse: Fediverse, browser: Browser, width: int
) -> None:
    here = await place(fediverse)
    page = await _open(browser, here, width=width)
    for name in ("avatar", "header"):
        await _form(page, name).locator("input[type=file]").set_input_files([WIDE])
        await expect(_form(page, name).locator("canvas")).to_be_visible()
    await page.evaluate(axe())
    assert await page.evaluate(RUN) == []
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert await page.evaluate(wide) <= 0
