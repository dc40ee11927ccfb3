"""Another server that serves pictures, for tests of what this node fetches. It counts the requests by path."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

HOSTS = 24
"""It is reached at this many addresses, from 127.0.0.1 on."""


@dataclass
class PictureReply:
    body: bytes = b""
    status: int = 200
    content_type: str = "image/jpeg"
    headers: dict[str, str] = field(default_factory=dict)


class PictureServer:
    """Gives `reply` to every path that has none in `replies`. While `may_answer` is cleared, requests wait."""

    def __init__(self, body: bytes) -> None:
        self.url = ""
        self.reply = PictureReply(body)
        self.replies: dict[str, PictureReply] = {}
        self.requests: Counter[str] = Counter()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.max_concurrent = 0
        self._concurrent = 0

    async def wait_for_requests(self, count: int) -> None:
        """Wait until so many requests have arrived."""
        async with asyncio.timeout(10):
            while self.requests.total() < count:  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    async def answer(self, request: web.Request) -> web.Response:
        self.requests[request.path] += 1
        self._concurrent += 1
        self.max_concurrent = max(self.max_concurrent, self._concurrent)
        try:
            await self.may_answer.wait()
        finally:
            self._concurrent -= 1
        reply = self.replies.get(request.path, self.reply)
        return web.Response(
            body=reply.body, status=reply.status, content_type=reply.content_type, headers=reply.headers
        )


@asynccontextmanager
async def serve_pictures(body: bytes) -> AsyncIterator[PictureServer]:
    server = PictureServer(body)
    app = web.Application()
    app.router.add_get("/{name}", server.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    for n in range(2, HOSTS + 1):
        await web.TCPSite(runner, f"127.0.0.{n}", port).start()
    server.url = f"http://127.0.0.1:{port}"
    yield server
    server.may_answer.set()
    await runner.cleanup()
