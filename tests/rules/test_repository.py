"""What the repository must not contain: where packages come from, or on which machine it was written."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
TEXT = {"", ".py", ".toml", ".lock", ".md", ".sql", ".html", ".css", ".js", ".yml", ".cfg", ".txt", ".po"}
INDEX = re.compile(r"(?i)py" + r"pi\.org|pythonhosted|--(extra-)?index-url|--find-links|--trusted-host")


def files() -> Iterator[Path]:
    """All text files that belong to the project: those in no folder that .gitignore names."""
    passed_over = {".git", *(line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines())}
    for folder, below, names in os.walk(ROOT):
        below[:] = [name for name in below if name not in passed_over]
        yield from (Path(folder, name) for name in names if Path(name).suffix in TEXT)


def test_no_file_names_a_package_index() -> None:
    mine = Path(__file__)
    found = {
        str(path.relative_to(ROOT)) for path in files() if path != mine and INDEX.search(path.read_text())
    }

    assert not found


def test_every_pinned_package_is_held_by_its_hash() -> None:
    for lock in sorted(path.name for path in ROOT.glob("requirements*.lock")):
        entries = re.split(r"\n(?=[a-z])", (ROOT / lock).read_text().strip())
        loose = [entry.split()[0] for entry in entries if "==" not in entry or "--hash=sha256:" not in entry]
        assert not loose, lock


def test_both_lock_files_agree() -> None:
    pinned: dict[str, str] = {}
    for lock in ("requirements.lock", "requirements-dev.lock"):
        for package, version in re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE):
            assert pinned.setdefault(package, version) == version


@pytest.mark.parametrize(
    ("group", "lock"),
    [
        ("run", "requirements.lock"),
        ("dev", "requirements-dev.lock"),
        ("peers", "requirements-peers.lock"),
    ],
)
def test_the_lock_files_hold_what_the_project_requires(group: str, lock: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = project["project"]["dependencies"] if group == "run" else project["dependency-groups"][group]
    pinned = dict(re.findall(r"^([a-z0-9-]+)==([^\s;]+)", (ROOT / lock).read_text(), re.MULTILINE))
    stale = [
        requirement.name
        for requirement in map(Requirement, wanted)
        if (version := pinned.get(canonicalize_name(requirement.name))) is None
        or version not in requirement.specifier
    ]

    assert not stale, "run make lock"


def test_nothing_is_left_to_do_in_the_code() -> None:
    word = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
    left = [
        str(path.relative_to(ROOT))
        for path in files()
        if path.suffix == ".py" and word.search(path.read_text())
    ]

    assert not left
