"""The focal point, the people and the place of a photo are set by a tap, by a drag, by keyboard, and without scripts."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, expect

from federation_tests.fediverse import Fediverse
from node.attachments import photo_rows, photos
from node.attachments.photo_rows import Photo
from node.models.account import Account
from node.node import Node
from node.posts import tagged_people
from node.posts.drafts import Draft
from node.posts.tagged_people import TaggedPerson
from node.publishing import photo_details, saved_drafts
from tests.browser.composing import type_point
from tests.browser.seen import Place, axe, complaints, place, signed_in
from tests.browser.test_accessibility import RUN
from tests.media.test_exif import photo as camera_photo
from tests.support.pictures import picture

PARTS = ("focus", "people", "place")


async def _photo(node: Node, photo_id: int) -> Photo:
    return (await node.db.read(photo_rows.by_ids, [photo_id]))[photo_id]


async def _tagged(node: Node, photo_id: int) -> list[TaggedPerson]:
    return (await node.db.read(tagged_people.by_photos, [photo_id])).get(photo_id, [])


async def _upload(here: Place, who: Account, data: bytes | None = None) -> Photo:
    return await photos.upload(here.node, who, data or picture(900, 600), alt="A lake")


async def _open(page: Page, here: Place, shown: Photo, part: str) -> None:
    await page.goto(here.url(f"/photos/{shown.id}/details?part={part}&back=/drafts"))


async def test_on_a_phone_without_scripts_a_tap_on_the_photo_says_where(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    shown = await _upload(here, here.bob, camera_photo())
    page = await (await signed_in(browser, here, here.bob, width=390, scripts=False)).new_page()
    await _open(page, here, shown, "focus")

    await page.locator("input[type=image]").click(position={"x": 210, "y": 47})

    await expect(page.get_by_label("From left, in percent")).to_have_value("75.2")
    now = await _photo(here.node, shown.id)
    assert (now.focus_x, now.focus_y) == pytest.approx((0.5, 0.49), abs=0.02)

    await page.get_by_role("button", name="Tag people").click()
    await page.get_by_label("Person").fill("@alice")
    await page.locator("input[type=image]").click(position={"x": 70, "y": 94})
    await expect(page.get_by_text("@alice", exact=True)).to_be_visible()
    [one] = await _tagged(here.node, shown.id)
    assert (one.account.id, one.x, one.y) == (
        here.alice.id,
        pytest.approx(0.25, abs=0.01),
        pytest.approx(0.5, abs=0.01),
    )
    await page.get_by_role("button", name="Remove Alice").click()
    await expect(page.get_by_text("@alice", exact=True)).to_have_count(0)

    await page.get_by_role("button", name="Location", exact=True).click()
    await page.get_by_label("Region").check()
    await page.get_by_label("Name of the location").fill("Brandenburg")
    await page.get_by_role("button", name="Use the photo's location").click()
    await expect(page.get_by_text("Kept with it: 53.0, 13.0")).to_be_visible()
    await page.get_by_role("button", name="Done").click()
    await expect(page).to_have_url(here.url("/drafts"))


@pytest.mark.parametrize("scripts", [False, True])
async def test_what_saves_and_ends_has_one_name_on_every_tab(
    fediverse: Fediverse, browser: Browser, scripts: bool
) -> None:
    here = await place(fediverse)
    shown = await _upload(here, here.bob)
    page = await (await signed_in(browser, here, here.bob, width=390, scripts=scripts)).new_page()
    for part in PARTS:
        await _open(page, here, shown, part)
        await page.wait_for_load_state("networkidle")
        await expect(page.get_by_role("button", name="Save")).to_have_count(0)
        await page.get_by_role("button", name="Done").click()
        await expect(page).to_have_url(here.url("/drafts"))


async def test_the_point_is_dragged_and_moved_with_the_arrow_keys(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    shown = await _upload(here, here.bob)
    page = await (await signed_in(browser, here, here.bob)).new_page()
    found = complaints(page)
    await _open(page, here, shown, "focus")
    await expect(page.locator(".photo-details.live")).to_be_visible()
    box = await page.locator(".spot-stage input").bounding_box()
    assert box is not None
    at = {part: (box["x"] + part * box["width"], box["y"] + part * box["height"]) for part in (0.5, 0.2)}

    await page.mouse.move(*at[0.5])
    await page.mouse.down()
    await page.mouse.move(*at[0.2], steps=5)
    await page.mouse.up()

    await expect(page.get_by_label("From left, in percent")).to_have_value("20.0")
    await page.locator(".spot-stage input").focus()
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Shift+ArrowDown")
    await expect(page.locator(".point")).to_have_attribute("cx", "21.0%")
    assert (await _photo(here.node, shown.id)).focus_x == 0
    await expect(page.locator(".grid-preview .fx0")).to_be_visible()
    await page.get_by_role("button", name="Done").click()
    await expect(page).to_have_url(here.url("/drafts"))
    now = await _photo(here.node, shown.id)
    assert (now.focus_x, now.focus_y) == (-0.58, 0.4)
    assert found == []


async def test_a_person_is_suggested_and_tagged_by_keyboard_alone(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    shown = await _upload(here, here.bob)
    page = await (await signed_in(browser, here, here.bob)).new_page()
    await _open(page, here, shown, "people")
    await expect(page.locator(".photo-details.live")).to_be_visible()

    await page.get_by_label("Person").focus()
    await page.keyboard.type("ali")
    await expect(page.get_by_role("option", name="Alice")).to_be_visible()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Person")).to_have_value("@alice ")
    await type_point(page, "top", "10")
    await page.keyboard.press("Enter")

    await expect(page.get_by_text("@alice", exact=True)).to_be_visible()
    [one] = await _tagged(here.node, shown.id)
    assert (one.account.id, one.x, one.y) == (here.alice.id, 0.5, 0.1)


@pytest.mark.parametrize("width", [390, 1280])
async def test_names_lie_on_the_photo_where_the_people_are(
    fediverse: Fediverse, browser: Browser, width: int
) -> None:
    here = await place(fediverse)
    [shown] = (await here.node.db.read(photo_rows.by_posts, [here.post.id]))[here.post.id]
    await here.node.db.write(photo_details.tag, here.alice, shown.id, here.bob, 0.25, 0.25)
    page = await (await signed_in(browser, here, here.bob, width=width)).new_page()
    found = complaints(page)
    await page.goto(here.url(f"/p/alice/{here.post.id}"))
    name = page.locator(".people li")
    await expect(page.locator(".people.placed")).to_be_visible()
    await expect(name).to_be_hidden()

    await page.locator(".people summary").click()

    await expect(name).to_be_visible()
    photo, label = await page.locator(".stage img").first.bounding_box(), await name.bounding_box()
    assert photo is not None
    assert label is not None
    middle = label["x"] + label["width"] / 2, label["y"] + label["height"] / 2
    # The photo is 3:2, and lies whole in the middle of its box.
    wide = min(photo["width"], photo["height"] * 1.5)
    left, top = photo["x"] + (photo["width"] - wide) / 2, photo["y"] + (photo["height"] - wide / 1.5) / 2
    assert middle == pytest.approx((left + wide / 4, top + wide / 6), abs=8)
    await page.evaluate(axe())
    assert await page.evaluate(RUN) == []
    assert found == []

    await page.locator(".post-menu summary").click()
    page.on("dialog", lambda dialog: dialog.accept())
    await page.get_by_role("button", name="Remove my tag").click()
    await expect(page.locator(".people")).to_have_count(0)
    assert await _tagged(here.node, shown.id) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing_and_nothing_is_too_wide(
    fediverse: Fediverse, browser: Browser, theme: str
) -> None:
    here = await place(fediverse)
    shown = await _upload(here, here.bob, camera_photo())
    await here.node.db.write(photo_details.tag, here.bob, shown.id, here.alice, 0.25, 0.25)
    await photo_details.use_photo_place(here.node, here.bob, shown.id, "Berlin", "town")
    for width in (320, 390, 1280):
        page = await (await signed_in(browser, here, here.bob, width=width)).new_page()
        await page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        for part in PARTS:
            await _open(page, here, shown, part)
            await page.evaluate(axe())
            assert await page.evaluate(RUN) == [], (part, width)
            wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert await page.evaluate(wide) <= 0, (part, width)


@pytest.mark.parametrize("scripts", [False, True])
async def test_what_was_set_is_on_the_photo_in_compose_and_leads_back_to_it(
    fediverse: Fediverse, browser: Browser, scripts: bool
) -> None:
    here = await place(fediverse)
    shown = await _upload(here, here.bob, camera_photo())
    draft = Draft(photo_ids=[shown.id], alts={shown.id: "A lake"})
    saved = await here.node.db.write(saved_drafts.save, here.bob, draft)
    page = await (await signed_in(browser, here, here.bob, width=390, scripts=scripts)).new_page()
    compose = here.url(f"/compose?draft={saved.id}")
    await page.goto(compose, wait_until="networkidle")
    await expect(page.locator(".photo-mark")).to_have_count(0)
    await page.locator("[data-option=place] summary").click()
    await page.get_by_role("button", name="Use the photo's location").click()
    await expect(page.locator(".tabs [aria-current]")).to_have_text("Location")
    await page.wait_for_load_state("networkidle")
    await page.get_by_label("Name of the location").fill("Brandenburg")
    await page.get_by_role("button", name="Done").click()
    await expect(page).to_have_url(compose)
    await here.node.db.write(photo_details.tag, here.bob, shown.id, here.alice, 0.25, 0.25)

    await page.goto(compose, wait_until="networkidle")

    await expect(page.locator(".photo-mark")).to_have_text(["1 person", "Brandenburg"])
    await page.locator("[data-option=place] summary").click()
    await expect(page.locator(".own-places button")).to_have_text("Brandenburg")
    await page.locator("[data-option=place] summary").press("Enter")
    await page.get_by_role("button", name="1 person").click()
    await expect(page.locator(".tabs [aria-current]")).to_have_text("Tag people")
    await page.get_by_role("link", name="Cancel").click()
    await expect(page).to_have_url(compose)
