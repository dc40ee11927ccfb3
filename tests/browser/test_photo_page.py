"""The page of one photo: what a photo is without scripts, and the address of the viewer while it is open."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from federation_tests.fediverse import Fediverse
from tests.browser.conftest import visitor
from tests.browser.seen import Place, axe, complaints, place, signed_in
from tests.browser.test_accessibility import RUN, SHIFT
from tests.browser.viewing import LARGE, counter, dialog, post_photos


async def test_the_viewer_has_the_address_of_the_photo_it_shows(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    page = await (await signed_in(browser, here, here.bob)).new_page()
    found = complaints(page)
    await page.goto(here.url("/"))
    await page.locator(f"#post-{here.album.id} .shot").first.click()
    await expect(counter(page)).to_have_text("1 of 3")
    address = here.url(f"/posts/{here.album.id}/photos/")
    await expect(page).to_have_url(address + "1")
    await page.keyboard.press("ArrowRight")
    await expect(page).to_have_url(address + "2")

    # Back closes it, wherever it stands; Forward shows the photo again, on its page.
    await page.go_back()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page).to_have_url(here.url("/"))
    await page.go_forward()
    await expect(page).to_have_url(address + "2")
    await expect(page.locator(".photo-page img[alt='The lake, 1']")).to_be_visible()
    await page.go_back()
    await expect(page.locator(f"#post-{here.album.id} .shot").first).to_be_visible()

    # Loaded anew while it is open, the same photo is there on its page.
    await page.locator(f"#post-{here.album.id} .shot").first.click()
    await expect(counter(page)).to_have_text("1 of 3")
    await page.keyboard.press("End")
    await expect(page).to_have_url(address + "3")
    await page.reload()
    await expect(page.locator(".photo-page img[alt='The lake, 2']")).to_be_visible()

    # The photo on that page opens the viewer, at that photo and among the others.
    await page.wait_for_load_state("networkidle")
    await page.locator(".photo-whole .shot").click()
    await expect(dialog(page)).to_be_visible()
    await expect(counter(page).last).to_have_text("3 of 3")
    await page.keyboard.press("ArrowLeft")
    await expect(page).to_have_url(address + "2")
    await page.keyboard.press("Escape")
    await expect(dialog(page)).to_have_count(0)
    await expect(page).to_have_url(address + "3")
    assert not found


async def test_the_page_of_a_photo_is_used_with_keys_alone(fediverse: Fediverse, browser: Browser) -> None:
    here = await place(fediverse)
    page = await (await visitor(browser)).new_page()
    found = complaints(page)
    await page.goto(here.url(f"/posts/{here.album.id}/photos/1"))
    names = []
    for _ in range(8):
        await page.keyboard.press("Tab")
        names.append(
            await page.evaluate(
                "document.activeElement.ariaLabel ?? document.activeElement.textContent.trim()"
            )
        )
    assert names[0] == "Skip to content"
    assert names[1:3] == ["Close", "Next photo"]
    await page.keyboard.press("ArrowRight")
    await expect(page).to_have_url(here.url(f"/posts/{here.album.id}/photos/2"))
    await page.wait_for_load_state("networkidle")
    await page.keyboard.press("ArrowLeft")
    await expect(page).to_have_url(here.url(f"/posts/{here.album.id}/photos/1"))
    await page.locator(".photo-whole .shot").focus()
    await page.keyboard.press("Enter")
    await expect(dialog(page)).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(dialog(page)).to_have_count(0)
    await expect(page.locator(".photo-whole .shot")).to_be_focused()
    assert not found


@pytest.mark.parametrize("width", [390, 1280])
async def test_without_scripts_a_photo_leads_to_its_page_and_that_to_its_largest_file(
    fediverse: Fediverse, browser: Browser, width: int
) -> None:
    here = await place(fediverse)
    post = await post_photos(here, LARGE, (600, 1200), (300, 200))
    page = await (await visitor(browser, width=width, scripts=False)).new_page()
    await page.goto(here.url(f"/p/alice/{post}"))
    await page.locator(".post .shot").first.click()
    await expect(page).to_have_url(here.url(f"/posts/{post}/photos/1"))

    for number, size in enumerate(((2400, 1600), (600, 1200), (300, 200)), 1):
        await expect(page).to_have_url(here.url(f"/posts/{post}/photos/{number}"))
        await expect(page.get_by_text(f"{number} of 3").first).to_be_visible()
        image = page.get_by_alt_text(f"Shot {number}")
        await expect(image).to_have_js_property("complete", True)
        box = await image.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        # All of it is seen without scrolling, and the words below begin on the same screen.
        assert box["y"] + box["height"] <= 900
        await expect(page.get_by_role("link", name=f"Download ({size[0]:,} × {size[1]:,})")).to_be_visible()
        await expect(page.get_by_text(f"Shot {number}", exact=True)).to_be_visible()
        wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0
        if number < 3:
            await page.get_by_role("link", name="Next photo").click()
    await page.get_by_role("link", name="Previous photo").click()
    await page.get_by_role("link", name="Close").click()
    await expect(page).to_have_url(here.url(f"/p/alice/{post}#photo-2"))

    await page.goto(here.url(f"/posts/{post}/photos/1"))
    address = await page.locator(".photo-whole .shot").get_attribute("href")
    async with page.expect_response(f"**{address}") as opened:
        await page.locator(".photo-whole .shot").click()
    assert (await opened.value).headers["content-type"] == "image/jpeg"


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
async def test_nothing_is_wrong_with_the_page_of_a_photo(
    fediverse: Fediverse, browser: Browser, width: int, scheme: str
) -> None:
    here, source = await place(fediverse), axe()
    mixed = await post_photos(here, (900, 600), (600, 1200), (2000, 400), (200, 150))
    page = await (await visitor(browser, width=width)).new_page()
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    found = complaints(page)
    problems = []
    for path in (
        *(f"/posts/{mixed}/photos/{n}" for n in range(1, 5)),
        f"/posts/{await _covered(here)}/photos/1",
    ):
        await page.goto(here.url(path))
        shift, moved = await page.evaluate(SHIFT)
        assert shift < 0.005, (path, moved)
        await page.evaluate(source)
        problems += await page.evaluate(RUN)
        problems += await page.locator("main :is(a, button)").evaluate_all(
            "all => all.map((one) => [one.outerHTML.slice(0, 90), one.getBoundingClientRect()])"
            ".filter(([, box]) => box.width && (box.width < 24 || box.height < 24)).map(([html]) => html)"
        )
    assert (problems, found) == ([], [])


async def _covered(here: Place) -> int:
    return int(
        await here.node.db.read(
            lambda tx: tx.value(
                "SELECT id FROM posts WHERE warning <> '' AND account_id = :id", id=here.alice.id
            )
        )
    )
