"""A finger on a phone: whatever is tapped does what it says, and lies where the finger is."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from federation_tests.fediverse import Fediverse
from tests.browser.composing import INPUT, add, compose, describe, files
from tests.browser.seen import Place, place, signed_in

HEIGHT = 844
# Whether an element, or a part of it, is what lies topmost in its middle.
TOPMOST = """one => {
  const box = one.getBoundingClientRect();
  return one.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2));
}"""


async def _phone(browser: Browser, here: Place, path: str) -> Page:
    page = await (await signed_in(browser, here, here.alice, width=390, touch=True)).new_page()
    await page.set_viewport_size({"width": 390, "height": HEIGHT})
    await page.goto(here.url(path))
    await page.wait_for_load_state("networkidle")
    return page


async def _menu(page: Page, name: str) -> None:
    await page.locator(".upload.chosen .photo-menu summary").tap()
    await page.locator(".upload.chosen .photo-menu").get_by_role("button", name=name).tap()


async def test_photos_are_moved_by_taps(fediverse: Fediverse, browser: Browser, tmp_path: Path) -> None:
    _, page = await compose(fediverse, browser, touch=True)
    await add(page, files(tmp_path, "one.jpg", "two.jpg", "three.jpg"))
    await describe(page, "one", "two", "three")
    texts = page.locator(".upload textarea")

    async def order() -> list[str]:
        return [await one.input_value() for one in await texts.all()]

    await page.locator(".thumbnail button").nth(1).tap()
    for name, expected in (
        ("Move earlier", ["two", "one", "three"]),
        ("Move later", ["one", "two", "three"]),
        ("Move later", ["one", "three", "two"]),
        ("Move earlier", ["one", "two", "three"]),
    ):
        await _menu(page, name)
        # Until the highlight of the tap would have faded.
        await page.wait_for_timeout(500)
        assert await order() == expected
    await _menu(page, "Remove")
    await expect(texts).to_have_count(2)


async def test_a_photo_is_dragged_by_a_finger(fediverse: Fediverse, browser: Browser, tmp_path: Path) -> None:
    _, page = await compose(fediverse, browser, touch=True)
    await add(page, files(tmp_path, "one.jpg", "two.jpg", "three.jpg"))
    await describe(page, "one", "two", "three")
    boxes = [await page.locator(".thumbnail").nth(n).bounding_box() for n in range(3)]
    middles = [{"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2} for box in boxes if box]
    finger = await page.context.new_cdp_session(page)
    for kind, point in (("Start", middles[0]), ("Move", middles[1]), ("Move", middles[2]), ("End", None)):
        points = [] if point is None else [point]
        await finger.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
        await page.wait_for_timeout(500)
    texts = await page.locator(".upload textarea").all()
    assert [await one.input_value() for one in texts] == ["two", "three", "one"]


async def _entries_are_under_the_finger(page: Page, menu: Locator) -> None:
    """Opens a menu by a tap, and looks at what lies where each entry is seen."""
    await menu.locator("summary").scroll_into_view_if_needed()
    await menu.locator("summary").tap()
    sheet = menu.locator(".sheet")
    await expect(sheet).to_be_visible()
    await sheet.evaluate("one => Promise.all(one.getAnimations().map((each) => each.finished))")
    box = await sheet.bounding_box()
    assert box is not None
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= HEIGHT + 0.5
    for entry in await sheet.locator("a:visible, button:visible").all():
        assert await entry.evaluate(TOPMOST), await entry.inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_entries_of_each_menu_are_under_the_finger(
    fediverse: Fediverse, browser: Browser, scheme: str, tmp_path: Path
) -> None:
    here = await place(fediverse)
    page = await _phone(browser, here, "/compose")
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    await add(page, files(tmp_path, "one.jpg", "two.jpg"))
    await _entries_are_under_the_finger(page, page.locator(".upload.chosen .photo-menu"))
    await page.touchscreen.tap(195, 100)
    await expect(page.locator(".photo-menu .sheet:visible")).to_have_count(0)
    for path in ("/", f"/p/alice/{here.post.id}", "/@bob", "/@alice"):
        await page.goto(here.url(path), wait_until="networkidle")
        for menu in await page.locator("details.menu:visible").all():
            await _entries_are_under_the_finger(page, menu)
            await page.reload(wait_until="networkidle")
    await page.goto(here.url(f"/p/alice/{here.post.id}"), wait_until="networkidle")
    await page.locator(".post-menu summary").tap()
    await page.locator(".post-menu").get_by_role("link", name="Edit").tap()
    await expect(page.locator("#compose")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1280])
async def test_who_can_see_it_is_chosen_by_the_words(
    fediverse: Fediverse, browser: Browser, width: int
) -> None:
    _, page = await compose(fediverse, browser, width=width, touch=width == 390)
    audience = page.locator(".option.audience")
    for n, name in enumerate(("Everyone", "Unlisted", "Followers", "Mentioned people only")):
        if not await audience.locator(".panel").is_visible():
            await audience.locator("summary").click()
        words = audience.locator("label", has_text=name)
        await words.click(trial=True)
        assert await words.evaluate(TOPMOST)
        await (words.tap() if width == 390 else words.click())
        await expect(audience.locator("input").nth(n)).to_be_checked()
    await audience.get_by_role("button", name="Done").click()
    await expect(audience.locator("summary .for:visible")).to_have_text("Mentioned people only")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_menu_of_the_editor_is_tapped(
    fediverse: Fediverse, browser: Browser, scheme: str, tmp_path: Path
) -> None:
    here = await place(fediverse)
    page = await _phone(browser, here, "/compose")
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    await add(page, files(tmp_path, "one.jpg", "two.jpg"))
    await page.locator(".upload.chosen").get_by_role("button", name="Edit").tap()
    menu = page.locator(".e-more")
    await page.wait_for_load_state("networkidle")
    await page.get_by_role("button", name="Veranda").tap()
    for name, said in (("Copy to all", "copied"), ("Reset", "")):
        await _entries_are_under_the_finger(page, menu)
        await menu.get_by_role("button", name=name).tap()
        await expect(menu.locator(".sheet")).to_be_hidden()
        if said:
            await expect(page.locator(".e-app")).to_contain_text(said, ignore_case=True)
    await expect(page.locator(".e-film .e-dot:visible")).to_have_count(1)


async def test_the_field_for_a_comment_is_on_the_screen_at_once(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    for width, height in ((390, 844), (390, 664), (320, 568), (768, 1024)):
        page = await _phone(browser, here, "/")
        await page.set_viewport_size({"width": width, "height": height})
        await page.goto(here.url(f"/p/alice/{here.post.id}"), wait_until="networkidle")
        bar = await page.locator("#answer").bounding_box()
        assert bar is not None
        assert bar["y"] + bar["height"] <= height + 0.5
        # Whatever lies under it is scrolled clear of it, also when it has grown.
        await page.get_by_label("Your comment").fill("\n".join("abcdefghijklmnopqrst"))
        await page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        last = await page.locator(".foot > :last-child").bounding_box()
        bar = await page.locator("#answer").bounding_box()
        assert last is not None
        assert bar is not None
        assert bar["y"] >= 0
        assert last["y"] + last["height"] <= bar["y"]
        await page.context.close()


async def test_the_buttons_of_a_reply_are_seen_and_tapped(fediverse: Fediverse, browser: Browser) -> None:
    here = await place(fediverse)
    page = await _phone(browser, here, f"/p/alice/{here.post.id}")
    reply = page.locator(".reply")
    for link in await page.locator(".comment [data-reply]").all():
        await link.tap()
        for name in ("Cancel", "Reply"):
            button = reply.get_by_role("button", name=name)
            await expect(button).to_be_in_viewport(ratio=1)
            assert await button.evaluate(TOPMOST)
        await expect(page.locator("#answer")).to_be_hidden()
        await reply.get_by_role("button", name="Cancel").tap()
        await expect(page.locator("#answer")).to_be_visible()
    await page.locator(".comment [data-reply]").last.tap()
    await reply.get_by_role("textbox").fill("By a finger")
    await reply.get_by_role("button", name="Reply").tap()
    made = page.locator(".comment:not(.pending)").filter(has_text="By a finger")
    await expect(made.get_by_role("button", name="Like")).to_be_visible()


async def test_a_comment_is_sent_again_by_a_tap(fediverse: Fediverse, browser: Browser) -> None:
    here = await place(fediverse)
    page = await _phone(browser, here, f"/p/alice/{here.post.id}")
    await page.context.set_offline(True)
    await page.get_by_label("Your comment").fill("Lost on the way")
    await page.locator("#answer").get_by_role("button", name="Post").tap()
    await expect(page.locator(".pending")).to_contain_text("Not sent.")
    await page.context.set_offline(False)
    await page.get_by_role("button", name="Try again").tap()
    await expect(page.locator(".pending")).to_have_count(0)
    await page.wait_for_timeout(500)
    await expect(page.locator(".comment").filter(has_text="Lost on the way")).to_be_visible()


async def test_what_was_uploaded_is_in_the_draft_at_once(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    """The clock of the page stands still: nothing is saved because a time has passed."""
    here, page = await compose(fediverse, browser, touch=True)
    await page.clock.install()
    await page.reload(wait_until="networkidle")
    await page.clock.pause_at("2100-01-01")
    await add(page, files(tmp_path, "one.jpg", "two.jpg"))
    await expect(page.locator("#draft-state")).to_have_text("Draft saved")
    await expect(page.locator("[name=draft]")).to_have_count(1)
    id_ = await page.locator("[name=draft]").input_value()
    other = await page.context.new_page()
    await other.goto(here.url(f"/compose?draft={id_}"))
    await expect(other.locator(".upload.failed")).to_have_count(0)
    await expect(other.locator(".upload[data-photo]")).to_have_count(2)


async def test_photos_that_the_server_has_are_not_missing_in_an_older_draft_of_the_browser(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, page = await compose(fediverse, browser, touch=True)
    await add(page, files(tmp_path, "one.jpg", "two.jpg", "three.jpg"))
    await describe(page, "one", "two", "three")
    await expect(page.locator("#draft-state")).to_have_text("Draft saved")
    await page.wait_for_load_state("networkidle")
    for path in ("/compose", f"/compose?draft={await page.locator('[name=draft]').input_value()}"):
        # As the browser kept it before the second photo had arrived, and did not keep more because it crashed.
        await page.evaluate(
            """() => {
              const key = Object.keys(localStorage).find((one) => /^draft-/.test(one));
              const draft = JSON.parse(localStorage[key]);
              draft.photos.splice(1, 1);
              localStorage[key] = JSON.stringify(
                { ...draft, missing: [{ name: "two.jpg", alt: "written since", at: 1 }], isSaved: false });
            }"""
        )
        await page.close()
        page = await page.context.new_page()
        await page.goto(here.url(path), wait_until="networkidle")
        await expect(page.locator(".upload[data-photo]")).to_have_count(3)
        await expect(page.locator(".upload.failed")).to_have_count(0)
        texts = [await one.input_value() for one in await page.locator(".upload textarea").all()]
        assert texts == ["one", "written since", "three"]


async def test_texts_of_one_photo_that_is_missing(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    _, page = await compose(fediverse, browser, touch=True)
    said = page.locator("#progress")
    await page.route("**/uploads*", lambda route: route.abort())
    for names, text in (
        (["one.pdf"], "1 photo was not uploaded."),
        (["two.pdf"], "2 of 2 photos were not uploaded."),
    ):
        await page.set_input_files(INPUT, files(tmp_path, *names))
        await expect(said).to_contain_text(text)


async def test_a_time_is_written_as_the_reader_writes_times(fediverse: Fediverse, browser: Browser) -> None:
    here = await place(fediverse)
    context = await signed_in(browser, here, here.bob, width=390, touch=True, locale="en-GB")
    page = await context.new_page()
    await page.goto(here.url("/compose"), wait_until="networkidle")
    schedule = page.locator('[data-option="schedule"]')
    await schedule.locator("summary").tap()
    await schedule.locator("[name=publish_at]").fill("2100-12-24T18:30")
    await expect(schedule.locator(".value")).to_have_text("24 Dec 2100, 18:30")
