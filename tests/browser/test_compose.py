"""Writing a post on one screen: photos are added, put in order, described, replaced and removed, by any means."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route, expect

from federation_tests.fediverse import Fediverse
from node.publishing import saved_drafts
from tests.browser.composing import (
    INPUT,
    add,
    compose,
    describe,
    described,
    files,
    post_button,
    posted,
    thumbnail,
    tool,
)
from tests.browser.seen import complaints
from tests.support.pictures import picture

PASTE = """([data, kind]) => {
  const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], "another.jpg", {type: "image/jpeg"}));
  const event = kind === "paste"
    ? new ClipboardEvent("paste", {clipboardData: transfer, bubbles: true, cancelable: true})
    : new DragEvent("drop", {dataTransfer: transfer, bubbles: true, cancelable: true});
  document.querySelector("[name=caption]").dispatchEvent(event);
}"""


async def _order(page: Page) -> list[str]:
    """The descriptions of the photos, in the order of the form."""
    return [await one.input_value() for one in await page.locator(".upload textarea").all()]


async def test_photos_are_chosen_described_and_posted_on_one_screen(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, page = await compose(fediverse, browser)
    found = complaints(page)
    await expect(page.locator(".nav-bar")).to_be_hidden()
    await add(page, files(tmp_path, "a.jpg", "b.jpg", "c.jpg"))
    await expect(page.locator(".upload:visible")).to_have_count(1)
    await describe(page, "One", "Two", "Three")
    await expect(page.get_by_label("Describe photo 3 of 3")).to_be_visible()
    await expect(page.locator(".upload.chosen .count")).to_have_text("5 / 10,000")
    await expect(thumbnail(page, 2)).to_have_attribute("aria-pressed", "true")
    await expect(thumbnail(page, 0)).to_have_text("Photo 1 of 3ALTdescribed", use_inner_text=False)
    await page.get_by_label("Caption").fill("Three of them")
    await page.locator(".audience summary").click()
    await page.get_by_role("radio", name="Followers").check()
    await page.locator(".audience").get_by_role("button", name="Done").click()
    await expect(page.locator(".audience summary")).to_contain_text("Followers")
    await post_button(page).click()
    await expect(page.locator(".post")).to_contain_text("Three of them")
    assert await posted(here) == ["One", "Two", "Three"]
    assert not found


async def test_a_mouse_drags_a_photo_to_another_place(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, page = await compose(fediverse, browser, width=1280)
    await add(page, files(tmp_path, "a.jpg", "b.jpg", "c.jpg"))
    await describe(page, "One", "Two", "Three")
    await thumbnail(page, 0).hover()
    await page.mouse.down()
    box = await thumbnail(page, 2).bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] - 10, box["y"] + 20, steps=12)
    await page.mouse.up()
    assert await _order(page) == ["Two", "Three", "One"]
    await expect(page.locator("#toast")).to_have_text("Photo moved to position 3")
    await page.get_by_label("Caption").fill("In another order")
    await post_button(page).click()
    await expect(page.locator(".post")).to_contain_text("In another order")
    assert await posted(here) == ["Two", "Three", "One"]


async def test_a_finger_that_rests_drags_and_one_that_does_not_scrolls(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    _here, page = await compose(fediverse, browser, touch=True)
    await add(page, files(tmp_path, *(f"{n}.jpg" for n in range(8))))
    await thumbnail(page, 0).tap()
    await described(page).fill("First")
    client = await page.context.new_cdp_session(page)
    box = await page.locator(".strip").bounding_box()
    assert box is not None
    y = box["y"] + 40

    async def touch(kind: str, x: float) -> None:
        points = [] if kind == "touchEnd" else [{"x": x, "y": y}]
        await client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    await touch("touchStart", 50)
    await expect(page.locator(".thumbnail.held")).to_have_count(1)
    for x in range(60, 190, 10):
        await touch("touchMove", x)
    await touch("touchEnd", 190)
    await expect(page.locator(".thumbnail.held")).to_have_count(0)
    assert (await _order(page)).index("First") == 2

    await touch("touchStart", 300)
    for x in range(290, 150, -10):
        await touch("touchMove", x)
    await touch("touchEnd", 150)
    while await page.locator(".strip").evaluate("(one) => one.scrollLeft") < 20:
        await page.wait_for_timeout(50)
    assert (await _order(page)).index("First") == 2


async def test_everything_is_done_by_keyboard_alone(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, page = await compose(fediverse, browser, width=1280)
    await add(page, files(tmp_path, "a.jpg", "b.jpg", "c.jpg", "d.jpg"))
    await describe(page, "One", "Two", "Three", "Four")
    await thumbnail(page, 3).focus()
    keyboard = page.keyboard
    await keyboard.press("Home")
    await expect(thumbnail(page, 0)).to_be_focused()
    await keyboard.press("Alt+ArrowRight")
    await expect(thumbnail(page, 1)).to_be_focused()
    assert await _order(page) == ["Two", "One", "Three", "Four"]
    await keyboard.press("ArrowRight")
    await expect(described(page)).to_have_value("Three")
    await keyboard.press("Delete")
    await expect(page.locator(".upload")).to_have_count(3)
    await expect(thumbnail(page, 2)).to_be_focused()
    await page.locator("#progress").get_by_role("button", name="Undo").focus()
    await keyboard.press("Enter")
    assert await _order(page) == ["Two", "One", "Three", "Four"]
    await thumbnail(page, 2).focus()
    await keyboard.press("Delete")

    # From the thumbnails to the description, and on to the last option and Post.
    for _ in range(12):
        await keyboard.press("Tab")
        if await described(page).evaluate("(one) => one === document.activeElement"):
            break
    await keyboard.press("End")
    await keyboard.type(", the last")
    await page.get_by_label("Caption").focus()
    await keyboard.type("By keyboard")
    await keyboard.press("Tab")
    await keyboard.press("Enter")
    await keyboard.press("Tab")
    await keyboard.type("Lofoten")
    await keyboard.press("Escape")
    await expect(page.locator("[data-option=place] .value")).to_have_text("Lofoten")
    await expect(page.locator("[data-option=place] summary")).to_be_focused()
    await page.get_by_label("Caption").focus()
    await keyboard.press("Control+Enter")
    await expect(page.locator(".post")).to_contain_text("By keyboard")
    await expect(page.locator(".post")).to_contain_text("Lofoten")
    assert await posted(here) == ["Two", "One", "Four, the last"]


@pytest.mark.parametrize("kind", ["paste", "drop"])
async def test_a_photo_is_pasted_and_dropped_anywhere(
    fediverse: Fediverse, browser: Browser, kind: str
) -> None:
    _here, page = await compose(fediverse, browser, width=1280)
    await expect(page.locator("#count-caption")).to_have_text("0 / 5,000")
    await page.evaluate(PASTE, [base64.b64encode(picture(300, 200)).decode(), kind])
    await expect(page.locator(".upload[data-photo]")).to_have_count(1)


async def test_a_phone_offers_its_camera_and_a_desktop_does_not(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, page = await compose(fediverse, browser, touch=True)
    await expect(page.get_by_text("Take a photo")).to_be_visible()
    camera = page.locator("input[capture=environment]")
    await camera.set_input_files(files(tmp_path, "a.jpg"))
    await expect(page.locator(".upload[data-photo]")).to_have_count(1)
    async with page.expect_file_chooser() as choosing:
        await page.get_by_role("button", name="Take a photo").tap()
    await (await choosing.value).set_files(files(tmp_path, "b.jpg"))
    await expect(page.locator(".upload[data-photo]")).to_have_count(2)
    desktop = await browser.new_context(ignore_https_errors=True)
    await desktop.add_cookies(await page.context.cookies())  # type: ignore[arg-type]
    other = await desktop.new_page()
    await other.goto(here.url("/compose"))
    await expect(other.get_by_text("Take a photo")).to_be_hidden()
    await desktop.close()


async def _choose_replacement(page: Page, path: str) -> None:
    async with page.expect_file_chooser() as choosing:
        await tool(page, "Replace this photo")
    await (await choosing.value).set_files(path)


async def test_a_replaced_photo_keeps_its_description_and_its_place(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, page = await compose(fediverse, browser)
    paths = files(tmp_path, "a.jpg", "b.jpg", "c.jpg", "bad.pdf")
    await add(page, paths[:2])
    await describe(page, "One", "Two")
    await thumbnail(page, 0).click()
    before = await page.locator(".upload").first.get_attribute("data-photo")
    await _choose_replacement(page, paths[2])
    await expect(page.locator(".upload").first).not_to_have_attribute("data-photo", before or "")
    await expect(described(page)).to_have_value("One")
    new = await page.locator(".upload").first.get_attribute("data-photo")

    # One that fails leaves the photo that was there, once its author has said so.
    await _choose_replacement(page, paths[3])
    await expect(page.locator(".upload.chosen .failure")).to_contain_text("bad.pdf")
    await post_button(page).click()
    await expect(page.locator("#undecided")).to_contain_text("1 photo was not uploaded")
    await page.get_by_role("button", name="Keep the photo that was there").click()
    await expect(page.locator(".upload").first).to_have_attribute("data-photo", new or "")
    await expect(described(page)).to_have_value("One")
    await page.get_by_label("Caption").fill("Another one")
    await post_button(page).click()
    await expect(page.locator(".post")).to_contain_text("Another one")
    assert await posted(here) == ["One", "Two"]


async def test_details_and_edit_save_the_draft_and_lead_to_the_photo(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, page = await compose(fediverse, browser)
    await add(page, files(tmp_path, "a.jpg"))
    await described(page).fill("One")
    await page.get_by_label("Caption").fill("Half a thought")
    photo = await page.locator(".upload").first.get_attribute("data-photo")
    for name, what in (("Details", "details"), ("Edit photo", "edit")):
        await page.get_by_role("button", name=name, exact=True).click()
        await page.wait_for_url(f"**/photos/{photo}/{what}?back=*")
        [saved] = await here.node.db.read(saved_drafts.by_author, here.bob)
        assert page.url.endswith(f"back=%2Fcompose%3Fdraft%3D{saved.id}")
        assert saved.draft.caption == "Half a thought"
        await page.goto(here.url(f"/compose?draft={saved.id}"))
        await expect(described(page)).to_have_value("One")


async def test_a_description_is_typed_while_its_photo_is_being_sent(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, page = await compose(fediverse, browser)
    await page.route(
        "**/compose/photo", lambda route: route.fulfill(status=500, json={"error": "It failed."})
    )
    await page.set_input_files(INPUT, files(tmp_path, "a.jpg"))
    await expect(page.locator(".upload.failed")).to_have_count(1)
    await page.unroute("**/compose/photo")
    await page.get_by_role("button", name="Try again").click()
    await described(page).fill("Typed at once")
    await page.get_by_label("Caption").fill("Sent slowly")
    await post_button(page).click()
    await expect(page.locator(".post")).to_contain_text("Sent slowly")
    assert await posted(here) == ["Typed at once"]


async def test_photos_that_are_chosen_before_the_script_has_come_are_not_lost(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, page = await compose(fediverse, browser)
    may_come = asyncio.Event()

    async def later(route: Route) -> None:
        await may_come.wait()
        await route.continue_()

    await page.route("**/js/compose.js*", later)
    await page.goto(here.url("/compose"))
    await page.set_input_files(INPUT, files(tmp_path, "a.jpg"))

    may_come.set()

    await expect(page.locator(".upload[data-photo]")).to_have_count(1)
