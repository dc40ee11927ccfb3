"""What photos of every kind look like, large and in their posts: panoramas, tall ones, transparent ones, those of others."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageDraw
from playwright.async_api import Browser, Locator, Page, expect

from federation_tests.fediverse import Fediverse, Person
from node.attachments import photos
from node.posts import posts
from node.posts.drafts import Draft
from node.publishing import publishing
from tests.browser.conftest import visitor
from tests.browser.seen import complaints, place, signed_in
from tests.browser.viewing import LARGE, counter, dialog, post_photos, scale, swipe

FROM_RIGHT = """new MutationObserver(() => {
  if (document.documentElement) document.documentElement.dir = "rtl";
}).observe(document, {childList: true});"""
"""There is no translation into a language written from the right yet, so a script turns the page round."""


async def _left(of: Locator) -> float:
    return float(await of.evaluate("one => one.getBoundingClientRect().left"))


def _image(page: Page) -> Locator:
    return page.locator(".viewer-frame:not([inert]) img")


async def _comes_to_rest(of: Locator) -> float:
    """Where something stands once it does not move any more."""
    before = await _left(of)
    while True:
        await of.page.wait_for_timeout(100)
        now = await _left(of)
        if now == before:
            return now
        before = now


async def test_a_panorama_is_moved_sideways_by_finger_and_keys(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    post = await post_photos(here, (2400, 600), (900, 600))
    page = await (await visitor(browser, width=390, touch=True)).new_page()
    await page.emulate_media(reduced_motion="reduce")
    found = complaints(page)
    await page.goto(here.url(f"/p/alice/{post}"))
    await page.wait_for_load_state("networkidle")  # the scripts are there
    await page.locator(".post .shot").first.tap()
    await expect(counter(page)).to_have_text("1 of 2")
    reach = page.locator(".viewer-reach")
    await expect(reach).to_be_visible()
    # It is higher than it would be whole, its middle is seen first, and the bar says so.
    box = await _image(page).bounding_box()
    assert box is not None
    assert box["width"] > 1.5 * 390
    assert abs(box["x"] + box["width"] / 2 - 195) < 2

    middle, bar = await _left(_image(page)), await _left(reach.locator("i"))
    await swipe(page, [((300, 450), (160, 450))])
    await expect(counter(page)).to_have_text("1 of 2")
    assert await _left(_image(page)) == pytest.approx(middle - 140, abs=12)
    assert await _left(reach.locator("i")) > bar
    await page.keyboard.press("ArrowLeft")
    assert await _left(_image(page)) > middle - 130

    # Keys reach its edge, and only then the next photo.
    for _ in range(20):
        if await counter(page).text_content() == "2 of 2":
            break
        await page.keyboard.press("ArrowRight")
    await expect(counter(page)).to_have_text("2 of 2")
    await page.keyboard.press("ArrowLeft")
    await expect(counter(page)).to_have_text("1 of 2")
    await page.keyboard.press("ArrowRight")
    await expect(counter(page)).to_have_text("1 of 2")
    assert not found


async def test_a_photo_of_another_server_is_seen_large_and_kept_from_here(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    (carol,) = await fediverse.people("carol@b.test")
    alice = Person(fediverse, here.node, here.alice.id, here.alice.full_handle)
    await alice.follows(carol)
    await fediverse.settle()
    made = await carol.posts("From the other side", photo="A far lake")
    await fediverse.settle()
    stored = await here.node.db.read(posts.by_uri, made.uri)
    assert stored is not None
    page = await (await signed_in(browser, here, here.alice)).new_page()
    found = complaints(page)
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))

    await page.goto(here.url(f"/posts/{stored.id}"))
    await page.wait_for_load_state("networkidle")  # the scripts are there
    await page.locator(".post .shot").click()

    await expect(dialog(page)).to_be_visible()
    await expect(_image(page)).to_have_js_property("naturalWidth", 64)
    await expect(_image(page)).to_have_attribute("alt", "A far lake")
    await expect(page).to_have_url(here.url(f"/posts/{stored.id}/photos/1"))
    kept = await page.locator(".viewer-tools a[download]").get_attribute("href")
    assert kept is not None
    assert kept.startswith("/media/remote/")
    # Nobody there is told who looks at it.
    assert hosts == {here.node.site.domain}
    assert not found


@pytest.mark.parametrize(("width", "touch"), [(390, True), (1280, False)])
async def test_from_right_to_left_the_next_photo_is_at_the_left(
    fediverse: Fediverse, browser: Browser, width: int, touch: bool
) -> None:
    here = await place(fediverse)
    page = await (await visitor(browser, width=width, touch=touch)).new_page()
    await page.emulate_media(reduced_motion="reduce")
    await page.add_init_script(FROM_RIGHT)
    found = complaints(page)
    await page.goto(here.url(f"/p/alice/{here.album.id}"))
    await page.wait_for_load_state("networkidle")  # the scripts are there
    assert await page.evaluate("document.documentElement.dir") == "rtl"
    await page.locator(".slides .shot").first.click()
    await expect(counter(page)).to_have_text("1 of 3")
    await page.keyboard.press("ArrowLeft")
    await expect(counter(page)).to_have_text("2 of 3")
    assert await _comes_to_rest(_image(page)) >= 0
    await page.keyboard.press("ArrowRight")
    await expect(counter(page)).to_have_text("1 of 3")
    if touch:
        await swipe(page, [((120, 450), (320, 450))])
        await expect(counter(page)).to_have_text("2 of 3")
    else:
        following = page.get_by_role("button", name="Next photo").last
        assert await _left(following) < width / 2
        await following.click()
        await expect(counter(page)).to_have_text("2 of 3")
    close = await page.get_by_role("button", name="Close", exact=True).bounding_box()
    assert close is not None
    assert close["x"] > width / 2
    await page.keyboard.press("Escape")
    # The carousel below, which scrolls to the left, stands at the same photo.
    await expect(page.locator(".position")).to_have_text("2 / 3")
    await page.goto(here.url(f"/posts/{here.album.id}/photos/1"))
    await page.wait_for_load_state("networkidle")  # the scripts are there
    await page.keyboard.press("ArrowLeft")
    await expect(page).to_have_url(here.url(f"/posts/{here.album.id}/photos/2"))
    wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0
    assert not found


COLOUR_OF_A_CORNER = """async (image) => {
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const drawing = canvas.getContext("2d");
  drawing.drawImage(image, 0, 0);
  return [...drawing.getImageData(4, 4, 1, 1).data];
}"""


async def test_a_transparent_picture_lies_on_clean_white_in_both_themes(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    drawn = Image.new("RGBA", (800, 600), (0, 0, 0, 0))
    ImageDraw.Draw(drawn).ellipse((200, 100, 600, 500), fill=(200, 30, 30, 255))
    out = io.BytesIO()
    drawn.save(out, "PNG")
    shot = await photos.upload(here.node, here.alice, out.getvalue(), alt="A red disc")
    post = await here.node.db.write(publishing.publish, here.alice, Draft(photo_ids=[shot.id]))
    for scheme in ("light", "dark"):
        page = await (await visitor(browser, width=390)).new_page()
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        found = complaints(page)
        await page.goto(here.url(f"/p/alice/{post.id}"))
        await page.wait_for_load_state("networkidle")  # the scripts are there
        in_post = page.locator(".post .photo img")
        await expect(in_post).to_have_js_property("complete", True)
        colours = [await in_post.evaluate(COLOUR_OF_A_CORNER)]
        await page.locator(".post .shot").click()
        await expect(dialog(page)).to_be_visible()
        await expect(_image(page)).to_be_visible()
        colours.append(await _image(page).evaluate(COLOUR_OF_A_CORNER))
        assert all(min(colour) >= 250 for colour in colours), colours
        # Nothing of it is cut off or blurred, and what is beside it is all but grey.
        ground = await page.locator(".post .photo").evaluate("one => getComputedStyle(one).backgroundColor")
        assert ground.startswith("oklch(")
        assert float(ground.split()[1]) <= 0.004
        assert not found
        await page.close()


@pytest.mark.parametrize("width", [390, 1280])
async def test_every_album_has_one_height_from_4_to_5_to_191_to_1(
    fediverse: Fediverse, browser: Browser, width: int
) -> None:
    here = await place(fediverse)
    for sizes in (
        ((400, 1600), (600, 1200), (900, 600)),
        ((1600, 400), (1600, 500), (600, 600)),
        ((800, 1000), (1000, 800), (1000, 1000), (1910, 1000)),
    ):
        await post_photos(here, *sizes)
    page = await (await signed_in(browser, here, here.alice, width=width)).new_page()
    found = complaints(page)
    await page.goto(here.url("/"))
    await page.wait_for_load_state("networkidle")  # the scripts are there
    albums = page.locator(".post .album")
    await expect(albums).to_have_count(4)
    for number in range(3):
        boxes = (
            await albums.nth(number)
            .locator(".photo")
            .evaluate_all("all => all.map((one) => [one.offsetWidth, one.offsetHeight])")
        )
        assert len({tuple(box) for box in boxes}) == 1, boxes
        across, down = boxes[0]
        assert 0.79 <= across / down <= 1.92
        # Each photo is inside of it, whole or filling it.
        inside = (
            await albums.nth(number)
            .locator(".photo img")
            .evaluate_all(
                "all => all.every((one) => { const [a, b] = [one.getBoundingClientRect(), one.closest('.photo').getBoundingClientRect()];"
                " return one.closest('.scrub') || (a.left >= b.left - 1 && a.right <= b.right + 1 && a.top >= b.top - 1 && a.bottom <= b.bottom + 1); })"
            )
        )
        assert inside
    assert not found


async def test_the_wheel_reaches_real_pixels_of_the_largest_file(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    post = await post_photos(here, LARGE)
    page = await (await visitor(browser)).new_page()
    await page.emulate_media(reduced_motion="reduce")
    await page.goto(here.url(f"/p/alice/{post}"))
    await page.wait_for_load_state("networkidle")  # the scripts are there
    await page.locator(".post .shot").click()
    await expect(page.locator(".viewer-level")).to_have_text("Fit")
    largest = await page.locator(".viewer-tools a[download]").get_attribute("href")
    await page.mouse.move(640, 400)
    for _ in range(40):
        await page.mouse.wheel(0, -100)
        if await _image(page).evaluate("one => one.getBoundingClientRect().width * devicePixelRatio") >= 2400:
            break
    await expect(_image(page)).to_have_attribute("src", largest or "")
    await expect(_image(page)).to_have_js_property("naturalWidth", 2400)
    reached = await scale(page)
    # No further than twice its pixels.
    for _ in range(60):
        await page.mouse.wheel(0, -200)
    shown = await _image(page).evaluate("one => one.getBoundingClientRect().width * devicePixelRatio")
    assert shown == pytest.approx(4800, abs=2)
    assert await scale(page) > reached
    for _ in range(60):
        await page.mouse.wheel(0, 200)
    await expect(page.locator(".viewer-level")).to_have_text("Fit")


async def test_the_carousel_stands_where_the_viewer_was_left_however_it_was_closed(
    fediverse: Fediverse, browser: Browser
) -> None:
    here = await place(fediverse)
    page = await (await signed_in(browser, here, here.bob)).new_page()
    await page.emulate_media(reduced_motion="reduce")
    await page.goto(here.url("/"))
    await page.wait_for_load_state("networkidle")  # the scripts are there
    album = page.locator(f"#post-{here.album.id}")
    await expect(album.locator(".position")).to_have_text("1 / 3")

    await album.locator(".shot").first.click()
    await expect(counter(page)).to_have_text("1 of 3")
    await page.get_by_role("button", name="3 of 3").click()
    await expect(counter(page)).to_have_text("3 of 3")
    await page.get_by_role("button", name="Close", exact=True).click()
    await expect(dialog(page)).to_have_count(0)
    await expect(album.locator(".position")).to_have_text("3 / 3")

    await album.locator(".shot").nth(2).click()
    await expect(counter(page)).to_have_text("3 of 3")
    await page.keyboard.press("Home")
    await page.keyboard.press("Escape")
    await expect(dialog(page)).to_have_count(0)
    await expect(album.locator(".position")).to_have_text("1 / 3")

    await album.locator(".shot").first.click()
    await expect(counter(page)).to_have_text("1 of 3")
    await page.get_by_role("button", name="Next photo").last.click()
    await expect(counter(page)).to_have_text("2 of 3")
    await page.go_back()
    await expect(dialog(page)).to_have_count(0)
    await expect(album.locator(".position")).to_have_text("2 / 3")
    await expect(album.locator(".shot").nth(1)).to_be_focused()
