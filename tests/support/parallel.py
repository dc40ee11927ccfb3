"""Marks tests that do not run beside each other when pytest-xdist runs the others in parallel (`-n 2 --dist loadgroup`).

Each worker has a PostgreSQL server, databases, ports and temporary folders of its own, so most tests share nothing.
Marked are those that start programs or measure time: one worker runs them all, one after the other, so a machine
with two processors has one left for what they start. Whole folders are marked in their conftest.py.
"""

from __future__ import annotations

import pytest

ONE_AT_A_TIME = pytest.mark.xdist_group("one-at-a-time")
