"""`pytest --quick SECONDS`: runs the tests that fit into that time, beginning with what was changed.

The more of its path a test file shares with a changed file, the earlier its tests come: first those of the changed
module, then of its folder, then of its package. What is not yet committed counts a little more than what differs from
where the branch left `main`. Among equals come the first test of every file, then the second, and so on. Whatever
has not begun in time does not run, and the summary says how much that was.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

SHOWN = 8  # changed folders in the summary
# Parallel workers count from when the process began that started them.
_begun = float(os.environ.setdefault("PYTEST_QUICK_BEGUN", str(time.monotonic())))
_SELECTED: pytest.StashKey[int] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", type=float, metavar="SECONDS", help=__doc__.partition("\n")[0])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    config.stash[_SELECTED] = len(items)
    if config.getoption("--quick") is None:
        return
    now, before = changed_files(config.rootpath)
    seen: Counter[Path] = Counter()
    place: dict[pytest.Item, tuple[float, int]] = {}
    for item in items:
        seen[item.path] += 1
        path = item.path.relative_to(config.rootpath).as_posix()
        place[item] = (-max(near(path, now) * 1.1, near(path, before)), seen[item.path])
    items.sort(key=place.__getitem__)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    """Skips a test that would begin too late."""
    seconds = item.config.getoption("--quick")
    return True if seconds is not None and time.monotonic() - _begun > seconds else None


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["selected"] = session.config.stash.get(_SELECTED, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    if selected := getattr(node, "workeroutput", {}).get("selected"):
        node.config.stash[_SELECTED] = selected


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.getoption("--quick") is None:
        return
    ran: set[str] = {
        report.nodeid
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport)
    }
    folders = Counter("/".join(name.split("::")[0].split("/")[:2]) for name in ran)
    changed = {path.rpartition("/")[0] or path for paths in changed_files(config.rootpath) for path in paths}
    named = sorted(changed)[:SHOWN] + ["…"] * (len(changed) > SHOWN)
    terminalreporter.write_sep("-", f"quick: {len(ran)} of {config.stash.get(_SELECTED, len(ran))} tests")
    terminalreporter.write_line("changed: " + (", ".join(named) or "nothing since main"))
    terminalreporter.write_line(
        "ran:     " + ", ".join(f"{folder} {count}" for folder, count in sorted(folders.items()))
    )
    terminalreporter.write_line("`make test` runs the rest.")


def changed_files(root: Path) -> tuple[list[str], list[str]]:
    """Paths of uncommitted files, and of those that the branch has changed. Without git: none."""
    base = next(
        (
            found[0]
            for branch in ("origin/main", "main")
            if (found := _git(root, "merge-base", "HEAD", branch))
        ),
        "HEAD",
    )
    now = _git(root, "diff", "--name-only", "HEAD") + _git(root, "ls-files", "--others", "--exclude-standard")
    return now, _git(root, "diff", "--name-only", base, "HEAD")


def near(test: str, changed: Sequence[str]) -> int:
    """The number of parts of its path that a test file shares with a changed file, counted from the top."""
    return max((_shared(_parts(test), _parts(path)) for path in changed), default=0)


def _parts(path: str) -> list[str]:
    """`tests/web/pages/test_posts.py`, `web/pages/posts.py` and `templates/posts.html` are near each other."""
    *folders, name = path.split("/")
    if folders and folders[0] == "tests":
        del folders[0]
    if folders and folders[0] == "templates":
        folders[0:1] = ["web", "pages"]
    return [*folders, name.removeprefix("test_").partition(".")[0]]


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


def _git(root: Path, *arguments: str) -> list[str]:
    try:
        ran = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    except OSError:
        return []
    return ran.stdout.splitlines() if ran.returncode == 0 else []
