"""The description of a photo stays when another is put in its place, and is asked about until somebody has changed it."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Browser, expect

from federation_tests.fediverse import Fediverse
from tests.browser.composing import add, compose, described, files, tool


async def test_the_description_of_a_replaced_photo_is_asked_about_until_it_is_edited(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    _here, page = await compose(fediverse, browser)
    await add(page, files(tmp_path, "lake.jpg"))
    await described(page).fill("A lake")
    question = page.get_by_text("Does the description still fit?")
    await expect(question).to_have_count(0)

    async with page.expect_file_chooser() as chooser:
        await tool(page, "Replace this photo")
    await (await chooser.value).set_files(files(tmp_path, "shore.jpg"))

    await expect(question).to_be_visible()
    await expect(described(page)).to_have_value("A lake")
    await described(page).fill("A shore")
    await expect(question).to_have_count(0)
