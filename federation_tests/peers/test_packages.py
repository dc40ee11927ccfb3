"""Peers as programs: a missing one is named in the summary of a run, a running one leaves no files behind."""

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
from federation_tests.peers.packages import Missing, Program
from federation_tests.peers.processes import Peer
from tests.support.ports import free_port


def run(tools: Path, *options: str, **environment: str) -> subprocess.Popen[str]:
    """A separate test run that needs bovine, and installs into `tools` without network."""
    clean = {name: value for name, value in os.environ.items() if name != "CI"}
    test = "federation_tests/peers/test_proofs.py::test_a_proof_by_bovine_is_verified"
    isolated = ["-p", "no:cacheprovider", "--basetemp", str(tools / "run")]
    tools.mkdir()
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", *isolated, "--database", "sqlite", *options, test],
        cwd=packages.ROOT,
        env=clean | {"TINTYPE_PEERS": str(tools), "PIP_NO_INDEX": "1"} | environment,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_missing_peer_is_named_in_the_summary_and_fails_in_ci(tmp_path: Path) -> None:
    in_parallel = ("-n", "1", "--dist", "loadgroup")
    runs = run(tmp_path / "anywhere"), run(tmp_path / "in CI", *in_parallel, CI="true")

    (by_default, _), (in_ci, _) = (one.communicate(timeout=120) for one in runs)

    assert runs[0].returncode == 0, by_default
    assert "1 skipped" in by_default
    (line,) = [line for line in by_default.splitlines() if line.startswith("NOT TESTED")]
    assert line.startswith(
        "NOT TESTED against fediverse-pasture, bovine and http-message-signatures: pip does"
    )
    assert runs[1].returncode == 1, in_ci
    assert "skipped" not in in_ci
    assert line in in_ci.splitlines()


def test_an_npm_registry_without_response_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python_peer: Peer
) -> None:
    (tmp_path / "python").symlink_to(packages.TOOLS / "python")
    monkeypatch.setattr(packages, "TOOLS", tmp_path)
    monkeypatch.setenv("npm_config_offline", "true")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))

    with pytest.raises(Missing, match="npm does not answer"):
        packages.fedify(tmp_path)


def test_a_peer_that_does_not_start_is_missing_with_its_output(
    tmp_path: Path, test_authority: Authority
) -> None:
    program = Program((sys.executable, "-c", "raise SystemExit('no such luck')"), tmp_path)
    peer = Peer(program, "peer.test", 1, test_authority)

    with pytest.raises(Missing, match="no such luck"):
        peer.wait()
    peer.stop()


@pytest.mark.parametrize("install", [packages.python, packages.fedify], ids=["python", "fedify"])
def test_a_peer_ends_with_its_parent_and_leaves_no_files(
    tmp_path: Path,
    install: Callable[[Path], Program],
    test_authority: Authority,
    request: pytest.FixtureRequest,
) -> None:
    request.getfixturevalue("fedify_peer")
    before = source_tree()
    peer = Peer(install(tmp_path), "peer.test", free_port(), test_authority)
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
