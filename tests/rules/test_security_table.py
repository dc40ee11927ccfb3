"""Every row of the security table has one test, named by its id, so that the table can be run and counted.

Sections A (signatures) to I (API); `pytest -k "test_B or test_C1_"` runs rows.
"""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROWS = {"A": 21, "B": 16, "C": 13, "D": 12, "E": 9, "F": 10, "G": 5, "H": 5, "I": 6}

# Rows about features that do not exist yet. Whoever builds one writes its test and removes the row from here.
WAITING = {
    "B14": "links have no previews yet, so nobody is named as the author of a web page",
    "F8": "there is no streaming yet",
    "G4": "there is no import of archives yet",
    "I4": "nobody signs in with an account of another service",
}


def _tests() -> list[str]:
    found = []
    for folder in ("tests", "federation_tests"):
        for path in (ROOT / folder).rglob("test_*.py"):
            functions = ast.walk(ast.parse(path.read_text()))
            kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
            found += [one.name for one in functions if isinstance(one, kinds)]
    return [name for name in found if name.startswith("test_")]


def test_every_row_has_exactly_one_test() -> None:
    rows = {f"{section}{number}" for section, last in ROWS.items() for number in range(1, last + 1)}
    counted = Counter(name.split("_")[1] for name in _tests() if name.split("_")[1] in rows)
    assert rows >= set(WAITING)
    missing = sorted(rows - set(counted) - set(WAITING))
    assert not missing, f"rows without a test: {missing}"
    assert not set(WAITING) & set(counted), "a waiting row has its test: remove it from WAITING"
    several = sorted(row for row, times in counted.items() if times > 1)
    assert not several, f"rows with several tests: {several}"
