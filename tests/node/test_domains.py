from __future__ import annotations

import pytest

from node import domains
from node.database import Database
from node.errors import Invalid


@pytest.mark.parametrize(
    ("domain", "blocked"),
    [
        ("loud.example", True),
        ("LOUD.example.", True),
        ("a.b.loud.example", True),
        ("loud.example:8443", True),
        ("notloud.example", False),
        ("example", False),
        ("loud.example.org", False),
        ("", False),
    ],
)
async def test_a_block_covers_a_domain_and_what_is_under_it(db: Database, domain: str, blocked: bool) -> None:
    await db.write(domains.block, "Loud.Example", "too loud")

    assert await db.read(domains.is_blocked, domain) is blocked
    assert await db.read(domains.blocked_among, [domain, "calm.example"]) == ({domain} if blocked else set())


async def test_a_block_is_listed_changed_and_lifted(db: Database) -> None:
    await db.write(domains.block, "loud.example", "too loud")
    await db.write(domains.block, "loud.example", "much too loud")
    assert [(one.domain, one.note) for one in await db.read(domains.all_blocked)] == [
        ("loud.example", "much too loud")
    ]

    await db.write(domains.unblock, "LOUD.example")
    assert await db.read(domains.all_blocked) == []


@pytest.mark.parametrize("domain", ["", "   ", "a b", "https://x", "tintype.test"])
async def test_what_is_no_other_server_cannot_be_blocked(db: Database, domain: str) -> None:
    with pytest.raises(Invalid):
        await db.write(domains.block, domain)
