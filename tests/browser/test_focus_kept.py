"""The keyboard keeps its place: whatever an action removes, hides or disables, the focus is near, and never on the page."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Browser, Locator, Page, expect

from federation_tests.fediverse import Fediverse
from node.posts.drafts import Draft
from node.publishing import publishing
from tests.browser.composing import compose, described, files, open_as, post_button, thumbnail
from tests.browser.seen import place
from tests.browser.viewing import LARGE, dialog, post_photos

FOCUSED = "[document.activeElement].map((one) => `${one.tagName} ${one.className} ${one.textContent.trim().slice(0, 40)}`)[0]"


async def choose_files(page: Page, opener: Locator, paths: list[str], *, key: str = "") -> None:
    """Chooses files as a person does: the dialog is opened by a key on a button, or by a click."""
    async with page.expect_file_chooser() as chooser:
        await (opener.press(key) if key else opener.click())
    there = await page.locator(".upload").count()
    await (await chooser.value).set_files(paths)
    await expect(page.locator(".upload[data-photo]")).to_have_count(there + len(paths))


async def focused(page: Page) -> str:
    """What has the focus, after the page had time to lose it."""
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    found = str(await page.evaluate(FOCUSED))
    assert not found.startswith("BODY"), found
    return found


async def test_who_chooses_photos_by_keyboard_describes_the_first_new_one(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    _here, page = await compose(fediverse, browser, width=1280)
    paths = files(tmp_path, "a.jpg", "b.jpg", "c.jpg")
    await choose_files(page, page.locator(".drop input"), paths[:2], key="Enter")
    await expect(described(page)).to_be_focused()
    await page.keyboard.type("First")
    another = page.get_by_role("button", name="Add photos")
    await choose_files(page, another, paths[2:], key="Space")
    await expect(page.get_by_label("Describe photo 3 of 3")).to_be_focused()


async def test_a_touch_that_chooses_photos_opens_no_keyboard(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    _here, page = await compose(fediverse, browser, touch=True)
    await choose_files(page, page.locator(".drop"), files(tmp_path, "a.jpg"))
    assert not (await page.evaluate("document.activeElement.matches('textarea, input:not([type=file])')"))


async def test_compose_by_keyboard_alone(fediverse: Fediverse, browser: Browser, tmp_path: Path) -> None:
    _here, page = await compose(fediverse, browser, width=1280)
    paths = files(tmp_path, "a.jpg", "b.jpg", "c.jpg")
    await choose_files(page, page.locator(".drop input"), paths, key="Enter")

    async def menu(name: str) -> None:
        summary = page.locator(".upload.chosen .photo-menu summary")
        await summary.focus()
        await summary.press("Enter")
        entry = page.locator(".upload.chosen .photo-menu").get_by_role("button", name=name)
        await entry.focus()
        await entry.press("Enter")
        await focused(page)

    await menu("Move later")
    await expect(page.locator(".upload.chosen .photo-menu summary")).to_be_focused()
    await menu("Remove")
    await expect(page.locator(".upload")).to_have_count(2)
    await expect(page.locator(".thumbnail button[aria-pressed=true]")).to_be_focused()
    undo = page.get_by_role("button", name="Undo")
    await undo.focus()
    await undo.press("Enter")
    await expect(page.locator(".upload")).to_have_count(3)
    await expect(page.locator(".thumbnail button[aria-pressed=true]")).to_be_focused()
    for left in (2, 1):
        await page.keyboard.press("Delete")
        await expect(page.locator(".upload")).to_have_count(left)
        await expect(thumbnail(page, await page.locator(".thumbnail").count() - 1)).to_be_visible()
        assert "Photo" in await focused(page)
    await menu("Remove")
    await expect(page.locator(".drop input")).to_be_focused()
    await undo.focus()
    await undo.press("Enter")
    await expect(thumbnail(page, 0)).to_be_focused()
    await post_button(page).focus()
    await post_button(page).press("Enter")
    await expect(page.locator("#undecided")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(post_button(page)).to_be_focused()


async def test_a_photo_that_failed_is_tried_again_and_removed_by_keyboard(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    _here, page = await compose(fediverse, browser, width=1280)
    await page.route("**/compose/photo", lambda route: route.fulfill(status=500, body="{}"))
    async with page.expect_file_chooser() as chooser:
        await page.locator(".drop input").press("Enter")
    await (await chooser.value).set_files(files(tmp_path, "a.jpg", "b.jpg"))
    again = page.locator(".upload.chosen").get_by_role("button", name="Try again")
    await expect(page.locator(".upload[data-failed]")).to_have_count(2)
    await focused(page)
    await again.focus()
    await again.press("Enter")
    await focused(page)
    await expect(page.locator(".upload[data-failed]")).to_have_count(2)
    await focused(page)
    remove = page.locator(".upload.chosen .failure").get_by_role("button", name="Remove")
    await remove.focus()
    await remove.press("Enter")
    await expect(page.locator(".upload")).to_have_count(1)
    await focused(page)


async def test_the_viewer_and_a_long_caption(fediverse: Fediverse, browser: Browser) -> None:
    here = await place(fediverse)
    await post_photos(here, LARGE, LARGE, caption="A long walk to the lake. " * 20)
    page = await open_as(browser, here, here.bob, here.url("/"), width=1280)
    more = page.get_by_role("button", name="more").first
    await more.focus()
    await more.press("Enter")
    assert "A long walk" in await focused(page)

    onwards = page.locator(".album-arrow.next").first
    await onwards.focus()
    await onwards.press("Enter")
    await expect(onwards).to_be_disabled()
    await focused(page)

    link = page.locator(".shot").first
    await link.focus()
    await page.keyboard.press("f")
    await expect(dialog(page)).to_be_visible()
    for name in ("Previous photo", "Next photo"):
        arrow = dialog(page).get_by_role("button", name=name)
        await expect(arrow).to_be_enabled()
        await arrow.focus()
        await arrow.press("Enter")
        await expect(arrow).to_be_disabled()
        await focused(page)
        assert await dialog(page).evaluate("(one) => one.contains(document.activeElement)")
    await page.keyboard.press("Escape")
    await expect(dialog(page)).to_have_count(0)
    await focused(page)


async def test_a_comment_that_is_sent_again(fediverse: Fediverse, browser: Browser) -> None:
    here = await place(fediverse)
    post = await here.node.db.write(publishing.publish, here.alice, Draft(caption="A question"))
    page = await open_as(browser, here, here.bob, here.url(f"/posts/{post.id}"))
    await page.context.set_offline(True)
    await page.get_by_label("Your comment").fill("An answer")
    await page.get_by_label("Your comment").press("Control+Enter")
    again = page.get_by_role("button", name="Try again")
    await again.focus()
    await page.context.set_offline(False)
    await again.press("Enter")
    await expect(page.locator(".comment.pending")).to_have_count(0)
    assert "An answer" in await focused(page)

    reply = page.locator(".comment [data-reply]").first
    await reply.press("Enter")
    await page.keyboard.type("One more")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".comment")).to_have_count(2)
    await expect(page.locator(".comment.pending")).to_have_count(0)
    assert "One more" in await focused(page)
