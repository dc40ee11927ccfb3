"""`--quick` begins with what was changed, ends in time, and prints what it ran."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.quick import near

ROOT = Path(__file__).parents[2]
# Without the variables that this run of pytest or a git hook sets for its subprocesses.
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "GIT_"))}


@pytest.mark.parametrize(
    ("test", "changed", "shared"),
    [
        ("tests/node/interactions/test_likes.py", "node/interactions/likes.py", 3),
        ("tests/node/interactions/test_likes.py", "tests/node/interactions/test_likes.py", 3),
        ("tests/node/interactions/test_boosts.py", "node/interactions/likes.py", 2),
        ("tests/node/posts/test_posts.py", "node/interactions/likes.py", 1),
        ("tests/web/pages/test_posts.py", "templates/posts.html", 3),
        ("tests/web/pages/test_posts.py", "web/pages/posts.py", 3),
        ("tests/media/test_exif.py", "node/interactions/likes.py", 0),
        ("federation_tests/stories/test_follows.py", "activitypub/handlers/follow.py", 0),
    ],
)
def test_a_test_is_near_a_changed_file_by_its_path(test: str, changed: str, shared: int) -> None:
    assert near(test, ["README.md", changed]) == shared


def quick(project: Path, seconds: str, *options: str) -> list[str]:
    """The lines that a quick run of the project writes."""
    plugins = ("-p", "no:cacheprovider", "-p", "tests.support.quick")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", *plugins, "--quick", seconds, *options],
        cwd=project,
        env=CLEAN | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    return (ran.stdout + ran.stderr).splitlines()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Two packages with two tests each; a file of the second was changed since main."""
    files = {"pyproject.toml": "[tool.pytest.ini_options]\n", "web/pages.py": ""}
    for package in ("node", "web"):
        files[f"tests/{package}/test_{package}_all.py"] = "def test_a(): ...\ndef test_b(): ...\n"
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    identity = ("-c", "user.name=alice", "-c", "user.email=alice@a.test", "-c", "commit.gpgsign=false")
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "All"]):
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, env=CLEAN, check=True)
    (tmp_path / "web/pages.py").write_text("changed = True\n")
    return tmp_path


def test_what_was_changed_comes_first(project: Path) -> None:
    lines = quick(project, "30")

    ran = [line.split("::")[0] + line.split("::")[1][:6] for line in lines if "PASSED" in line]
    assert ran == [
        "tests/web/test_web_all.pytest_a",
        "tests/web/test_web_all.pytest_b",
        "tests/node/test_node_all.pytest_a",
        "tests/node/test_node_all.pytest_b",
    ]
    assert "changed: web" in lines
    assert "ran:     tests/node 2, tests/web 2" in lines


@pytest.mark.parametrize("options", [(), ("-n", "1", "--dist", "loadgroup")], ids=["alone", "in parallel"])
def test_no_test_begins_after_the_time_is_over(project: Path, options: tuple[str, ...]) -> None:
    lines = quick(project, "0", *options)

    assert any("quick: 0 of 4 tests" in line for line in lines)
