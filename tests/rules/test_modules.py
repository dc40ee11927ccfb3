"""Imports point down, modules have a docstring, and templates escape."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("node", "activitypub", "web", "media")
MODULES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_imports_point_down() -> None:
    run = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert run.returncode == 0, run.stdout


def test_every_module_says_what_it_owns() -> None:
    silent = [
        name(path)
        for path in MODULES
        if path.read_text().strip() and ast.get_docstring(ast.parse(path.read_text())) is None
    ]

    assert not silent


def test_pages_templates_and_media_hold_no_sql() -> None:
    statement = re.compile(
        r"\b(SELECT\s.+\sFROM|INSERT\s+INTO|DELETE\s+FROM|UPDATE\s+\w+\s+SET)\b", re.DOTALL
    )
    places = [path for path in MODULES if name(path).startswith(("web/", "media/"))]
    places += (ROOT / "templates").rglob("*.html")

    assert not [name(path) for path in places if statement.search(path.read_text())]


def test_nothing_in_a_template_is_unescaped_unless_it_was_sanitised() -> None:
    """`|safe` stands only behind what `formatting` sanitised, what the program made, or a literal."""
    cleaned = re.compile(r"\b(\w+\.)*(caption|bio|html|value|svg|extra)\s*\|\s*safe|^['\"]")
    loud = []
    for path in sorted((ROOT / "templates").rglob("*")):
        if path.suffix not in (".html", ".xml", ".txt"):
            continue
        text = path.read_text()
        if re.search(r"{%-?\s*autoescape\s+false", text):
            loud.append(f"{name(path)}: autoescape false")
        # Attributes that a template passes to a macro are its own text, never a value.
        loud += [f"{name(path)}: {found}" for found in re.findall(r"\bextra=(?!['\"])\S+", text)]
        loud += [
            f"{name(path)}: {match[0]}"
            for match in re.finditer(r"[\w.\[\]()'\"]*\s*\|\s*safe\b", text)
            if not cleaned.search(match[0])
        ]

    assert not loud
