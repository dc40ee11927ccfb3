"""What a notice offers can be read and told apart, in either theme."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from federation_tests.fediverse import Fediverse
from node.accounts import accounts
from node.accounts.keys import generate
from node.database import Writer
from node.interactions import follows
from node.models.account import Account
from tests.browser.seen import axe, place, signed_in
from tests.browser.test_accessibility import RUN

BACKGROUND = "(one) => getComputedStyle(one).backgroundColor"


def _ask_to_follow(tx: Writer, whom: Account) -> None:
    follows.follow(tx, accounts.create_local(tx, "ivy", pair=generate()), whom)


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_accept_is_the_button_that_stands_out_in_a_request(
    fediverse: Fediverse, browser: Browser, theme: str
) -> None:
    here = await place(fediverse)
    await here.node.db.write(_ask_to_follow, here.alice)
    page = await (await signed_in(browser, here, here.alice, width=390)).new_page()
    await page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    await page.goto(here.url("/@ivy"), wait_until="networkidle")
    accept = page.locator(".notice").get_by_role("button", name="Accept")

    accent = await page.evaluate("getComputedStyle(document.body).getPropertyValue('--accent')")
    shown = await accept.evaluate(BACKGROUND)

    assert shown == await page.evaluate(
        "(colour) => { document.body.style.color = colour; return getComputedStyle(document.body).color; }",
        accent,
    )
    await page.reload(wait_until="networkidle")
    await page.evaluate(axe())
    assert await page.evaluate(RUN) == []


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
async def test_edit_post_says_why_a_photo_without_original_cannot_be_edited(
    fediverse: Fediverse, browser: Browser, scripts: bool
) -> None:
    here = await place(fediverse)
    said = "The original of this photo is not kept here, so it can't be edited."
    page = await (await signed_in(browser, here, here.alice, width=390, scripts=scripts)).new_page()

    await page.goto(here.url(f"/posts/{here.post.id}/edit"))
    await expect(page.get_by_text(said)).to_be_visible()
    await expect(page.get_by_text("You can replace it.")).to_be_visible()
    await expect(page.get_by_role("button", name="Save and edit photo")).to_have_count(0)
