"""Fixtures: one real node, empty, on SQLite and again on PostgreSQL, and local accounts on it."""

from __future__ import annotations

import functools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from node import ids
from node.accounts import accounts, keys
from node.config import Config, MediaOptions, NodeOptions, RegistrationOptions
from node.database import Database
from node.models.account import Account
from node.node import Node
from tests.support.databases import Databases
from tests.support.pictures import picture
from web import wiring

DOMAIN = "tintype.test"


@pytest.fixture
def options(databases: Databases, tmp_path: Path) -> Config:
    """The options of `node`, with a database and a media folder of its own."""
    return databases.fresh(
        Config(
            node=NodeOptions(domain=DOMAIN, title="Test", secret="a secret that only the tests know"),
            media=MediaOptions(url=f"file:{tmp_path / 'media'}"),
            registration=RegistrationOptions(mode="open"),
        )
    )


@pytest.fixture
async def node(options: Config) -> AsyncIterator[Node]:
    node = await wiring.open_node(options)
    yield node
    await node.close()


@pytest.fixture
def db(node: Node) -> Database:
    return node.db


@pytest.fixture
def settle(node: Node) -> Callable[[], Awaitable[int]]:
    """Runs all due jobs until there are none."""
    return functools.partial(wiring.run_due_jobs, node)


@pytest.fixture(scope="session")
def pairs() -> dict[str, keys.KeyPair]:
    """Keys are slow to generate, so each name has the same ones in every test."""
    return {name: keys.generate() for name in ("alice", "bob", "mallory")}


@pytest.fixture
async def alice(node: Node, pairs: dict[str, keys.KeyPair]) -> Account:
    return await node.db.write(accounts.create_local, "alice", pair=pairs["alice"])


@pytest.fixture
async def bob(node: Node, pairs: dict[str, keys.KeyPair]) -> Account:
    return await node.db.write(accounts.create_local, "bob", pair=pairs["bob"])


@pytest.fixture
async def mallory(node: Node, pairs: dict[str, keys.KeyPair]) -> Account:
    return await node.db.write(accounts.create_local, "mallory", pair=pairs["mallory"])


@pytest.fixture
def photo() -> Callable[..., bytes]:
    """`photo(width, height, kind, seed=…)`: the bytes of an image file."""
    return picture


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """`clock(ms)` sets the clock of the machine so much ahead of the true time; `clock(0)` sets it right again."""
    true_time = time.time_ns
    monkeypatch.setattr(ids, "_last", ids._last)  # or ids of the next test would be ahead of its clock

    def set_clock(ms: int) -> None:
        monkeypatch.setattr(time, "time_ns", lambda: true_time() + ms * 1_000_000)

    return set_clock
