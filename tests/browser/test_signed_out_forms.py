"""A form that the browser itself sends after its session ended: what was typed is there after signing in, and is sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from federation_tests.fediverse import Fediverse
from node.attachments import photo_rows, photos
from node.auth import passwords, users
from node.database import Writer
from node.models import places
from node.models.account import Account
from tests.browser.composing import all_posted
from tests.browser.seen import Place, axe, place, signed_in
from tests.browser.test_accessibility import RUN
from tests.support.pictures import picture

EITHER_WAY = pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
PASSWORD = "a picture a day"


async def _give_password(here: Place, who: Account) -> None:
    hashed = await passwords.hash(PASSWORD)

    def unit(tx: Writer) -> None:
        users.set_password(tx, who.id, hashed)

    await here.node.db.write(unit)


async def _sign_in(page: Page, who: Account) -> None:
    await page.get_by_label("Username or e-mail").fill(who.name)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()


async def _problems(page: Page) -> list[str]:
    await page.evaluate(axe())
    found: list[str] = await page.evaluate(RUN)
    return found


@EITHER_WAY
async def test_the_details_of_a_photo_are_saved_after_signing_in(
    fediverse: Fediverse, browser: Browser, scripts: bool
) -> None:
    here = await place(fediverse)
    shown = await photos.upload(here.node, here.bob, picture(900, 600), alt="A lake")
    context = await signed_in(browser, here, here.bob, width=390, scripts=scripts)
    page = await context.new_page()
    await page.goto(here.url(f"/photos/{shown.id}/details?part=place&back=/drafts"), wait_until="networkidle")
    await page.get_by_label("Name of the location").fill("Beijing, China")
    await context.clear_cookies()
    await _give_password(here, here.bob)

    await page.get_by_text("Done", exact=True).click()

    await expect(page.get_by_role("heading", level=1)).to_have_text("Sign in to go on")
    assert not scripts or await _problems(page) == []
    await _sign_in(page, here.bob)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Not sent yet")
    assert not scripts or await _problems(page) == []
    await expect(page.locator("main")).to_contain_text("Beijing, China")
    await page.get_by_role("button", name="Send now").click()
    await expect(page).to_have_url(here.url("/drafts"))
    kept = (await here.node.db.read(photo_rows.by_ids, [shown.id]))[shown.id]
    assert places.load(kept.place).name == "Beijing, China"


async def test_a_post_without_scripts_is_posted_after_signing_in(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here = await place(fediverse)
    large = tmp_path / "a.jpg"  # what a camera makes: far more than a form without files
    large.write_bytes(picture(2400, 1600) + bytes(2_000_000))
    context = await signed_in(browser, here, here.bob, width=390, scripts=False)
    page = await context.new_page()
    await page.goto(here.url("/compose"), wait_until="networkidle")
    await page.get_by_label("Caption").fill("What a morning")
    await page.locator("input[type=file][name=photos]").first.set_input_files(large)
    await context.clear_cookies()
    await _give_password(here, here.bob)

    await page.locator(".compose-bar").get_by_role("button", name="Post", exact=True).click()

    await expect(page.get_by_role("heading", level=1)).to_have_text("Sign in to go on")
    await _sign_in(page, here.bob)
    await expect(page.locator("main")).to_contain_text("What a morning")
    await page.get_by_role("button", name="Continue editing").click()
    await expect(page.get_by_label("Caption")).to_have_value("What a morning")
    await expect(page.locator(".upload img").first).to_be_visible()
    await page.locator(".compose-bar").get_by_role("button", name="Post", exact=True).click()
    await page.locator("#undecided").get_by_role("button", name="Post anyway").click()
    await expect(page.locator(".post")).to_contain_text("What a morning")
    assert (await all_posted(here))[0] == [""]
