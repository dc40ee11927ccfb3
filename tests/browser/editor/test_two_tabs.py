"""Two tabs edit the same photo, and a tab is closed before Done: nothing that was edited is lost, here or there."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, expect

from federation_tests.fediverse import Fediverse
from media.editing.recipes import Recipe
from node.publishing import photo_edits
from tests.browser.editor.opened import Studio, album, done, draft, drawn, enter, page_of, recipe_of
from tests.browser.seen import axe
from tests.browser.test_accessibility import RUN

CHANGED = "This photo was changed in another tab or app while you edited it."


async def _choose(page: Page, look: str) -> None:
    await page.locator(".e-look", has_text=look).click()
    await drawn(page, look=look.lower())


async def _stale(fediverse: Fediverse, browser: Browser) -> tuple[Studio, Page, int, str]:
    """An editor in which Chalk was chosen, while another device made the photo Soot."""
    here, page = await page_of(fediverse, browser)
    [photo], back = await draft(here)
    await enter(page, here, photo, back)
    await _choose(page, "Chalk")
    await photo_edits.edit(here.node, here.bob, photo, Recipe(look="soot"))
    await page.get_by_role("button", name="Done", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text(CHANGED)
    assert (await recipe_of(here, photo)).look == "soot", "the last Done does not win silently"
    return here, page, photo, back


async def test_copied_edits_are_saved_after_the_tab_was_closed(
    fediverse: Fediverse, browser: Browser
) -> None:
    here, page = await page_of(fediverse, browser)
    ids, back = await draft(here, count=3)
    await enter(page, here, ids[0], back)
    await _choose(page, "Chalk")
    await page.get_by_role("button", name="Copy to all").click()
    await expect(page.get_by_text("Copied to 2 photos")).to_be_visible()
    await page.close()

    again = await page.context.new_page()
    await enter(again, here, ids[0], back)
    await expect(again.get_by_text("Your unsaved changes to 3 photos are back.")).to_be_visible()
    await done(again, here, back)

    assert [(await recipe_of(here, one)).look for one in ids] == ["chalk"] * 3


async def test_unsaved_changes_of_the_photos_beside_are_discarded_with_cancel(
    fediverse: Fediverse, browser: Browser
) -> None:
    here, page = await page_of(fediverse, browser)
    ids, back = await draft(here, count=2)
    await enter(page, here, ids[0], back)
    await _choose(page, "Chalk")
    await page.close()

    again = await page.context.new_page()
    await enter(again, here, ids[1], back)
    await expect(again.get_by_text("Your unsaved changes to another photo are back.")).to_be_visible()
    await again.get_by_role("button", name="Cancel").click()
    await again.get_by_role("button", name="Discard").click()
    await expect(again).to_have_url(here.url(back))

    await enter(again, here, ids[0], back)
    await drawn(again, look=None)


async def test_keeping_mine_replaces_what_was_changed_there(fediverse: Fediverse, browser: Browser) -> None:
    here, page, photo, back = await _stale(fediverse, browser)
    await page.evaluate(axe())
    assert await page.evaluate(RUN) == []

    await page.get_by_role("button", name="Keep mine").click()

    await expect(page).to_have_url(here.url(back))
    assert (await recipe_of(here, photo)).look == "chalk"


async def test_taking_theirs_can_be_undone(fediverse: Fediverse, browser: Browser) -> None:
    here, page, photo, back = await _stale(fediverse, browser)

    await page.get_by_role("button", name="Take theirs").click()
    await drawn(page, look="soot")
    await page.get_by_role("button", name="Undo").first.click()
    await drawn(page, look="chalk")
    await done(page, here, back)

    assert (await recipe_of(here, photo)).look == "chalk"


async def test_an_edit_kept_from_before_says_at_once_that_the_photo_was_changed(
    fediverse: Fediverse, browser: Browser
) -> None:
    here, page = await page_of(fediverse, browser)
    [photo], back = await draft(here)
    await enter(page, here, photo, back)
    await _choose(page, "Chalk")
    await page.close()
    await photo_edits.edit(here.node, here.bob, photo, Recipe(look="soot"))

    again = await page.context.new_page()
    await enter(again, here, photo, back)
    await expect(again.get_by_role("alert")).to_contain_text(CHANGED)
    await drawn(again, look="chalk")
    await again.get_by_role("button", name="Take theirs").click()
    await drawn(again, look="soot")
    await done(again, here, back)

    assert (await recipe_of(here, photo)).look == "soot"


async def test_of_an_album_all_or_none_are_saved_where_one_was_changed(
    fediverse: Fediverse, browser: Browser
) -> None:
    here, page = await page_of(fediverse, browser)
    ids, post_id = await album(here, count=3)
    back = f"/posts/{post_id}/edit"
    await enter(page, here, ids[0], back)
    await _choose(page, "Chalk")
    await page.get_by_role("button", name="Copy to all").click()
    await photo_edits.edit(here.node, here.bob, ids[2], Recipe(look="soot"))
    await page.get_by_role("button", name="Done", exact=True).click()

    await expect(page.get_by_role("alert")).to_contain_text(
        "Another photo of this post was changed in another tab or app"
    )
    assert [(await recipe_of(here, one)).look for one in ids] == ["", "", "soot"]
    await page.get_by_role("button", name="Take theirs").click()
    await done(page, here, back)
    assert [(await recipe_of(here, one)).look for one in ids] == ["chalk", "chalk", "soot"]


@pytest.mark.parametrize("taken", ["Apply", "See that version"])
async def test_without_scripts_apply_says_that_the_photo_was_changed(
    fediverse: Fediverse, browser: Browser, taken: str
) -> None:
    here, page = await page_of(fediverse, browser, scripts=False)
    [photo], back = await draft(here)
    await page.goto(here.url(f"/photos/{photo}/edit?back={back}"))
    await page.get_by_label("Chalk").check(force=True)
    await page.get_by_role("button", name="Preview").first.click()
    await photo_edits.edit(here.node, here.bob, photo, Recipe(look="soot"))

    await page.get_by_role("button", name="Apply").first.click()

    await expect(page.get_by_role("alert")).to_contain_text(CHANGED)
    await expect(page.get_by_label("Chalk")).to_be_checked()
    assert (await recipe_of(here, photo)).look == "soot"
    if taken == "Apply":
        await page.get_by_role("button", name="Apply").first.click()
        await expect(page).to_have_url(here.url(back))
        assert (await recipe_of(here, photo)).look == "chalk"
    else:
        await page.get_by_role("link", name=taken).click()
        await expect(page.get_by_label("Soot")).to_be_checked()
