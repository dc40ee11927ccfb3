"""What the tests of the page on which a post is written share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Locator, Page, expect

from federation_tests.fediverse import Fediverse
from node.attachments import photo_rows
from node.attachments.photo_rows import Photo
from node.database import Reader
from node.models.account import Account
from node.paging import Page as Part
from node.timelines import timelines
from tests.browser.seen import Place, place, signed_in
from tests.support.bad_connection import BadConnection
from tests.support.pictures import picture

INPUT = "input[type=file]"


def files(folder: Path, *names: str) -> list[str]:
    """Files with these names: pictures, but for those that end in .pdf."""
    for n, name in enumerate(names):
        data = b"%PDF-1.4 nothing to see" if name.endswith(".pdf") else picture(600, 400, seed=n)
        (folder / name).write_bytes(data)
    return [str(folder / name) for name in names]


async def compose(
    fediverse: Fediverse, browser: Browser, *, width: int = 390, **options: Any
) -> tuple[Place, Page]:
    """A node, and the page of a new post by Bob, with all its scripts."""
    here = await place(fediverse)
    return here, await open_as(browser, here, here.bob, here.url("/compose"), width=width, **options)


async def open_as(browser: Browser, here: Place, who: Account, url: str, **options: Any) -> Page:
    """An address in a browser of its own in which somebody is signed in, once all scripts are there."""
    page = await (await signed_in(browser, here, who, **options)).new_page()
    await page.goto(url)
    await page.wait_for_load_state("networkidle")
    return page


@asynccontextmanager
async def bad_connection(
    here: Place, browser: Browser, path: str = "/compose", **options: Any
) -> AsyncIterator[tuple[Page, BadConnection]]:
    """A page of Bob that reaches the node through a bad connection."""
    name, _, port = here.node.site.domain.rpartition(":")
    async with BadConnection(int(port)) as connection:
        url = f"https://{name}:{connection.port}{path}"
        yield await open_as(browser, here, here.bob, url, width=390, **options), connection


async def add(page: Page, paths: list[str]) -> None:
    """Chooses files, and waits until they are uploaded."""
    there = await page.locator(".upload").count()
    await page.set_input_files(INPUT, paths)
    await expect(page.locator(".upload[data-photo]")).to_have_count(there + len(paths), timeout=60_000)


def thumbnail(page: Page, n: int) -> Locator:
    return page.locator(".thumbnail button").nth(n)


def described(page: Page) -> Locator:
    """The description of the photo that is shown."""
    return page.locator(".upload.chosen textarea")


async def describe(page: Page, *alts: str) -> None:
    for n, alt in enumerate(alts):
        await thumbnail(page, n).click()
        await described(page).fill(alt)


async def tool(page: Page, name: str) -> None:
    """Presses an entry of the menu on the photo that is shown."""
    await page.locator(".upload.chosen .photo-menu summary").click()
    await page.locator(".upload.chosen .photo-menu").get_by_role("button", name=name).click()


def post_button(page: Page, name: str = "Post") -> Locator:
    return page.locator(".compose-bar").get_by_role("button", name=name, exact=True)


async def post_undescribed(page: Page) -> None:
    """Presses Post, and says that photos without a description may be posted."""
    await post_button(page).click()
    await page.locator("#undecided").get_by_role("button", name="Post anyway").click()


def _photos(tx: Reader, who: Account) -> list[list[Photo]]:
    ids = [entry.post_id for entry in timelines.profile(tx, who, who, Part())]
    found = photo_rows.by_posts(tx, ids)
    return [found.get(id_, []) for id_ in ids]


async def all_posted(here: Place) -> list[list[str]]:
    """The descriptions of the photos of each of Bob's posts, newest first."""
    return [[photo.alt for photo in shots] for shots in await here.node.db.read(_photos, here.bob)]


async def posted(here: Place) -> list[str]:
    """The descriptions of the photos of Bob's newest post."""
    return next(iter(await all_posted(here)), [])


async def type_point(page: Page, side: str, percent: str) -> None:
    """Types where on a photo, on the page of its details: `side` is left or top."""
    numbers = page.locator("details.numbers")
    if await numbers.get_attribute("open") is None:
        await numbers.locator("summary").click()
    await page.get_by_label(f"From {side}, in percent").fill(percent)
