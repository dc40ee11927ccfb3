"""Done and the tabs of a photo's details save what was typed; a refused field keeps the person where it is."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from federation_tests.fediverse import Fediverse
from node.attachments import photo_rows, photos
from node.attachments.photo_rows import Photo
from node.models import places
from node.node import Node
from node.posts import tagged_people
from node.publishing import photo_details
from tests.browser.composing import type_point
from tests.browser.seen import Place, place, signed_in
from tests.support.pictures import picture

EITHER_WAY = pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])


async def _open(
    fediverse: Fediverse, browser: Browser, *, scripts: bool, part: str
) -> tuple[Place, Photo, Page]:
    here = await place(fediverse)
    shown = await photos.upload(here.node, here.bob, picture(900, 600), alt="A lake")
    page = await (await signed_in(browser, here, here.bob, width=390, scripts=scripts)).new_page()
    await page.goto(
        here.url(f"/photos/{shown.id}/details?part={part}&back=/drafts"), wait_until="networkidle"
    )
    return here, shown, page


async def _now(node: Node, photo_id: int) -> Photo:
    return (await node.db.read(photo_rows.by_ids, [photo_id]))[photo_id]


def _tab(page: Page, name: str) -> Locator:
    return page.get_by_role("navigation", name="Photo details").get_by_text(name, exact=True)


@EITHER_WAY
async def test_done_saves_the_focal_point(fediverse: Fediverse, browser: Browser, scripts: bool) -> None:
    here, shown, page = await _open(fediverse, browser, scripts=scripts, part="focus")
    await type_point(page, "left", "75")

    await page.get_by_text("Done", exact=True).first.click()

    await expect(page).to_have_url(here.url("/drafts"))
    assert (await _now(here.node, shown.id)).focus_x == 0.5


@EITHER_WAY
async def test_done_tags_the_person_that_was_typed(
    fediverse: Fediverse, browser: Browser, scripts: bool
) -> None:
    here, shown, page = await _open(fediverse, browser, scripts=scripts, part="people")
    await page.get_by_label("Person").fill("@alice")
    await type_point(page, "left", "20")

    await page.get_by_text("Done", exact=True).first.click()

    await expect(page).to_have_url(here.url("/drafts"))
    [one] = (await here.node.db.read(tagged_people.by_photos, [shown.id]))[shown.id]
    assert (one.account.id, one.x, one.y) == (here.alice.id, 0.2, 0.5)


@EITHER_WAY
async def test_done_saves_the_location(fediverse: Fediverse, browser: Browser, scripts: bool) -> None:
    here, shown, page = await _open(fediverse, browser, scripts=scripts, part="place")
    await page.get_by_label("Name of the location").fill("Beijing, China")
    await page.get_by_label("Region").check()

    await page.get_by_text("Done", exact=True).first.click()

    await expect(page).to_have_url(here.url("/drafts"))
    kept = places.load((await _now(here.node, shown.id)).place)
    assert (kept.name, kept.precision) == ("Beijing, China", "region")


@EITHER_WAY
async def test_another_tab_saves_what_was_typed_in_this_one(
    fediverse: Fediverse, browser: Browser, scripts: bool
) -> None:
    here, shown, page = await _open(fediverse, browser, scripts=scripts, part="focus")
    await type_point(page, "top", "25")
    await page.get_by_text("Tag people", exact=True).click()
    await page.get_by_label("Person").fill("@alice")
    await page.get_by_text("Location", exact=True).click()
    await page.get_by_label("Name of the location").fill("Beijing, China")

    await page.get_by_text("Focal point", exact=True).click()

    await expect(page.get_by_label("From top, in percent")).to_have_value("25.0")
    now = await _now(here.node, shown.id)
    assert (now.focus_y, places.load(now.place).name) == (0.5, "Beijing, China")
    assert len((await here.node.db.read(tagged_people.by_photos, [shown.id]))[shown.id]) == 1


@EITHER_WAY
@pytest.mark.parametrize("pressed", ["Done", "Location"])
async def test_a_name_of_nobody_keeps_the_person_on_the_tab(
    fediverse: Fediverse, browser: Browser, scripts: bool, pressed: str
) -> None:
    _here, _shown, page = await _open(fediverse, browser, scripts=scripts, part="people")
    await page.get_by_label("Person").fill("@nobody")
    await type_point(page, "left", "20")

    await page.get_by_text(pressed, exact=True).click()

    await expect(page.get_by_role("alert")).to_have_text("There is nobody by that name.")
    await expect(page.get_by_label("Person")).to_have_value("@nobody")
    await expect(page.get_by_label("From left, in percent")).to_have_value("20.0")
    await expect(page.locator(".tabs [aria-current]")).to_have_text("Tag people")


async def test_enter_in_a_field_saves_and_stays(fediverse: Fediverse, browser: Browser) -> None:
    here, shown, page = await _open(fediverse, browser, scripts=True, part="place")
    await page.get_by_label("Name of the location").fill("Beijing")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("People see: Beijing")).to_be_visible()
    await _tab(page, "Focal point").click()
    await type_point(page, "left", "75")

    await page.keyboard.press("Enter")

    await expect(page.locator(".tabs [aria-current]")).to_have_text("Focal point")
    await expect(page.locator(".grid-preview img")).to_be_visible()
    assert (await _now(here.node, shown.id)).focus_x == 0.5


async def test_removing_a_tag_leaves_the_name_that_is_being_typed(
    fediverse: Fediverse, browser: Browser
) -> None:
    here, shown, page = await _open(fediverse, browser, scripts=True, part="people")
    await here.node.db.write(photo_details.tag, here.bob, shown.id, here.bob, 0.1, 0.1)
    await page.reload(wait_until="networkidle")
    await page.get_by_label("Person").fill("@alice")
    await type_point(page, "left", "80")

    await page.get_by_role("button", name="Remove bob").click()

    await expect(page.locator(".tagged-list")).to_have_count(0)
    await expect(page.get_by_label("Person")).to_have_value("@alice")
    await expect(page.get_by_label("From left, in percent")).to_have_value("80.0")


async def test_done_changes_nothing_where_nothing_was_changed(fediverse: Fediverse, browser: Browser) -> None:
    here, shown, page = await _open(fediverse, browser, scripts=True, part="focus")
    await here.node.db.write(photo_details.set_focus, here.bob, shown.id, 0.333, -0.777)
    await page.reload(wait_until="networkidle")

    for tab in ("Tag people", "Location", "Focal point"):
        await _tab(page, tab).click()
        await expect(page.locator(".tabs [aria-current]")).to_have_text(tab)
    await page.get_by_text("Done", exact=True).first.click()

    await expect(page).to_have_url(here.url("/drafts"))
    now = await _now(here.node, shown.id)
    assert (now.focus_x, now.focus_y, now.place) == (0.333, -0.777, "")
