"""`kill -9` at any point loses nothing and doubles nothing, and SIGTERM ends it in good time.

A node's processes are ended again and again while an app posts to it and another server sends to it.
Both do what they must when they hear no answer: the same again. In the end every post was made once and
told to the other server, and everything that was sent here is here once.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Self

import aiohttp
import pytest

from node.accounts import accounts, keys
from node.auth import access_tokens
from node.config import Config, FederationOptions, MediaOptions, NodeOptions, ServerOptions
from node.database import Reader, Writer
from node.ids import now_ms
from node.interactions import follows
from node.jobs import queue
from node.lifecycle import registration, remote_accounts
from node.node import Node
from tests.kill.remote import Remote
from tests.support.databases import Databases
from tests.support.parallel import ONE_AT_A_TIME
from tests.support.ports import free_port
from web.wiring import open_node, settle

pytestmark = ONE_AT_A_TIME

ROOT = Path(__file__).parents[2]
KILLS, STOPS = 8, 4
PAUSE = 0.06  # between posts: nobody may post without end
LIVES = (0.05, 1.5)  # seconds a process lives once it answers


@pytest.fixture
def options(databases: Databases, tmp_path: Path) -> Config:
    port = free_port()
    options = Config(
        node=NodeOptions(domain=f"localhost:{port}", secret="a secret that only the tests know"),
        server=ServerOptions(bind=(f"127.0.0.1:{port}",), scheme="http"),
        media=MediaOptions(url=f"file:{tmp_path / 'media'}"),
        federation=FederationOptions(allow_private_addresses=True, allow_http=True),
    )
    return databases.fresh(options)


def environment(options: Config) -> dict[str, str]:
    """The options as the environment of a node's process."""
    named = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    for section in dataclasses.fields(options):
        values = getattr(options, section.name)
        for field in dataclasses.fields(values):
            value = getattr(values, field.name)
            text = ",".join(value) if isinstance(value, tuple) else str(value)
            named[f"TINTYPE_{section.name}_{field.name}".upper()] = text
    return named


class Processes:
    """The node's processes: `serve` alone on SQLite, with a `worker` beside it on PostgreSQL."""

    def __init__(self, options: Config, folder: Path) -> None:
        self._environment = environment(options)
        self._folder = folder
        self._address = options.server.bind[0]
        self._commands = ["serve"] if options.database.url.startswith("sqlite:") else ["serve", "worker"]
        self._running: list[asyncio.subprocess.Process] = []
        self.log = folder / "log"

    async def start(self) -> None:
        """Start them and wait until the node answers."""
        with self.log.open("ab") as log:
            self._running = [
                await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "node", command),
                    cwd=self._folder,
                    env=self._environment,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
                for command in self._commands
            ]
        host, _, port = self._address.rpartition(":")
        async with asyncio.timeout(30):
            while True:
                assert self._running[0].returncode is None, self.log.read_text()
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection(host, int(port))
                    writer.close()
                    return
                await asyncio.sleep(0.02)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self._running:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def end(self, how: signal.Signals) -> None:
        """End them, and see that they end as they should: within five seconds, and in peace if asked to."""
        for process in self._running:
            process.send_signal(how)
        async with asyncio.timeout(5):
            codes = [await process.wait() for process in self._running]
        assert set(codes) == {0 if how == signal.SIGTERM else -how}, self.log.read_text()


async def until_answered(ask: Callable[[], Awaitable[int]], wanted: int, log: Path) -> None:
    """Ask again while nobody answers, or the answer is that it did not work."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                status = await ask()
                if status == wanted:
                    return
                assert status >= 500, f"{status}\n{log.read_text()[-4000:]}"
            await asyncio.sleep(0.05)


@dataclasses.dataclass
class Begun:
    token: str
    alice: str
    bob_id: int


async def begin(options: Config, remote: Remote) -> Begun:
    """Alice, who posts; bob here and carol there, who follow her; and bob follows carol."""
    pairs = {name: keys.generate() for name in ("alice", "bob")}

    def people(tx: Writer) -> Begun:
        for name, pair in pairs.items():
            registration.create_person(
                tx, name=name, email=f"{name}@example.org", password_hash="-", pair=pair, role="admin"
            )
        alice, bob = accounts.by_handle(tx, "alice"), accounts.by_handle(tx, "bob")
        assert alice is not None
        assert bob is not None
        carol = remote_accounts.receive(tx, remote.actor())
        follows.follow(tx, carol, alice, uri=f"{remote.carol}#follows/1")
        follows.follow(tx, bob, alice)
        follows.accept(tx, follows.follow(tx, bob, carol))
        return Begun(access_tokens.create(tx, alice, {"read", "write"}, "test"), alice.uri, bob.id)

    node = await open_node(options)
    try:
        return await node.db.write(people)
    finally:
        await node.close()


@contextlib.asynccontextmanager
async def reopened(options: Config) -> AsyncIterator[Node]:
    """The node once more, in this process, until nothing is left to do."""
    node = await open_node(options)
    try:
        later = now_ms()
        while await node.db.read(waiting):
            later += queue.LEASE  # so that what a killed worker had claimed is free again
            assert later < now_ms() + 100 * queue.LEASE, "jobs that never end"
            await settle(node, later)
        yield node
    finally:
        await node.close()


def waiting(tx: Reader) -> int:
    found: int = tx.value("SELECT COUNT(*) FROM jobs WHERE kind <> 'clean_up' AND failed_at IS NULL")
    return found


async def test_killing_it_again_and_again_loses_nothing_and_doubles_nothing(
    options: Config, tmp_path: Path
) -> None:
    await lives_and_ends(options, tmp_path, signal.SIGKILL, KILLS)


async def test_stopping_it_under_load_takes_less_than_five_seconds_and_loses_nothing(
    options: Config, tmp_path: Path
) -> None:
    await lives_and_ends(options, tmp_path, signal.SIGTERM, STOPS)


async def lives_and_ends(options: Config, tmp_path: Path, how: signal.Signals, times: int) -> None:
    """Let it live and end so many times under load, then compare what it holds with what it was given."""
    chance = random.Random(options.node.domain)
    enough = asyncio.Event()
    posted: list[str] = []
    sent: list[str] = []

    async def an_app_posts(begun: Begun) -> None:
        base = f"http://{options.node.domain}/api/v1/statuses"
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http:
            while not enough.is_set():
                words = f"post {len(posted)}"
                headers = {"Authorization": f"Bearer {begun.token}", "Idempotency-Key": words}

                async def post(headers: dict[str, str] = headers, words: str = words) -> int:
                    async with http.post(base, json={"status": words}, headers=headers) as answer:
                        return answer.status

                await until_answered(post, 200, processes.log)
                posted.append(words)
                await asyncio.sleep(PAUSE)

    async def another_server_sends(begun: Begun, remote: Remote) -> None:
        inbox = f"http://{options.node.domain}/inbox"
        while not enough.is_set():
            activity = remote.note(len(sent), begun.alice)
            await until_answered(functools.partial(remote.send, inbox, activity), 202, processes.log)
            sent.append(activity["object"]["id"])

    async def somebody_ends_it() -> None:
        for _ in range(times):
            await asyncio.sleep(chance.uniform(*LIVES))
            await processes.end(how)
            await processes.start()
        enough.set()

    async with Remote() as remote, Processes(options, tmp_path) as processes:
        begun = await begin(options, remote)
        await processes.start()
        async with asyncio.TaskGroup() as together:
            together.create_task(an_app_posts(begun))
            together.create_task(another_server_sends(begun, remote))
            together.create_task(somebody_ends_it())
        await processes.end(signal.SIGTERM)

        async with reopened(options) as node:
            kept = await node.db.read(everything, begun)

    assert len(posted) > times
    assert len(sent) > times
    assert kept.captions == sorted(posted)
    assert kept.received == sorted(sent)
    assert kept.feed == len(posted) + len(sent)
    assert kept.mentions == len(sent)
    assert kept.failed == []
    assert kept.counted == len(posted)
    created = [doc["object"]["content"] for doc in remote.activities.values() if doc["type"] == "Create"]
    assert sorted(created) == sorted(f"<p>{words}</p>" for words in posted)
    assert kept.undelivered == []


@dataclasses.dataclass
class Kept:
    captions: list[str]
    received: list[str]
    feed: int
    mentions: int
    failed: list[str]
    counted: int
    undelivered: list[tuple[str, int | None, str]]


def everything(tx: Reader, begun: Begun) -> Kept:
    """What the node holds in the end."""
    return Kept(
        captions=sorted(row["source"] for row in tx.all("SELECT source FROM posts WHERE is_local")),
        received=sorted(row["uri"] for row in tx.all("SELECT uri FROM posts WHERE NOT is_local")),
        feed=tx.value("SELECT COUNT(*) FROM feed WHERE account_id = :bob", bob=begun.bob_id),
        mentions=tx.value("SELECT COUNT(*) FROM notifications WHERE kind = 'mention'"),
        failed=[row["reason"] for row in tx.all("SELECT reason FROM jobs WHERE failed_at IS NOT NULL")],
        counted=tx.value("SELECT posts_count FROM accounts WHERE uri = :uri", uri=begun.alice),
        undelivered=[
            (row["state"], row["status"], row["reason"])
            for row in tx.all("SELECT state, status, reason FROM deliveries WHERE state <> 'delivered'")
        ],
    )
