"""A picture of one's profile is picked or dropped, seen before it is saved, cropped, given up, and removed."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from playwright.async_api import Browser, FilePayload, Locator, Page, expect

from federation_tests.fediverse import Fediverse
from node.accounts import accounts
from tests.browser.seen import Place, axe, complaints, place, signed_in
from tests.browser.test_accessibility import RUN
from tests.support.pictures import picture

WIDE: FilePayload = {"name": "wide.jpg", "mimeType": "image/jpeg", "buffer": picture(900, 400)}
OTHER: FilePayload = {"name": "notes.pdf", "mimeType": "", "buffer": b"%PDF-1.7"}
SHOWN = "canvas => canvas.toDataURL()"
DROP = """(box, data) => {
    const files = new DataTransfer();
    const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0));
    files.items.add(new File([bytes], "dropped.jpg", {type: "image/jpeg"}));
    box.dispatchEvent(new DragEvent("drop", {dataTransfer: files, bubbles: true, cancelable: true}));
}"""


def _form(page: Page, name: str = "avatar") -> Locator:
    """The fields of one picture."""
    return page.locator(f"[data-crop]:has(#{name}-file)")


def _save(page: Page) -> Locator:
    return page.get_by_role("button", name="Save").first


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
    await _save(page).click()
    await expect(page.get_by_role("status").first).to_have_text("Saved.")
    await _form(page).get_by_label("Remove this image").check()
    await _save(page).click()
    await expect(_form(page).get_by_label("Remove this image")).to_have_count(0)
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
async def test_without_scripts_the_middle_of_a_picture_is_saved_in_the_shape_it_is_shown_in(
    fediverse: Fediverse, browser: Browser, name: str
) -> None:
    here = await place(fediverse)
    page = await _open(browser, here, width=390, scripts=False)
    form = _form(page, name)
    await expect(form.get_by_text("drop a picture")).to_be_hidden()

    await form.locator("input[type=file]").set_input_files([WIDE])
    await _save(page).click()

    await expect(page.get_by_role("status").first).to_have_text("Saved.")
    shown = _form(page, name).locator("img")
    ratio = await shown.evaluate("async (img) => (await img.decode(), img.naturalWidth / img.naturalHeight)")
    assert ratio == pytest.approx({"avatar": 1, "header": 3}[name], rel=0.02)


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


@pytest.mark.parametrize("name", ["notes.pdf", "clip.mp4", "notes.txt", "drawing.svg"])
async def test_a_file_that_is_no_picture_is_refused_where_it_is_chosen_or_dropped(
    fediverse: Fediverse, browser: Browser, name: str
) -> None:
    here = await place(fediverse)
    page = await _open(browser, here, width=390)
    form = _form(page)
    said = f"“{name}” cannot be used as a picture. Choose a JPEG, PNG, WebP, GIF, AVIF or HEIC file."
    await page.get_by_label("Bio").fill("I like lakes")

    await form.locator("input[type=file]").set_input_files(
        [FilePayload(name=name, mimeType="", buffer=b"%PDF-1.7")]
    )

    await expect(form.get_by_role("alert")).to_have_text(said)
    assert await form.locator("input[type=file]").evaluate("one => one.files.length") == 0
    await form.locator("input[type=file]").set_input_files([WIDE])
    await expect(form.get_by_role("alert")).to_be_hidden()
    await form.locator(".picture-field").evaluate(
        DROP.replace("dropped.jpg", name).replace("image/jpeg", ""), "AAAA"
    )
    await expect(form.get_by_role("alert")).to_have_text(said)
    await expect(form.locator("canvas")).to_have_count(1)  # of the picture that was chosen before
    await expect(page.get_by_label("Bio")).to_have_value("I like lakes")


async def test_a_heic_photo_is_taken_where_the_system_does_not_know_what_it_is(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    page = await _open(browser, here)
    form = _form(page)

    await form.locator(".picture-field").evaluate(
        DROP.replace("dropped.jpg", "IMG_1.HEIC").replace("image/jpeg", ""), "AAAA"
    )

    await expect(form.get_by_text("This browser cannot show the picture.")).to_be_visible()
    assert await form.locator("input[type=file]").evaluate("one => one.files.length") == 1


@pytest.mark.parametrize("scripts", [False, True])
async def test_the_button_of_the_page_loses_what_stands_beside_it(
    fediverse: Fediverse, browser: Browser, scripts: bool
) -> None:
    here = await place(fediverse)
    page = await _open(browser, here, scripts=scripts)
    await page.locator("#avatar-file").set_input_files([WIDE])
    await page.locator("#header-file").set_input_files([WIDE])
    await page.locator("#header-alt").fill("A shore")
    await page.get_by_label("Display name").fill("Bob of the lake")
    await page.get_by_label("Content 1").fill("Rolleiflex")
    await page.get_by_label("Label 1").fill("Camera")

    await page.get_by_role("button", name="Save", exact=True).click()

    await expect(page.get_by_role("status").first).to_have_text("Saved.")
    bob = await here.node.db.read(accounts.get, here.bob.id)
    assert (bob.display_name, bob.header_alt, bob.source_fields) == (
        "Bob of the lake",
        "A shore",
        [("Camera", "Rolleiflex")],
    )
    assert bob.avatar_file
    assert bob.header_file


async def test_without_scripts_a_refused_file_says_which_kinds_work_and_the_rest_is_saved(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    page = await _open(browser, here, width=390, scripts=False)
    await page.locator("#avatar-file").set_input_files([OTHER])
    await page.locator("#header-file").set_input_files([WIDE])
    await page.locator("#avatar-alt").fill("Me at the lake")
    await page.get_by_label("Bio").fill("I like lakes")

    await _save(page).click()

    await expect(_form(page).get_by_role("alert")).to_have_text(
        "This kind of file cannot be used as a picture. JPEG, PNG, WebP, GIF, AVIF and HEIC pictures are accepted."
    )
    await expect(page.get_by_role("status").first).to_have_text("Your other changes are saved.")
    await expect(page.locator("#avatar-alt")).to_have_value("Me at the lake")
    await expect(page.get_by_label("Bio")).to_have_value("I like lakes")
    await expect(_form(page, "header").locator("img")).to_be_visible()
    bob = await here.node.db.read(accounts.get, here.bob.id)
    assert (bob.bio_source, bob.avatar_file, bool(bob.header_file)) == ("I like lakes", "", True)


async def test_without_scripts_a_text_that_is_too_long_loses_no_picture(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    page = await _open(browser, here, width=390, scripts=False)
    await page.locator("#avatar-file").set_input_files([WIDE])
    await page.get_by_label("Bio").fill("x" * 1500)

    await _save(page).click()

    await expect(page.get_by_text("The text about you can have 1000 characters.")).to_be_visible()
    await expect(page.get_by_label("Bio")).to_have_value("x" * 1500)
    await expect(page.get_by_role("status").first).to_have_text("Image saved.")
    await expect(_form(page).get_by_label("Remove this image")).to_be_visible()
    assert (await here.node.db.read(accounts.get, here.bob.id)).avatar_file


async def test_a_wrong_file_after_a_picture_leaves_the_picture_and_its_crop(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    page = await _open(browser, here, width=390)
    field, picker = _form(page), page.locator("#avatar-file")
    await picker.set_input_files([WIDE])
    canvas = field.locator("canvas")
    await field.get_by_label("Zoom").fill("2")
    drawn = await canvas.evaluate("one => one.toDataURL()")

    await picker.set_input_files([OTHER])
    await expect(field.get_by_role("alert")).to_contain_text("cannot be used as a picture")
    assert await canvas.evaluate("one => one.toDataURL()") == drawn
    assert await picker.evaluate("one => one.files[0].name") == WIDE["name"]
    await expect(field.get_by_role("button", name="Cancel")).to_be_visible()

    await _save(page).click()
    await expect(page.get_by_role("status").first).to_have_text("Saved.")
    assert (await here.node.db.read(accounts.get, here.bob.id)).avatar_file
