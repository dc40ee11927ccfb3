"""Each engine's tests run in one worker, which alone makes the crowd: two workers make one each at the same time."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function) and item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.xdist_group(f"growth-{item.callspec.params['engine']}"))
