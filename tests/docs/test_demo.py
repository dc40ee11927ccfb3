"""The demo data of `make dev` and of the screenshots: accounts, and posts of some weeks."""

from __future__ import annotations

import contextlib
import importlib
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from node.database import Reader
from node.ids import now_ms
from node.node import Node
from tests.support.pictures import picture

DOCS = Path(__file__).parents[2] / "docs"
DAY = 86_400_000


async def test_the_demo_has_accounts_and_weeks_of_posts(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(DOCS)
    demo, scenes = importlib.import_module("demo"), importlib.import_module("scenes")
    names = list(scenes.SCENES)

    people = await demo.seed(node, lambda name: picture(90, 60, seed=names.index(name)))

    def posted(tx: Reader) -> tuple[int, int, int]:
        row = tx.one("SELECT COUNT(*) AS n, MIN(published_at) AS first, MAX(published_at) AS last FROM posts")
        assert row is not None
        return row["n"], row["first"], row["last"]

    count, first, last = await node.db.read(posted)
    assert set(people) == set(demo.PEOPLE)
    assert count > len(demo.POSTS)
    assert last < now_ms()
    assert last - first > 2 * DAY


def test_the_screenshots_have_a_list_of_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(DOCS)

    assert importlib.import_module("screenshots").PAGES


def test_a_busy_port_is_one_line_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "finished").touch()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):  # busy already, which is as good
            other.bind(("127.0.0.1", 8473))
            other.listen()
        started = subprocess.run(
            [sys.executable, DOCS / "demo.py", tmp_path], capture_output=True, text=True, check=False
        )

    assert started.returncode == 1
    assert started.stderr.splitlines() == [
        "The demo node cannot start: [server] bind has localhost:8473, where another program listens already. "
        "Stop it, or choose another port."
    ]
