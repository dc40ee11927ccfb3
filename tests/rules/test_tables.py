"""Every table has one owner, named in the migrations, and nobody else writes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.schema import owners

ROOT = Path(__file__).parents[2]
WRITES = re.compile(r"\b(?:INSERT\s+(?:OR\s+\w+\s+)?INTO|UPDATE|DELETE\s+FROM)\s+([a-z_]+)\b")
ITS_OWN = {"migrations"}  # the table of migrations themselves


def writes() -> Iterator[tuple[str, str]]:
    """(module, table) for every statement in the code that changes a table."""
    for package in ("node", "activitypub", "web", "media"):
        for path in (ROOT / package).rglob("*.py"):
            for match in WRITES.finditer(path.read_text()):
                yield str(path.relative_to(ROOT)), match[1]


def test_every_owner_is_a_module_that_is_there() -> None:
    missing = {owner for owner in owners().values() if not (ROOT / owner).is_file()}

    assert not missing


def test_only_its_owner_writes_a_table() -> None:
    owned = owners()
    foreign = {
        f"{module} writes {table}, which {owned[table]} owns"
        for module, table in writes()
        if table in owned and owned[table] != module
    }

    assert not foreign


def test_every_table_that_is_written_is_in_a_migration() -> None:
    keywords = {"set"}  # of ON CONFLICT DO UPDATE SET
    unknown = {table for _, table in writes()} - set(owners()) - ITS_OWN - keywords

    assert not unknown


def test_every_table_is_written_by_its_owner() -> None:
    written = set(writes())
    idle = {table for table, owner in owners().items() if (owner, table) not in written}

    assert not idle
