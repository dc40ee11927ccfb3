"""The page on which a post is written fits a phone, a narrow one and large text, with scripts and without, in both themes."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from federation_tests.fediverse import Fediverse
from tests.browser.composing import add, compose, describe, files, post_button, posted, thumbnail
from tests.browser.seen import axe, complaints
from tests.browser.test_accessibility import RUN
from tests.browser.test_walk import AXE, CUT, WIDER
from tests.media.test_exif import photo as camera_photo

# What has the focus is neither beside the screen nor under what is fixed to it.
COVERED = """() => {
  const one = document.activeElement;
  if (one === document.body || one.closest(".sr, .compose-bar, .drop, .take")) return "";
  const box = one.getBoundingClientRect();
  const [x, y] = [box.x + box.width / 2, box.y + Math.min(box.height / 2, 20)];
  const top = document.elementFromPoint(x, y);
  return top && (one.contains(top) || top.contains(one)) ? "" : one.outerHTML.slice(0, 120);
}"""
SMALL = """() => [...document.querySelectorAll("main :is(button, summary, a, textarea, select)")]
  .filter((one) => one.checkVisibility() && !one.closest(".sr"))
  .map((one) => [one, one.getBoundingClientRect()])
  .filter(([, box]) => box.height < 43.5 || box.width < 43.5)
  .map(([one]) => one.outerHTML.slice(0, 120))"""


async def _filled(page: Page, tmp_path: Path, n: int = 3) -> None:
    if n:
        await add(page, files(tmp_path, *(f"{name}.jpg" for name in range(n))))
    await describe(page, "A lake")
    await page.get_by_label("Caption").fill("At the #lake")


@pytest.mark.parametrize(("width", "theme"), [(390, "dark"), (390, "light"), (1280, "light"), (1280, "dark")])
async def test_the_page_is_accessible_in_every_state(
    fediverse: Fediverse, browser: Browser, tmp_path: Path, width: int, theme: str
) -> None:
    _here, page = await compose(fediverse, browser, width=width, touch=width == 390)
    await page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
    complained = complaints(page)
    await page.evaluate(axe())
    problems: list[str] = []

    async def look(state: str) -> None:
        found = [*await page.evaluate(RUN), *await page.evaluate(AXE)]
        problems.extend(f"{state}: {one}" for one in found)
        if (wide := await page.evaluate(WIDER)) > 0:
            problems.append(f"{state}: {wide} pixels too wide")

    await look("empty")
    await _filled(page, tmp_path)
    await look("with photos")
    await page.set_input_files("input[type=file]", files(tmp_path, "bad.pdf"))
    await expect(page.locator(".upload.failed")).to_have_count(1)
    await page.locator(".thumbnail.failed button").click()
    await look("failed")
    await post_button(page).click()
    await expect(page.locator("#undecided")).to_be_visible()
    await look("undecided")
    await page.locator("#undecided").get_by_role("button", name="Remove this photo").click()
    await post_button(page).click()
    await expect(page.locator("#undecided")).to_contain_text("2 photos have no description.")
    await look("without descriptions")
    await page.keyboard.press("Escape")
    for option in await page.locator(".option").all():
        await option.locator("summary").click()
        await look(await option.locator("summary").inner_text())
        await page.keyboard.press("Escape")
    await page.locator(".upload.chosen .photo-menu summary").click()
    await look("menu")
    assert not problems, "\n".join(problems)
    assert [one for one in complained if "422" not in one] == []


@pytest.mark.parametrize("n", [1, 20])
@pytest.mark.parametrize("has_camera", [False, True])
async def test_it_fits_a_phone_with_one_photo_and_with_twenty(
    fediverse: Fediverse, browser: Browser, tmp_path: Path, n: int, has_camera: bool
) -> None:
    _here, page = await compose(fediverse, browser, touch=True)
    await page.set_viewport_size({"width": 390, "height": 844})
    if has_camera:
        (tmp_path / "camera.jpg").write_bytes(camera_photo())
        await add(page, [str(tmp_path / "camera.jpg")])
        await _filled(page, tmp_path, n - 1)
        await thumbnail(page, 0).click()
        await expect(page.locator(".option", has_text="Camera")).to_be_visible()
    else:
        await _filled(page, tmp_path, n)
    assert await page.evaluate("document.documentElement.scrollHeight") <= 844
    assert await page.evaluate(SMALL) == []
    bar = await page.locator(".compose-bar").bounding_box()
    assert bar is not None
    assert bar["y"] + bar["height"] == pytest.approx(844, abs=1)


@pytest.mark.parametrize("kind", ["broken.jpg", "not-a-picture.pdf"])
async def test_a_failed_photo_takes_no_more_room_than_its_words(
    fediverse: Fediverse, browser: Browser, tmp_path: Path, kind: str
) -> None:
    _here, page = await compose(fediverse, browser, touch=True)
    await page.set_viewport_size({"width": 390, "height": 844})
    path = files(tmp_path, kind)[0]
    if kind == "broken.jpg":
        Path(path).write_bytes(Path(path).read_bytes()[:700])
    await page.set_input_files("input[type=file]", path)
    failure = page.locator(".upload.failed .failure")
    await expect(failure).to_contain_text(kind)
    await expect(failure.get_by_role("button", name="Remove")).to_be_in_viewport()
    assert await page.evaluate("document.documentElement.scrollHeight") <= 844
    assert await page.locator(".upload.failed").evaluate("one => one.offsetHeight") < 220
    assert await page.evaluate(SMALL) == []


async def test_options_stand_three_in_a_row_and_the_metadata_of_the_file_is_readable(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    _here, page = await compose(fediverse, browser, touch=True)
    await page.set_viewport_size({"width": 390, "height": 844})
    (tmp_path / "camera.jpg").write_bytes(camera_photo())
    await add(page, [str(tmp_path / "camera.jpg")])
    summary = page.locator(".camera-summary")
    await expect(summary).to_contain_text("ISO")
    assert (
        await summary.evaluate(
            "one => one.scrollWidth <= one.clientWidth && getComputedStyle(one).whiteSpace"
        )
        == "normal"
    )
    tops = await page.locator(".options > .option").evaluate_all("all => all.map((one) => one.offsetTop)")
    assert [tops.count(top) for top in sorted(set(tops))] == [3, 3]


@pytest.mark.parametrize(("width", "text"), [(320, 100), (390, 200), (1280, 200)])
async def test_nothing_is_cut_off_on_a_narrow_screen_or_with_large_text(
    fediverse: Fediverse, browser: Browser, tmp_path: Path, width: int, text: int
) -> None:
    _here, page = await compose(fediverse, browser, width=width)
    await page.evaluate("(size) => (document.documentElement.style.fontSize = `${size}%`)", text)
    assert await page.evaluate(WIDER) <= 0
    await _filled(page, tmp_path)
    assert await page.evaluate(WIDER) <= 0
    assert await page.evaluate(CUT) == []
    await page.locator("[data-option=place] summary").click()
    await expect(page.locator("[name=place]")).to_be_in_viewport()
    await page.keyboard.press("Escape")
    await page.locator(".audience summary").click()
    await page.get_by_role("radio", name="Followers").check()
    await page.keyboard.press("Escape")
    await expect(post_button(page)).to_be_in_viewport()


@pytest.mark.parametrize("width", [390, 1280])
async def test_what_the_keyboard_reaches_is_seen(
    fediverse: Fediverse, browser: Browser, tmp_path: Path, width: int
) -> None:
    _here, page = await compose(fediverse, browser, width=width)
    await page.set_viewport_size({"width": width, "height": 560})
    await _filled(page, tmp_path)
    await page.evaluate("document.activeElement.blur()")
    covered = []
    for _ in range(34):
        await page.keyboard.press("Tab")
        if one := await page.evaluate(COVERED):
            covered.append(one)
    assert covered == []


@pytest.mark.parametrize("width", [390, 1280])
async def test_without_scripts_photos_are_described_replaced_put_in_order_and_posted(
    fediverse: Fediverse, browser: Browser, tmp_path: Path, width: int
) -> None:
    here, page = await compose(fediverse, browser, width=width, scripts=False)
    await page.set_input_files("input[type=file]", files(tmp_path, "a.jpg", "b.jpg", "c.jpg"))
    await page.get_by_role("button", name="Upload and add descriptions").click()
    await expect(page.locator(".upload:visible")).to_have_count(3)
    await expect(page.locator(".strip")).to_be_hidden()
    for n, alt in enumerate(("One", "Two", "Three"), 1):
        await page.get_by_label(f"Describe photo {n} of 3").fill(alt)
    await page.locator("[name^=place-]").nth(2).fill("1")
    await page.get_by_label("Remove").nth(1).check()
    await page.locator("[name^=replace-]").nth(0).set_input_files(files(tmp_path, "x.jpg", "d.jpg")[1])
    await page.locator("[data-option=place] summary").click()
    await page.locator("[name=place]").fill("Lofoten")
    if width == 390:
        await page.mouse.click(5, 5)  # beside the sheet
    else:
        await page.locator("[data-option=place] summary").click(position={"x": 5, "y": 5})
    await page.locator(".audience summary").click()
    await page.get_by_role("radio", name="Followers").check()
    await expect(page.locator(".audience summary")).to_contain_text("Followers")
    await page.mouse.click(5, 5)  # beside the sheet, which closes it on a phone
    await page.get_by_label("Caption").fill("No script was run")
    assert await page.evaluate(WIDER) <= 0
    await post_button(page).click()
    await expect(page.locator(".post")).to_contain_text("No script was run")
    await expect(page.locator(".post")).to_contain_text("Lofoten")
    assert await posted(here) == ["Three", "One"]
