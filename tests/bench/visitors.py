"""A member's home while visitors, or other servers, ask for the dearest pages without a pause.

The node serves in a process of its own, and each side of the load comes from one more. What a member waits is
measured alone and beside each crowd, in turn, in the same run.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg

from node.accounts import accounts, keys
from node.auth import access_tokens, users
from node.config import Config, DatabaseOptions, MediaOptions, NodeOptions, ServerOptions
from node.database import Writer
from node.models.account import Account
from node.node import Node
from node.publishing.remote_posts import receive_create
from tests.support import postgres
from tests.support.people import remote
from tests.support.ports import free_port
from tests.support.posting import build_remote_post, follow, picture

POSTS = int(os.environ.get("BENCH_POSTS", "20000"))
PHOTOS = 60
PEOPLE = 50
CROWD = 16  # connections
SECONDS = float(os.environ.get("BENCH_SECONDS", "3"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
NEWER_THAN_ALL = 1 << 60  # as an id
AP = "Accept: application/activity+json\r\n"
FORM = "Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n"
DISTINCT = ";".join(f"{n:x}=" for n in range(2500))
CHUNKS = "1\r\na\r\n" * 40_000 + "0\r\n\r\n"
HTTP2 = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + "\0\0\0\x04\0\0\0\0\0"  # with settings, which are empty
PING = "\0\0\x08\x06\0\0\0\0\0" + "\0" * 8
RESETS = "".join(  # each a request for the first page
    f"\0\0\x06\x01\x05\0\0{stream}\x82\x86\x84\x41\x01a\0\0\x04\x03\0\0\0{stream}\0\0\0\x08"
    for stream in (chr(n >> 8) + chr(n & 255) for n in range(1, 6000, 2))
)
GO_AWAY = "\0\0\x08\x07\0\0\0\0\0" + "\0" * 8
LONG = {"CHUNKS": CHUNKS, "PINGS": HTTP2 + PING * 7000 + GO_AWAY, "RESETS": HTTP2 + RESETS + GO_AWAY}
CROWDS = (
    ("the tag page", "/tags/loud", ""),
    ("the tag page, another each time", "/tags/loud?max_id=NUMBER", ""),
    ("profiles, another each time", "/@rNUMBER@s.example/all?max_id=NUMBER", ""),
    ("tag JSON, another each time", "/api/v1/timelines/tag/loud?only_media=true&max_id=NUMBER", ""),
    ("search, another each time", "/search?q=evening+NUMBER", ""),
    ("documents of other servers", "/users/alice/outbox?page=true&max_id=NUMBER", AP),
    ("a file", "/static/avatar.svg", ""),
    ("a file, with 14 KB of cookies", "/static/avatar.svg", f"Cookie: {'a=;' * 4700}\r\n"),
    ("a file, with 2,500 cookies", "/static/avatar.svg", f"Cookie: {DISTINCT}\r\n"),
    ("a file, with 2,500 headers", "/static/avatar.svg", "a:b\r\n" * 2500),
    ("a file, with 1,000 lines of cookies", "/static/avatar.svg", "Cookie: a=1\r\n" * 1000),
    ("the tag page, with 40,000 chunks", "/tags/loud", f"{FORM}\r\nCHUNKS"),
    ("what is no HTTP", "", "\x16\x03\x01"),
    ("7,000 small frames of HTTP/2", "", "PINGS"),
    ("3,000 requests that are reset at once", "", "RESETS"),
    ("connections alone", "", ""),
)


def options(folder: Path, database: str, port: int) -> Config:
    return Config(
        node=NodeOptions(domain="bench.test", secret="only for measuring, never for serving"),
        server=ServerOptions(bind=(f"127.0.0.1:{port}",), h2c=True),
        database=DatabaseOptions(url=database),
        media=MediaOptions(url=f"file:{folder / 'media'}"),
    )


def _town(tx: Writer) -> tuple[str, list[Account]]:
    alice = accounts.create_local(tx, "alice", pair=keys.generate())
    people = [remote(tx, f"r{n}", "s.example") for n in range(PEOPLE)]
    for person in people:
        follow(tx, alice, person)
    users.create(tx, alice, email="alice@bench.test", password_hash="-")
    return access_tokens.create(tx, alice, ["read", "write"], "bench"), people


def _posts(tx: Writer, people: list[Account], first: int, last: int) -> None:
    """Many texts with one tag, and the few photos among them first."""
    for number in range(first, last):
        photos = [picture(f"{number}", width=1600, height=1200)] if number < PHOTOS else []
        html = "<p>Evening over the lake, <b>cold</b> and still.</p>"
        receive_create(
            tx, build_remote_post(people[number % PEOPLE], html=html, photos=photos, hashtags=["loud"])
        )


async def _serve(folder: Path, database: str) -> None:
    """The child: a node with its posts."""
    from web import wiring
    from web.app import create_app
    from web.server import http_server
    from web.server.config import hypercorn_config

    port = free_port()
    node: Node = await wiring.open_node(options(folder, database, port))
    token, people = await node.db.write(_town)
    for first in range(0, POSTS, 500):
        await node.db.write(_posts, people, first, min(first + 500, POSTS))
    wiring.tune_garbage_collection()
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)

    async def shutdown() -> None:
        print(json.dumps({"port": port, "token": token}), flush=True)
        await stopping.wait()

    await http_server.serve(create_app(node), hypercorn_config(node.config), shutdown_trigger=shutdown)
    await node.close()


@asynccontextmanager
async def server(database: str) -> AsyncIterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        url = database or f"sqlite:{folder}/tintype.db"
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.visitors", "serve", folder, url, stdout=asyncio.subprocess.PIPE
        )
        assert child.stdout is not None
        yield json.loads(await child.stdout.readline())
        child.terminate()
        await child.wait()


async def _request_for(order: dict[str, Any]) -> dict[str, Any]:
    """A child of the load: asks over some connections, one request after the other, for some seconds."""
    took: list[float] = []
    statuses: dict[str, int] = {}
    numbers = itertools.count()
    ends = time.monotonic() + order["seconds"]

    headers = order["headers"]
    for name, text in LONG.items():  # longer than an argument may be
        headers = headers.replace(name, text)

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", order["port"], limit=1 << 22)
        while (began := time.monotonic()) < ends:
            if reader.at_eof() or not order["path"]:
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", order["port"], limit=1 << 22)
            if not order["path"]:
                if headers:
                    writer.write(headers.encode("latin-1") + b"\r\n\r\n")
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(reader.read(), max(ends - time.monotonic(), 0))
                continue
            path = order["path"].replace("rNUMBER", f"r{next(numbers) % PEOPLE}")
            path = path.replace("NUMBER", str(NEWER_THAN_ALL + next(numbers)))
            writer.write(f"GET {path} HTTP/1.1\r\nHost: bench.test\r\n{headers}\r\n".encode())
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                await reader.readexactly(int(head.partition(b"content-length:")[2].partition(b"\r\n")[0]))
            except (ConnectionError, asyncio.IncompleteReadError):  # refused before all of it was sent
                reader, writer = await asyncio.open_connection("127.0.0.1", order["port"], limit=1 << 22)
                continue
            if b"connection: close" in head:
                reader.feed_eof()
            took.append((time.monotonic() - began) * 1000)
            status = head[9:12].decode()
            statuses[status] = statuses.get(status, 0) + 1
        writer.close()

    await asyncio.gather(*(connection() for _ in range(order["connections"])))
    return {"took": sorted(took), "statuses": statuses}


async def _load(port: int, path: str, headers: str, connections: int, seconds: float) -> dict[str, Any]:
    order = {
        "port": port,
        "path": path,
        "headers": headers,
        "connections": connections,
        "seconds": seconds,
    }
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.bench.visitors",
        "load",
        json.dumps(order),
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdout is not None
    found: dict[str, Any] = json.loads(await child.stdout.read())
    await child.wait()
    return found


def part(values: list[float], share: float) -> float:
    return values[min(int(len(values) * share), len(values) - 1)]


async def _measure(seeded: dict[str, Any], label: str) -> list[tuple[str, str, str]]:
    port, bearer = seeded["port"], f"Authorization: Bearer {seeded['token']}\r\n"

    async def member(connections: int) -> dict[str, Any]:
        return await _load(port, "/api/v1/timelines/home", bearer, connections, SECONDS)

    found = []
    await member(1)
    for connections in (1, 16):
        for name, path, headers in CROWDS:
            ratios, halves, highest, served = [], [], [], []
            for _ in range(ROUNDS):
                alone = await member(connections)
                crowd = asyncio.create_task(_load(port, path, headers, CROWD, SECONDS + 2))
                await asyncio.sleep(1)
                beside = await member(connections)
                statuses = (await crowd)["statuses"]
                assert set(beside["statuses"]) == {"200"}
                ratios.append(part(beside["took"], 0.5) / part(alone["took"], 0.5))
                halves.append(part(beside["took"], 0.5))
                highest.append(part(beside["took"], 0.99))
                served.append(statuses)
            middle = statistics.median(ratios)
            found.append(
                (
                    f"{label}: home over {connections} beside {CROWD} for {name}",
                    f"p50 {statistics.median(halves):.2f} ms, p99 {statistics.median(highest):.1f} ms",
                    f"{middle:.2f} x alone; target 3, p99 50 ms; the crowd got {served[-1]}",
                )
            )
    return found


async def _measure_postgresql() -> list[tuple[str, str, str]]:
    programs = postgres.binaries()
    if programs is None:
        return [("PostgreSQL", "not measured", "it is not installed here")]
    database = await asyncio.to_thread(postgres.Server, programs)
    try:
        with psycopg.connect(database.url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE bench")
        async with server(database.url("bench")) as seeded:
            return await _measure(seeded, "PostgreSQL")
    finally:
        database.stop()


async def rows() -> list[tuple[str, str, str]]:
    found = []
    for database in os.environ.get("BENCH_ENGINES", "sqlite,postgresql").split(","):
        if database == "sqlite":
            async with server("") as seeded:
                found += await _measure(seeded, "SQLite")
        else:
            found += await _measure_postgresql()
    return found


if __name__ == "__main__":
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if sys.argv[1] == "serve":
            runner.run(_serve(Path(sys.argv[2]), sys.argv[3]))
        else:
            print(json.dumps(runner.run(_request_for(json.loads(sys.argv[2])))))
