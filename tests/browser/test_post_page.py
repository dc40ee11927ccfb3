"""The page of a post: photo and conversation side by side, comments answered where they stand, one menu for all else."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.async_api import Browser, Page, Route, expect

from federation_tests.fediverse import Fediverse
from node.attachments import photos
from node.database import Reader
from node.posts.drafts import Draft
from node.publishing import publishing
from node.timelines import threads
from tests.browser.conftest import visitor
from tests.browser.seen import Place, axe, complaints, place, signed_in
from tests.browser.test_accessibility import RUN, SHIFT
from tests.support.pictures import picture


def _path(here: Place) -> str:
    return here.url(f"/p/alice/{here.post.id}")


async def _replies(here: Place, to: str) -> list[str]:
    """The texts right below a comment of the post."""

    def unit(tx: Reader) -> list[str]:
        found = threads.comment_tree(tx, here.alice, here.post)
        while found:
            node = found.pop(0)
            if node.view is not None and to in node.view.post.caption:
                return [child.view.post.caption for child in node.children if child.view is not None]
            found += node.children
        return []

    return await here.node.db.read(unit)


async def _reply_to_the_first_comment(page: Page) -> None:
    await page.locator(".comment").first.get_by_role("link", name="Reply").click()


async def test_a_wide_screen_has_the_photo_beside_the_conversation(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    tall = await photos.upload(here.node, here.alice, picture(600, 1500, seed=7), alt="A tower")
    post = await here.node.db.write(
        publishing.publish, here.alice, Draft(caption="Tall", photo_ids=[tall.id])
    )
    for width, is_beside in ((1100, True), (1280, True), (1920, True), (1099, False), (390, False)):
        page = await (await signed_in(browser, here, here.alice, width=width)).new_page()
        for path in (_path(here), here.url(f"/p/alice/{post.id}"), here.url(f"/p/alice/{here.album.id}")):
            await page.goto(path)
            shift, moved = await page.evaluate(SHIFT)
            assert shift < 0.005, moved
            photo = await page.locator(".stage img").first.bounding_box()
            comments = await page.locator("#comments").bounding_box()
            field = await page.locator("#answer").bounding_box()
            assert photo is not None
            assert comments is not None
            assert field is not None
            assert (photo["x"] + photo["width"] <= comments["x"]) == is_beside
            assert photo["height"] <= 900
            if is_beside:
                # Where one writes is in reach, whatever is above it.
                assert field["y"] + field["height"] <= 901
        await page.context.close()


async def test_a_reply_is_written_and_seen_where_it_belongs(fediverse: Fediverse, browser: Browser) -> None:
    here = await place(fediverse)
    page = await (await signed_in(browser, here, here.alice, width=390, touch=True)).new_page()
    found = complaints(page)
    await page.goto(_path(here))
    await _reply_to_the_first_comment(page)
    field = page.get_by_label("Reply to bob")
    await expect(field).to_be_focused()
    await page.keyboard.type("The one behind")
    await page.get_by_role("button", name="Cancel").click()
    await expect(field).to_have_count(0)
    # What was typed is kept, also when the page is left.
    await page.reload()
    await _reply_to_the_first_comment(page)
    await expect(field).to_have_value("The one behind")
    await page.keyboard.press("End")
    await page.keyboard.type(" the hill")
    await page.locator(".reply").get_by_role("button", name="Reply").click()

    made = page.locator(".thread .thread .comment").filter(has_text="The one behind the hill")
    await expect(made.get_by_role("button", name="Like")).to_be_visible()
    await expect(page.locator(".pending")).to_have_count(0)
    assert sorted(await _replies(here, "Which lake")) == [
        "<p>The one behind the hill</p>",
        "<p>The upper one</p>",
    ]
    await page.reload()
    await expect(made).to_be_visible()
    await _reply_to_the_first_comment(page)
    await expect(field).to_have_value("")
    await page.get_by_role("button", name="Cancel").click()

    # A comment on the post itself, without loading the page.
    await page.get_by_label("Your comment").fill("And thanks")
    await page.locator("#answer").get_by_role("button", name="Post").click()
    await expect(page.locator(".comment:not(.pending)").filter(has_text="And thanks")).to_be_visible()
    await expect(page.get_by_label("Your comment")).to_have_value("")
    assert not found


async def test_a_comment_that_is_not_sent_stays_and_is_sent_again(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    page = await (await signed_in(browser, here, here.bob)).new_page()
    await page.goto(_path(here))

    async def lost(route: Route) -> None:
        await route.abort()

    await page.route("**/comment", lost)
    await _reply_to_the_first_comment(page)
    await page.keyboard.type("Lost on the way")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".pending")).to_contain_text("Not sent. The connection was lost.")
    # Whoever loads the page now finds the words in the field.
    stored = await page.evaluate("Object.values(localStorage)")
    assert any("Lost on the way" in one for one in stored)
    await page.unroute("**/comment")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator(".pending")).to_have_count(0)
    assert "<p>Lost on the way</p>" in await _replies(here, "Which lake")


@pytest.mark.parametrize("width", [390, 1280])
async def test_without_scripts_replies_and_the_menu_work(
    fediverse: Fediverse, browser: Browser, width: int
) -> None:
    here = await place(fediverse)
    page = await (await signed_in(browser, here, here.alice, width=width, scripts=False)).new_page()
    await page.goto(_path(here))
    await _reply_to_the_first_comment(page)
    await expect(page.get_by_label("Reply to bob")).to_be_in_viewport()
    await page.get_by_label("Reply to bob").fill("By a plain form")
    await page.locator(".reply").get_by_role("button", name="Reply").click()
    await expect(page.locator(".comment").filter(has_text="By a plain form")).to_be_visible()
    assert page.url.startswith(_path(here))

    menu = page.locator(".post-menu")
    await menu.locator("summary").click()
    await expect(menu.get_by_role("button", name="Copy link")).to_be_hidden()
    await menu.get_by_role("button", name="Pin to profile").click()
    await menu.locator("summary").click()
    await expect(menu.get_by_role("button", name="Unpin from profile")).to_be_visible()
    # Whatever is beside the menu closes it.
    if width < 736:
        await page.mouse.click(195, 20)
        await expect(menu.get_by_role("button", name="Unpin from profile")).to_be_hidden()
        await menu.locator("summary").click()
    await menu.get_by_role("link", name="Delete").click()
    await expect(page.get_by_role("heading", name="Delete this post?")).to_be_visible()


async def test_the_menu_is_walked_through_with_keys(fediverse: Fediverse, browser: Browser) -> None:
    here = await place(fediverse)
    page = await (await signed_in(browser, here, here.alice)).new_page()
    await page.goto(_path(here))
    summary = page.locator(".post-menu summary")
    await summary.focus()
    await page.keyboard.press("ArrowDown")
    for name in ("Edit", "Who can comment", "Pin to profile", "Copy link"):
        await expect(page.locator(".post-menu .sheet :focus")).to_have_text(name)
        await page.keyboard.press("ArrowDown")
    await page.keyboard.press("End")
    await expect(page.locator(".post-menu .sheet :focus")).to_have_text("Delete")
    await page.keyboard.press("ArrowDown")
    await expect(page.locator(".post-menu .sheet :focus")).to_have_text("Edit")
    await page.keyboard.press("Escape")
    await expect(summary).to_be_focused()
    await expect(page.get_by_role("link", name="Delete")).to_be_hidden()


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
async def test_nothing_is_wrong_with_open_menus_and_fields(
    fediverse: Fediverse, browser: Browser, width: int, scheme: str
) -> None:
    here, source = await place(fediverse), axe()
    page = await (await signed_in(browser, here, here.alice, width=width)).new_page()
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    await page.goto(_path(here))
    await page.evaluate(source)
    await _reply_to_the_first_comment(page)
    problems = await page.evaluate(RUN)
    await page.locator(".post-menu summary").click()
    # What lies behind the sheet of a phone, and is half covered by it, closes it.
    problems += await page.evaluate(RUN.replace("axe.run(document", "axe.run('.post-menu'"))
    small = await page.locator(
        "main :is(.byline, .comment-head, .actions, .sheet, .reply, .film) :is(a, button, summary)"
    ).evaluate_all(
        "all => all.filter((one) => one.checkVisibility() && !one.closest('[aria-hidden]'))"
        ".map((one) => [one.outerHTML.slice(0, 90), one.getBoundingClientRect()])"
        ".filter(([, box]) => box.width < 24 || box.height < 24).map(([html]) => html)"
    )
    assert (problems, small) == ([], [])


async def test_the_strip_below_an_album_moves_it_with_and_without_scripts(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    for scripts in (True, False):
        page = await (await visitor(browser, scripts=scripts)).new_page()
        await page.goto(here.url(f"/p/alice/{here.album.id}"))
        await page.get_by_role("link", name="3 of 3").click()
        await expect(page.locator(".slides li").nth(2).locator("img")).to_be_in_viewport(ratio=0.9)
        if scripts:
            await expect(page.locator(".film [aria-current]")).to_have_attribute("href", "#photo-3")
            # The arrow keys turn it, whatever has the focus.
            await page.locator("#main").focus()
            await page.keyboard.press("ArrowLeft")
            await expect(page.locator(".position")).to_have_text("2 / 3")
        await page.context.close()


async def test_a_folded_reply_is_seen_by_who_comes_for_it(fediverse: Fediverse, browser: Browser) -> None:
    here = await place(fediverse)
    made = [here.post]
    for n in range(6):
        draft = Draft(caption=f"Reply {n}", parent_id=made[min(n, 1)].id)
        made.append(await here.node.db.write(publishing.publish, here.bob, draft))
    page = await (await visitor(browser, width=390)).new_page()
    await page.goto(_path(here))
    await expect(page.get_by_text("Reply 5")).to_be_hidden()
    await page.get_by_text("Show 5 replies").click()
    await expect(page.get_by_text("Reply 5")).to_be_visible()
    await page.goto(here.url("/explore"))
    await page.goto(f"{_path(here)}#post-{made[-1].id}")
    await expect(page.get_by_text("Reply 5")).to_be_in_viewport()


@pytest.mark.parametrize("is_signed_in", [False, True])
async def test_without_scripts_sharing_leads_to_the_address_of_the_post(
    fediverse: Fediverse, browser: Browser, is_signed_in: bool
) -> None:
    here = await place(fediverse)
    if is_signed_in:
        context = await signed_in(browser, here, here.bob, width=390, scripts=False)
    else:
        context = await visitor(browser, width=390, scripts=False)
    page = await context.new_page()
    await page.goto(here.url("/@alice/all"))

    await page.locator(f"#post-{here.post.id}").get_by_role("link", name="Share").click()

    field = page.get_by_label("Link to this post")
    await expect(field).to_be_in_viewport()
    await expect(field).to_have_value(here.url(f"/p/alice/{here.post.id}"))


async def test_with_scripts_sharing_stays_on_the_page(fediverse: Fediverse, browser: Browser) -> None:
    here = await place(fediverse)
    page = await (await signed_in(browser, here, here.bob)).new_page()
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.goto(here.url("/"), wait_until="networkidle")

    await page.locator(f"#post-{here.post.id}").get_by_role("link", name="Share").click()

    await expect(page.get_by_role("status")).to_contain_text("Link copied")
    assert page.url == here.url("/")


CONTRAST = """(one) => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[0-9.]+/g).map((n) => n / 255).map((c) => (c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4));
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const style = getComputedStyle(one);
  const [a, b] = [light(style.color), light(style.backgroundColor)].sort((x, y) => y - x);
  const around = light(getComputedStyle(one.parentNode).backgroundColor);
  const [c, d] = [light(style.backgroundColor), around].sort((x, y) => y - x);
  return [(a + .05) / (b + .05), (c + .05) / (d + .05)];
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_button_that_shows_what_is_covered_stands_out(
    fediverse: Fediverse, browser: Browser, theme: Literal["light", "dark"]
) -> None:
    here = await place(fediverse)
    page = await (await signed_in(browser, here, here.bob)).new_page()
    await page.emulate_media(color_scheme=theme)
    await page.goto(here.url("/@alice/all"), wait_until="networkidle")
    show = page.locator(".veil > summary .button").first
    link = await page.locator("article:has(.veil) .when a").first.get_attribute("href")

    in_feed = await show.evaluate(CONTRAST)
    await page.goto(here.url(link or ""), wait_until="networkidle")
    in_post = await show.evaluate(CONTRAST)

    assert min(*in_feed, *in_post) >= 4.5
