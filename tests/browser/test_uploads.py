"""An upload whose connection is lost: it continues by itself, after a reload too, and sends nothing twice."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from playwright.async_api import Browser, Page, Request, expect

from federation_tests.fediverse import Fediverse
from node.database import Reader
from node.uploads import partial_files
from tests.browser.composing import INPUT, all_posted, bad_connection, compose, post_undescribed, tool
from tests.browser.seen import Place, place
from tests.support.bad_connection import BadConnection
from tests.support.pictures import picture

MB = 1024 * 1024
PIECE = 2 * MB
WAITING = "Waiting for the connection. The upload continues by itself."
LONG = 60_000  # milliseconds


def _file(folder: Path, name: str = "lake.jpg", size: int = 7 * MB, seed: int = 0) -> Path:
    """A photo of this size: what follows the picture in it is ignored."""
    data = picture(600, 400, seed=seed)
    (folder / name).write_bytes(data + os.urandom(size - len(data)))
    return folder / name


def _unfinished(tx: Reader) -> list[int]:
    return [row["id"] for row in tx.all("SELECT id FROM uploads WHERE photo_id IS NULL")]


def _originals(tx: Reader) -> list[str]:
    return [
        row["original_file"] for row in tx.all("SELECT original_file FROM photos WHERE original_file <> ''")
    ]


class Sent:
    """Where the pieces began that a page sent, and what else it asked about uploads."""

    def __init__(self, page: Page) -> None:
        self.offsets: list[int] = []
        self.methods: list[str] = []
        page.on("request", self._record)

    def _record(self, request: Request) -> None:
        if "/uploads" in request.url:
            self.methods.append(request.method)
            if request.method == "PATCH":
                self.offsets.append(int(request.headers["upload-offset"]))


async def _send_until(page: Page, file: Path, connection: BadConnection, size: int) -> None:
    """Chooses a file, and waits until so much of it was let through."""
    connection.hold_after(size)
    await page.set_input_files(INPUT, str(file))
    await asyncio.wait_for(connection.is_held.wait(), 60)


async def _arrived(here: Place) -> int:
    """How much of the only upload is on the disk, once no request has it any more."""
    async with asyncio.timeout(60):
        while True:
            for id_ in await here.node.db.read(_unfinished):
                try:
                    with partial_files.open_locked(here.node, id_) as file:
                        return file.size
                except partial_files.UploadLocked:
                    pass
            await asyncio.sleep(0.05)


async def _same_file_arrived(here: Place, file: Path) -> bool:
    stored = [await here.node.storage.get(key) for key in await here.node.db.read(_originals)]
    return file.read_bytes() in stored


async def test_a_connection_that_is_cut_continues_without_sending_again_what_arrived(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, file = await place(fediverse), _file(tmp_path)
    async with bad_connection(here, browser, touch=True) as (page, connection):
        sent = Sent(page)
        before = connection.sent
        await _send_until(page, file, connection, 3 * MB)
        connection.refuse()
        await expect(page.locator(".upload")).to_contain_text(WAITING, timeout=LONG)
        arrived = await _arrived(here)
        await page.get_by_label("Caption").fill("Out of the tunnel")
        await post_undescribed(page)
        await connection.accept()

        await expect(page.locator(".post")).to_contain_text("Out of the tunnel", timeout=LONG)

        assert arrived > PIECE
        assert sent.offsets == [0, PIECE, arrived, arrived + PIECE, arrived + 2 * PIECE][: len(sent.offsets)]
        assert connection.sent - before < 7 * MB + MB
    assert await all_posted(here) == [[""]]
    assert await here.node.db.read(_unfinished) == []


async def test_without_a_network_it_waits_and_continues_once_there_is_one(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, file = await place(fediverse), _file(tmp_path)
    async with bad_connection(here, browser) as (page, connection):
        sent = Sent(page)
        await _send_until(page, file, connection, 3 * MB)
        await page.context.set_offline(True)
        connection.cut()
        await expect(page.locator(".upload")).to_contain_text(WAITING, timeout=LONG)
        await page.context.set_offline(False)

        await expect(page.locator(".upload[data-photo]")).to_have_count(1, timeout=LONG)

        assert sent.offsets == sorted(set(sent.offsets))
        assert sent.offsets[2] > PIECE
    assert await _same_file_arrived(here, file)


async def test_after_a_reload_the_same_file_continues_where_it_was(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, file = await place(fediverse), _file(tmp_path)
    async with bad_connection(here, browser) as (page, connection):
        await _send_until(page, file, connection, 5 * MB)
        connection.cut()
        await page.reload()
        arrived = await _arrived(here)
        assert arrived >= 2 * PIECE
        sent = Sent(page)
        # Another file of the same size is another upload; a copy under another name is the same.
        other = _file(tmp_path, "other.jpg", seed=3)
        copy = tmp_path / "copy.jpg"
        copy.write_bytes(file.read_bytes())
        await page.set_input_files(INPUT, [str(copy), str(other)])

        await expect(page.locator(".upload[data-photo]")).to_have_count(2, timeout=LONG)

        assert sorted(sent.offsets)[:2] == [0, PIECE]
        assert arrived in sent.offsets
        assert sent.methods.count("POST") == 1
    assert await _same_file_arrived(here, file)
    assert await _same_file_arrived(here, other)


async def test_a_removed_photo_is_not_sent_on_and_leaves_nothing(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, file = await place(fediverse), _file(tmp_path)
    async with bad_connection(here, browser) as (page, connection):
        await _send_until(page, file, connection, 3 * MB)
        connection.refuse()
        await expect(page.locator(".upload")).to_contain_text(WAITING, timeout=LONG)
        await connection.accept()
        async with page.expect_response(lambda answer: answer.request.method == "DELETE"):
            await tool(page, "Remove")

        await expect(page.locator(".upload")).to_have_count(0)
        assert await here.node.db.read(_unfinished) == []
        assert await page.evaluate("localStorage.uploads") == "{}"


async def test_two_tabs_send_the_same_photo_beside_each_other(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, one = await compose(fediverse, browser, width=1280)
    file = _file(tmp_path, size=5 * MB)
    other = await one.context.new_page()
    await other.goto(here.url("/compose"))
    await other.wait_for_load_state("networkidle")

    for page in (one, other):
        await page.set_input_files(INPUT, str(file))
    for page in (one, other):
        await expect(page.locator(".upload[data-photo]")).to_have_count(1, timeout=LONG)
        await post_undescribed(page)
        await expect(page.locator(".post")).to_be_visible(timeout=LONG)

    assert await all_posted(here) == [[""], [""]]
    assert await here.node.db.read(_unfinished) == []


async def test_what_the_server_refuses_is_said_where_the_photo_is(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, page = await compose(fediverse, browser)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(os.urandom(3 * MB))
    large = tmp_path / "large.jpg"
    with large.open("wb") as file:
        file.truncate(41 * MB)

    await page.set_input_files(INPUT, [str(broken), str(large)])

    rows = page.locator(".upload.failed")
    await expect(rows).to_have_count(2, timeout=LONG)
    await expect(rows.nth(0)).to_contain_text("broken.jpg")
    await expect(rows.nth(1)).to_contain_text("too large: up to 40 MB")
    for row in (rows.nth(0), rows.nth(1)):
        await expect(row.get_by_role("button", name="Try again")).to_have_count(0)
    assert await here.node.db.read(_unfinished) == []


async def test_a_small_photo_waits_for_its_connection_too(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    here, file = await place(fediverse), _file(tmp_path, size=200_000)
    async with bad_connection(here, browser) as (page, connection):
        sent = Sent(page)
        connection.refuse()
        await page.set_input_files(INPUT, str(file))
        await expect(page.locator(".upload")).to_contain_text(WAITING, timeout=LONG)
        await connection.accept()

        await expect(page.locator(".upload[data-photo]")).to_have_count(1, timeout=LONG)

        assert sent.methods == []  # in one request
    assert await _same_file_arrived(here, file)
