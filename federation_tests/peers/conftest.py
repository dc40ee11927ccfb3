"""Fixtures that start peers (servers of other projects) from their own packages; a missing one is reported.

Where a peer cannot be installed or started, its tests are skipped and the summary of the run names it, with the
reason. Under CI=true they fail instead.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest

from federation_tests.authority import Authority
from federation_tests.fediverse import Fediverse
from federation_tests.peers import packages
from federation_tests.peers.fedify_server import Fedify
from federation_tests.peers.packages import Missing, Program
from federation_tests.peers.processes import Peer
from node.config import Config
from tests.support import missing_parts
from tests.support.parallel import ONE_AT_A_TIME

Scheme = Literal["https", "http"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With both databases, each is tested with one of the schemes: the database makes no difference to a peer.

    All tests run in one worker, so that each peer is started once.
    """
    if config.getoption("--database") == "both":
        config.hook.pytest_deselected(items=[item for item in items if _is_another_pair(item)])
        items[:] = [item for item in items if not _is_another_pair(item)]
    for item in items:
        if item.path.is_relative_to(packages.HERE):
            item.add_marker(ONE_AT_A_TIME)


def _is_another_pair(item: pytest.Item) -> bool:
    if not item.path.is_relative_to(packages.HERE) or not isinstance(item, pytest.Function):
        return False
    chosen = item.callspec.params if hasattr(item, "callspec") else {}
    return (chosen.get("scheme"), chosen.get("engine")) in [("https", "sqlite"), ("http", "postgresql")]


def _started(
    request: pytest.FixtureRequest, peer: str, install: Callable[[Path], Program], host: str
) -> Iterator[Peer]:
    ports: dict[str, int] = request.getfixturevalue("ports")
    authority: Authority = request.getfixturevalue("test_authority")
    folder: Path = request.getfixturevalue("tmp_path_factory").mktemp("peer")
    process: Peer | None = None
    try:
        process = Peer(install(folder), host, ports[host], authority)
        process.wait()
        yield process
    except Missing as missing:
        missing_parts.report(request.config, f"against {peer}", str(missing))
    finally:
        if process is not None:
            process.stop()


@pytest.fixture(scope="session")
def fedify_peer(request: pytest.FixtureRequest) -> Iterator[Peer]:
    yield from _started(request, "Fedify", packages.fedify, "fedify.test")


@pytest.fixture(scope="session")
def python_peer(request: pytest.FixtureRequest) -> Iterator[Peer]:
    """fediverse-pasture, bovine and http-message-signatures in one process."""
    name = "fediverse-pasture, bovine and http-message-signatures"
    yield from _started(request, name, packages.python, "pasture.test")


@pytest.fixture(params=["https", "http"])
def scheme(request: pytest.FixtureRequest) -> Scheme:
    """Over TLS with the certificate authority of the tests, and plain."""
    found: Scheme = request.param
    return found


@pytest.fixture
def is_secure() -> bool:
    """Whether the nodes are in secure mode; tests parametrise it."""
    return False


@pytest.fixture
def world(fediverse: Fediverse, scheme: Scheme, is_secure: bool) -> Fediverse:
    """The nodes, under the scheme of the test."""

    def change(options: Config) -> Config:
        federation = dataclasses.replace(
            options.federation, allow_http=scheme == "http", secure_mode=is_secure
        )
        server = dataclasses.replace(options.server, scheme=scheme)
        return dataclasses.replace(options, server=server, federation=federation)

    fediverse.change = change
    return fediverse


@pytest.fixture
async def fedify(world: Fediverse, fedify_peer: Peer, scheme: str) -> Fedify:
    """Fedify without any accounts yet."""
    found = Fedify(fedify_peer, scheme, world)
    await found.begin()
    return found


@pytest.fixture
async def pasture(world: Fediverse, python_peer: Peer, scheme: str) -> Peer:
    """The personas of fediverse-pasture, under the scheme of the test."""
    await python_peer.do("reset", scheme=scheme)
    return python_peer
