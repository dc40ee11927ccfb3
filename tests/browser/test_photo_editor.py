"""A photo is edited without scripts, or with them from where it is described, and what was typed beside it is there afterwards."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from federation_tests.fediverse import Fediverse
from media.editing.recipes import Recipe, parse
from node.attachments import photo_rows, photos
from node.posts.drafts import Draft
from node.publishing import saved_drafts
from tests.browser.composing import INPUT, add, compose, described, files
from tests.browser.editor.opened import drawn
from tests.browser.seen import Place, axe, complaints, place, signed_in
from tests.browser.test_accessibility import RUN
from tests.support.pictures import picture


async def _recipe(here: Place, photo_id: int) -> Recipe:
    found = (await here.node.db.read(photo_rows.by_ids, [photo_id]))[photo_id]
    return parse(found.recipe)


async def _loaded(page: Page) -> None:
    """Waits for the preview: its picture came, and is one."""
    preview = page.locator("img.preview")
    await preview.evaluate("(one) => one.decode()")


async def test_on_a_phone_without_scripts_a_photo_of_a_draft_is_edited(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, page = await compose(fediverse, browser, scripts=False)
    await page.set_input_files(INPUT, files(tmp_path, "lake.jpg"))
    await page.get_by_role("button", name="Upload and add descriptions").click()
    await page.get_by_label("Caption").fill("Half a thought")
    await page.locator(".upload textarea").fill("A boat")

    await page.get_by_role("button", name="Edit photo").click()
    await page.locator(".look", has_text="Juniper").click()
    await page.get_by_role("radio", name="1:1", exact=True).check()
    await page.get_by_role("button", name="Preview").last.click()
    box = await page.locator("img.preview").bounding_box()
    assert box is not None
    assert abs(box["width"] - box["height"]) <= 1
    await page.get_by_role("button", name="Apply").first.click()

    await expect(page.get_by_label("Caption")).to_have_value("Half a thought")
    await expect(page.locator(".upload textarea")).to_have_value("A boat")
    [saved] = await here.node.db.read(saved_drafts.by_author, here.bob)
    assert (await _recipe(here, saved.photos[0].id)).look == "juniper"
    assert (saved.photos[0].width, saved.photos[0].height) == (400, 400)


async def test_with_scripts_a_photo_just_uploaded_is_edited_by_keyboard_alone(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    expect.set_options(timeout=30_000)
    here, page = await compose(fediverse, browser, width=1280)
    found = complaints(page)
    await add(page, files(tmp_path, "lake.jpg"))
    await described(page).fill("A boat")
    await page.get_by_role("button", name="Edit photo").focus()
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("heading", name="Edit photo")).to_be_visible()
    await drawn(page)
    await page.get_by_role("tab", name="Looks").focus()
    for key in ("Tab", "Tab", "Enter"):
        await page.keyboard.press(key)
    await page.get_by_role("tab", name="Looks").focus()
    await page.keyboard.press("ArrowRight")
    for key in ("Tab", "Tab", "ArrowUp"):
        await page.keyboard.press(key)
    await drawn(page, look="linen", adjust={"exposure": 1})
    await page.get_by_role("button", name="Done", exact=True).focus()
    await page.keyboard.press("Enter")

    await expect(page.locator(".upload textarea")).to_have_value("A boat")
    [saved] = await here.node.db.read(saved_drafts.by_author, here.bob)
    recipe = await _recipe(here, saved.photos[0].id)
    assert (recipe.look, recipe.adjust.exposure) == ("linen", 1)
    assert (saved.photos[0].width, saved.photos[0].height) == (600, 400)
    assert not found


@pytest.mark.parametrize(("width", "theme"), [(390, "light"), (1280, "dark"), (320, "dark")])
async def test_the_form_is_accessible_and_fits(
    fediverse: Fediverse, browser: Browser, width: int, theme: str
) -> None:
    here, source = await place(fediverse), axe()
    uploaded = await photos.upload(here.node, here.bob, picture(900, 600), alt="A lake")
    await here.node.db.write(saved_drafts.save, here.bob, Draft(photo_ids=[uploaded.id]))
    page = await (await signed_in(browser, here, here.bob, width=width)).new_page()
    await page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
    found = complaints(page)
    # The scripts of the editor do not come: the form is there after a moment.
    await page.route(
        "**/editor/editor.js", lambda route: route.fulfill(content_type="text/javascript", body="")
    )
    path = f"/photos/{uploaded.id}/edit"
    await page.goto(here.url(path))
    await _loaded(page)
    await expect(page.get_by_role("button", name="Apply").first).to_be_visible()
    for summary in await page.locator(".editor summary").all():
        await summary.click()

    await page.evaluate(source)
    problems = await page.evaluate(RUN)
    wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")

    assert (problems, wide, found) == ([], 0, [])
    hues = await page.evaluate(
        "['.editing', '.editor .stage'].map((one) => getComputedStyle(document.querySelector(one)).backgroundColor)"
    )
    assert hues == ["rgb(16, 16, 16)"] * 2


async def test_a_posted_photo_is_edited_from_its_post_where_originals_are_kept(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    node = here.node
    node.config = replace(node.config, media=replace(node.config.media, keep_originals=True))
    page = await (await signed_in(browser, here, here.alice)).new_page()
    await page.goto(here.url(f"/posts/{here.post.id}/edit"))
    await expect(page.get_by_role("button", name="Save and edit photo")).to_have_count(0)
    uploaded = await photos.upload(node, here.alice, picture(900, 600), alt="A lake")
    await page.goto(here.url(f"/photos/{uploaded.id}/edit?back=/compose"))
    await drawn(page)
    await page.locator(".e-look", has_text="Chalk").click()
    await page.get_by_role("button", name="Done", exact=True).click()

    await expect(page.get_by_role("heading", name="New post")).to_be_visible()
    assert (await _recipe(here, uploaded.id)).look == "chalk"
