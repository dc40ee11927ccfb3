"""`kill -9` while a photo is being uploaded: it continues from what is on the disk, and becomes one whole photo."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp

from node.accounts import accounts, keys
from node.auth import sessions
from node.config import Config
from node.database import Reader, Writer
from node.lifecycle import registration
from tests.kill.test_kill import Processes, reopened
from tests.support.parallel import ONE_AT_A_TIME
from tests.support.pictures import picture
from tests.support.visitors import Seen, _Parser
from web.request.session import SESSION_COOKIE
from web.wiring import open_node

pytestmark = ONE_AT_A_TIME

KILLS = 6
PIECE = 64 * 1024


async def sign_up(options: Config) -> str:
    """Alice; returns the token of her session."""
    pair = keys.generate()

    def unit(tx: Writer) -> str:
        registration.create_user(
            tx, name="alice", email="alice@example.org", password_hash="-", pair=pair, role="user"
        )
        alice = accounts.by_handle(tx, "alice")
        assert alice is not None
        return sessions.start(tx, alice, "test")

    node = await open_node(options)
    try:
        return await node.db.write(unit)
    finally:
        await node.close()


class Sender:
    """Sends a file in pieces, a little at a time, and tries again whenever nobody answers."""

    def __init__(self, options: Config, session: str, data: bytes, log: Path) -> None:
        self.base = f"http://{options.server.bind[0]}"
        self.data, self.log = data, log
        self.csrf = ""
        self.sent = 0
        self.acknowledged = 0
        self.http = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=20),
            headers={
                "Cookie": f"{SESSION_COOKIE}={session}",
                "Tus-Resumable": "1.0.0",
                "Accept": "application/json",
            },
        )

    async def call(
        self, method: str, path: str, headers: dict[str, str] | None = None, data: object = None
    ) -> tuple[int, Mapping[str, str], Any]:
        """The status, headers and JSON of the answer; status 0 where there is none."""
        try:
            given = {"X-CSRF": self.csrf, **(headers or {})}
            async with self.http.request(method, self.base + path, headers=given, data=data) as answer:
                is_json = answer.content_type == "application/json" and method != "HEAD"
                return answer.status, answer.headers, await answer.json() if is_json else None
        except (aiohttp.ClientError, TimeoutError):
            await asyncio.sleep(0.05)
            return 0, {}, None

    async def begin(self) -> str:
        async with self.http.get(f"{self.base}/compose", headers={"Accept": "text/html"}) as answer:
            page = Seen("/compose", answer.status, {}, await answer.text())
        parser = _Parser()
        parser.feed(page.text)
        page.elements = parser.elements
        self.csrf = page.csrf
        status, headers, _ = await self.call("POST", "/uploads", {"Upload-Length": str(len(self.data))})
        assert status == 201
        return str(headers["Location"])

    async def send_all(self, path: str) -> None:
        offset = None
        while offset != len(self.data):
            status, headers, _ = await self.call("HEAD", path)
            if status != 200:
                assert status in (0, 423, 503), (status, self.log.read_text()[-4000:])
                continue
            offset = int(headers["Upload-Offset"])
            # Nothing that was acknowledged is lost, and nothing is there that was not sent.
            assert self.acknowledged <= offset <= self.sent
            await self._send_from(path, offset)

    async def _send_from(self, path: str, offset: int) -> None:
        while offset < len(self.data):
            piece = self.data[offset : offset + PIECE]

            async def drops(piece: bytes = piece, offset: int = offset) -> AsyncIterator[bytes]:
                for start in range(0, len(piece), 16_384):
                    drop = piece[start : start + 16_384]
                    self.sent = max(self.sent, offset + start + len(drop))
                    yield drop
                    await asyncio.sleep(0.003)

            status, headers, _ = await self.call(
                "PATCH",
                path,
                {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)},
                drops(),
            )
            if status != 204:
                assert status in (0, 423, 503), (status, self.log.read_text()[-4000:])
                return
            offset = self.acknowledged = int(headers["Upload-Offset"])

    async def finish(self, path: str) -> str:
        while True:
            form = aiohttp.FormData({"upload": path.rpartition("/")[2]})
            status, _, found = await self.call("POST", "/compose/photo", data=form)
            if status == 200:
                return str(found["id"])
            assert status in (0, 423, 503), (status, found, self.log.read_text()[-4000:])


async def test_an_upload_continues_after_the_node_was_killed(options: Config, tmp_path: Path) -> None:
    session = await sign_up(options)
    data = picture(900, 900, "JPEG", seed=5)
    data += b"\0" * (4_000_000 - len(data))  # what follows the picture is ignored
    chance = random.Random(options.node.domain)
    async with Processes(options, tmp_path) as processes:
        await processes.start()
        sender = Sender(options, session, data, processes.log)
        try:
            path = await sender.begin()
            is_sent = asyncio.create_task(sender.send_all(path))
            kills = 0
            for _ in range(KILLS):
                before = sender.sent
                async with asyncio.timeout(60):
                    while sender.sent < min(len(data), before + chance.randint(50_000, 500_000)):
                        await asyncio.sleep(0.002)
                        if is_sent.done():
                            break
                if is_sent.done():
                    break
                await processes.end(signal.SIGKILL)
                await processes.start()
                kills += 1
            async with asyncio.timeout(120):
                await is_sent
            assert kills >= KILLS - 2
            is_finished = asyncio.create_task(sender.finish(path))
            await asyncio.sleep(0.2)
            await processes.end(signal.SIGKILL)
            await processes.start()
            async with asyncio.timeout(120):
                photo_id = await is_finished
                again = await sender.finish(path)
            assert again == photo_id
        finally:
            await sender.http.close()
        await processes.end(signal.SIGTERM)

        async with reopened(options) as node:
            original = await node.db.read(_original, int(photo_id))
            assert await node.storage.get(original) == data
            assert await node.db.read(_photos) == 1
            media = Path(options.media.url.removeprefix("file:"))
            assert [file for file in (media / "uploads").iterdir() if file.is_file()] == []


def _original(tx: Reader, photo_id: int) -> str:
    found: str = tx.value("SELECT original_file FROM photos WHERE id = :id", id=photo_id)
    return found


def _photos(tx: Reader) -> int:
    found: int = tx.value("SELECT COUNT(*) FROM photos")
    return found
