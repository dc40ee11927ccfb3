"""The built wheel works alone: in an empty environment, started in an empty folder."""

from __future__ import annotations

import ast
import contextlib
import email
import os
import re
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.support.parallel import ONE_AT_A_TIME
from tests.support.ports import free_port

pytestmark = ONE_AT_A_TIME

ROOT = Path(__file__).parents[2]
QUIETLY = ("--quiet", "--no-index", "--disable-pip-version-check")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the project as it is, with the pinned build tool that is already here."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT],
        check=True,
        capture_output=True,
    )
    return next(folder.glob("*.whl"))


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def required(wheel: Path) -> set[str]:
    """The packages that the wheel's metadata requires."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(name))
    entries = [Requirement(line) for line in metadata.get_all("Requires-Dist", [])]
    return {canonical(entry.name) for entry in entries}


def test_the_wheel_holds_everything_that_is_not_code(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    wanted = {
        str(path.relative_to(ROOT))
        for folder in ("templates", "web", "node")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }

    assert not wanted - packed
    assert not [name for name in packed if name.startswith(("tests/", "data/", "federation_tests/"))]
    assert any(name.endswith("licenses/LICENSE") for name in packed)


def test_the_wheel_brings_every_package_that_the_code_imports(wheel: Path) -> None:
    providers = packages_distributions()
    own = {"node", "activitypub", "web", "media"}
    imported = {
        name.partition(".")[0]
        for package in own
        for path in (ROOT / package).rglob("*.py")
        for name in imports(ast.parse(path.read_text()))
    }
    brought = {canonical(found.name) for found in runtime_distributions(required(wheel))}
    missing = {
        name
        for name in imported - own - sys.stdlib_module_names
        if not {canonical(provider) for provider in providers.get(name, [])} & brought
    }

    assert not missing


def imports(tree: ast.AST) -> Iterator[str]:
    for found in ast.walk(tree):
        if isinstance(found, ast.Import):
            yield from (alias.name for alias in found.names)
        elif isinstance(found, ast.ImportFrom) and found.module and not found.level:
            yield found.module


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`tintype` in an environment that has the wheel and the packages it requires, and nothing else.

    The packages are those that are installed here, reached by links, so that no network is needed.
    """
    home = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    inside = Path(sysconfig.get_path("purelib", vars={"base": str(home), "platbase": str(home)}))
    for package in runtime_distributions(required(wheel)):
        for file in package.files or ():
            top = file.parts[0]
            target = inside / top
            if top != ".." and top != "__pycache__" and not target.exists():
                target.symlink_to(Path(str(package.locate_file(top))).resolve())
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", home / "bin" / "python", "install", *QUIETLY, wheel],
        check=True,
        capture_output=True,
    )
    return home / "bin" / "tintype"


def runtime_distributions(names: set[str]) -> Iterator[Distribution]:
    """These packages and, recursively, what they require on this machine."""
    seen: dict[tuple[str, str], Distribution] = {}
    waiting = [(name, "binary" if name == "psycopg" else "") for name in names]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        found = seen[name, extra] = distribution(name)
        for line in found.requires or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                waiting.append((requirement.name, ""))
    yield from seen.values()


def get(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_the_program_from_the_wheel_serves_pages_from_an_empty_folder(program: Path, tmp_path: Path) -> None:
    port = free_port()
    base = f"http://localhost:{port}"
    environ = {
        "PATH": os.environ["PATH"],
        "TINTYPE_NODE_DOMAIN": f"localhost:{port}",
        "TINTYPE_SERVER_SCHEME": "http",
        "TINTYPE_SERVER_BIND": f"127.0.0.1:{port}",
    }
    log = tmp_path.parent / "log"

    with (
        log.open("wb") as out,
        subprocess.Popen(
            [program, "serve"], cwd=tmp_path, env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        ) as server,
    ):
        try:
            status, page = wait_for(base + "/", server, log)
            styles = re.findall(r"""(?:href|src)=["'](/static/[^"']+)""", page.decode())
            found = {path: get(base + path)[0] for path in styles}
        finally:
            server.terminate()
            server.wait(10)

    assert status == 200, log.read_text()
    assert styles
    assert set(found.values()) == {200}
    assert server.returncode == 0
    assert (tmp_path / "data" / "tintype.db").is_file()


def wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> tuple[int, bytes]:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text()
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            return get(url)
        time.sleep(0.1)
    raise AssertionError("no answer: " + log.read_text())
