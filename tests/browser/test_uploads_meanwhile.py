"""Uploads go on while the page of another photo of the post is open, and it says how far they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from federation_tests.fediverse import Fediverse
from tests.browser.composing import INPUT, add, all_posted, compose, describe, files, post_undescribed
from tests.browser.seen import Place

SENT = "**/compose/photo"


async def _leave_while_uploading(
    fediverse: Fediverse, browser: Browser, tmp_path: Path, to: str
) -> tuple[Place, Page, list[int]]:
    """Opens a page of the first photo while the second waits for its connection; and what the server then answers."""
    here, page = await compose(fediverse, browser)
    await add(page, files(tmp_path, "a.jpg"))
    await describe(page, "One")
    await page.route(SENT, lambda route: route.abort())
    await page.set_input_files(INPUT, files(tmp_path, "b.jpg"))
    await expect(page.locator(".upload[data-waiting]")).to_have_count(1)
    answers: list[int] = []
    page.on(
        "response", lambda got: answers.append(got.status) if got.url.endswith("/compose/photo") else None
    )
    await page.locator(f".upload.chosen .photo-tools .{to}").click()
    await page.wait_for_url("**/photos/**")
    await expect(page.locator(".meanwhile")).to_contain_text("The upload continues by itself.")
    return here, page, answers


@pytest.mark.parametrize("to", ["details", "edit"])
async def test_a_photo_is_uploaded_while_another_is_looked_at(
    fediverse: Fediverse, browser: Browser, tmp_path: Path, to: str
) -> None:
    here, page, answers = await _leave_while_uploading(fediverse, browser, tmp_path, to)
    await expect(page.get_by_role("progressbar", name="Uploads")).to_be_visible()
    await page.unroute(SENT)

    await expect(page.get_by_text("All photos of the post are uploaded.")).to_be_visible()
    await page.get_by_role("button", name="Done", exact=True).click()
    await page.wait_for_load_state("networkidle")
    await expect(page.locator(".upload[data-photo]")).to_have_count(2)
    await post_undescribed(page)

    await expect(page.locator(".post")).to_be_visible()
    assert answers == [200]
    assert await all_posted(here) == [["One", ""]]


async def test_what_was_not_uploaded_meanwhile_goes_on_in_the_form(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    _here, page, answers = await _leave_while_uploading(fediverse, browser, tmp_path, "details")
    await page.get_by_role("button", name="Done", exact=True).click()
    await page.wait_for_url("**/compose?*")
    await page.unroute(SENT)

    await expect(page.locator(".upload[data-photo]")).to_have_count(2)
    assert answers == [200]
