"""A photo that could not be uploaded: it stays visible, and nothing is posted until its author decides."""

from __future__ import annotations

import asyncio
from pathlib import Path

from playwright.async_api import Browser, Page, Route, expect

from federation_tests.fediverse import Fediverse
from tests.browser.composing import (
    INPUT,
    add,
    all_posted,
    compose,
    described,
    files,
    post_button,
    post_undescribed,
    tool,
)


async def _break_uploads(page: Page, once: asyncio.Event | None = None) -> None:
    """The server fails, `once` something happened. What is lost on the way continues by itself: see test_uploads."""

    async def fail(route: Route) -> None:
        if once is not None:
            await once.wait()
        await route.fulfill(status=500, content_type="application/json", body='{"error": "It failed here."}')

    await page.route("**/compose/photo", fail)


async def test_post_waits_for_a_decision_about_a_failed_photo(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, page = await compose(fediverse, browser)
    await page.get_by_label("Caption").fill("Two of them")
    await page.set_input_files(INPUT, files(tmp_path, "bad.pdf", "good.jpg"))
    await expect(page.locator(".upload[data-photo]")).to_have_count(1)
    await expect(page.locator(".upload.failed")).to_have_count(1)
    await post_button(page).click()
    await expect(page.locator("#undecided")).to_contain_text("1 photo was not uploaded")
    await expect(page.locator("#undecided")).to_be_focused()
    assert page.url.endswith("/compose")
    assert await all_posted(here) == []
    await page.locator("#undecided").get_by_role("button", name="Remove this photo").click()
    await expect(page.locator("#undecided")).to_be_hidden()
    await expect(page.locator(".upload")).to_have_count(1)
    await post_undescribed(page)
    await expect(page.get_by_text("Two of them")).to_be_visible()
    assert await all_posted(here) == [[""]]


async def test_only_failed_photos_never_become_a_text_post(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, page = await compose(fediverse, browser)
    await page.get_by_label("Caption").fill("Look at this")
    may_fail = asyncio.Event()
    await _break_uploads(page, may_fail)
    await page.set_input_files(INPUT, files(tmp_path, "one.jpg", "two.jpg", "three.jpg"))
    # Pressed while they are still being sent: it posts once they are uploaded, and these never are.
    await post_undescribed(page)
    may_fail.set()
    await expect(page.locator(".upload.failed")).to_have_count(3)
    await expect(page.locator("#undecided")).to_contain_text("3 photos were not uploaded")
    assert await all_posted(here) == []
    await page.unroute("**/compose/photo")
    await page.locator("#undecided").get_by_role("button", name="Try again").click()
    await expect(page.locator(".upload[data-photo]")).to_have_count(3)
    await expect(page.locator("#undecided")).to_be_hidden()
    await post_button(page).click()
    await expect(page.locator(".slides img")).to_have_count(3)
    assert await all_posted(here) == [["", "", ""]]


async def test_a_failed_photo_can_be_removed_wherever_it_stands(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    _here, page = await compose(fediverse, browser)
    names = files(tmp_path, "first.pdf", "good.jpg", "middle.pdf", "other.jpg", "last.pdf")
    await page.set_input_files(INPUT, names)
    await expect(page.locator(".upload textarea")).to_have_count(2)
    await expect(page.locator(".upload.failed")).to_have_count(3)
    for left in (2, 1, 0):
        await page.locator(".thumbnail.failed button").first.click()
        remove = page.locator(".upload.failed.chosen").get_by_role("button", name="Remove")
        await expect(remove).to_be_enabled()
        await remove.click()
        await expect(page.locator(".upload.failed")).to_have_count(left)
    for left in (1, 0):
        await tool(page, "Remove")
        await expect(page.locator(".upload")).to_have_count(left)


async def test_one_failed_photo_is_sent_again_by_its_own_button(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, page = await compose(fediverse, browser)
    await _break_uploads(page)
    await page.set_input_files(INPUT, files(tmp_path, "one.jpg"))
    await expect(page.locator(".upload.failed")).to_contain_text("It failed here.")
    await page.unroute("**/compose/photo")
    await page.locator(".upload.failed").get_by_role("button", name="Try again").click()
    await described(page).fill("A lake")
    await post_button(page).click()
    await expect(page.locator(".photo img")).to_have_attribute("alt", "A lake")
    assert await all_posted(here) == [["A lake"]]


async def test_photos_beyond_the_limit_are_named_and_wait_for_a_decision(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, page = await compose(fediverse, browser)
    names = files(tmp_path, *(f"photo-{n}.jpg" for n in range(22)))
    await page.set_input_files(INPUT, names)
    await expect(page.locator(".upload[data-photo]")).to_have_count(20, timeout=60_000)
    await expect(page.locator(".upload.failed")).to_contain_text("photo-20.jpg, photo-21.jpg")
    await post_button(page).click()
    await expect(page.locator("#undecided")).to_be_visible()
    assert await all_posted(here) == []


async def test_a_restored_draft_says_which_photo_is_missing(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, page = await compose(fediverse, browser)
    await _break_uploads(page)
    await page.get_by_label("Caption").fill("Before the tunnel")
    await page.set_input_files(INPUT, files(tmp_path, "tunnel.jpg"))
    await expect(page.locator(".upload.failed")).to_have_count(1)
    await page.reload()
    await expect(page.get_by_label("Caption")).to_have_value("Before the tunnel")
    await expect(page.locator(".upload.failed")).to_contain_text("tunnel.jpg")
    await post_button(page).click()
    await expect(page.locator("#undecided")).to_be_visible()
    assert await all_posted(here) == []


async def test_without_scripts_post_waits_for_a_decision_too(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, page = await compose(fediverse, browser, scripts=False)
    await page.get_by_label("Caption").fill("No script was run")
    await page.set_input_files(INPUT, files(tmp_path, "bad.pdf"))
    for _ in range(2):
        await post_button(page).click()
        await expect(page.locator(".upload.failed")).to_contain_text("bad.pdf")
        assert await all_posted(here) == []
    await page.get_by_label("Post without this photo").check()
    await post_button(page).click()
    await page.get_by_label("Post the caption without a photo").check()
    await post_button(page).click()
    await expect(page.get_by_text("No script was run")).to_be_visible()
    assert await all_posted(here) == [[]]


async def test_without_scripts_a_refused_file_is_listed_once_however_often_it_is_chosen(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    _here, page = await compose(fediverse, browser, scripts=False)
    bad, other, good = files(tmp_path, "bad.pdf", "other.pdf", "good.jpg")
    again = page.get_by_label("Select it again, or another photo instead")
    upload = page.get_by_role("button", name="Upload and add descriptions")
    await page.locator(".drop input").set_input_files(bad)
    await upload.click()
    await expect(page.locator(".upload")).to_have_count(1)
    for field, file in ((page.locator(".drop input"), bad), (again, bad), (again, other)):
        await field.set_input_files(file)
        await upload.click()
        await expect(page.locator(".upload.failed b")).to_have_text([Path(file).name])
        await expect(page.locator(".upload")).to_have_count(1)

    await again.set_input_files(good)
    await upload.click()

    await expect(page.locator(".upload.failed")).to_have_count(0)
    await expect(page.locator(".upload[data-photo]")).to_have_count(1)


async def test_without_scripts_a_photo_is_replaced_by_the_file_that_was_refused_before(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    _here, page = await compose(fediverse, browser, scripts=False)
    first, new = files(tmp_path, "first.jpg", "new.jpg")
    whole = Path(new).read_bytes()
    upload = page.get_by_role("button", name="Upload and add descriptions")
    await page.locator(".drop input").set_input_files(first)
    await upload.click()
    Path(new).write_bytes(b"not there yet")
    await page.get_by_label("Replace this photo").set_input_files(new)
    await upload.click()
    await expect(page.locator(".upload.failed b")).to_have_text(["new.jpg"])
    Path(new).write_bytes(whole)
    await page.get_by_label("Replace this photo").set_input_files(new)
    await upload.click()

    await expect(page.locator(".upload.failed")).to_have_count(0)
    await expect(page.locator(".upload")).to_have_count(1)


async def test_what_was_typed_outlives_a_post_that_failed(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, page = await compose(fediverse, browser)
    await add(page, files(tmp_path, "good.jpg"))
    await described(page).fill("A lake")
    await page.get_by_label("Caption").fill("Typed for long")

    async def unavailable(route: Route) -> None:
        if route.request.method == "POST":
            await route.fulfill(status=503, content_type="text/html", body="<h1>Server unavailable</h1>")
        else:
            await route.continue_()

    async def is_kept() -> None:
        await expect(page.get_by_label("Caption")).to_have_value("Typed for long")
        await page.goto(here.url("/compose"))
        await expect(page.get_by_label("Caption")).to_have_value("Typed for long")
        await expect(page.locator(".upload textarea")).to_have_value("A lake")

    await page.route("**/compose", unavailable)
    await post_button(page).click()
    await expect(page.locator("#undecided")).to_contain_text("Something went wrong")
    await expect(page.locator("#undecided")).to_be_focused()
    await page.unroute("**/compose")
    await is_kept()

    # The session ended meanwhile.
    cookies = await page.context.cookies()
    await page.context.clear_cookies()
    await post_button(page).click()
    await expect(page.locator("#undecided")).to_contain_text("You are signed out")
    await expect(page.locator("#undecided").get_by_role("link", name="Sign in")).to_be_visible()
    await page.context.add_cookies(cookies)  # type: ignore[arg-type]
    await is_kept()

    await post_button(page).click()
    await expect(page.get_by_text("Typed for long")).to_be_visible()
    assert await all_posted(here) == [["A lake"]]
    await page.goto(here.url("/compose"))
    await expect(page.get_by_label("Caption")).to_have_value("")
    await expect(page.locator(".upload")).to_have_count(0)


async def test_after_a_reload_a_failed_photo_says_why(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    _, page = await compose(fediverse, browser)
    await page.get_by_label("Caption").fill("Two of them")
    await page.set_input_files(INPUT, files(tmp_path, "bad.pdf", "good.jpg"))
    await expect(page.locator(".upload[data-photo]")).to_have_count(1)
    reason = await page.locator(".upload.failed .failure p").first.text_content() or ""
    assert "This kind of file" in reason
    await expect(page.locator("#draft-state")).to_have_text("Draft saved")
    for _again in range(2):
        await page.reload()
        await expect(page.locator(".upload[data-photo]")).to_have_count(1)
        await expect(page.locator(".upload.failed .failure p").first).to_have_text(reason)
    await page.goto(page.url.split("/compose")[0] + "/drafts")
    await page.locator("main a[href*='draft=']").first.click()
    await expect(page.locator(".upload.failed .failure p").first).to_have_text(reason)
