"""What scripts add: likes at once and taken back, keys, the carousel, older posts, uploads. And life without them."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Browser, Page, Route, expect

from federation_tests.fediverse import Fediverse
from node.accounts import relationships
from node.attachments import photos
from node.database import Reader, Writer
from node.interactions import follows, likes
from node.paging import Page as Part
from node.posts.drafts import Draft
from node.publishing import publishing
from tests.browser.composing import INPUT, compose, describe, files, post_button, thumbnail, tool
from tests.browser.conftest import visitor
from tests.browser.seen import Place, complaints, place, signed_in
from tests.support.pictures import picture


def _like(page: Page, here: Place) -> object:
    return page.locator(f"#post-{here.post.id} [data-action=like]")


def _accept(tx: Writer, here: Place) -> None:
    follow = relationships.follow_between(tx, here.bob, here.alice)
    assert follow is not None
    follows.accept(tx, follow)


async def _likers(here: Place) -> list[str]:
    def unit(tx: Reader) -> list[str]:
        return [one.account.name for one in likes.likers(tx, here.post, here.alice, Part())]

    return await here.node.db.read(unit)


async def test_a_like_shows_at_once_and_is_undone_when_refused(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    page = await (await signed_in(browser, here, here.alice, width=390)).new_page()
    await page.goto(here.url("/"))
    like = page.locator(f"#post-{here.post.id} [data-action=like]")
    await expect(like).to_have_text("Like 1")
    await like.click()
    await expect(like).to_have_attribute("aria-pressed", "true")
    await expect(like).to_have_text("Like 2")
    await page.wait_for_load_state("networkidle")
    assert set(await _likers(here)) == {"alice", "bob"}

    async def lost(route: Route) -> None:
        await route.abort()

    await page.route("**/unlike", lost)
    await like.click()
    await expect(page.locator("#toast")).to_have_text("The connection was lost.")
    await expect(like).to_have_attribute("aria-pressed", "true")
    await expect(like).to_have_text("Like 2")


async def test_a_double_tap_likes_with_a_heart(fediverse: Fediverse, browser: Browser) -> None:
    here = await place(fediverse)
    page = await (await signed_in(browser, here, here.alice, width=390)).new_page()
    await page.goto(here.url("/"))
    photo = page.locator(f"#post-{here.post.id} .photo").first
    await photo.dblclick()
    await expect(page.locator(f"#post-{here.post.id} [data-action=like]")).to_have_attribute(
        "aria-pressed", "true"
    )
    await expect(page.locator(".heart")).to_have_count(0)


async def test_the_keyboard_alone_is_enough(fediverse: Fediverse, browser: Browser) -> None:
    here = await place(fediverse)
    page = await (await signed_in(browser, here, here.alice)).new_page()
    found = complaints(page)
    await page.goto(here.url("/"), wait_until="networkidle")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("j")
    first = page.locator(".post").first
    await expect(first).to_be_focused()
    await page.keyboard.press("l")
    await expect(first.locator("[data-action=like]")).to_have_attribute("aria-pressed", "true")
    await page.keyboard.press("b")
    await expect(first.locator("[data-action=boost]")).to_have_attribute("aria-pressed", "true")
    await page.keyboard.press("f")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_contain_text("next post")
    await page.keyboard.press("Escape")
    await page.keyboard.press("r")
    await expect(page.get_by_label("Your comment")).to_be_visible()
    await page.goto(here.url("/"), wait_until="networkidle")
    await page.keyboard.press("n")
    await expect(page.get_by_role("heading", name="New post")).to_be_visible()
    assert not found


async def test_an_album_turns_with_buttons_and_arrow_keys(fediverse: Fediverse, browser: Browser) -> None:
    here = await place(fediverse)
    page = await (await signed_in(browser, here, here.bob)).new_page()
    await page.goto(here.url(f"/p/alice/{here.album.id}"))
    place_ = page.locator(".position")
    await expect(place_).to_have_text("1 / 3")
    await page.get_by_role("button", name="Next photo").click(force=True)
    await expect(place_).to_have_text("2 / 3")
    await page.locator(".slides").focus()
    await page.keyboard.press("ArrowRight")
    await expect(place_).to_have_text("3 / 3")
    await expect(page.locator(".album-arrow.next")).to_be_disabled()


async def test_older_posts_load_by_scrolling_and_back_returns_to_the_position(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    for n in range(45):
        shot = await photos.upload(here.node, here.alice, picture(90, 60, seed=n), alt=f"Lake {n}")
        await here.node.db.write(
            publishing.publish, here.alice, Draft(caption=f"Number {n}.", photo_ids=[shot.id])
        )
    page = await (await signed_in(browser, here, here.bob, width=390)).new_page()
    await page.goto(here.url("/"))
    await expect(page.locator(".post")).to_have_count(20)
    for _ in range(30):
        await page.mouse.wheel(0, 4000)
        await page.wait_for_timeout(60)
    await expect(page.locator(".post")).to_have_count(48)
    await expect(page.locator(".older")).to_have_count(0)
    entries = await page.locator(".item").evaluate_all("all => all.map((one) => one.dataset.entry)")
    assert len(set(entries)) == 48


async def test_photos_are_uploaded_described_ordered_and_posted(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, page = await compose(fediverse, browser)
    found = complaints(page)
    await page.set_input_files(INPUT, files(tmp_path, "good.jpg", "notes.pdf", "other.jpg"))
    await expect(page.locator(".upload[data-photo]")).to_have_count(2)
    await page.locator(".thumbnail.failed button").click()
    await expect(page.get_by_role("alert")).to_contain_text("notes.pdf")
    await (
        page.locator(".upload")
        .filter(has=page.get_by_role("alert"))
        .get_by_role("button", name="Remove")
        .click()
    )
    await describe(page, "Taken first", "Taken last")
    await thumbnail(page, 0).click()
    await tool(page, "Move later")
    await page.get_by_label("Caption").fill("Two in another order")
    # A lost connection, or a closed tab: the draft is still there.
    await page.reload()
    await expect(page.locator(".upload textarea")).to_have_count(2)
    await expect(page.get_by_label("Caption")).to_have_value("Two in another order")
    await post_button(page).click()
    await expect(page.locator(".slides img").first).to_have_attribute("alt", "Taken last")
    await expect(page.locator(".slides img").nth(1)).to_have_attribute("alt", "Taken first")
    await page.goto(here.url("/compose"))
    await expect(page.get_by_label("Caption")).to_have_value("")
    assert [one for one in found if "422" not in one] == []


async def test_light_and_dark_switch_at_once_and_stay(fediverse: Fediverse, browser: Browser) -> None:
    here = await place(fediverse)
    page = await (await signed_in(browser, here, here.alice)).new_page()
    await page.goto(here.url("/"))
    await page.locator("summary", has_text="More").first.click()
    async with page.expect_response("**/theme"):
        await page.get_by_role("button", name="Dark").click()
    assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 15, 15)"
    await page.reload()
    assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 15, 15)"


async def test_following_from_a_list_changes_the_button(fediverse: Fediverse, browser: Browser) -> None:
    here = await place(fediverse)
    page = await (await signed_in(browser, here, here.bob)).new_page()
    await page.goto(here.url("/@alice"))
    button = page.locator("[data-follow]")
    await expect(button).to_have_text("Following")
    await button.click()
    await expect(button).to_have_text("Follow back")
    await button.click()
    await expect(button).to_have_text("Requested")
    # The answer arrives behind the page's back.
    await here.node.db.write(_accept, here)
    await expect(button).to_have_text("Following")


async def test_everything_works_without_scripts(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here = await place(fediverse)
    page = await (await signed_in(browser, here, here.bob, width=390, scripts=False)).new_page()
    await page.goto(here.url("/"))
    post = page.locator(f"#post-{here.post.id}")
    await expect(post.locator("img").nth(1)).to_be_visible()
    await post.get_by_role("button", name="Bookmark").click()
    await expect(
        page.locator(f"#post-{here.post.id}").get_by_role("button", name="Bookmark")
    ).to_have_attribute("aria-pressed", "true")
    await page.goto(here.url(f"/p/alice/{here.post.id}"))
    await page.get_by_label("Your comment").fill("Without any script")
    await page.get_by_role("button", name="Post", exact=True).click()
    await expect(page.get_by_text("Without any script")).to_be_visible()
    await page.goto(here.url("/compose"))
    await page.set_input_files(INPUT, files(tmp_path, "shot.jpg"))
    await page.get_by_role("button", name="Upload and add descriptions").click()
    await page.get_by_label("Describe photo 1").fill("A lake, from a form")
    await page.get_by_label("Caption").fill("No script was run")
    await page.get_by_role("button", name="Post", exact=True).last.click()
    await expect(page.get_by_text("No script was run")).to_be_visible()
    await expect(page.locator(".photo img")).to_have_attribute("alt", "A lake, from a form")
    await page.goto(here.url("/@alice"))
    await page.locator("[data-follow]").click()
    await expect(page.locator("[data-follow]")).to_have_text("Follow back")


async def test_a_visitor_sees_photos_and_the_links_to_sign_in(fediverse: Fediverse, browser: Browser) -> None:
    here = await place(fediverse)
    page = await (await visitor(browser, width=390)).new_page()
    found = complaints(page)
    await page.goto(here.url("/"))
    await page.locator(".cell").first.click()
    await page.get_by_role("dialog").get_by_role("link", name="Comments").click()
    await expect(page.get_by_text("Which lake is it?")).to_be_visible()
    await page.locator(".post .actions a").first.click()
    await expect(page.locator("#main").get_by_role("link", name="Sign in")).to_be_visible()
    assert not found
