"""The name of a node is read whole above its pages, however long it is and however large text is."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from federation_tests.fediverse import Fediverse
from tests.browser.seen import place, signed_in
from tests.browser.test_reflow import PROBLEMS

CUT = "one => one.scrollHeight > one.clientHeight + 1 || one.scrollWidth > one.clientWidth + 1"

WHOLE = """(one, word) => {
    const range = document.createRange();
    const at = one.firstChild.data.indexOf(word);
    if (at < 0) return false;
    range.setStart(one.firstChild, at);
    range.setEnd(one.firstChild, at + word.length);
    return range.getClientRects().length === 1;
}"""


@pytest.mark.parametrize("name", ["The photographers of Lake Balaton", "Balatonfotografusok"])
@pytest.mark.parametrize(
    ("width", "size"), [(390, 16), (320, 16), (390, 32), (390, 24), (720, 32), (1280, 16)]
)
async def test_the_name_of_the_node_is_not_cut(
    fediverse: Fediverse, browser: Browser, width: int, size: int, name: str
) -> None:
    here = await place(fediverse)
    context = await signed_in(browser, here, here.bob, width=width)
    page = await context.new_page()
    client = await context.new_cdp_session(page)
    await client.send("Page.enable")
    await client.send("Page.setFontSizes", {"fontSizes": {"standard": size, "fixed": size - 3}})
    await page.goto(here.url("/"), wait_until="networkidle")
    title = page.locator(".logo span")
    await title.evaluate("(one, name) => (one.textContent = name)", name)

    await expect(title).to_be_in_viewport()
    assert not await title.evaluate(CUT)
    assert await page.evaluate(PROBLEMS) == []
    assert await title.evaluate(WHOLE, "photographers") or " " not in name, "a word has room in a line"
