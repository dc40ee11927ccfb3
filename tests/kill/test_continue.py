"""Deliveries go on within seconds after a clean stop."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import aiohttp
from aiohttp import web

from node.config import Config
from tests.kill.remote import Remote
from tests.kill.test_kill import Processes, set_up
from tests.support.parallel import ONE_AT_A_TIME

pytestmark = ONE_AT_A_TIME

POSTS = 6
SECONDS = 20  # a claim that nobody released would wait for longer


class SlowRemote(Remote):
    """A server that keeps requests waiting until `answers` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = asyncio.Event()
        self.waiting = 0

    async def _inbox(self, request: web.Request) -> web.Response:
        self.waiting += 1
        await self.answers.wait()
        return await super()._inbox(request)


async def post(options: Config, token: str, numbers: range) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20), headers=headers) as http:
        for number in numbers:
            url = f"http://{options.node.domain}/api/v1/statuses"
            while True:
                async with http.post(
                    url, json={"status": f"post {number}"}, headers={"Idempotency-Key": str(number)}
                ) as answer:
                    if answer.status == 200:
                        break
                    assert answer.status == 503, await answer.text()
                await asyncio.sleep(0.1)


async def all_delivered(remote: Remote, count: int) -> None:
    async with asyncio.timeout(SECONDS):
        while len(remote.received) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_what_was_being_delivered_at_a_stop_is_delivered_after_the_start(
    options: Config, tmp_path: Path
) -> None:
    async with SlowRemote() as remote, Processes(options, tmp_path) as processes:
        setup = await set_up(options, remote)
        await processes.start()
        await post(options, setup.token, range(POSTS))
        async with asyncio.timeout(20):
            while not remote.waiting:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

        await processes.end(signal.SIGTERM)
        remote.answers.set()
        await processes.start()

        await all_delivered(remote, POSTS)
        await processes.end(signal.SIGTERM)
