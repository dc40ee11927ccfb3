"""A session that ended while somebody was on a page: what they do says so, keeps their words, and works after signing in."""

from __future__ import annotations

from playwright.async_api import Browser, expect

from federation_tests.fediverse import Fediverse
from tests.browser.seen import place, signed_in


async def test_a_comment_is_kept_and_sent_after_signing_in_again(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    context = await signed_in(browser, here, here.bob)
    page = await context.new_page()
    await page.goto(here.url(f"/posts/{here.post.id}"))
    await page.wait_for_load_state("networkidle")
    await context.clear_cookies()
    await page.locator("#answer textarea").fill("What a morning")
    await page.locator("#answer").get_by_role("button", name="Post").click()
    waiting = page.locator(".comment.pending")
    await expect(waiting).to_contain_text("You are signed out")
    await expect(waiting.get_by_role("link", name="Sign in")).to_have_attribute("href", "/sign-in")

    again = await signed_in(browser, here, here.bob)  # a new session, whose form tokens are others
    await context.add_cookies(await again.cookies())  # type: ignore[arg-type]
    await waiting.get_by_role("button", name="Try again").click()

    await expect(page.locator(".comment.pending")).to_have_count(0)
    await page.reload()
    await expect(page.locator(".comment", has_text="What a morning")).to_be_visible()
