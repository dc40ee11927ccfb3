"""What opens over a page, at 320 and 390 pixels with text twice as large: menus and the viewer fit the screen."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page

from federation_tests.fediverse import Fediverse
from tests.browser.editor.opened import drawn
from tests.browser.seen import place, signed_in
from tests.browser.test_reflow_photos import paths_of

SIZES = [(320, 640), (390, 844)]

# What a menu or a dialog contains is on the screen, or is reached by scrolling in it; itself it is whole.
OUTSIDE = """async (selector) => {
  const tops = [...document.querySelectorAll(selector)];
  await Promise.all(tops.flatMap((top) => top.getAnimations({subtree: true})).map((one) => one.finished));
  return tops.flatMap((top) => {
  if (!top.checkVisibility()) return [];
  const found = [];
  const name = (one) => one.outerHTML.slice(0, 110).replace(/\\s+/g, " ");
  const box = (one) => one.getBoundingClientRect();
  const {left, right, top: above, bottom} = box(top);
  if (left < -1 || right > innerWidth + 1 || above < -1 || bottom > innerHeight + 1)
    found.push(`beyond the screen: ${name(top)} ${[left, right, above, bottom].map(Math.round)}`);
  if (!top.matches("dialog") && top.scrollWidth > top.clientWidth + 1) found.push(`${top.scrollWidth} wide in ${top.clientWidth}: ${name(top)}`);
  for (const one of top.querySelectorAll("a, button, summary, p, h2, .viewer-counter")) {
    if (one.closest(".viewer-frame, [inert]") || !one.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
    const its = box(one);
    const scrolls = /auto|scroll/.test(getComputedStyle(top).overflowY) || one.closest(".viewer-about-text");
    if (!its.width || getComputedStyle(one).clipPath !== "none") continue;
    if (its.left < -1 || its.right > innerWidth + 1 || (!scrolls && (its.top < -1 || its.bottom > innerHeight + 1)))
      found.push(`beyond the screen: ${name(one)} ${[its.left, its.right, its.top, its.bottom].map(Math.round)}`);
    const cuts = one.scrollWidth > one.clientWidth + 2 && getComputedStyle(one).textOverflow !== "ellipsis";
    if (cuts && getComputedStyle(one).display !== "inline") found.push(`cut off: ${name(one)}`);
  }
  return found;
  });
}"""

# Two controls of the viewer are not on top of each other.
COVERED = """() => {
  const found = [];
  const controls = [...document.querySelectorAll("dialog[open] :is(a, button, .viewer-counter)")]
    .filter((one) => one.checkVisibility({visibilityProperty: true, opacityProperty: true}) && !one.closest(".viewer-frame, .viewer-arrow"));
  for (const a of controls) for (const b of controls) {
    if (a === b || a.contains(b) || b.contains(a)) continue;
    const [x, y] = [a.getBoundingClientRect(), b.getBoundingClientRect()];
    const across = Math.min(x.right, y.right) - Math.max(x.left, y.left);
    const down = Math.min(x.bottom, y.bottom) - Math.max(x.top, y.top);
    if (across > 3 && down > 3) found.push(`${a.outerHTML.slice(0, 90)} on ${b.outerHTML.slice(0, 90)}`);
  }
  const stage = document.querySelector(".viewer-stage").getBoundingClientRect();
  if (stage.height < innerHeight / 4) found.push(`${stage.height} pixels are left for the photo`);
  if (document.querySelector(".viewer-counter").getClientRects().length !== 1) found.push("the counter is broken");
  return found;
}"""


# In the editor nothing lies on the photo, and all of a panel and of its rows is seen without scrolling down.
EDITOR = """() => {
  const found = [];
  const box = (one) => one.getBoundingClientRect();
  const photo = box(document.querySelector(".e-photo"));
  const seen = (one) => one.checkVisibility({visibilityProperty: true, opacityProperty: true});
  for (const one of [...document.querySelectorAll(".e-level, .e-compare")].filter(seen)) {
    const its = box(one);
    const across = Math.min(its.right, photo.right) - Math.max(its.left, photo.left);
    const down = Math.min(its.bottom, photo.bottom) - Math.max(its.top, photo.top);
    if (its.width && across > 1 && down > 1) found.push(`on the photo by ${down}: ${one.className}`);
  }
  const bar = box(document.querySelector(".e-modes"));
  for (const one of [...document.querySelectorAll(".e-panel, .e-panel button, .e-panel label, .e-panel input, .e-look span")].filter(seen)) {
    const its = box(one);
    if (its.width > 1 && its.bottom > bar.top + 1) found.push(`${its.bottom - bar.top} under the bar: ${one.outerHTML.slice(0, 90)}`);
    if (one.matches(".e-panel") && one.scrollHeight > one.clientHeight + 1) found.push(`${one.scrollHeight} high in ${one.clientHeight}`);
    if (one.matches(".e-look") && one.scrollWidth > one.clientWidth + 1) found.push(`cut off: ${one.textContent}`);
  }
  return found;
}"""


async def _large_text(page: Page, width: int, height: int) -> None:
    await page.set_viewport_size({"width": width, "height": height})
    await page.emulate_media(reduced_motion="reduce")
    client = await page.context.new_cdp_session(page)
    await client.send("Page.enable")
    await client.send("Page.setFontSizes", {"fontSizes": {"standard": 32, "fixed": 29}})


async def _menus(page: Page) -> list[str]:
    problems: list[str] = []
    summaries = page.locator("details:has(> .sheet) > summary")
    for n in range(await summaries.count()):
        one = summaries.nth(n)
        if not await one.is_visible():
            continue
        await one.click()
        problems += await page.evaluate(OUTSIDE, "details[open] > .sheet")
        await page.keyboard.press("Escape")
    return problems


@pytest.mark.parametrize(("width", "height"), SIZES)
async def test_menus_fit_the_screen(fediverse: Fediverse, browser: Browser, width: int, height: int) -> None:
    here = await place(fediverse)
    paths = [
        *await paths_of(here),
        "/@alice",
        "/@bob",
        "/explore",
        f"/p/alice/{here.album.id}",
        "/settings/profile",
    ]
    page = await (await signed_in(browser, here, here.alice)).new_page()
    await _large_text(page, width, height)
    problems: list[str] = []
    for path in paths:
        await page.goto(here.url(path), wait_until="networkidle")
        problems += [f"{path}: {problem}" for problem in await _menus(page)]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(("width", "height"), SIZES)
async def test_the_viewer_fits_the_screen(
    fediverse: Fediverse, browser: Browser, width: int, height: int
) -> None:
    here = await place(fediverse)
    page = await (await signed_in(browser, here, here.alice)).new_page()
    await _large_text(page, width, height)
    problems: list[str] = []
    for post in (here.post, here.album):
        await page.goto(here.url(f"/p/alice/{post.id}"), wait_until="networkidle")
        await page.locator(".photo img").first.click()
        await page.locator(".viewer-frame img").first.wait_for()
        problems += await page.evaluate(OUTSIDE, "dialog[open]") + await page.evaluate(COVERED)
        await page.keyboard.press("i")
        await page.locator(".viewer-about").wait_for()
        problems += [f"about: {one}" for one in await page.evaluate(OUTSIDE, "dialog[open]")]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(("width", "height"), SIZES)
async def test_the_editor_fits_the_screen(
    fediverse: Fediverse, browser: Browser, width: int, height: int
) -> None:
    here = await place(fediverse)
    [path] = [one for one in await paths_of(here) if one.startswith("/photos/") and one.endswith("/edit")]
    page = await (await signed_in(browser, here, here.alice)).new_page()
    await _large_text(page, width, height)
    await page.goto(here.url(path), wait_until="networkidle")
    await drawn(page)
    problems = [f"looks: {one}" for one in await page.evaluate(EDITOR)]
    await page.locator(".e-look").nth(2).click()
    for mode in ("Looks", "Adjust", "Crop"):
        await page.get_by_role("tab", name=mode).click()
        problems += [f"{mode}: {one}" for one in await page.evaluate(EDITOR)]
    assert not problems, "\n".join(problems)
