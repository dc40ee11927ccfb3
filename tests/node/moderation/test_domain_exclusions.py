"""Domain exclusions: which domains they cover, and which rules they remove."""

from __future__ import annotations

import pytest

from node.database import Database, Writer
from node.errors import Invalid
from node.ids import now_ms
from node.models.account import Account
from node.moderation import audit_log, domain_exclusions, domain_rules
from node.moderation.domain_rules import DomainBlock
from node.paging import Page


def rule_of_list(tx: Writer, domain: str) -> None:
    rule = DomainBlock(domain, "suspend", False, False, False, "", "", 7, now_ms())
    domain_rules.save_rules(tx, [rule])


@pytest.mark.parametrize(
    ("name", "excluded"),
    [
        ("good.example", True),
        ("a.b.good.example", True),
        ("example", True),
        ("notgood.example", False),
        ("other.example", False),
    ],
)
async def test_an_exclusion_covers_what_is_under_and_above_it(
    db: Database, name: str, excluded: bool
) -> None:
    await db.write(domain_exclusions.add, "good.example")

    found = await db.read(domain_exclusions.excluded_among, [name, "calm.test"])

    assert found == ({name} if excluded else set())


async def test_an_exclusion_is_normalized_and_its_comment_replaced(db: Database) -> None:
    await db.write(domain_exclusions.add, "*.Good.Example:443", " friends ")
    await db.write(domain_exclusions.add, "good.example", "x" * 5000)
    await db.write(domain_exclusions.add, "a.example")

    found = await db.read(domain_exclusions.all_exclusions)

    assert [one.domain for one in found] == ["a.example", "good.example"]
    assert found[1].comment == "x" * domain_rules.MAX_COMMENT_LENGTH


@pytest.mark.parametrize("domain", ["", "no domain", "tintype.test", "test"])
async def test_what_is_no_other_server_cannot_be_excluded(db: Database, domain: str) -> None:
    with pytest.raises(Invalid) as refused:
        await db.write(domain_exclusions.add, domain)

    assert refused.value.field == "domain"
    assert await db.read(domain_exclusions.all_exclusions) == []


async def test_adding_one_removes_rules_of_lists_but_not_of_admins(db: Database, alice: Account) -> None:
    for name in ("good.example", "a.good.example", "example", "bad.test"):
        await db.write(rule_of_list, name)
    await db.write(domain_rules.block, "own.good.example")

    await db.write(domain_exclusions.add, "good.example", moderator=alice)

    assert [one.domain for one in await db.read(domain_rules.all_rules)] == ["bad.test", "own.good.example"]
    lifted = [one for one in await db.read(audit_log.entries, Page()) if one.action == "lift"]
    assert {(one.by_name, one.target) for one in lifted} == {
        ("alice", "good.example"),
        ("alice", "a.good.example"),
        ("alice", "example"),
    }


async def test_an_admin_may_block_an_excluded_server(db: Database) -> None:
    await db.write(domain_exclusions.add, "good.example")

    await db.write(domain_rules.block, "good.example")

    assert await db.read(domain_rules.is_blocked, "good.example")


async def test_removing_is_recorded_only_if_there_was_one(db: Database, alice: Account) -> None:
    await db.write(domain_exclusions.add, "good.example", moderator=alice)

    await db.write(domain_exclusions.remove, "GOOD.example.", moderator=alice)
    await db.write(domain_exclusions.remove, "good.example", moderator=alice)

    assert await db.read(domain_exclusions.excluded_among, ["good.example"]) == set()
    actions = [one.action for one in await db.read(audit_log.entries, Page())]
    assert actions == ["include", "exclude"]
