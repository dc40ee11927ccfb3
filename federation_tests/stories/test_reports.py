"""A forwarded report reaches the server of the reported account without naming the reporter."""

from __future__ import annotations

from federation_tests.fediverse import Fediverse, Person
from federation_tests.remote_server import RemoteServer
from node.accounts import accounts
from node.admin import reports
from node.admin.reports import ReportDetails
from node.database import Writer
from node.moderation import domain_rules
from node.paging import Page
from node.posts import posts


async def cases(person: Person) -> list[ReportDetails]:
    return await person.node.db.read(reports.page, Page())


async def test_a_forwarded_report_names_the_posts_and_not_the_reporter(fediverse: Fediverse) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    await alice.follows(bob)
    await fediverse.settle()
    bad, fine = await bob.posts("Bad"), await bob.posts("Fine")
    await fediverse.settle()
    known = await alice.finds(bob)

    def unit(tx: Writer) -> None:
        stored = posts.by_uri(tx, bad.uri)
        assert stored is not None
        reporter = accounts.get(tx, alice.id)
        reports.report(tx, reporter, known, comment="This is <bad>", post_ids=[stored.id], is_forwarded=True)
        reports.report(tx, reporter, known, comment="This stays here")

    await alice.node.db.write(unit)
    await fediverse.settle()
    (case,) = await cases(bob)
    assert (case.report.words, case.target.id) == ("This is <bad>", bob.id)
    assert [post.id for post in case.posts] == [bad.id]
    assert case.by.uri == alice.node.site.uri("/actor")
    assert fine.id not in [post.id for post in case.posts]
    assert len(await cases(alice)) == 2


async def test_one_flag_may_name_several_accounts_and_posts_in_any_order(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@a.test")
    one, private = await alice.posts("One"), await alice.posts("Private", visibility="followers")
    other.person("rita")
    flag = other.activity(
        "rita", "Flag", [one.uri, (await bob.account()).uri, private.uri, f"{other.base}/users/rita"]
    )
    del flag["id"]
    assert await other.send(alice.node, "rita", {**flag, "content": "<p>They <b>spam</b></p>"}) == 202
    await fediverse.settle()
    found = {case.target.name: case for case in await cases(alice)}
    assert set(found) == {"alice", "bob"}
    assert [post.id for post in found["alice"].posts] == [one.id]
    assert found["bob"].posts == []
    assert found["bob"].report.words == "They spam"


async def test_reports_of_a_server_can_be_rejected(fediverse: Fediverse, other: RemoteServer) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    other.person("rita")
    flag = other.activity("rita", "Flag", [(await alice.account()).uri])
    await alice.node.db.write(
        lambda tx: domain_rules.block(tx, other.domain, strength="none", rejects_reports=True)
    )
    await other.send(alice.node, "rita", flag)
    await fediverse.settle()
    assert await cases(alice) == []


async def test_a_server_that_sends_too_many_reports_is_ignored_for_a_while(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    other.person("rita")
    target = (await alice.account()).uri
    for _ in range(63):
        await other.send(alice.node, "rita", other.activity("rita", "Flag", [target]))
    await fediverse.settle()
    assert await alice.node.db.read(reports.count_open) <= 60
