"""What people do in the editor: by finger, by mouse, by keyboard alone."""

from __future__ import annotations

from playwright.async_api import Browser, expect

from federation_tests.fediverse import Fediverse
from media.editing.recipes import Adjustments
from node.attachments import photo_rows
from node.database import Reader
from node.posts import posts, revisions
from tests.browser.editor.opened import album, draft, drag, drawn, enter, page_of, pixel, recipe_of, tool
from tests.browser.seen import complaints
from tests.support.people import verbs_of


async def test_by_finger_a_look_a_shape_and_a_tool_are_chosen(fediverse: Fediverse, browser: Browser) -> None:
    here, page = await page_of(fediverse, browser, width=390, touch=True)
    found = complaints(page)
    [photo], back = await draft(here)
    await enter(page, here, photo, back)
    await page.locator(".e-look", has_text="Juniper").tap()
    await drawn(page, look="juniper")
    strength = tool(page, "Juniper, strength")
    await expect(strength).to_have_value("100")
    await strength.focus()
    await page.keyboard.press("PageDown")

    await page.get_by_role("tab", name="Adjust").tap()
    await page.get_by_role("button", name="Warmth").tap()
    await expect(tool(page, "Warmth")).to_be_visible()
    await expect(tool(page, "Exposure")).to_be_hidden()
    box = await tool(page, "Warmth").bounding_box()
    assert box is not None
    assert box["height"] >= 44
    await page.touchscreen.tap(box["x"] + box["width"] * 0.75, box["y"] + box["height"] / 2)
    warmth = int(await tool(page, "Warmth").input_value())
    assert warmth > 30

    await page.get_by_role("tab", name="Crop").tap()
    await page.get_by_role("button", name="4:5").tap()
    await page.get_by_role("button", name="Mirror left to right").tap()
    await page.get_by_role("tab", name="Looks").tap()
    shape = await page.locator(".e-photo").bounding_box()
    assert shape is not None
    assert abs(shape["width"] / shape["height"] - 0.8) < 0.01
    await page.get_by_role("button", name="Done", exact=True).tap()

    await expect(page).to_have_url(here.url(back))
    await expect(page.get_by_label("Caption")).to_have_value("Half a thought")
    recipe = await recipe_of(here, photo)
    assert (recipe.look, recipe.strength, recipe.flip, recipe.adjust) == (
        "juniper",
        90,
        True,
        Adjustments(warmth=warmth),
    )
    saved = (await here.node.db.read(photo_rows.by_ids, [photo]))[photo]
    assert (saved.width, saved.height) == (480, 600)
    assert (
        await page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('photo-edit'))") == []
    )
    assert not found


async def test_the_zone_below_the_photo_never_changes_its_height(
    fediverse: Fediverse, browser: Browser
) -> None:
    here, page = await page_of(fediverse, browser, width=390, touch=True)
    [photo], back = await draft(here)
    await enter(page, here, photo, back)
    boxes = []
    for mode in ("Looks", "Adjust", "Crop"):
        await page.get_by_role("tab", name=mode).tap()
        boxes.append(await page.locator(".e-photo").bounding_box())
        for control in await page.locator(".e-side button:visible, .e-top button:visible").all():
            size = await control.bounding_box()
            assert size is not None
            assert min(size["width"], size["height"]) >= 40, await control.inner_text()
    assert boxes[0] == boxes[1] == boxes[2]


async def test_by_mouse_steps_are_undone_and_before_is_seen(fediverse: Fediverse, browser: Browser) -> None:
    here, page = await page_of(fediverse, browser)
    found = complaints(page)
    [photo], back = await draft(here)
    await enter(page, here, photo, back)
    before = await pixel(page, 0.3, 0.5)
    await page.get_by_role("tab", name="Adjust").click()
    await drag(page, tool(page, "Exposure"), 0.9)
    exposure = int(await tool(page, "Exposure").input_value())
    assert exposure >= 70
    await drawn(page, adjust={"exposure": exposure})
    brighter = await pixel(page, 0.3, 0.5)
    assert sum(brighter) > sum(before) + 60
    await drag(page, tool(page, "Contrast"), 0.508)
    await expect(tool(page, "Contrast")).to_have_value("0")
    await drag(page, tool(page, "Contrast"), 0.2)
    await expect(page.locator(".e-canvas")).to_have_attribute("data-exact", "true")

    photo_box = await page.locator(".e-photo").bounding_box()
    assert photo_box is not None
    await page.mouse.move(photo_box["x"] + 60, photo_box["y"] + 60)
    await page.mouse.down()
    await expect(page.locator(".e-photo.was")).to_be_visible()
    assert await pixel(page, 0.3, 0.5) == before
    await page.mouse.up()
    await page.get_by_role("button", name="Before and after").click()
    await expect(page.get_by_role("slider", name="Divider between before and after")).to_be_visible()
    assert await pixel(page, 0.3, 0.5) == before
    await page.get_by_role("button", name="Before and after").click()

    await page.get_by_role("button", name="Undo").click()
    await drawn(page, adjust={"exposure": exposure})
    await page.get_by_role("button", name="Undo").click()
    await drawn(page, adjust=None)
    await expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    await page.get_by_role("button", name="Redo").click()
    await drawn(page, adjust={"exposure": exposure})
    await page.locator(".e-slider label", has_text="Exposure").dblclick()
    await drawn(page, adjust=None)
    await page.keyboard.press("Control+z")
    await drawn(page, adjust={"exposure": exposure})

    await page.get_by_role("button", name="Auto-level").click()
    await expect(page.get_by_role("button", name="Auto-level")).to_have_attribute("aria-pressed", "true")
    await page.get_by_role("button", name="Auto-level").click()
    await drawn(page, adjust={"exposure": exposure})

    await page.get_by_role("button", name="Cancel").click()
    await page.get_by_role("button", name="Keep editing").click()
    await page.get_by_role("button", name="Cancel").click()
    await page.get_by_role("button", name="Discard").click()
    await expect(page).to_have_url(here.url(back))
    assert (await recipe_of(here, photo)).is_neutral
    assert not found


async def test_the_crop_is_dragged_and_keeps_its_shape(fediverse: Fediverse, browser: Browser) -> None:
    here, page = await page_of(fediverse, browser)
    [photo], back = await draft(here)
    await enter(page, here, photo, back)
    await page.get_by_role("tab", name="Crop").click()
    await page.get_by_role("button", name="1:1", exact=True).click()
    frame = await page.locator(".e-frame").bounding_box()
    assert frame is not None
    await page.mouse.move(frame["x"] + 10, frame["y"] + 10)
    await page.mouse.down()
    await page.mouse.move(frame["x"] + 90, frame["y"] + 60, steps=4)
    await page.mouse.up()
    smaller = await page.locator(".e-frame").bounding_box()
    assert smaller is not None
    assert smaller["width"] < frame["width"] - 40
    assert abs(smaller["width"] - smaller["height"]) < 1
    await page.get_by_role("button", name="Turn clockwise").click()
    await page.get_by_role("button", name="Done", exact=True).click()

    await expect(page).to_have_url(here.url(back))
    recipe = await recipe_of(here, photo)
    saved = (await here.node.db.read(photo_rows.by_ids, [photo]))[photo]
    assert recipe.turn == 90
    assert abs(saved.width - saved.height) <= 1
    assert saved.width < 560


async def test_by_keyboard_alone(fediverse: Fediverse, browser: Browser) -> None:
    here, page = await page_of(fediverse, browser)
    found = complaints(page)
    [photo], back = await draft(here)
    await enter(page, here, photo, back)
    await page.keyboard.press("2")
    await page.get_by_role("tab", name="Adjust").focus()
    await page.keyboard.press("Tab")  # Auto-level
    await page.keyboard.press("Tab")
    await expect(tool(page, "Exposure")).to_be_focused()
    for key in ("PageUp", "ArrowRight", "ArrowRight", "Shift+ArrowRight", "ArrowLeft"):
        await page.keyboard.press(key)
    await drawn(page, adjust={"exposure": 21})
    await page.keyboard.down("\\")
    await expect(page.locator(".e-photo.was")).to_be_visible()
    await page.keyboard.up("\\")
    await expect(page.locator(".e-photo.was")).to_have_count(0)

    await page.keyboard.press("1")
    await page.get_by_role("tab", name="Looks").focus()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await drawn(page, look="linen", adjust={"exposure": 21})

    await page.keyboard.press("3")
    await page.keyboard.press("r")
    await page.get_by_role("button", name="Bottom right corner").focus()
    await page.keyboard.press("Shift+ArrowLeft")
    await page.keyboard.press("Control+s")

    await expect(page).to_have_url(here.url(back))
    recipe = await recipe_of(here, photo)
    assert (recipe.look, recipe.adjust.exposure, recipe.turn) == ("linen", 21, 90)
    assert recipe.crop[2] < 0.95
    assert not found


async def test_edits_are_copied_to_all_photos_of_a_post_which_is_edited_once(
    fediverse: Fediverse, browser: Browser
) -> None:
    here, page = await page_of(fediverse, browser)
    found = complaints(page)
    ids, post_id = await album(here, count=3)
    back = f"/posts/{post_id}/edit"
    await enter(page, here, ids[1], back)
    await expect(page.get_by_role("heading", name="Photo 2 of 3")).to_be_visible()
    await page.locator(".e-look", has_text="Chalk").click()
    await page.get_by_role("tab", name="Crop").click()
    await page.get_by_role("button", name="1:1", exact=True).click()

    await page.get_by_role("button", name="Copy to all").click()
    await expect(page.get_by_text("Copied to 2 photos")).to_be_visible()
    await expect(page.locator(".e-film .e-dot:visible")).to_have_count(3)
    await page.locator(".e-said").get_by_role("button", name="Undo").click()
    await expect(page.locator(".e-film .e-dot:visible")).to_have_count(1)
    await page.get_by_role("button", name="Copy to all").click()

    # Another photo of the post, with what was copied to it.
    await page.locator(".e-film a").first.click()
    await expect(page.get_by_role("heading", name="Photo 1 of 3")).to_be_visible()
    await drawn(page, look="chalk")
    await page.get_by_role("tab", name="Adjust").click()
    await tool(page, "Fade").focus()
    await page.keyboard.press("PageUp")
    await page.get_by_role("button", name="Done", exact=True).click()

    await expect(page).to_have_url(here.url(back))
    edited = [await recipe_of(here, photo) for photo in ids]
    assert [one.look for one in edited] == ["chalk"] * 3
    assert [one.adjust.fade for one in edited] == [10, 0, 0]
    assert [one.crop == (0, 0, 1, 1) for one in edited] == [True, False, True]
    assert len({one.seed for one in edited}) == 3
    assert not found

    def count(tx: Reader) -> tuple[int, int]:
        post = posts.by_id(tx, post_id)
        assert post is not None
        return len(revisions.by_post(tx, post)), verbs_of(tx, here.bob).count("Update")

    assert await here.node.db.read(count) == (2, 1)


async def test_after_done_or_cancel_one_goes_on_with_the_photo_that_was_edited(
    fediverse: Fediverse, browser: Browser
) -> None:
    here, page = await page_of(fediverse, browser, width=390)
    ids, back = await draft(here, count=3)
    for photo, button in ((ids[1], "Done"), (ids[2], "Cancel")):
        await enter(page, here, photo, back)
        if button == "Done":
            await page.locator(".e-look", has_text="Juniper").click()
        await page.get_by_role("button", name=button, exact=True).click()
        await expect(page).to_have_url(here.url(back))
        shown = page.locator(".upload.chosen")
        await expect(shown).to_have_attribute("data-photo", str(photo))
        await expect(shown.get_by_role("button", name="Edit photo")).to_be_focused()
