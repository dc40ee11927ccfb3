"""Peers as programs: one that cannot be had is named in the summary of a run, one that runs leaves no trace."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from federation_tests.authority import Authority
from federation_tests.peers import packages
from federation_tests.peers.packages import Program
from federation_tests.peers.processes import Peer
from federation_tests.servers import free_ports

SIGNATURES = "federation_tests/peers/test_signatures.py"


def run(tools: Path, test: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """One test in a run of its own, that installs its peers into `tools` without any network."""
    clean = {name: value for name, value in os.environ.items() if name != "CI"}
    offline = {
        "TINTYPE_PEERS": str(tools),
        "PIP_NO_INDEX": "1",
        "npm_config_offline": "true",
        "npm_config_cache": str(tools / "npm"),
    }
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--database", "sqlite", test],
        cwd=packages.ROOT,
        env=clean | offline | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("manager", ["pip", "npm"])
def test_a_peer_that_cannot_be_installed_is_named_in_the_summary(
    tmp_path: Path, manager: str, request: pytest.FixtureRequest
) -> None:
    name, test = (
        ("fediverse-pasture, bovine and", "test_bovine_leaves_the_query_out_of_cavage")
        if manager == "pip"
        else ("Fedify", "test_fedify_leaves_the_query_out_of_cavage")
    )
    if manager == "npm":
        request.getfixturevalue("python_peer")
        (tmp_path / "python").symlink_to(packages.TOOLS / "python")

    test = f"{SIGNATURES}::{test}"
    told = run(tmp_path, test)

    assert told.returncode == 0, told.stdout
    assert " skipped" in told.stdout
    (line,) = [line for line in told.stdout.splitlines() if line.startswith("NOT TESTED")]
    assert line.startswith(f"NOT TESTED against {name}")
    assert f"{manager} does not answer" in line

    failed = run(tmp_path, test, CI="true")

    assert failed.returncode == 1, failed.stdout
    assert f"{manager} does not answer" in failed.stdout
    assert "skipped" not in failed.stdout


@pytest.mark.parametrize("install", [packages.python, packages.fedify], ids=["python", "fedify"])
def test_a_peer_ends_with_whoever_started_it_and_leaves_nothing_in_the_source_tree(
    tmp_path: Path,
    install: Callable[[Path], Program],
    test_authority: Authority,
    request: pytest.FixtureRequest,
) -> None:
    request.getfixturevalue("fedify_peer")
    before = source_tree()
    peer = Peer(install(tmp_path), "peer.test", free_ports(1)[0], test_authority)
    try:
        peer.wait()
        assert psutil.Process(peer.process.pid).cwd() == str(tmp_path)
        assert peer.process.stdin is not None
        peer.process.stdin.close()
        assert peer.process.wait(10) == 0
    finally:
        peer.process.kill()
    assert source_tree() == before


def source_tree() -> set[Path]:
    return set(packages.HERE.rglob("*"))
