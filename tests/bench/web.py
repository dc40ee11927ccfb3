"""What one answer over HTTP costs: CPU of a real serving process, against a bare ASGI app on the same server.

The server runs in a process of its own, so that only its work is counted, and the bare answer is of the
same size, from the same process, in the same minute. What `web.server` makes of hypercorn is measured
beside hypercorn as it comes.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil

from node.accounts import accounts, keys
from node.attachments import photos
from node.attachments.stored_files import StoredFile
from node.auth import access_tokens, users
from node.config import Config, DatabaseOptions, MediaOptions, NodeOptions, ServerOptions
from node.database import Writer
from node.node import Node
from node.posts.drafts import Draft
from node.publishing import publishing
from tests.support.pictures import picture

REQUESTS = 600
WARM_UP = 60
CONNECTIONS = 4
ROUNDS = 3


def options(folder: Path) -> Config:
    return Config(
        node=NodeOptions(domain="bench.test", secret="only for measuring, never for serving"),
        server=ServerOptions(bind=("127.0.0.1:0",)),
        database=DatabaseOptions(url=f"sqlite:{folder / 'tintype.db'}"),
        media=MediaOptions(url=f"file:{folder / 'media'}"),
    )


async def seed(node: Node) -> dict[str, str]:
    """Alice with 20 photo posts and a token; one large photo file."""
    alice = await node.db.write(accounts.create_local, "alice", pair=keys.generate())

    def admit(tx: Writer) -> str:
        users.create(tx, alice, email="alice@bench.test", password_hash="-")
        return access_tokens.create(tx, alice, ["read", "write"], "bench")

    token = await node.db.write(admit)
    for number in range(20):
        photo = await photos.upload(node, alice, picture(640, 480, seed=number), alt="A lake in the morning")
        caption = (
            f"Morning at the #lake with @alice, number {number}: mist, herons, a boat, and nobody about."
        )
        await node.db.write(publishing.publish, alice, Draft(caption=caption, photo_ids=[photo.id]))
    key = "zz/zz/large.webp"
    await node.storage.put(key, os.urandom(300_000), "image/webp")
    await node.db.write(photos.add_files, photo.id, {("large", "webp"): StoredFile(key, 2048, 1536, 300_000)})
    return {"token": token, "file": f"/media/{key}"}


async def _serve(folder: Path, kind: str) -> None:
    """The child: a node, and beside it an answer that costs nothing; `plain` is hypercorn as it comes."""
    import hypercorn.asyncio

    from web import wiring
    from web.app import create_app
    from web.server import http_server
    from web.server.config import hypercorn_config

    node = await wiring.open_node(options(folder))
    seeded = await seed(node)
    app = create_app(node)

    async def dispatch(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/bare/"):
            body = b"x" * int(scope["path"].rpartition("/")[2])
            headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body, "more_body": False})
        else:
            await app(scope, receive, send)

    config = hypercorn_config(node.config)
    sockets = config.create_sockets()
    sockets.insecure_sockets[0].listen(128)
    config.bind = [f"fd://{sockets.insecure_sockets[0].detach()}"]
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    port = _port(config)
    print(json.dumps({"port": port, **seeded}), flush=True)
    if kind == "plain":
        await hypercorn.asyncio.serve(dispatch, config, shutdown_trigger=stopping.wait, mode="asgi")  # type: ignore[arg-type]
    else:
        await http_server.serve(dispatch, config, shutdown_trigger=stopping.wait)
    await node.close()


def _port(config: Any) -> int:
    import socket

    number = int(config.bind[0].removeprefix("fd://"))
    with socket.socket(fileno=os.dup(number)) as listening:
        return int(listening.getsockname()[1])


@asynccontextmanager
async def server(kind: str = "fast") -> AsyncIterator[tuple[psutil.Process, dict[str, Any]]]:
    with tempfile.TemporaryDirectory() as folder:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.web", folder, kind, stdout=asyncio.subprocess.PIPE
        )
        assert child.stdout is not None
        seeded = json.loads(await child.stdout.readline())
        yield psutil.Process(child.pid), seeded
        child.terminate()
        await child.wait()


async def request_all(port: int, path: str, count: int, headers: str = "") -> int:
    """Sends `count` requests over a few connections; returns the size of a response's body."""
    request = f"GET {path} HTTP/1.1\r\nHost: bench.test\r\n{headers}\r\n".encode()
    sizes: set[int] = set()

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        for _ in range(count // CONNECTIONS):
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            assert head.startswith(b"http/1.1 200"), head
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            sizes.add(length)
        writer.close()

    await asyncio.gather(*[connection() for _ in range(CONNECTIONS)])
    return max(sizes)


async def cost(process: psutil.Process, port: int, path: str, headers: str = "") -> tuple[float, int]:
    """Milliseconds of the server's CPU per request, the best of some rounds, and the size of the answer."""
    size = await request_all(port, path, WARM_UP, headers)
    best = float("inf")
    for _ in range(ROUNDS):
        before = sum(process.cpu_times()[:2])
        await request_all(port, path, REQUESTS, headers)
        best = min(best, (sum(process.cpu_times()[:2]) - before) / REQUESTS * 1000)
    return best, size


async def rows() -> list[tuple[str, str, str]]:
    """(work, measured, against the bare response)."""
    found = []
    async with server("plain") as (plain, plain_options), server() as (process, seeded):
        as_it_comes, _ = await cost(plain, plain_options["port"], "/bare/200")
        bare, _ = await cost(process, seeded["port"], "/bare/200")
        against = f"{bare / as_it_comes:.2f} × hypercorn as it comes ({as_it_comes:.3f} ms)"
        found.append(("bare ASGI, 200 bytes", f"{bare:.3f} ms CPU", against))
        port, bearer = seeded["port"], f"Authorization: Bearer {seeded['token']}\r\n"
        for name, path, headers in (
            ("home timeline, 20 photo posts, JSON", "/api/v1/timelines/home", bearer),
            ("WebFinger", "/.well-known/webfinger?resource=acct:alice@bench.test", ""),
            ("photo file, 300 KB", seeded["file"], ""),
        ):
            measured, size = await cost(process, port, path, headers)
            bare, _ = await cost(process, port, f"/bare/{size}")
            against = f"{measured / bare:.1f} × bare ASGI ({bare:.2f} ms)"
            found.append((f"{name} ({size / 1000:.0f} KB)", f"{measured:.2f} ms CPU", against))
    return found


if __name__ == "__main__":
    if len(sys.argv) > 1:
        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(Path(sys.argv[1]), sys.argv[2]))
    else:
        for row in asyncio.run(rows()):
            print(*row, sep=" | ")
