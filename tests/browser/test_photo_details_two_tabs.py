"""Two tabs set the details of the same photo: the second is told, and decides; what was not touched replaces nothing."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, expect

from federation_tests.fediverse import Fediverse
from node.attachments import photo_rows, photos
from node.attachments.photo_rows import Photo
from node.models import places
from node.models.places import PhotoPlace
from node.publishing import photo_details
from tests.browser.composing import type_point
from tests.browser.seen import Place, axe, place, signed_in
from tests.browser.test_accessibility import RUN
from tests.support.pictures import picture

CHANGED = "This photo was changed in another tab or app while you edited it. Press Done again to replace that change."
EITHER_WAY = pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])


async def _tab(
    fediverse: Fediverse, browser: Browser, part: str, *, scripts: bool = True
) -> tuple[Place, Photo, Page]:
    """The details of a photo in a tab, while another one sets its focal point and its location."""
    here = await place(fediverse)
    shown = await photos.upload(here.node, here.bob, picture(900, 600), alt="A lake")
    page = await (await signed_in(browser, here, here.bob, width=390, scripts=scripts)).new_page()
    await page.goto(
        here.url(f"/photos/{shown.id}/details?part={part}&back=/drafts"), wait_until="networkidle"
    )
    await here.node.db.write(photo_details.set_focus, here.bob, shown.id, -1, 1)
    await here.node.db.write(photo_details.set_place, here.bob, shown.id, "Berlin", "town")
    return here, shown, page


async def _now(here: Place, shown: Photo) -> Photo:
    return (await here.node.db.read(photo_rows.by_ids, [shown.id]))[shown.id]


@EITHER_WAY
async def test_the_second_focal_point_asks_before_it_replaces_the_first(
    fediverse: Fediverse, browser: Browser, scripts: bool
) -> None:
    here, shown, page = await _tab(fediverse, browser, "focus", scripts=scripts)
    await type_point(page, "left", "75")

    await page.get_by_text("Done", exact=True).first.click()

    await expect(page.get_by_role("alert")).to_contain_text(CHANGED)
    await expect(page.get_by_label("From left, in percent")).to_have_value("75.0")
    assert (await _now(here, shown)).focus_x == -1
    await page.get_by_text("Done", exact=True).first.click()
    await expect(page).to_have_url(here.url("/drafts"))
    assert (await _now(here, shown)).focus_x == 0.5


async def test_the_other_location_can_be_looked_at_and_kept(fediverse: Fediverse, browser: Browser) -> None:
    here, shown, page = await _tab(fediverse, browser, "place")
    await page.get_by_label("Name of the location").fill("Potsdam")

    await page.get_by_role("button", name="Done").click()

    await expect(page.get_by_role("alert")).to_contain_text(CHANGED)
    await expect(page.get_by_label("Name of the location")).to_have_value("Potsdam")
    await page.evaluate(axe())
    assert await page.evaluate(RUN) == []
    await page.get_by_role("link", name="See that version").click()
    await expect(page.get_by_label("Name of the location")).to_have_value("Berlin")
    await page.get_by_text("Done", exact=True).first.click()
    await expect(page).to_have_url(here.url("/drafts"))
    assert places.load((await _now(here, shown)).place) == PhotoPlace("Berlin", "town")


@pytest.mark.parametrize("part", ["focus", "place"])
async def test_what_was_not_touched_replaces_nothing(
    fediverse: Fediverse, browser: Browser, part: str
) -> None:
    here, shown, page = await _tab(fediverse, browser, part)

    await page.get_by_text("Done", exact=True).first.click()

    await expect(page).to_have_url(here.url("/drafts"))
    now = await _now(here, shown)
    assert (now.focus_x, now.focus_y, places.load(now.place).name) == (-1, 1, "Berlin")
