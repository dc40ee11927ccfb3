"""What is typed is saved while it is typed, found again in another browser, and scheduled in the reader's own time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from playwright.async_api import Browser, Dialog, Route, expect

from federation_tests.fediverse import Fediverse
from node.posts.drafts import Draft
from node.publishing import publishing, saved_drafts
from node.publishing.saved_drafts import SavedDraft
from tests.browser.composing import add, compose, described, files, open_as, post_button
from tests.browser.seen import Place
from tests.support.posting import publish


async def _drafts(here: Place) -> list[SavedDraft]:
    return await here.node.db.read(saved_drafts.by_author, here.bob)


async def test_a_post_begun_on_the_phone_is_finished_on_the_desktop(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, phone = await compose(fediverse, browser)
    await add(phone, files(tmp_path, "lake.jpg"))
    await described(phone).fill("A boat")
    await phone.get_by_label("Caption").fill("Half a thou")
    await expect(phone.locator("#draft-state")).to_have_text("Draft saved")
    await phone.get_by_label("Caption").press_sequentially("ght")

    async def whole() -> bool:
        return [one.draft.caption for one in await _drafts(here)] == ["Half a thought"]

    while not await whole():
        await phone.wait_for_timeout(100)

    desktop = await open_as(browser, here, here.bob, here.url("/drafts"))
    await desktop.get_by_role("link", name="Half a thought").click()
    await expect(described(desktop)).to_have_value("A boat")
    await desktop.get_by_label("Caption").fill("A whole thought")
    await post_button(desktop).click()

    await expect(desktop.locator(".post")).to_contain_text("A whole thought")
    await desktop.wait_for_timeout(2_000)  # longer than until it would be saved once more
    assert await _drafts(here) == []


async def test_what_could_not_be_saved_on_the_server_is_kept_in_the_browser(
    fediverse: Fediverse, browser: Browser
) -> None:
    here, page = await compose(fediverse, browser, width=1280)

    async def lost(route: Route) -> None:
        await route.abort()

    await page.route("**/drafts", lost)
    await page.get_by_label("Caption").fill("Written in a tunnel")
    await expect(page.locator("#draft-state")).to_have_text("Not saved on the server yet")
    await page.unroute("**/drafts")
    await page.reload()

    await expect(page.get_by_label("Caption")).to_have_value("Written in a tunnel")
    await expect(page.locator("#draft-state")).to_have_text("Draft saved")
    assert [one.draft.caption for one in await _drafts(here)] == ["Written in a tunnel"]


async def test_a_time_is_that_of_the_place_where_it_is_typed(fediverse: Fediverse, browser: Browser) -> None:
    here, page = await compose(fediverse, browser, width=1280, timezone="America/New_York")
    await page.get_by_label("Caption").fill("Good morning")
    await page.locator("summary", has_text="Schedule").click()
    at = (datetime.now(UTC) + timedelta(days=2)).astimezone(ZoneInfo("America/New_York"))
    at = at.replace(second=0, microsecond=0)
    await page.get_by_label("Post later").fill(f"{at:%Y-%m-%dT%H:%M}")
    await page.get_by_role("button", name="Schedule", exact=True).last.click()

    await expect(page.get_by_role("heading", name="Drafts")).to_be_visible()
    [saved] = await _drafts(here)
    assert saved.publish_at == int(at.timestamp() * 1000)
    await page.get_by_role("link", name="Good morning").click()
    await expect(page.get_by_label("Post later")).to_have_value(f"{at:%Y-%m-%dT%H:%M}")


async def test_a_quote_is_another_draft_than_the_post_that_was_begun(
    fediverse: Fediverse, browser: Browser
) -> None:
    here, page = await compose(fediverse, browser, width=1280)
    quoted = await here.node.db.write(lambda tx: publish(tx, here.bob, "Quote me"))
    await page.get_by_label("Caption").fill("Something else")
    await expect(page.locator("#draft-state")).to_have_text("Draft saved")

    await page.goto(here.url(f"/compose?quote={quoted.id}"))
    await expect(page.get_by_label("Caption")).to_have_value("")
    await page.get_by_label("Caption").fill("How true")
    await expect(page.locator("#draft-state")).to_have_text("Draft saved")

    await page.goto(here.url("/compose"))
    await expect(page.get_by_label("Caption")).to_have_value("Something else")
    saved = {one.draft.caption: one.draft.quote_id for one in await _drafts(here)}
    assert saved == {"Something else": None, "How true": quoted.id}


async def test_a_deleted_draft_is_not_there_again(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, page = await compose(fediverse, browser)
    await add(page, files(tmp_path, "lake.jpg"))
    await page.get_by_label("Caption").fill("Not worth it")
    await expect(page.locator("#draft-state")).to_have_text("Draft saved")
    questions: list[str] = []

    async def answer(dialog: Dialog) -> None:
        questions.append(dialog.message)
        await (dialog.accept() if len(questions) > 1 else dialog.dismiss())

    page.on("dialog", answer)
    await page.goto(here.url("/drafts"), wait_until="networkidle")
    delete = page.get_by_role("button", name="Delete draft 1")
    await delete.click()
    await expect(delete).to_be_visible()
    await delete.click()
    await expect(page.get_by_role("heading", name="No drafts")).to_be_visible()

    await page.goto(here.url("/compose"), wait_until="networkidle")
    await expect(page.get_by_label("Caption")).to_have_value("")
    await expect(page.locator(".upload")).to_have_count(0)
    assert questions == ["Delete this draft?"] * 2


async def test_a_draft_that_was_deleted_on_another_device_is_not_there_again(
    fediverse: Fediverse, browser: Browser
) -> None:
    here, page = await compose(fediverse, browser)
    await page.get_by_label("Caption").fill("Posted from the phone meanwhile")
    await expect(page.locator("#draft-state")).to_have_text("Draft saved")
    await page.goto(here.url("/about"), wait_until="networkidle")
    [saved] = await _drafts(here)
    await here.node.db.write(saved_drafts.delete, here.bob, saved.id)

    await page.goto(here.url("/compose"), wait_until="networkidle")
    await expect(page.get_by_label("Caption")).to_have_value("")
    await page.get_by_label("Caption").fill("Another one")
    await expect(page.locator("#draft-state")).to_have_text("Draft saved")
    assert [one.draft.caption for one in await _drafts(here)] == ["Another one"]


async def test_photos_that_were_posted_on_another_device_are_not_offered_again(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, page = await compose(fediverse, browser)
    await add(page, files(tmp_path, "lake.jpg"))
    await page.get_by_label("Caption").fill("Morning")
    await expect(page.locator("#draft-state")).to_have_text("Draft saved")
    [saved] = await _drafts(here)

    async def lost(route: Route) -> None:
        await route.abort()

    await page.route("**/drafts", lost)
    await page.get_by_label("Caption").fill("Morning at the lake")
    await expect(page.locator("#draft-state")).to_have_text("Not saved on the server yet")
    await page.unroute("**/drafts")
    await page.goto(here.url("/about"), wait_until="networkidle")
    draft = Draft(caption="Morning", photo_ids=[one.id for one in saved.photos])
    await here.node.db.write(publishing.publish, here.bob, draft)
    await here.node.db.write(saved_drafts.delete, here.bob, saved.id)

    await page.goto(here.url("/compose"), wait_until="networkidle")

    await expect(page.get_by_label("Caption")).to_have_value("Morning at the lake")
    await expect(page.locator(".upload")).to_have_count(0)


async def test_a_post_to_be_scheduled_is_asked_about_as_such(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, page = await compose(fediverse, browser, width=1280, timezone="Europe/Berlin")
    await add(page, files(tmp_path, "lake.jpg"))
    await page.locator("summary", has_text="Schedule").click()
    field = page.get_by_label("Post later")
    soonest = datetime.fromisoformat(await field.get_attribute("min") or "").replace(
        tzinfo=ZoneInfo("Europe/Berlin")
    )
    assert timedelta(minutes=4) < soonest - datetime.now(UTC) <= timedelta(minutes=6)
    await field.fill(f"{soonest + timedelta(minutes=5):%Y-%m-%dT%H:%M}")
    await page.get_by_role("button", name="Schedule", exact=True).last.click()
    await page.get_by_role("button", name="Schedule anyway").click()

    await expect(page.get_by_role("heading", name="Drafts")).to_be_visible()
    assert len(await _drafts(here)) == 1
