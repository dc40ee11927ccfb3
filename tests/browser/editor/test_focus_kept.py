"""By keyboard alone, no action of the editor loses the focus."""

from __future__ import annotations

from playwright.async_api import Browser, Locator, Page, expect

from federation_tests.fediverse import Fediverse
from tests.browser.editor.opened import draft, drawn, enter, page_of
from tests.browser.test_focus_kept import focused


async def _press(page: Page, one: Locator) -> str:
    await one.focus()
    await one.press("Enter")
    return await focused(page)


async def test_no_action_loses_the_focus(fediverse: Fediverse, browser: Browser) -> None:
    here, page = await page_of(fediverse, browser)
    [photo, _other], back = await draft(here, count=2)
    await enter(page, here, photo, back)

    def button(name: str) -> Locator:
        return page.get_by_role("button", name=name, exact=True)

    await _press(page, page.locator(".e-look", has_text="Chalk"))
    await drawn(page, look="chalk")
    await _press(page, page.get_by_role("tab", name="Crop"))
    await _press(page, button("Mirror left to right"))
    undo, redo = (page.locator(".e-mid").get_by_role("button", name=name) for name in ("Undo", "Redo"))
    await _press(page, undo)
    await _press(page, undo)
    await expect(undo).to_be_disabled()
    await expect(redo).to_be_focused()
    await _press(page, redo)
    await _press(page, redo)
    await expect(redo).to_be_disabled()
    await expect(undo).not_to_be_focused()
    await _press(page, page.get_by_role("tab", name="Looks"))
    await button("Zoom in").focus()
    for _ in range(12):
        await page.keyboard.press("Enter")
        await focused(page)

    await page.set_viewport_size({"width": 390, "height": 800})
    more = page.locator(".e-more summary")
    for name in ("Copy to all", "Reset"):
        await _press(page, more)
        await _press(page, page.locator(".e-more .sheet button", has_text=name))
        await expect(more).to_be_focused()
    await page.set_viewport_size({"width": 1280, "height": 800})
    await _press(page, page.locator(".e-foot .button").first)
    await _press(page, page.locator(".e-said").get_by_role("button", name="Undo"))
    await expect(page.get_by_role("tab", name="Looks")).to_be_focused()

    await _press(page, page.locator(".e-look", has_text="Soot"))
    await page.context.set_offline(True)
    await _press(page, page.locator(".e-done"))
    again = page.get_by_role("alert").get_by_role("button", name="Try again")
    await expect(again).to_be_focused()
    await again.press("Enter")
    await expect(again).to_be_focused()
    await page.context.set_offline(False)
    await _press(page, page.locator(".e-cancel"))
    await _press(page, button("Keep editing"))
    await expect(page.locator(".e-cancel")).to_be_focused()
