"""Small things that a person meets on a walk through the pages, in a real browser: with scripts and without."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from federation_tests.fediverse import Fediverse
from node.posts.drafts import Draft
from node.publishing import publishing
from tests.browser.conftest import visitor
from tests.browser.seen import Place, axe, place, signed_in
from tests.support.pictures import picture

STYLED = """() => [...document.querySelectorAll("main input:not([type=hidden], [type=checkbox], [type=radio], [type=range]), main select, main textarea")]
  .filter((one) => one.checkVisibility({opacityProperty: true}) && !one.closest("td, .upload, .drop, .sr"))
  .filter((one) => getComputedStyle(one).borderRadius !== "10px" || one.offsetHeight < 44)
  .map((one) => one.outerHTML.slice(0, 120))"""
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
CUT = """() => [...document.querySelectorAll(".scroll, td, .person, .note")]
  .filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.outerHTML.slice(0, 120))"""
OVERLAPS = """() => {
  const [drop, button] = [document.querySelector(".drop"), document.querySelector("[name=do][value=add]")];
  const [one, other] = [drop.getBoundingClientRect(), button.getBoundingClientRect()];
  return other.top < one.bottom && other.bottom > one.top;
}"""

SENT = """(name) => addEventListener("formdata", (event) => sessionStorage.sent = event.formData.get(name)?.name)"""


async def _at(context: BrowserContext, here: Place, path: str) -> Page:
    page = await context.new_page()
    await page.goto(here.url(path))
    return page


async def test_times_are_those_of_the_browser_or_the_chosen_zone(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    await here.node.db.write(
        lambda tx: tx.run("UPDATE posts SET published_at = 1795442700000 WHERE id = :id", id=here.post.id)
    )
    path = f"/p/alice/{here.post.id}"
    for scripts, zone, written in ((True, "Asia/Tokyo", "11:05"), (False, "Asia/Tokyo", "2:05")):
        context = await browser.new_context(
            ignore_https_errors=True, java_script_enabled=scripts, timezone_id=zone, locale="en-US"
        )
        page = await _at(context, here, path)
        exact = page.locator("time[data-exact]").first
        await expect(exact).to_contain_text(written)
        assert ("UTC" in (await exact.inner_text())) is not scripts
        await context.close()
    context = await signed_in(browser, here, here.alice)
    page = await _at(context, here, "/settings/preferences")
    await page.get_by_label("Time zone").select_option("America/New_York")
    await page.get_by_role("button", name="Save").last.click()
    await expect(page.get_by_role("status").first).to_contain_text("Saved")
    await page.goto(here.url(path))
    await expect(page.locator("time[data-exact]").first).to_contain_text("9:05")
    await context.close()


@pytest.mark.parametrize("width", [320, 390])
async def test_nothing_is_cut_off_on_a_narrow_screen_and_every_field_is_styled(
    fediverse: Fediverse, browser: Browser, width: int
) -> None:
    here = await place(fediverse)
    context = await signed_in(browser, here, here.alice, width=width)
    page = await context.new_page()
    problems = []
    for path in (
        *(
            "/settings",
            "/settings/profile",
            "/settings/preferences",
            "/settings/password",
            "/settings/sessions",
            "/settings/people",
            "/settings/moving",
            "/settings/deletion",
        ),
        *("/settings/deleted", "/settings/invites", "/compose", "/search?q=lake", "/notifications"),
        *("/admin/people", "/admin/reports", "/admin/jobs", "/admin/deliveries", "/admin/servers"),
        *("/admin/servers/s.example", "/admin/lists", "/admin/log", "/admin/sign-ups", "/about", "/@alice"),
    ):
        await page.goto(here.url(path))
        wider = await page.evaluate(WIDER)
        problems += [f"{path} is {wider} pixels too wide"] if wider > 0 else []
        problems += [f"{path} is cut off: {one}" for one in await page.evaluate(CUT)]
        problems += [f"{path} has a raw field: {one}" for one in await page.evaluate(STYLED)]
    assert not problems, "\n".join(problems)
    await context.close()


async def test_a_table_on_a_phone_names_each_value(fediverse: Fediverse, browser: Browser) -> None:
    here = await place(fediverse)
    context = await signed_in(browser, here, here.alice, width=390)
    page = await _at(context, here, "/admin/people")
    cell = page.locator("td[data-heading='Posts']").first
    assert '"Posts"' in await cell.evaluate("(one) => getComputedStyle(one, '::before').content")
    await expect(page.get_by_role("cell").first).to_be_visible()
    await page.set_viewport_size({"width": 1280, "height": 900})
    assert await cell.evaluate("(one) => getComputedStyle(one, '::before').content") == "none"
    await context.close()


async def test_tabs_that_go_on_have_a_shade_and_show_the_current_one(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    context = await signed_in(browser, here, here.alice, width=390)
    page = await _at(context, here, "/admin/lists")
    tabs = page.locator(".tabs")
    assert await tabs.evaluate("(one) => one.scrollWidth > one.clientWidth")
    assert "radial-gradient" in await tabs.evaluate("(one) => getComputedStyle(one).backgroundImage")
    await expect(tabs.locator("[aria-current]")).to_be_in_viewport(ratio=1)
    await context.close()


async def test_a_reserved_name_is_refused_while_it_is_typed(fediverse: Fediverse, browser: Browser) -> None:
    here = await place(fediverse)
    context = await visitor(browser)
    page = await _at(context, here, "/sign-up")
    name = page.get_by_label("Username")
    problem = page.locator("#p-name")
    for typed, said in (("admin", "reserved"), ("alice", "taken"), ("a b", "1 to 30")):
        await name.fill(typed)
        await expect(problem).to_contain_text(said)
        await expect(name).to_have_attribute("aria-invalid", "true")
        await expect(page.locator("#h-name")).to_be_hidden()
    await name.fill("newcomer")
    await expect(problem).to_be_empty()
    await expect(name).not_to_have_attribute("aria-invalid", "true")
    await expect(page.locator("#h-name")).to_be_visible()
    await context.close()


async def test_sharing_without_a_clipboard_shows_what_to_copy(fediverse: Fediverse, browser: Browser) -> None:
    here = await place(fediverse)
    context = await signed_in(browser, here, here.alice)
    await context.add_init_script(
        "Object.defineProperty(Navigator.prototype, 'clipboard', {get: () => undefined});"
        "delete Navigator.prototype.share"
    )
    page = await _at(context, here, f"/p/alice/{here.post.id}")
    await page.locator("[data-share]").first.click()
    field = page.get_by_role("textbox", name="Copy this address")
    await expect(field).to_have_value(re.compile(f"/{here.post.id}$"))
    await expect(field).to_be_focused()
    assert await field.evaluate("(one) => one.selectionEnd - one.selectionStart") > 10
    await page.keyboard.press("Escape")
    await expect(field).to_have_count(0)
    await page.goto(here.url("/@alice"))
    await page.locator("[data-copy]").first.click()
    await expect(field).to_have_value(re.compile("^@alice@"))
    await context.close()


async def test_badges_move_while_a_page_is_open_and_on_the_page_of_notifications(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    context = await signed_in(browser, here, here.alice)
    page = await context.new_page()
    await page.clock.install()
    await page.goto(here.url("/notifications"))
    badge = page.locator(".nav-bar [data-count=unread_count]")
    await expect(badge).to_be_hidden()

    await here.node.db.write(
        publishing.publish, here.bob, Draft(caption="Such light", parent_id=here.post.id)
    )
    await page.clock.fast_forward(31_000)

    await expect(badge).to_have_text(re.compile("1"))
    await page.get_by_role("link", name="Show new notifications").click()
    await expect(page.get_by_text("Such light")).to_be_visible()
    await expect(badge).to_be_hidden()
    await context.close()


@pytest.mark.parametrize("action", ["avatar", "header"])
async def test_a_profile_picture_is_cropped_by_hand_or_to_its_middle(
    fediverse: Fediverse, browser: Browser, action: str
) -> None:
    here = await place(fediverse)
    wide = {"name": "wide.jpg", "mimeType": "image/jpeg", "buffer": picture(900, 400)}
    context = await signed_in(browser, here, here.alice)
    page = await _at(context, here, "/settings/profile")
    form = page.locator(f"[data-crop]:has(#{action}-file)")
    await page.evaluate(SENT, action)
    await form.locator("input[type=file]").set_input_files([wide])
    canvas = form.get_by_role("img", name="Choose what is shown")
    await canvas.focus()
    await page.keyboard.press("Shift+ArrowRight")
    await form.get_by_label("Zoom").fill("2")
    box = await canvas.bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    await page.mouse.down()
    await page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
    await page.mouse.up()
    async with page.expect_navigation():
        await page.get_by_role("button", name="Save").first.click()
    await expect(page.get_by_role("status").first).to_have_text("Saved.")
    assert await page.evaluate("sessionStorage.sent") == "picture.webp"
    await page.evaluate(SENT, action)

    form = page.locator(f"[data-crop]:has(#{action}-file)")
    await form.locator("input[type=file]").set_input_files([wide])
    await expect(canvas).to_be_visible()
    async with page.expect_navigation():
        await page.get_by_role("button", name="Save").first.click()
    await expect(page.get_by_role("status").first).to_have_text("Saved.")
    assert await page.evaluate("sessionStorage.sent") == "wide.jpg"
    await context.close()


async def test_adding_photos_without_scripts_does_not_stand_on_the_drop_zone(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    for width in (390, 1280):
        context = await signed_in(browser, here, here.alice, width=width, scripts=False)
        page = await _at(context, here, "/compose")
        assert not await page.evaluate(OVERLAPS)
        await page.locator(".drop input").set_input_files(
            [{"name": "a.jpg", "mimeType": "image/jpeg", "buffer": picture(90, 60)}]
        )
        await page.get_by_role("button", name="Upload and add descriptions").click()
        await expect(page.locator(".upload textarea")).to_have_attribute("data-most", "10000")
        await context.close()


async def test_the_welcome_page_has_one_way_to_sign_in_and_its_rules(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    for width in (390, 1280):
        context = await visitor(browser, width=width)
        page = await _at(context, here, "/")
        await expect(page.get_by_role("link", name="Sign in")).to_have_count(1)
        await page.goto(here.url("/explore"))
        await expect(page.get_by_role("link", name="Sign in")).to_have_count(1)
        await expect(page.get_by_role("link", name="Sign in")).to_be_visible()
        await context.close()


AXE = """async () => {
  const rules = {"label-content-name-mismatch": {enabled: true}, "target-size": {enabled: true}};
  const found = await axe.run(document, {runOnly: Object.keys(rules), rules});
  return found.violations.map((one) => `${one.id}: ${one.nodes.map((n) => n.html.slice(0, 140)).join(" | ")}`);
}"""


async def test_names_begin_with_what_is_seen_and_targets_are_large_enough(
    fediverse: Fediverse, browser: Browser
) -> None:
    here, source = await place(fediverse), axe()
    context = await signed_in(browser, here, here.alice, width=390)
    page = await context.new_page()
    problems = []
    for path in (
        *(
            "/notifications",
            "/search?q=lake",
            "/settings/profile",
            "/settings/password",
            "/settings/sessions",
            "/settings/people",
        ),
        *("/admin/people", "/admin/servers", "/admin/jobs", "/follow-requests", "/about", "/compose"),
    ):
        await page.goto(here.url(path))
        await page.evaluate(source)
        problems += [f"{path}: {one}" for one in await page.evaluate(AXE)]
    await page.goto(here.url(f"/p/alice/{here.post.id}"))
    await page.evaluate(source)
    problems += [one for one in await page.evaluate(AXE) if one.startswith("label")]
    await page.get_by_text("ALT").first.click()
    await expect(page.locator(".alt p").first).to_be_visible()
    assert not problems, "\n".join(problems)
    await context.close()


async def test_a_shown_photo_says_hide_at_a_distance_from_its_warning(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    context = await signed_in(browser, here, here.bob, width=390)
    page = await _at(context, here, "/@alice")
    await page.locator("a.cell[aria-label=Spiders]").click()
    summary = page.locator(".veil > summary")
    await summary.click()
    words, hide = await summary.locator("b").bounding_box(), await summary.locator(".hide").bounding_box()
    assert words is not None
    assert hide is not None
    assert hide["x"] - (words["x"] + words["width"]) >= 8
    await context.close()
