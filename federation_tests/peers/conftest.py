"""Peers nobody here wrote, started from their own packages. What cannot be had is reported, never passed over.

Where a package manager does not answer, the tests of its peers are skipped, and the summary of the run says so.
Where it answers and the peer is missing all the same, they are skipped with the same words, and fail under CI.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator

import pytest

from federation_tests.authority import Authority
from federation_tests.fediverse import Fediverse
from federation_tests.peers import packages
from federation_tests.peers.elsewhere import Fedify
from federation_tests.peers.packages import Missing, Program
from federation_tests.peers.processes import Peer
from node.config import Config

_NOT_TESTED: pytest.StashKey[dict[str, str]] = pytest.StashKey()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for peer, reason in config.stash.get(_NOT_TESTED, {}).items():
        terminalreporter.write_line(f"NOT TESTED against {peer}: {reason}", yellow=True, bold=True)


def _started(
    request: pytest.FixtureRequest, peer: str, install: Callable[[], Program], host: str
) -> Iterator[Peer]:
    ports: dict[str, int] = request.getfixturevalue("ports")
    authority: Authority = request.getfixturevalue("test_authority")
    folder = request.getfixturevalue("tmp_path_factory").mktemp("peer")
    process: Peer | None = None
    try:
        process = Peer(install(), host, ports[host], authority, folder / "log")
        process.wait()
    except Missing as missing:
        if process is not None:
            process.stop()
        if missing.is_ours and os.environ.get("CI") == "true":
            pytest.fail(f"{peer}: {missing}", pytrace=False)
        request.config.stash.setdefault(_NOT_TESTED, {})[peer] = str(missing)
        pytest.skip(f"{peer} cannot be had: {missing}")
    yield process
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
def scheme(request: pytest.FixtureRequest) -> str:
    """Over TLS with the test's authority, and plain."""
    return str(request.param)


@pytest.fixture
def is_secure() -> bool:
    """Whether our nodes ask for signed requests; tests parametrise it."""
    return False


@pytest.fixture
def world(fediverse: Fediverse, scheme: str, is_secure: bool) -> Fediverse:
    """Our nodes, speaking the scheme of the test."""

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
    """Fedify with nobody on it yet."""
    found = Fedify(fedify_peer, scheme, world)
    await found.begin()
    return found


@pytest.fixture
async def pasture(world: Fediverse, python_peer: Peer, scheme: str) -> Peer:
    """The personas, served under the scheme of the test."""
    await python_peer.do("reset", scheme=scheme)
    return python_peer
