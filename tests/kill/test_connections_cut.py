"""Deliveries go on within seconds after PostgreSQL has cut every connection and was away."""

from __future__ import annotations

import asyncio
import dataclasses
import signal
from pathlib import Path

from node.config import Config, DatabaseOptions
from tests.kill.test_continue import POSTS, SlowRemote, all_delivered, post
from tests.kill.test_kill import Processes, set_up
from tests.support.database_proxy import DatabaseProxy
from tests.support.parallel import ONE_AT_A_TIME

pytestmark = ONE_AT_A_TIME
ENGINES = ("postgresql",)


async def test_deliveries_go_on_after_the_database_cut_every_connection(
    options: Config, tmp_path: Path
) -> None:
    async with DatabaseProxy(options.database.url) as proxy, SlowRemote() as remote:
        through = dataclasses.replace(options, database=DatabaseOptions(url=proxy.url))
        async with Processes(through, tmp_path) as processes:
            setup = await set_up(options, remote)
            await processes.start()
            posting = asyncio.create_task(post(options, setup.token, range(POSTS)))
            for _ in range(6):
                await asyncio.sleep(0.15)
                proxy.cut()
            await proxy.refuse()
            remote.answers.set()
            await asyncio.sleep(1)
            await proxy.accept()
            await posting

            await all_delivered(remote, POSTS)
            await processes.end(signal.SIGTERM)
