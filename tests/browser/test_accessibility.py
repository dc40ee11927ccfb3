"""axe-core finds nothing on any page, in either theme; the browser complains of nothing; nothing jumps."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page

from federation_tests.fediverse import Fediverse
from tests.browser.conftest import visitor
from tests.browser.seen import Place, axe, complaints, place, signed_in

ANYBODY = [
    "/",
    "/explore",
    "/explore/tags",
    "/about",
    "/sign-in",
    "/sign-up",
    "/@alice",
    "/p/alice/{post}",
    "/interact?uri={uri}",
    "/posts/{album}/photos/2",
]
SOMEBODY = [
    "/",
    "/explore/network",
    "/@alice",
    "/@alice/all",
    "/@bob",
    "/@bob/followers",
    "/p/alice/{post}",
    "/p/alice/{album}",
    "/posts/{post}/likes",
    "/posts/{post}/edit",
    "/posts/{post}/delete",
    "/posts/{post}/who-can-comment",
    "/posts/{post}/history",
    "/people/{bob}/mute",
    "/tags/lake",
    "/compose",
    "/notifications",
    "/follow-requests",
    "/bookmarks",
    "/search?q=lake",
    "/search?q=nothing",
    "/settings",
    "/settings/profile",
    "/settings/preferences",
    "/settings/password",
    "/settings/passkeys",
    "/settings/passkeys/offer",
    "/settings/two-step",
    "/settings/sessions",
    "/settings/people",
    "/settings/invites",
    "/settings/deletion",
    "/admin/people",
    "/admin/people/{bob}",
    "/admin/sign-ups",
    "/report?person={bob}",
    "/settings/moving",
    "/admin/reports",
    "/admin/reports/{report}",
    "/admin/jobs",
    "/admin/deliveries",
    "/nothing",
]
RUN = """async () => {
  const found = await axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]});
  return found.violations.map((one) => `${one.id} (${one.impact}): ${one.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + " " + n.failureSummary).join(" | ")}`);
}"""
SHIFT = """() => new Promise((resolve) => {
  let sum = 0;
  const moved = [];
  const watch = new PerformanceObserver((list) => { for (const one of list.getEntries()) if (!one.hadRecentInput) { sum += one.value; moved.push(...one.sources.map((s) => s.node?.outerHTML?.slice(0, 120))); } });
  watch.observe({type: "layout-shift", buffered: true});
  setTimeout(() => resolve([sum, moved.join(' | ')]), 120);
})"""


async def _look(page: Page, here: Place, path: str, source: str) -> list[str]:
    places = {"post": here.post.id, "album": here.album.id, "uri": here.alice.uri}
    path = path.format(**places, bob=here.bob.id, report=here.report)
    await page.goto(here.url(path), wait_until="load")
    shift, moved = await page.evaluate(SHIFT)
    problems = [f"it jumps by {shift}: {moved}"] if shift > 0.005 else []
    # The page's own policy lets nothing in, so axe comes in through the debugger.
    await page.evaluate(source)
    problems += await page.evaluate(RUN)
    wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if wide > 0:
        problems.append(f"it is {wide} pixels wider than the screen")
    return [f"{path}: {problem}" for problem in problems]


@pytest.mark.parametrize(("width", "theme"), [(390, "light"), (1280, "dark")])
async def test_every_page_is_accessible(
    fediverse: Fediverse, browser: Browser, width: int, theme: str
) -> None:
    here, source = await place(fediverse), axe()
    problems: list[str] = []
    for context, paths in (
        (await visitor(browser, width=width), ANYBODY),
        (await signed_in(browser, here, here.alice, width=width), SOMEBODY),
    ):
        page = await context.new_page()
        await page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
        found = complaints(page)
        for path in paths:
            problems += await _look(page, here, path, source)
        problems += [one for one in found if "404" not in one]
        await context.close()
    assert not problems, "\n".join(problems)
