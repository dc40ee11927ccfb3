"""Block lists: drafts, automatic lists, dropped entries, and what a list must never change."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from node.accounts import relationships
from node.database import Database, Writer
from node.errors import Conflict, Invalid, NotFound
from node.models.account import Account
from node.moderation import block_list_csv, block_list_entries, block_lists, domain_exclusions, domain_rules
from node.moderation.block_list_entries import BlockList
from tests.support.people import remote
from tests.support.posting import follow

OWN = ["tintype.test"]
URL = "https://lists.example/block.csv"


def subscribed(tx: Writer, url: str = URL, **how: bool) -> BlockList:
    return block_lists.subscribe(tx, url, **how)


def merge(tx: Writer, block_list: BlockList, *lines: str) -> None:
    """The list is fetched with these lines."""
    parsed = block_list_csv.parse("\n".join(lines).encode(), OWN)
    block_list_entries.merge(
        tx, block_lists.get(tx, block_list.id), parsed.entries, is_complete=parsed.is_complete
    )


async def waiting(db: Database, block_list: BlockList) -> list[tuple[str, str]]:
    found = await db.read(block_list_entries.pending, block_list.id)
    return [(draft.entry.domain, draft.entry.state) for draft in found]


async def rules(db: Database) -> dict[str, str]:
    return {rule.domain: rule.strength for rule in await db.read(domain_rules.all_rules)}


async def test_new_entries_wait_for_an_admin(db: Database, alice: Account) -> None:
    block_list = await db.write(subscribed)
    await db.write(merge, block_list, "a.example", "b.example", "c.example,silence")
    assert await rules(db) == {}
    assert [name for name, _ in await waiting(db, block_list)] == ["a.example", "b.example", "c.example"]

    assert (
        await db.write(
            block_lists.accept_entries,
            block_list.id,
            ["A.example", "c.example", "x.example"],
            moderator=alice,
        )
        == 2
    )
    assert await db.write(block_lists.decline_entries, block_list.id, ["b.example"], moderator=alice) == 1
    assert await rules(db) == {"a.example": "suspend", "c.example": "limit"}
    assert await waiting(db, block_list) == []

    # What was declined is not proposed again, and what was applied is not applied twice.
    await db.write(merge, block_list, "a.example", "b.example", "c.example,silence")
    assert await waiting(db, block_list) == []


async def test_an_automatic_list_is_applied_at_once(db: Database) -> None:
    block_list = await db.write(subscribed, is_automatic=True)
    await db.write(merge, block_list, "a.example", "b.example,silence")
    assert await rules(db) == {"a.example": "suspend", "b.example": "limit"}

    await db.write(merge, block_list, "b.example,suspend", "c.example,noop")
    assert await rules(db) == {"b.example": "suspend", "c.example": "none"}
    assert await waiting(db, block_list) == []


async def test_even_an_automatic_list_ends_no_follow_without_an_admin(db: Database, alice: Account) -> None:
    rita = await db.write(remote, "rita", "www.far.example")
    await db.write(follow, alice, rita)
    block_list = await db.write(subscribed, is_automatic=True)

    await db.write(merge, block_list, "far.example", "loud.example", "example.org,silence")
    assert await rules(db) == {"loud.example": "suspend", "example.org": "limit"}
    (draft,) = await db.read(block_list_entries.pending, block_list.id)
    assert (draft.entry.domain, draft.follows_count) == ("far.example", 1)
    assert await db.read(relationships.follow_between, alice, rita) is not None

    # Accepting all safe entries leaves it waiting; accepting it by name applies it.
    assert await db.write(block_lists.accept_entries, block_list.id, None, moderator=alice) == 0
    assert await db.write(block_lists.accept_entries, block_list.id, ["far.example"], moderator=alice) == 1
    assert "far.example" in await rules(db)


async def test_dropped_entries_are_proposed_for_removal(db: Database, alice: Account) -> None:
    block_list = await db.write(subscribed)
    await db.write(merge, block_list, "a.example", "b.example", "c.example")
    await db.write(block_lists.accept_entries, block_list.id, ["a.example", "b.example"], moderator=alice)

    await db.write(merge, block_list, "d.example")
    assert await waiting(db, block_list) == [
        ("a.example", "dropped"),
        ("b.example", "dropped"),
        ("d.example", "draft"),
    ]
    await db.write(block_lists.accept_entries, block_list.id, ["a.example"], moderator=alice)
    await db.write(block_lists.decline_entries, block_list.id, ["b.example"], moderator=alice)
    (kept,) = await db.read(domain_rules.all_rules)
    assert (kept.domain, kept.list_id) == ("b.example", None)

    # It was kept as the admin's own decision, which the list does not change any more.
    await db.write(merge, block_list, "b.example,silence", "d.example")
    assert await rules(db) == {"b.example": "suspend"}


async def test_a_list_that_drops_most_of_its_entries_waits_for_an_admin(db: Database) -> None:
    block_list = await db.write(subscribed, is_automatic=True)
    names = [f"a{n:02}.example" for n in range(50)]
    await db.write(merge, block_list, *names)
    await db.write(merge, block_list, *names[:40])
    assert len(await rules(db)) == 40

    await db.write(merge, block_list, names[0])
    assert len(await rules(db)) == 40
    assert len(await waiting(db, block_list)) == 39


@pytest.mark.parametrize(
    "broken",
    [
        'a.example,suspend,"unfinished\nb.example,suspend,\nc.example,suspend,',
        "a.example,suspend,\nb.example,block,\nc.example,suspend,",
    ],
)
async def test_what_cannot_be_parsed_lifts_no_block(db: Database, broken: str) -> None:
    block_list = await db.write(subscribed, is_automatic=True)
    head = "domain,severity,public_comment"
    names = ["a.example", "b.example", "c.example"]
    await db.write(merge, block_list, head, *(f"{name},suspend," for name in names))
    await db.write(merge, block_list, head, broken)
    assert await rules(db) == dict.fromkeys(names, "suspend")
    # As soon as it can be parsed again, nothing waits.
    await db.write(merge, block_list, head, *(f"{name},suspend," for name in names))
    assert await waiting(db, block_list) == []


async def test_an_admins_own_decision_is_never_changed_by_a_list(db: Database, alice: Account) -> None:
    await db.write(domain_rules.block, "a.example", strength="limit", private_comment="we talked")
    block_list = await db.write(subscribed, is_automatic=True)
    await db.write(merge, block_list, "a.example", "b.example")
    assert await rules(db) == {"a.example": "limit", "b.example": "suspend"}

    # A lifted rule stays lifted; a changed one is the admin's own from then on.
    await db.write(domain_rules.unblock, "a.example", moderator=alice)
    await db.write(domain_rules.block, "b.example", strength="limit")
    await db.write(merge, block_list, "a.example", "b.example", "c.example")
    assert await rules(db) == {"b.example": "limit", "c.example": "suspend"}
    await db.write(merge, block_list, "c.example")
    assert await rules(db) == {"b.example": "limit", "c.example": "suspend"}


async def test_an_excluded_server_is_never_blocked_by_a_list(db: Database) -> None:
    await db.write(domain_exclusions.add, "good.example", "friends")
    await db.write(domain_exclusions.add, "sub.big.example")
    block_list = await db.write(subscribed, is_automatic=True)
    await db.write(merge, block_list, "good.example", "a.good.example", "big.example", "bad.example")
    assert await rules(db) == {"bad.example": "suspend"}

    await db.write(domain_exclusions.add, "bad.example")
    assert await rules(db) == {}
    await db.write(block_lists.remove_exclusion, "bad.example")
    await db.write(merge, block_list, "bad.example")
    assert (
        await waiting(db, block_list) == []
    )  # adding the exclusion has lifted it, and that counts as a decision


async def test_a_rule_on_two_lists_outlives_one_of_them(db: Database) -> None:
    one = await db.write(subscribed, is_automatic=True)
    other = await db.write(subscribed, "https://lists.example/other.csv", is_automatic=True)
    await db.write(merge, one, "a.example", "x.example")
    await db.write(merge, other, "a.example,silence", "y.example")
    assert await rules(db) == {"a.example": "suspend", "x.example": "suspend", "y.example": "suspend"}

    await db.write(merge, one, "x.example")
    assert (await rules(db))["a.example"] == "limit"
    await db.write(block_lists.unsubscribe, other.id)
    assert await rules(db) == {"x.example": "suspend"}
    await db.write(block_lists.unsubscribe, one.id, keeps_rules=True)
    (kept,) = await db.read(domain_rules.all_rules)
    assert kept.list_id is None
    with pytest.raises(NotFound):
        await db.read(block_lists.get, one.id)


async def test_an_imported_file_waits_and_is_deleted_once_decided(db: Database, alice: Account) -> None:
    await db.write(domain_rules.block, "a.example", strength="limit", private_comment="we talked")
    await db.write(domain_rules.block, "same.example")
    parsed = block_list_csv.parse(b"a.example\nb.example\nsame.example\nc.example\ncom\n", OWN)
    block_list = await db.write(block_lists.import_file, "blocks.csv", parsed, moderator=alice)
    assert [problem.text for problem in block_list.invalid_lines] == ["com"]
    assert await waiting(db, block_list) == [
        ("a.example", "changed"),
        ("b.example", "draft"),
        ("c.example", "draft"),
    ]

    await db.write(block_lists.accept_entries, block_list.id, ["a.example", "b.example"], moderator=alice)
    rule = await db.read(domain_rules.by_domain, "a.example")
    assert rule is not None
    assert (rule.strength, rule.private_comment, rule.list_id) == ("suspend", "we talked", None)
    await db.write(block_lists.decline_entries, block_list.id, ["c.example"], moderator=alice)
    assert await db.read(block_lists.all_lists) == []
    assert set(await rules(db)) == {"a.example", "b.example", "same.example"}


@pytest.mark.parametrize(
    "url", ["", "http://a.example/x", "https://", "ftp://a.example", "https://a.example/" + "x" * 3000, "x"]
)
async def test_only_an_https_url_can_be_subscribed_to(db: Database, url: str) -> None:
    with pytest.raises(Invalid):
        await db.write(subscribed, url)


async def test_a_list_is_subscribed_to_once(db: Database) -> None:
    await db.write(subscribed)
    with pytest.raises(Conflict):
        await db.write(subscribed)


async def test_unsubscribing_restores_the_follows_that_a_list_ended(
    db: Database, alice: Account, settle: Callable[[], Awaitable[int]]
) -> None:
    rita = await db.write(remote, "rita", "far.example")
    await db.write(follow, alice, rita)
    await settle()
    block_list = await db.write(subscribed)
    await db.write(merge, block_list, "far.example")
    await db.write(block_lists.accept_entries, block_list.id, ["far.example"], moderator=alice)
    await db.write(lambda tx: tx.run("DELETE FROM jobs WHERE kind = 'fetch_list'"))
    await settle()
    assert await db.read(relationships.follow_between, alice, rita) is None

    await db.write(block_lists.unsubscribe, block_list.id, moderator=alice)
    await settle()
    assert await db.read(relationships.follow_between, alice, rita) is not None
