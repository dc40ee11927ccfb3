"""Options and plugins of all tests, in `tests/` and in `federation_tests/`."""

from __future__ import annotations

import pytest

pytest_plugins = ["tests.support.missing_parts", "tests.support.databases", "tests.support.quick"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-documents",
        action="store_true",
        help="rewrite federation_tests/documents/emitted, to be reviewed before it is committed",
    )
