"""What an HTML page costs: CPU of the whole process per page, without the socket, against an empty page."""

from __future__ import annotations

import gzip
import statistics
import tempfile
import time
from pathlib import Path

from node.accounts import accounts, keys
from node.attachments import photos
from node.auth import sessions, users
from node.config import Config, DatabaseOptions, MediaOptions, NodeOptions
from node.database import Writer
from node.interactions import follows
from node.node import Node
from node.posts.drafts import Draft
from node.publishing import publishing
from tests.support.asgi import Client
from tests.support.pictures import picture
from web import wiring
from web.app import create_app
from web.request.session import SESSION_COOKIE
from web.visitors import compression

POSTS = 120
ROUNDS = 7
PAGES = 60
LEVELS = (1, 3, 4, 5, 6, 9)


def _people(tx: Writer) -> str:
    alice = accounts.create_local(tx, "alice", pair=keys.generate())
    bob = accounts.create_local(tx, "bob", pair=keys.generate())
    users.create(tx, bob, email="bob@bench.example", password_hash="-")
    follows.follow(tx, bob, alice)
    return sessions.start(tx, bob, "bench")


async def _cost(client: Client, path: str) -> tuple[float, int, int]:
    """Milliseconds of CPU per page (median of rounds), its size, and its size compressed."""
    reply = await client.get(path)
    assert reply.status == 200, (path, reply.status)
    for _ in range(PAGES):
        await client.get(path)
    costs = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(PAGES):
            await client.get(path)
        costs.append((time.process_time() - start) / PAGES * 1000)
    return statistics.median(costs), len(reply.body), len(gzip.compress(reply.body, 6))


async def rows() -> list[tuple[str, str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        node = await wiring.open_node(
            Config(
                node=NodeOptions(domain="tintype.test", secret="only for this"),
                database=DatabaseOptions(url=f"sqlite:{folder}/bench.db"),
                media=MediaOptions(url=f"file:{Path(folder) / 'media'}"),
            )
        )
        try:
            return await _measure(node)
        finally:
            await node.close()


async def _measure(node: Node) -> list[tuple[str, str, str]]:
    token = await node.db.write(_people)
    alice = await node.db.read(accounts.by_handle, "alice")
    assert alice is not None
    for n in range(POSTS):
        shot = await photos.upload(node, alice, picture(120, 80, seed=n), alt=f"A lake, number {n}")
        caption = f"Morning number {n} at the lake with @bob, cold and still. #lake #morning"
        await node.db.write(publishing.publish, alice, Draft(caption=caption, photo_ids=[shot.id]))
    await wiring.run_due_jobs(node)
    app = create_app(node)

    async def empty() -> str:
        return "<!doctype html><title>Empty</title>"

    app.quart.add_url_rule("/empty", view_func=empty)
    client = Client(app, {"cookie": f"{SESSION_COOKIE}={token}", "accept": "text/html"})
    bare, _, _ = await _cost(client, "/empty")
    found: list[tuple[str, str, str]] = []
    for work, path, target in (
        ("Home, 20 posts, HTML", "/", 2.0),
        ("Profile, 40 photos, HTML", "/@alice", 1.5),
        ("Explore, 24 photos, HTML", "/explore", 1.5),
    ):
        cost, size, small = await _cost(client, path)
        found.append(
            (
                work,
                f"{cost:.2f} ms CPU, {size // 1024} KB ({small // 1024} KB compressed)",
                f"{cost / bare:.1f} × an empty page of the same framework ({bare:.2f} ms); target {target} ms",
            )
        )
    home = (await client.get("/")).body
    found += [_level_row(home, level) for level in LEVELS]
    for who, headers in (("a member", client.headers), ("a visitor, kept", {"accept": "text/html"})):
        path = "/explore"
        plain, _, _ = await _cost(Client(app, dict(headers)), path)
        packed = Client(app, {**headers, "accept-encoding": "gzip, br"})
        assert (await packed.get(path)).headers["content-encoding"] == "gzip"
        cost, size, _ = await _cost(packed, path)
        found.append(
            (
                f"Explore for {who}, with gzip",
                f"{cost:.2f} ms CPU, {size / 1024:.1f} KB sent",
                f"{cost - plain:+.2f} ms against {plain:.2f} ms without",
            )
        )
    return found


def _level_row(page: bytes, level: int) -> tuple[str, str, str]:
    start = time.process_time()
    for _ in range(PAGES):
        packed = compression.gzip_bytes(page, level)
    cost = (time.process_time() - start) / PAGES * 1000
    chosen = " (chosen)" if level == compression.LEVEL else ""
    return (
        f"Home compressed at level {level}{chosen}",
        f"{cost:.2f} ms CPU, {len(packed) / 1024:.1f} KB",
        f"{len(page) / 1024:.0f} KB plain",
    )
