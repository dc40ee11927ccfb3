"""Parts of the tests that need a program which is not installed: skipped and named in the summary, failing in CI."""

from __future__ import annotations

import os
from typing import Any, NoReturn

import pytest

_MISSING: pytest.StashKey[dict[str, str]] = pytest.StashKey()


def report(config: pytest.Config, part: str, reason: str) -> NoReturn:
    """Skips the test that needs `part` ("on PostgreSQL"), or fails it under CI=true."""
    config.stash.setdefault(_MISSING, {})[part] = reason
    message = f"not tested {part}: {reason}"
    if os.environ.get("CI") == "true":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist reports to the process that writes the summary."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["missing_parts"] = session.config.stash.get(_MISSING, {})


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    missing = getattr(node, "workeroutput", {}).get("missing_parts", {})
    node.config.stash.setdefault(_MISSING, {}).update(missing)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for part, reason in config.stash.get(_MISSING, {}).items():
        terminalreporter.write_line(f"NOT TESTED {part}: {reason}", yellow=True, bold=True)
