"""`kill -9` at any point loses and duplicates nothing, and SIGTERM stops a node within seconds.

A node's processes are ended repeatedly while an API client posts to it and a remote server delivers to it. Both
retry when they get no response. In the end every post was made once and delivered to the remote server, and
everything that was delivered to the node is stored once.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import random
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Self

import aiohttp

from node.accounts import accounts, keys
from node.auth import access_tokens
from node.config import Config
from node.database import Reader, Writer
from node.ids import now_ms
from node.interactions import follows
from node.jobs import queue
from node.lifecycle import registration, remote_accounts
from node.node import Node
from tests.abuse.served_process import environment
from tests.kill.remote import Remote
from tests.support.parallel import ONE_AT_A_TIME
from web.wiring import open_node, run_due_jobs

pytestmark = ONE_AT_A_TIME

ROOT = Path(__file__).parents[2]
KILLS, STOPS = 8, 4
PAUSE = 0.06  # seconds between posts, below the rate limit
LIFETIMES = (0.05, 1.5)  # seconds a process runs once it responds


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
        """Starts them and waits until the node responds."""
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
        """Ends them; asserts that they end within five seconds, with exit code 0 after SIGTERM."""
        if how == signal.SIGTERM:
            await self._listening()
        for process in self._running:
            process.send_signal(how)
        async with asyncio.timeout(5):
            codes = [await process.wait() for process in self._running]
        assert set(codes) == {0 if how == signal.SIGTERM else -how}, self.log.read_text()

    async def _listening(self) -> None:
        """Waits until each handles SIGTERM: a worker may still be starting when the node beside it responds."""
        async with asyncio.timeout(30):
            for process in self._running:
                while not handles(process.pid, signal.SIGTERM):
                    assert process.returncode is None, self.log.read_text()
                    await asyncio.sleep(0.02)


def handles(pid: int, number: signal.Signals) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    caught = re.search(r"^SigCgt:\s*([0-9a-f]+)$", status, re.MULTILINE)
    return caught is not None and bool(int(caught[1], 16) >> (number - 1) & 1)


async def retry_until(send: Callable[[], Awaitable[int]], wanted: int, log: Path) -> None:
    """Sends again while there is no response, or one with a server error."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                status = await send()
                if status == wanted:
                    return
                assert status >= 500, f"{status}\n{log.read_text()[-4000:]}"
            await asyncio.sleep(0.05)


@dataclasses.dataclass
class Setup:
    token: str
    alice: str
    bob_id: int


async def set_up(options: Config, remote: Remote) -> Setup:
    """Alice, who posts; bob (local) and carol (remote), who follow her; and bob follows carol."""
    pairs = {name: keys.generate() for name in ("alice", "bob")}

    def people(tx: Writer) -> Setup:
        for name, pair in pairs.items():
            registration.create_user(
                tx, name=name, email=f"{name}@example.org", password_hash="-", pair=pair, role="admin"
            )
        alice, bob = accounts.by_handle(tx, "alice"), accounts.by_handle(tx, "bob")
        assert alice is not None
        assert bob is not None
        carol = remote_accounts.upsert(tx, remote.actor())
        follows.follow(tx, carol, alice, uri=f"{remote.carol}#follows/1")
        follows.follow(tx, bob, alice)
        follows.accept(tx, follows.follow(tx, bob, carol))
        return Setup(access_tokens.create(tx, alice, {"read", "write"}, "test"), alice.uri, bob.id)

    node = await open_node(options)
    try:
        return await node.db.write(people)
    finally:
        await node.close()


@contextlib.asynccontextmanager
async def reopened(options: Config) -> AsyncIterator[Node]:
    """The node again, in this process, once all its jobs are done."""
    node = await open_node(options)
    try:
        later = now_ms()
        while await node.db.read(waiting):
            later += queue.LEASE_MS  # so that the leases of a killed worker have expired
            assert later < now_ms() + 100 * queue.LEASE_MS, "jobs that never end"
            await run_due_jobs(node, later)
        yield node
    finally:
        await node.close()


def waiting(tx: Reader) -> int:
    found: int = tx.value("SELECT COUNT(*) FROM jobs WHERE kind <> 'clean_up' AND failed_at IS NULL")
    return found


async def test_killing_a_node_repeatedly_loses_and_duplicates_nothing(
    options: Config, tmp_path: Path
) -> None:
    await run_and_end(options, tmp_path, signal.SIGKILL, KILLS)


async def test_stopping_under_load_takes_at_most_five_seconds_and_loses_nothing(
    options: Config, tmp_path: Path
) -> None:
    await run_and_end(options, tmp_path, signal.SIGTERM, STOPS)


async def run_and_end(options: Config, tmp_path: Path, how: signal.Signals, times: int) -> None:
    """Runs and ends a node so many times under load, then compares what it stores with what it was sent."""
    chance = random.Random(options.node.domain)
    enough = asyncio.Event()
    posted: list[str] = []
    sent: list[str] = []

    async def post_as_client(setup: Setup) -> None:
        base = f"http://{options.node.domain}/api/v1/statuses"
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http:
            while not enough.is_set():
                text = f"post {len(posted)}"
                headers = {"Authorization": f"Bearer {setup.token}", "Idempotency-Key": text}

                async def post(headers: dict[str, str] = headers, text: str = text) -> int:
                    async with http.post(base, json={"status": text}, headers=headers) as answer:
                        return answer.status

                await retry_until(post, 200, processes.log)
                posted.append(text)
                await asyncio.sleep(PAUSE)

    async def deliver_as_server(setup: Setup, remote: Remote) -> None:
        inbox = f"http://{options.node.domain}/inbox"
        while not enough.is_set():
            activity = remote.note(len(sent), setup.alice)
            await retry_until(functools.partial(remote.send, inbox, activity), 202, processes.log)
            sent.append(activity["object"]["id"])

    async def end_repeatedly() -> None:
        for _ in range(times):
            await asyncio.sleep(chance.uniform(*LIFETIMES))
            await processes.end(how)
            await processes.start()
        enough.set()

    async with Remote() as remote, Processes(options, tmp_path) as processes:
        setup = await set_up(options, remote)
        await processes.start()
        async with asyncio.TaskGroup() as together:
            together.create_task(post_as_client(setup))
            together.create_task(deliver_as_server(setup, remote))
            together.create_task(end_repeatedly())
        await processes.end(signal.SIGTERM)

        async with reopened(options) as node:
            stored = await node.db.read(load_stored, setup)

    assert len(posted) > times
    assert len(sent) > times
    assert stored.captions == sorted(posted)
    assert stored.received == sorted(sent)
    assert stored.feed == len(posted) + len(sent)
    assert stored.mentions == len(sent)
    assert stored.failed == []
    assert stored.counted == len(posted)
    created = [doc["object"]["content"] for doc in remote.activities.values() if doc["type"] == "Create"]
    assert sorted(created) == sorted(f"<p>{text}</p>" for text in posted)
    assert stored.undelivered == []


@dataclasses.dataclass
class Stored:
    captions: list[str]
    received: list[str]
    feed: int
    mentions: int
    failed: list[str]
    counted: int
    undelivered: list[tuple[str, int | None, str]]


def load_stored(tx: Reader, setup: Setup) -> Stored:
    """What the node has stored in the end."""
    return Stored(
        captions=sorted(row["source"] for row in tx.all("SELECT source FROM posts WHERE is_local")),
        received=sorted(row["uri"] for row in tx.all("SELECT uri FROM posts WHERE NOT is_local")),
        feed=tx.value("SELECT COUNT(*) FROM feed WHERE account_id = :bob", bob=setup.bob_id),
        mentions=tx.value("SELECT COUNT(*) FROM notifications WHERE kind = 'mention'"),
        failed=[row["reason"] for row in tx.all("SELECT reason FROM jobs WHERE failed_at IS NOT NULL")],
        counted=tx.value("SELECT posts_count FROM accounts WHERE uri = :uri", uri=setup.alice),
        undelivered=[
            (row["state"], row["status"], row["reason"])
            for row in tx.all("SELECT state, status, reason FROM deliveries WHERE state <> 'delivered'")
        ],
    )
