"""What all tests share, those of one node and those of several."""

from __future__ import annotations

import pytest

pytest_plugins = ["tests.support.missing_parts", "tests.support.databases", "tests.support.quick"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-documents",
        action="store_true",
        help="write federation_tests/documents/emitted anew, to be read before it is committed",
    )
