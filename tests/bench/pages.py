"""What it costs to read a page: CPU on the database's thread, against the bare reads of the same rows."""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Callable
from typing import Any

from node.accounts import accounts, keys
from node.database import Database, Reader, Site, Writer, open_database
from node.models.account import Account
from node.paging import Page
from node.publishing.remote_posts import receive_create
from node.timelines import post_views, timelines
from tests.support.people import remote
from tests.support.posting import build_remote_post, follow, picture

HOUR = 3_600_000
POSTS = int(os.environ.get("BENCH_POSTS", "10000"))
FOLLOWS = int(os.environ.get("BENCH_FOLLOWS", "100"))


def _town(tx: Writer) -> tuple[Account, Account]:
    """An account that follows many, and many posts with a photo each, some hashtags, and stored files."""
    chance = random.Random(7)
    alice = accounts.create_local(tx, "alice", pair=keys.generate())
    people = [remote(tx, f"r{n}", f"s{n % 50}.example") for n in range(FOLLOWS)]
    for person in people:
        follow(tx, alice, person)
    for number in range(POSTS):
        author = people[0] if number % 40 == 0 else chance.choice(people)
        post = receive_create(
            tx,
            build_remote_post(
                author,
                html="<p>Evening over the lake, <b>cold</b> and still.</p>" * 3,
                photos=[
                    picture(f"{number}", width=1600, height=1200, blurhash="LEHV6nWB2yk8pyo0adR*.7kCMdnj")
                ],
                hashtags=["fog", f"t{number % 100}"],
                mentions=[alice] if number % 10 == 0 else [],
            ),
        )
        assert post is not None
    tx.run(
        """INSERT INTO photo_files (photo_id, variant, format, file, width, height, bytes)
           SELECT p.id, v.name, 'webp', v.name || p.id, 1080, 810, 90000
           FROM photos p CROSS JOIN (SELECT 'thumb' AS name UNION SELECT 'medium') AS v WHERE p.id > 0"""
    )
    return alice, people[0]


async def rows() -> list[tuple[str, str, str]]:
    folder = tempfile.TemporaryDirectory()
    site = Site("https", "bench.example", b"bench")
    db = await open_database(os.environ.get("BENCH_DATABASE", f"sqlite:{folder.name}/bench.db"), site)
    try:
        return await _measure(db)
    finally:
        await db.close()
        folder.cleanup()


async def _measure(db: Database) -> list[tuple[str, str, str]]:
    alice, author = await db.write(_town)
    home = await db.read(timelines.home, alice, Page(limit=20))
    profile = await db.read(timelines.profile, alice, author, Page(limit=40))
    assert (len(home), len(profile)) == (20, 40)

    def bare(tx: Reader, ids: list[int]) -> None:
        tx.all(
            "SELECT id, post_id, by_id FROM feed WHERE account_id = :account ORDER BY id DESC LIMIT 20",
            account=alice.id,
        )
        tx.all("SELECT * FROM posts WHERE id IN (:ids)", ids=ids)
        tx.all("SELECT * FROM photos WHERE post_id IN (:ids)", ids=ids)

    def read_home(tx: Reader) -> None:
        post_views.by_entries(tx, alice, timelines.home(tx, alice, Page(limit=20)))

    def read_profile(tx: Reader) -> None:
        post_views.by_entries(
            tx, None, timelines.profile(tx, None, author, Page(limit=40), include_boosts=True)
        )

    def read_tag(tx: Reader) -> None:
        post_views.by_entries(tx, None, timelines.hashtag(tx, None, "fog", Page(limit=20)))

    found = []
    for name, unit, entries in (
        ("Home, 20 photo posts, read", read_home, home),
        ("Profile, 40 photos, read", read_profile, profile),
        ("Tag, 20 photo posts, read", read_tag, home),
    ):
        ids = [entry.post_id for entry in entries]
        measured, limit = await _cost(db, unit), await _cost(db, lambda tx, ids=ids: bare(tx, ids))
        found.append(
            (
                f"{name} ({POSTS} posts)",
                f"{measured:.2f} ms",
                f"{measured / limit:.1f} × bare reads {limit:.2f} ms",
            )
        )
    return found


async def _cost(db: Database, unit: Callable[[Any], None], times: int = 300) -> float:
    """Milliseconds of one run of a unit: the median, measured inside its own thread."""

    def repeated(tx: Reader) -> list[float]:
        spent = []
        for _ in range(times):
            started = time.thread_time_ns()
            unit(tx)
            spent.append((time.thread_time_ns() - started) / 1e6)
        return spent

    spent = sorted(await db.read(repeated))
    return spent[len(spent) // 2]
