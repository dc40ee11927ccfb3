"""Two people use one browser: neither gets to see, or to post, what the other one has written."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Browser, BrowserContext, Page, expect

from federation_tests.fediverse import Fediverse
from node.auth import sessions
from node.models.account import Account
from node.publishing import saved_drafts
from tests.browser.composing import add, compose, files, post_button
from tests.browser.seen import Place
from web.request.session import SESSION_COOKIE


async def _sign_in(context: BrowserContext, here: Place, who: Account) -> None:
    token = await here.node.db.write(sessions.start, who, "Chromium")
    await context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": here.node.site.base_url}])


async def _open(page: Page, here: Place, path: str) -> None:
    await page.goto(here.url(path))
    await page.wait_for_load_state("networkidle")


async def _sign_out(page: Page, here: Place) -> None:
    await _open(page, here, "/")
    await page.locator("[formaction='/sign-out']").dispatch_event("click")
    await expect(page.get_by_role("link", name="Sign in").first).to_be_visible()


async def _kept(page: Page) -> str:
    """All that the browser keeps of what was written."""
    kept: str = await page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")
    return kept


async def test_the_next_person_gets_an_empty_form_and_the_first_one_gets_it_all_back(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, page = await compose(fediverse, browser)
    await page.wait_for_load_state("networkidle")
    await add(page, files(tmp_path, "a.jpg"))
    await page.get_by_label("Caption").fill("Half-written words")
    await expect(page.locator("#draft-state")).to_have_text("Draft saved")
    await _open(page, here, f"/posts/{here.post.id}")
    await page.get_by_label("Your comment").fill("An unsent comment")

    await page.context.clear_cookies()  # the session ended
    await _sign_in(page.context, here, here.alice)
    await _open(page, here, "/compose")
    await expect(page.get_by_label("Caption")).to_have_value("")
    await expect(page.locator(".upload")).to_have_count(0)
    await page.get_by_label("Caption").fill("Words of Alice")
    await expect(page.locator("#draft-state")).to_have_text("Draft saved")
    await _open(page, here, f"/posts/{here.post.id}")
    await expect(page.get_by_label("Your comment")).to_have_value("")

    await page.context.clear_cookies()
    await _sign_in(page.context, here, here.bob)
    await _open(page, here, f"/posts/{here.post.id}")
    await expect(page.get_by_label("Your comment")).to_have_value("An unsent comment")
    await _open(page, here, "/compose")
    await expect(page.get_by_label("Caption")).to_have_value("Half-written words")
    await expect(page.locator(".upload[data-photo]")).to_have_count(1)


async def test_after_signing_out_the_browser_keeps_only_what_is_nowhere_else(
    fediverse: Fediverse, browser: Browser
) -> None:
    here, page = await compose(fediverse, browser)
    await page.wait_for_load_state("networkidle")
    await page.get_by_label("Caption").fill("Saved on the server")
    await expect(page.locator("#draft-state")).to_have_text("Draft saved")
    await _open(page, here, f"/posts/{here.post.id}")
    await page.get_by_label("Your comment").fill("An unsent comment")

    await _sign_out(page, here)

    assert "Saved on the server" not in await _kept(page)
    await _sign_in(page.context, here, here.alice)
    await _open(page, here, f"/posts/{here.post.id}")
    await expect(page.get_by_label("Your comment")).to_have_value("")
    await page.context.clear_cookies()
    await _sign_in(page.context, here, here.bob)
    await _open(page, here, f"/posts/{here.post.id}")
    await expect(page.get_by_label("Your comment")).to_have_value("An unsent comment")
    [saved] = await here.node.db.read(saved_drafts.by_author, here.bob)
    assert saved.draft.caption == "Saved on the server"


async def test_a_page_of_one_person_posts_nothing_for_the_other(
    fediverse: Fediverse, browser: Browser
) -> None:
    here, page = await compose(fediverse, browser)
    await page.wait_for_load_state("networkidle")
    await page.get_by_label("Caption").fill("Words of Bob")
    await page.context.clear_cookies()
    await _sign_in(page.context, here, here.alice)

    await post_button(page).click()

    await expect(page.locator("#undecided")).to_contain_text("You are signed out")
    await expect(page.get_by_label("Caption")).to_have_value("Words of Bob")
    assert await here.node.db.read(saved_drafts.by_author, here.alice) == []
