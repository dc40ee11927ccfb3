"""The directory of servers: who is counted, in which order, and what a server's own page shows."""

from __future__ import annotations

import pytest

from node.accounts import accounts
from node.admin import server_directory
from node.admin.server_directory import ServerDetails, ServerSummary
from node.database import Database, Writer
from node.errors import Invalid
from node.federation import deliveries, outbox, server_availability
from node.interactions import follows, severed_follows
from node.models.account import Account
from node.moderation import domain_rules
from tests.support.people import remote
from tests.support.posting import follow, receive_post


def deliver(tx: Writer, author: Account, host: str, states: list[str]) -> None:
    """One delivery to this host for each state."""
    for number, state in enumerate(states):
        outbox.record(tx, author, "Update", author.uri)
        activity = outbox.by_id(tx, tx.value("SELECT MAX(id) FROM outbox"))
        assert activity is not None
        deliveries.queue(tx, activity, [(f"https://{host}/inbox/{number}", host)])
        tx.run(
            "UPDATE deliveries SET state = :state WHERE id = (SELECT MAX(id) FROM deliveries)", state=state
        )


async def page(db: Database, **how: str | int) -> list[ServerSummary]:
    return await db.read(server_directory.page, **how)


async def details(db: Database, domain: str) -> ServerDetails:
    return await db.read(server_directory.details, domain)


async def test_servers_are_listed_by_domain_with_their_accounts(db: Database, alice: Account) -> None:
    for name, domain in (("rita", "far.example"), ("kim", "calm.example"), ("ron", "far.example")):
        await db.write(remote, name, domain)

    found = await page(db)

    assert [(one.domain, one.people) for one in found] == [("calm.example", 1), ("far.example", 2)]


async def test_a_page_goes_on_behind_the_last_domain(db: Database) -> None:
    for number in range(5):
        await db.write(remote, "rita", f"s{number}.example")

    first = await page(db, limit=2)
    second = await page(db, limit=2, after=first[-1].domain)

    assert [one.domain for one in first + second] == [f"s{number}.example" for number in range(4)]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("LOUD", ["xn--lud-sna.loud.example"]),
        ("löud", ["xn--lud-sna.loud.example"]),
        ("%", []),
        ("_", []),
        ("  ", ["calm.example", "xn--lud-sna.loud.example"]),
    ],
)
async def test_a_query_matches_part_of_a_domain_literally(db: Database, query: str, found: list[str]) -> None:
    for domain in ("calm.example", "xn--lud-sna.loud.example"):
        await db.write(remote, "rita", domain)

    assert [one.domain for one in await page(db, query=query)] == found


async def test_a_row_shows_policy_and_deliveries(db: Database, alice: Account) -> None:
    await db.write(remote, "rita", "far.example")
    await db.write(domain_rules.block, "example", strength="limit")
    await db.write(deliver, alice, "far.example", ["delivered", "failed", "gone", "waiting", "delivered"])
    await db.write(server_availability.record_failure, "far.example", "no answer")

    [row] = await page(db)

    assert row.policy.strength == "limit"
    assert (row.health.delivered, row.health.waiting, row.health.failed) == (2, 1, 2)
    assert row.health.host is not None
    assert row.health.host.failures == 1


async def test_failing_servers_come_first_failed_first_even_without_accounts(db: Database) -> None:
    await db.write(remote, "rita", "b.example")
    for host in ("b.example", "a.example", "well.example"):
        await db.write(server_availability.record_failure, host, "no answer")
    await db.write(
        lambda tx: tx.run("UPDATE hosts SET failing_since = failing_since - 9 WHERE host = 'b.example'")
    )
    await db.write(server_availability.record_success, ["well.example"])

    found = await db.read(server_directory.failing)

    assert [(one.domain, one.people) for one in found] == [("b.example", 1), ("a.example", 0)]


async def test_details_include_domains_under_the_server(db: Database) -> None:
    def given(tx: Writer) -> None:
        receive_post(tx, remote(tx, "rita", "far.example"))
        receive_post(tx, remote(tx, "kim", "www.far.example"))
        receive_post(tx, remote(tx, "ron", "notfar.example"))

    await db.write(given)

    found = await details(db, "FAR.example")

    assert (found.domain, found.people, found.posts) == ("far.example", 2, 2)
    assert {host for host, _ in found.health} == {"far.example", "www.far.example"}


async def test_details_tell_the_own_rule_from_the_one_that_applies(db: Database) -> None:
    await db.write(domain_rules.block, "example", strength="limit")
    await db.write(domain_rules.allow, "far.example")

    found = await details(db, "a.far.example")

    assert found.rule is None
    assert found.effective_rule is not None
    assert found.effective_rule.domain == "example"
    assert (found.policy.strength, found.allowed_by) == ("limit", "far.example")


async def test_details_count_follows_in_both_directions(db: Database, alice: Account, bob: Account) -> None:
    def given(tx: Writer) -> None:
        rita = remote(tx)
        follow(tx, rita, alice)
        follow(tx, alice, rita)
        follow(tx, bob, rita)
        ended = follows.remove_silently(tx, bob, rita)
        assert ended is not None
        severed_follows.record(tx, ended)

    await db.write(given)

    counts = (await details(db, "far.example")).follow_counts
    assert (counts.followers, counts.following, counts.severed) == (1, 1, 1)


async def test_details_show_the_most_followed_accounts(db: Database, alice: Account, bob: Account) -> None:
    def given(tx: Writer) -> None:
        people = [remote(tx, f"r{number:02}") for number in range(server_directory.MAX_SHOWN + 2)]
        follow(tx, alice, people[7])
        follow(tx, bob, people[7])
        follow(tx, bob, people[5])
        accounts.mark_deleted(tx, people[0].id)

    await db.write(given)

    shown = [one.name for one in (await details(db, "far.example")).top_accounts]
    assert len(shown) == server_directory.MAX_SHOWN
    assert shown[:3] == ["r07", "r05", "r01"]


async def test_an_unknown_server_has_an_empty_page_of_its_own(db: Database) -> None:
    found = await details(db, "unknown.example")

    assert (found.people, found.posts, found.rule, found.allowed_by, found.top_accounts) == (
        0,
        0,
        None,
        None,
        [],
    )
    assert [host for host, _ in found.health] == ["unknown.example"]


@pytest.mark.parametrize("domain", ["", "no domain", "tintype.test", "test", "https://tintype.test"])
async def test_what_is_no_other_server_has_no_page(db: Database, domain: str) -> None:
    with pytest.raises(Invalid):
        await details(db, domain)


async def test_accounts_of_other_servers_are_found_by_name_and_by_handle(
    db: Database, alice: Account
) -> None:
    def given(tx: Writer) -> None:
        for name, domain in (("rita", "far.example"), ("Rita", "near.example"), ("rob", "far.example")):
            remote(tx, name, domain)
        accounts.set_visible(tx, remote(tx, "rita", "loud.example").id, is_visible=False)

    await db.write(given)

    async def found(text: str) -> set[str]:
        return {one.handle for one in await db.read(server_directory.accounts_by_name, text)}

    assert await found(" RITA ") == {"rita@far.example", "Rita@near.example", "rita@loud.example"}
    assert await found("@rita@loud.example") == {"rita@loud.example"}
    assert await found("alice") == await found("") == await found("ri") == set()
