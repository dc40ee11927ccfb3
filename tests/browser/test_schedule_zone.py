"""A time is typed, shown and listed in one zone: the one chosen in the settings, else that of the browser."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, expect

from federation_tests.fediverse import Fediverse
from node.auth import users
from node.database import Writer
from node.models.account import Account
from node.publishing import saved_drafts
from tests.browser.composing import post_button
from tests.browser.seen import place, signed_in


def _choose(tx: Writer, who: Account, zone: str) -> None:
    users.set_preferences(tx, who, time_zone=zone)


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize(("chosen", "zone"), [("Asia/Tokyo", "Asia/Tokyo"), ("", "America/New_York")])
async def test_a_post_is_scheduled_in_the_zone_that_the_page_names(
    fediverse: Fediverse, browser: Browser, chosen: str, zone: str, scripts: bool
) -> None:
    zone = zone if chosen or scripts else "UTC"  # nothing tells of the browser's
    here = await place(fediverse)
    await here.node.db.write(_choose, here.bob, chosen)
    context = await signed_in(browser, here, here.bob, timezone="America/New_York", scripts=scripts)
    page = await context.new_page()
    await page.goto(here.url("/compose"))
    await page.wait_for_load_state("networkidle")
    await page.get_by_label("Caption", exact=True).fill("Good morning")
    await page.locator("[data-option=schedule] summary").click()
    field = page.get_by_label("Post later")
    await expect(page.locator("#h-publish_at")).to_contain_text(zone.replace("_", " "))
    at = (datetime.now(UTC) + timedelta(days=2)).astimezone(ZoneInfo(zone))
    at = at.replace(hour=18, minute=5, second=0, microsecond=0)
    await field.fill(f"{at:%Y-%m-%dT%H:%M}")
    if scripts:
        await expect(page.locator("[data-option=schedule] .value")).to_contain_text("6:05")
        await expect(post_button(page, "Schedule")).to_be_visible()
    await post_button(page, "Schedule" if scripts else "Post").click()

    await expect(page.get_by_role("heading", name="Drafts")).to_be_visible()
    [saved] = await here.node.db.read(saved_drafts.by_author, here.bob)
    assert saved.publish_at == int(at.timestamp() * 1000)
    await expect(page.locator("main")).to_contain_text("6:05")
    await page.get_by_role("link", name="Good morning").click()
    await expect(page.get_by_label("Post later")).to_have_value(f"{at:%Y-%m-%dT%H:%M}")
    await expect(post_button(page, "Schedule")).to_be_visible()
    await expect(page.locator("[data-option=schedule] .value")).to_contain_text(
        "6:05" if scripts else "18:05"
    )
    if scripts:
        # Many phones cannot empty a field of a date.
        await page.wait_for_load_state("networkidle")
        await page.locator("[data-option=schedule] summary").click()
        await page.get_by_role("button", name="Post now instead").click()
        await expect(page.get_by_label("Post later")).to_have_value("")
        await post_button(page, "Post").click()
        await page.wait_for_url("**/p/bob/*")
        assert await here.node.db.read(saved_drafts.by_author, here.bob) == []
