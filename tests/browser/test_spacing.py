"""What can be pressed stands apart: nobody deletes a post with the edge of a button beside it."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from federation_tests.fediverse import Fediverse
from tests.browser.seen import place, signed_in

PAGES = [
    "/posts/{post}/delete",
    "/posts/{album}/edit",
    "/compose",
    "/settings/password",
    "/settings/profile",
    "/settings/invites",
    "/admin/people",
    "/admin/people/{bob}",
    "/admin/sign-ups",
    "/admin/reports",
    "/admin/reports/{report}",
    "/admin/servers",
    "/admin/servers/far.example",
    "/admin/lists",
    "/admin/deliveries",
    "/admin/jobs",
    "/admin/log",
]

# Pairs of a button and a button, a field or the area for photos, with less than 4 pixels between. What scrolls passes
# under the bar of a form.
TOUCHING = """() => {
  for (const one of document.querySelectorAll("main details:not(.menu)")) one.open = true;
  const seen = [...document.querySelectorAll("main :is(.button, .drop, .check, .hint, input, select, textarea)")]
    .map((one) => [one, one.getBoundingClientRect()])
    .filter(([one, box]) => box.width > 2 && box.height > 2 && getComputedStyle(one).opacity !== "0");
  const apart = (a, b) => Math.max(b.top - a.bottom, a.top - b.bottom, b.left - a.right, a.left - b.right);
  return seen.flatMap(([one, a], n) => seen.slice(n + 1)
    .filter(([other]) => one.matches(".button") || other.matches(".button"))
    .filter(([other]) => one.closest(".compose-bar") === other.closest(".compose-bar"))
    .filter(([other, b]) => !one.contains(other) && !other.contains(one) && apart(a, b) < 4)
    .map(([other]) => `${one.innerText.trim() || one.name} / ${other.innerText.trim() || other.name}`));
}"""


@pytest.mark.parametrize(("width", "scripts"), [(390, False), (1280, True)])
async def test_no_button_touches_another_or_a_field(
    fediverse: Fediverse, browser: Browser, width: int, scripts: bool
) -> None:
    here = await place(fediverse)
    page = await (await signed_in(browser, here, here.alice, width=width, scripts=scripts)).new_page()
    ids = {"post": here.post.id, "album": here.album.id, "bob": here.bob.id, "report": here.report}
    found = {}
    for path in PAGES:
        await page.goto(here.url(path.format(**ids)))
        if touching := await page.evaluate(TOUCHING):
            found[path] = touching

    assert found == {}


# What the keyboard has reached is seen: nothing fixed to the screen lies on it, or on the first line of a large field.
COVER = """() => {
  const one = document.activeElement;
  if (one === document.body || one.closest(".nav-bar, .chrome")) return "";
  const box = one.getBoundingClientRect();
  const heights = one.matches("textarea") ? [20] : [box.height / 2, box.height - 1];
  const tops = heights.map((height) => document.elementFromPoint(box.x + box.width / 2, box.y + height));
  return tops.some((top) => top?.closest(".nav-bar, .toast")) ? one.outerHTML.slice(0, 90) : "";
}"""


async def test_what_has_the_focus_is_not_under_the_bar_of_a_phone(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    page = await (await signed_in(browser, here, here.alice, width=390)).new_page()
    await page.set_viewport_size({"width": 390, "height": 700})
    found = {}
    for path in (f"/posts/{here.album.id}/edit", "/settings/profile"):
        await page.goto(here.url(path))
        await page.evaluate("document.querySelector('#toast').textContent = 'A message'")
        for key in ["Tab"] * 45 + ["Shift+Tab"] * 10:
            await page.keyboard.press(key)
            if covered := await page.evaluate(COVER):
                found.setdefault(path, covered)

    assert found == {}


async def test_the_number_of_what_is_new_leaves_room_for_its_label(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    page = await (await signed_in(browser, here, here.alice, width=1280)).new_page()
    await page.goto(here.url("/explore"))
    link = ".nav-bar a[href='/notifications']"
    await page.locator(f"{link} .unread").evaluate("one => { one.firstChild.textContent = '99+' }")

    badge, label, bar = await page.evaluate(
        f"""() => ["{link} .unread", "{link} .label", ".nav-bar"].map((one) =>
             document.querySelector(one).getBoundingClientRect().toJSON())"""
    )

    assert badge["height"] < 24
    assert label["right"] <= badge["left"]
    assert badge["right"] <= bar["right"]


async def test_a_marked_comment_and_the_foot_keep_to_the_column(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    page = await (await signed_in(browser, here, here.alice, width=1000)).new_page()
    await page.goto(here.url(f"/p/alice/{here.post.id}"))
    comment = await page.locator(".comment").first.get_attribute("id")
    await page.goto(here.url(f"/p/alice/{here.post.id}#{comment}"))

    marked, avatar, foot, field = await page.evaluate(
        """() => [".comment:target", ".comment:target .avatar", ".foot a", "#answer .avatar"].map((one) =>
             document.querySelector(one).getBoundingClientRect().toJSON())"""
    )
    background = await page.locator(".comment:target").evaluate(
        "one => getComputedStyle(one).backgroundColor"
    )

    assert background != "rgba(0, 0, 0, 0)"
    assert marked["left"] <= avatar["left"]
    assert abs(foot["left"] - field["left"]) < 1
