"""No list and no job costs more where there are ten times as many posts: the work of every query is counted at both
sizes.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from node.config import Config, MediaOptions, NodeOptions
from node.database import Writer
from tests.conftest import DOMAIN
from tests.growth.jobs import units
from tests.growth.requests import Request, requests
from tests.support.asgi import Client
from tests.support.crowd import Crowd, found, grow
from tests.support.databases import POSTGRESQL, Databases
from tests.support.query_work import Counting
from web import wiring
from web.app import create_app
from web.request.session import SESSION_COOKIE

SMALL, LARGE = 10_000, 100_000
STEP = 15_000
MAX_GROWTH = 1.3
# A few steps more are no walk: an index of ten times the rows, a page that is a little fuller.
SPARE = {"sqlite": 4_000, POSTGRESQL: 600}
UNCOUNTED = {
    "FROM (SELECT * FROM hashtag_uses": "trends: once in two minutes, of the latest MAX_TREND_USES",
    "state, COUNT(*) AS n FROM deliveries": "staff: deliveries are deleted after some weeks",
    "WITH RECURSIVE domains": "staff: the accounts of each server on the page, up to 1,000",
    "SELECT DISTINCT domain, host FROM accounts": "staff: the exact numbers on the page of one server",
    "FROM jobs GROUP BY kind": "staff: all jobs are counted",
    "FROM lanes ORDER BY jobs DESC": "staff: the longest lanes, of one for each host with jobs",
    "FROM hosts WHERE failures > 0": "staff: MAX_ROWS rows at most",
    "FROM cached_hosts": "a row for each host with pictures here: half a millisecond for ten thousand, where one is fetched",
    "DELETE FROM hosts": "once a day: MAX_ROWS rows at most",
    "DELETE FROM invites": "once a day: invites expire within days",
    "DELETE FROM outbox": "once a day: deliveries are deleted first, so few of the old activities have any",
    "AS is_unused": "hashtags: 500 at a time",
    "DELETE FROM hashtag_days": "5,000 rows at a time",
    "DELETE FROM feed": "once a day: MAX_ENTRIES of a feed are passed over",
    "FROM notifications WHERE account_id = :account ORDER BY id DESC LIMIT": "once a day: MAX_NEWEST and MAX_OLDER of an account",
    "FROM mentions t JOIN accounts a": "once a day: likes of old posts, until one of a local account is found",
}
# Of a small table PostgreSQL rightly reads all, to find the rows of one batch; of a large one it would be seen.
BATCH, SPARE_OF_BATCH = "LIMIT 500", {"sqlite": 4_000, POSTGRESQL: 25_000}
# PostgreSQL rightly reads a table of 25,000 rows instead of looking up 2,000 comments one by one.
MANY_AT_ONCE = ("context of root", "a post with many comments")
ACTIVITY = "application/activity+json"
JOB = "job: "

Work = dict[str, tuple[int, Counter[str]]]
"""By the name of a request or a job: its status, and the work of each of its queries."""


@pytest.fixture(scope="module")
def crowded(
    engine: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Work, Work]]:
    """The work of all requests and jobs on one node with `SMALL` posts, and with `LARGE`."""
    databases: Databases = request.getfixturevalue(f"_{engine}_databases")
    options = databases.fresh(
        Config(
            node=NodeOptions(domain=DOMAIN, title="Test", secret="a secret that only the tests know"),
            media=MediaOptions(url=f"file:{tmp_path_factory.mktemp('media')}"),
        )
    )
    with ThreadPoolExecutor(1) as thread:  # this thread may already be running a loop
        yield thread.submit(asyncio.run, _count_both(options, engine)).result()
    databases.drop()


async def _count_both(options: Config, engine: str) -> tuple[Work, Work]:
    node = await wiring.open_node(options)
    crowd = await node.db.write(found, LARGE)
    await node.db.write(grow, crowd, 0, SMALL)
    await node.db.write(_analyze, engine)
    await node.close()
    small = await _count(options, engine, crowd)
    node = await wiring.open_node(options)
    for start in range(SMALL, LARGE, STEP):  # a unit of work has seconds, also on a busy machine
        await node.db.write(grow, crowd, start, min(start + STEP, LARGE))
    await node.db.write(_analyze, engine)
    await node.close()
    return small, await _count(options, engine, crowd)


def _analyze(tx: Writer, engine: str) -> None:
    """PostgreSQL does this by itself after a while; SQLite never does, and must find its indexes without.

    All rows are looked at: of a sample another plan of about the same cost may follow in the next run.
    """
    if engine == POSTGRESQL:
        tx.run("SET LOCAL default_statistics_target = 1000")
        tx.run("ANALYZE")


async def _count(options: Config, engine: str, crowd: Crowd) -> Work:
    node = await wiring.open_node(options)
    counting = Counting(node.db, engine)
    node.db = counting  # type: ignore[assignment]
    app = create_app(node)
    work: Work = {}
    try:
        for name, one in requests(crowd).items():
            counting.work.clear()
            reply = await Client(app, headers(crowd, one)).get(one.path)
            work[name] = (reply.status, Counter(counting.work))
        for name, unit in units(crowd).items():
            counting.work.clear()
            await counting.count_and_undo(unit)
            work[JOB + name] = (200, Counter(counting.work))
    finally:
        await node.close()
    return work


def headers(crowd: Crowd, one: Request) -> dict[str, str]:
    by: dict[str, dict[str, str]] = {
        "visitor": {"accept": "text/html"},
        "page": {"accept": "text/html", "cookie": f"{SESSION_COOKIE}={crowd.session}"},
        "app": {"authorization": f"Bearer {crowd.token}"},
        "server": {"accept": ACTIVITY},
    }
    return by[one.by] | one.headers


def names() -> list[str]:
    nobody: Any = dataclasses.make_dataclass("Nobody", ["id", "name", "handle"])(1, "bob", "rita@far.example")
    crowd = Crowd(nobody, nobody, nobody, nobody, 0, 1, "", "")
    return [*requests(crowd), *(JOB + name for name in units(crowd))]


@pytest.mark.parametrize("name", names())
def test_ten_times_the_posts_are_no_more_work(crowded: tuple[Work, Work], engine: str, name: str) -> None:
    small, large = crowded[0][name], crowded[1][name]

    assert (small[0], large[0]) == (200, 200)
    grown = {
        sql: (small[1][sql], work)
        for sql, work in large[1].items()
        if work > small[1][sql] * MAX_GROWTH + (SPARE_OF_BATCH if BATCH in sql else SPARE)[engine]
        and not any(part in sql for part in UNCOUNTED)
        and not (engine == POSTGRESQL and "IN (:ids)" in sql and any(part in name for part in MANY_AT_ONCE))
    }
    assert not grown, "\n".join(
        f"{before} → {after}: {' '.join(sql.split())}" for sql, (before, after) in grown.items()
    )
