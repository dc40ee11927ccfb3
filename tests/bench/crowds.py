"""Large numbers: followers, followed accounts, servers that are down, and one server that floods the inbox.

Each is measured beside the same work without the crowd, in the same run.
"""

from __future__ import annotations

import asyncio
import json
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import uvloop
from hypercorn.config import Config as Hypercorn

from activitypub import vocab
from activitypub.server.routes import FederationApp
from federation_tests import authority
from node.accounts import accounts, keys
from node.database import Reader, Writer
from node.interactions import follows
from node.lifecycle import remote_accounts
from node.models.account import Account
from node.models.remote_actor import RemoteActor
from node.node import Node
from node.posts.drafts import Draft
from node.publishing import publishing
from tests.bench.federation import NAMES, ended, gather_followers, listening, meet, opened, publish
from tests.support.ports import free_port
from web import wiring
from web.server import http_server

FOLLOWERS, THEIR_HOSTS = 10_000, 1_000
FOLLOWED = 10_000
DEAD = 1_000
LIVE = 200
QUIET, GAP = 150, 0.04
FLOOD = 12_000
RITA, FLOODER = "https://quiet.example/users/rita", "https://flood.example/users/rolf"

Row = tuple[str, str, str]


def rows() -> list[Row]:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return [
            row
            for work in (_many_followers, _many_followed, _many_dead, _one_that_floods)
            for row in runner.run(_apart(work))
        ]


async def _apart(work: Any) -> list[Row]:
    """One work on a node of its own."""
    with tempfile.TemporaryDirectory() as folder:
        made = authority.make(Path(folder), NAMES)
        port = free_port()
        node = await opened(Path(folder), port, made)
        pair = await asyncio.to_thread(keys.generate)
        alice = await node.db.write(accounts.create_local, "alice", pair=pair)
        try:
            found: list[Row] = await work(node, alice, port, made)
        finally:
            await node.close()
        return found


def _follow(tx: Writer, alice: Account, first: int, last: int, where: str, hosts: int) -> None:
    """Followers `first` to `last`, spread over so many servers with a shared inbox each."""
    for n in range(first, last):
        host = where.replace("NUMBER", str(n % hosts))
        uri = f"http://{host}/users/u{n}"
        fan = RemoteActor(
            uri=uri,
            name=f"u{n}",
            domain=host,
            inbox=f"{uri}/inbox",
            shared_inbox=f"http://{host}/inbox",
            followers_uri=f"{uri}/followers",
        )
        follows.follow(tx, remote_accounts.upsert(tx, fan), alice, uri=f"{uri}#follow")


async def _gather(node: Node, alice: Account, many: int, where: str, hosts: int) -> None:
    for first in range(0, many, 500):
        await node.db.write(_follow, alice, first, min(many, first + 500), where, hosts)


async def _many_followers(node: Node, alice: Account, port: int, made: authority.Authority) -> list[Row]:
    child, listener = await listening(None)
    worker = wiring.create_worker(node)
    found = []
    for followers, hosts in ((LIVE, LIVE), (FOLLOWERS, THEIR_HOSTS)):
        await _gather(node, alice, followers, f"hNUMBER.test:{listener}", hosts)
        await wiring.run_due_jobs(node)
        before = time.process_time()
        post = await node.db.write(publishing.publish, alice, Draft(caption="To all of you"))
        in_publishing = (time.process_time() - before) * 1000
        await wiring.run_due_jobs(node)
        assert post
        await worker.start(is_only_process=True)
        taken = sorted([await publish(node, alice, hosts) for _ in range(3)])
        await worker.stop()
        found.append((in_publishing, *taken[1]))
    await ended(child)
    few, many = found
    return [
        (
            f"a post to {FOLLOWERS} followers on {THEIR_HOSTS} servers",
            f"{many[0]:.1f} ms to publish; {many[1]:.2f} ms CPU a server; {many[2]:.0f} ms until the last has it",
            f"{LIVE} followers on {LIVE} servers: {few[0]:.1f} ms; {few[1]:.2f} ms; {few[2]:.0f} ms: "
            f"{many[1] / few[1]:.2f} x a server",
        )
    ]


def _followed(tx: Writer, alice: Account, first: int, last: int) -> None:
    for n in range(first, last):
        host = f"f{n % THEIR_HOSTS}.example"
        uri = f"https://{host}/users/u{n}"
        one = RemoteActor(
            uri=uri, name=f"u{n}", domain=host, inbox=f"{uri}/inbox", followers_uri=f"{uri}/followers"
        )
        follows.accept(tx, follows.follow(tx, alice, remote_accounts.upsert(tx, one)))


class Front:
    """A node behind hypercorn, with its worker."""

    def __init__(self, node: Node, port: int) -> None:
        self._node, self._port = node, port
        self._stopping = asyncio.Event()
        self._worker = wiring.create_worker(node)

    async def __aenter__(self) -> Front:
        federation_app = FederationApp(self._node)

        async def app(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                await federation_app(scope, receive, send)

        config = Hypercorn()
        config.bind = [f"127.0.0.1:{self._port}"]
        config.accesslog = config.errorlog = None
        config.keep_alive_max_requests = 1_000_000
        self._web = asyncio.create_task(http_server.serve(app, config, shutdown_trigger=self._stopping.wait))
        await asyncio.sleep(0.3)
        await self._worker.start(is_only_process=True)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._worker.stop()
        self._stopping.set()
        await self._web


def _order(port: int, actor: str, private: str, run: str, **more: Any) -> dict[str, Any]:
    note = {
        "id": f"{actor}/NUMBER",
        "type": "Note",
        "attributedTo": actor,
        "published": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "content": "<p>Good morning from the lake, number NUMBER. It is colder than yesterday.</p>",
        "to": [vocab.PUBLIC],
        "cc": [f"{actor}/followers"],
    }
    create = {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": f"{actor}/NUMBER/activity",
        "type": "Create",
        "actor": actor,
        "to": note["to"],
        "cc": note["cc"],
        "object": note,
    }
    return {
        "url": f"http://a.test:{port}/inbox",
        "path": "/inbox",
        "port": port,
        "key_id": f"{actor}#main-key",
        "private": private,
        "run": run,
        "body": json.dumps(create),
        **more,
    }


class Load:
    """Another process that starts sending on command."""

    async def ready(self, how: str, order: dict[str, Any]) -> Load:
        pipe = asyncio.subprocess.PIPE
        self._child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench._load", how, stdin=pipe, stdout=pipe, limit=1 << 22
        )
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(json.dumps(order).encode() + b"\n")
        await self._child.stdout.readline()
        return self

    def go(self) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write(b"\n")

    async def answer(self) -> dict[str, Any]:
        assert self._child.stdout is not None
        found: dict[str, Any] = json.loads(await self._child.stdout.readline())
        await self._child.wait()
        return found

    async def stop(self) -> None:
        assert self._child.returncode is None, "it had sent everything before it was stopped"
        self._child.kill()
        await self._child.wait()


async def _many_followed(node: Node, alice: Account, port: int, made: authority.Authority) -> list[Row]:
    private, public = await asyncio.to_thread(keys.generate_rsa)
    await node.db.write(meet, alice, public, RITA)
    number = 1500
    costs = []
    async with Front(node, port):
        for run, many in (("few", 0), ("many", FOLLOWED)):
            for first in range(0, many, 500):
                await node.db.write(_followed, alice, first, first + 500)
            for n in range(2):  # the first time is for the caches
                before = await node.db.read(lambda tx: tx.value("SELECT COUNT(*) FROM feed"))
                load = await Load().ready(
                    "send", _order(port, RITA, private, f"{run}{n}", connections=32, number=number)
                )
                cpu = time.process_time()
                load.go()
                while await node.db.read(lambda tx: tx.value("SELECT COUNT(*) FROM feed")) < before + number:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
                costs.append((time.process_time() - cpu) / number * 1000)
                assert (await load.answer())["accepted"] == number
    few, many = costs[1], costs[3]
    return [
        (
            f"inbox, text post, by one of {FOLLOWED} followed on {THEIR_HOSTS} servers",
            f"{many:.2f} s CPU per 1000",
            f"by the only one followed {few:.2f}: {many / few:.2f} x",
        )
    ]


async def _many_dead(node: Node, alice: Account, port: int, made: authority.Authority) -> list[Row]:
    """All servers respond at first; then all fail at once. Servers that hang are the worst case."""
    child, listener = await listening(made)
    await node.db.write(gather_followers, alice, listener)
    worker = wiring.create_worker(node)
    await worker.start(is_only_process=True)
    walls: dict[str, list[float]] = {}

    async def take(name: str, times: int) -> None:
        walls[name] = [(await publish(node, alice, LIVE))[1] for _ in range(times)]

    await publish(node, alice, LIVE)
    await take("none", 5)
    for name, signal_ in (("refuse", signal.SIGKILL), ("hang", signal.SIGSTOP)):
        failing, listener_port = await listening(None)
        await _gather(node, alice, DEAD, f"{name}NUMBER.test:{listener_port}", DEAD)
        while await node.db.read(_waiting, name):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        failing.send_signal(signal_)
        await take(f"{name}, the moment they go", 1)
        while not await node.db.read(_all_unavailable, name):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        await take(f"{name}", 5)
        if signal_ == signal.SIGSTOP:
            failing.kill()
        await failing.wait()
    await worker.stop()
    await ended(child)
    middle = {name: statistics.median(taken) for name, taken in walls.items()}
    alone = middle.pop("none")
    return [
        (
            f"delivery to {LIVE} servers while {DEAD} {name}",
            f"{wall:.0f} ms",
            f"without them {alone:.0f} ms: {wall / alone:.2f} x",
        )
        for name, wall in middle.items()
    ]


def _waiting(tx: Reader, name: str) -> int:
    return int(
        tx.value(
            "SELECT COUNT(*) FROM deliveries WHERE host LIKE :some AND state = 'waiting'", some=f"{name}%"
        )
        + tx.value("SELECT COUNT(*) FROM jobs WHERE kind = 'fan_out'")
    )


def _all_unavailable(tx: Reader, name: str) -> bool:
    unavailable = tx.value(
        "SELECT COUNT(*) FROM hosts WHERE host LIKE :some AND failures > 0", some=f"{name}%"
    )
    return bool(unavailable == DEAD)


async def _quiet(node: Node, port: int, private: str, run: str) -> tuple[list[float], list[float]]:
    """Milliseconds until each activity of the quiet server was accepted, and until its post was visible."""
    load = await Load().ready("pace", _order(port, RITA, private, run, number=QUIET, gap=GAP))
    load.go()
    answer = await load.answer()
    assert answer["accepted"] == QUIET, answer["accepted"]
    await asyncio.sleep(1)
    seen = await node.db.read(
        lambda tx: {
            row["uri"].rpartition("/")[2]: row["created_at"]
            for row in tx.all("SELECT uri, created_at FROM posts WHERE uri LIKE :some", some=f"{RITA}/{run}%")
        }
    )
    assert len(seen) == QUIET
    return sorted(answer["took"]), sorted(seen[name] - at for name, at in answer["sent"].items())


async def _one_that_floods(node: Node, alice: Account, port: int, made: authority.Authority) -> list[Row]:
    private, public = await asyncio.to_thread(keys.generate_rsa)
    flooder_key, flooder_public = await asyncio.to_thread(keys.generate_rsa)
    await node.db.write(meet, alice, public, RITA)
    await node.db.write(meet, alice, flooder_public, FLOODER)
    async with Front(node, port):
        await _quiet(node, port, private, "w")
        alone, alone_seen = await _quiet(node, port, private, "a")
        flood = await Load().ready(
            "send", _order(port, FLOODER, flooder_key, "f", connections=32, number=FLOOD)
        )
        flood.go()
        await asyncio.sleep(0.5)
        beside, beside_seen = await _quiet(node, port, private, "b")
        await flood.stop()

    def part(values: list[float], share: float) -> float:
        return values[int(len(values) * share)]

    return [
        (
            f"a quiet server's activity beside a flood from another: {what}, half / 95 of 100",
            f"{part(with_it, 0.5):.1f} / {part(with_it, 0.95):.1f} ms",
            f"alone {part(without, 0.5):.1f} / {part(without, 0.95):.1f} ms",
        )
        for what, with_it, without in (("answered", beside, alone), ("seen", beside_seen, alone_seen))
    ]
