"""Fixtures: a small fediverse of real nodes, and remote servers that a test plays itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from federation_tests import authority
from federation_tests.authority import Authority
from federation_tests.fediverse import Fediverse
from federation_tests.remote_server import RemoteServer
from node.accounts import keys
from tests.support.databases import Databases
from tests.support.ports import free_ports

NAMES = ["a.test", "b.test", "c.test", "evil.test", "other.test", "fedify.test", "pasture.test"]


@pytest.fixture(scope="session")
def ports() -> dict[str, int]:
    """One port per server for the whole run, so that the copies of a migrated database fit every test."""
    return dict(zip(NAMES, free_ports(len(NAMES)), strict=True))


@pytest.fixture(scope="session")
def test_authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority.make(tmp_path_factory.mktemp("authority"), NAMES)


@pytest.fixture(scope="session")
def pair() -> Callable[[str], keys.KeyPair]:
    """Key pairs by name, generated once per run because that is slow."""
    made: dict[str, keys.KeyPair] = {}

    def of(name: str) -> keys.KeyPair:
        if name not in made:
            made[name] = keys.generate()
        return made[name]

    return of


@pytest.fixture
async def fediverse(
    tmp_path: Path,
    test_authority: Authority,
    ports: dict[str, int],
    databases: Databases,
    pair: Callable[[str], keys.KeyPair],
) -> AsyncIterator[Fediverse]:
    joined = Fediverse(tmp_path, test_authority, ports, databases.fresh, pair)
    yield joined
    await joined.close()


@pytest.fixture
async def evil(test_authority: Authority, ports: dict[str, int]) -> AsyncIterator[RemoteServer]:
    """A remote server that may attack."""
    server = RemoteServer("evil.test", ports["evil.test"], test_authority)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def other(test_authority: Authority, ports: dict[str, int]) -> AsyncIterator[RemoteServer]:
    """A second remote server, honest or not as the test needs."""
    server = RemoteServer("other.test", ports["other.test"], test_authority)
    await server.start()
    yield server
    await server.stop()
