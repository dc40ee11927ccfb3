"""What a list costs at a million posts, beside a tenth of them: time in the database's thread.

What is kept of single posts is warm, and so are the connections, which plan a statement once; of pages that are kept
whole none is, since that would cost nothing.

`BENCH_POSTS` is the larger number; `BENCH_DATABASE` the URL of an empty PostgreSQL database, where the time is that
which passes, since the work is done by another process.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from node.accounts import accounts
from node.config import Config, DatabaseOptions, MediaOptions, NodeOptions
from node.database import Database
from tests.growth.requests import requests
from tests.growth.test_growth import headers
from tests.support.asgi import Client
from tests.support.crowd import Crowd, found, grow
from web import wiring
from web.app import App, create_app

POSTS = int(os.environ.get("BENCH_POSTS", "1000000"))
STEP = 50_000
WARM_UP = 15
TIMES = 15
NAMES = (
    "/api/v1/timelines/public?only_media=true",
    "/api/v1/timelines/public?local=true&only_media=true",
    "/api/v1/timelines/public (alice)",
    "/api/v1/timelines/tag/loud?only_media=true",
    "/api/v1/timelines/tag/loud?local=true",
    "/api/v1/timelines/tag/loud (alice)",
    "/tags/loud",
    "/explore",
    "/@bob",
    "/@bob/all",
    "/@rita",
    "/@rita (alice)",
    "/api/v1/accounts/bob/statuses?only_media=true&exclude_replies=true",
    "/api/v1/timelines/home",
    "/api/v1/notifications?types[]=mention",
    "/api/v1/favourites",
    "/api/v2/search?q=fog",
    "/api/v2/search?q=f&type=accounts",
    "/api/v2/search?q=nowhere",
    "statuses/{}/favourited_by of famous (alice)",
    "bob's outbox, first page",
    "replies of root, first page",
    "#loud, first page",
)


class Timing:
    """A database that adds up how long its units of work take in their thread."""

    def __init__(self, db: Database, clock: Callable[[], int]) -> None:
        self._db, self._clock = db, clock
        self.spent = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    async def read(self, unit: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return await self._db.read(self._timed, unit, *args, **kwargs)

    def _timed(self, tx: Any, unit: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        started = self._clock()
        try:
            return unit(tx, *args, **kwargs)
        finally:
            self.spent += self._clock() - started


async def rows() -> list[tuple[str, str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        options = Config(
            node=NodeOptions(domain="tintype.test", secret="only for measuring"),
            database=DatabaseOptions(url=os.environ.get("BENCH_DATABASE", f"sqlite:{folder}/growth.db")),
            media=MediaOptions(url=f"file:{Path(folder) / 'media'}"),
        )
        node = await wiring.open_node(options)
        crowd = await node.db.write(found, POSTS)
        await node.close()
        small = await _grow_and_measure(options, crowd, 0, POSTS // 10)
        large = await _grow_and_measure(options, crowd, POSTS // 10, POSTS)
    return [
        (
            f"{name} ({POSTS} posts)",
            f"{large[name]:.2f} ms",
            f"{large[name] / small[name]:.2f} × a tenth of the posts",
        )
        for name in NAMES
    ]


async def _grow_and_measure(options: Config, crowd: Crowd, first: int, end: int) -> dict[str, float]:
    node = await wiring.open_node(options)
    for start in range(first, end, STEP):
        await node.db.write(grow, crowd, start, min(end, start + STEP))
    is_sqlite = options.database.url.startswith("sqlite:")
    if not is_sqlite:
        await node.db.write(lambda tx: tx.run("ANALYZE"))
    # Her profile has been fetched before, so nobody waits for that.
    await node.db.write(
        accounts.set_claimed_counts, crowd.rita.id, posts=0, followers=0, following=0, hides_follows=None
    )
    timing = Timing(node.db, time.thread_time_ns if is_sqlite else time.perf_counter_ns)
    node.db = timing  # type: ignore[assignment]
    app = create_app(node)
    try:
        return {name: await _measure(app, timing, crowd, name) for name in NAMES}
    finally:
        await node.close()


async def _measure(app: App, timing: Timing, crowd: Crowd, name: str) -> float:
    """Returns the median of the milliseconds that a request takes in the database's thread."""
    one = requests(crowd)[name]
    spent = []
    for _ in range(WARM_UP + TIMES):
        timing.spent = 0
        timing.public_changes.record()
        reply = await Client(app, headers(crowd, one)).get(one.path)
        assert reply.status == 200, (name, reply.status)
        spent.append(timing.spent / 1e6)
    return sorted(spent[WARM_UP:])[TIMES // 2]
