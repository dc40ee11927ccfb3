"""Reports: which posts they hold, what is forwarded to another server, and how they are closed."""

from __future__ import annotations

import pytest

from node.accounts import accounts
from node.admin import account_actions, reports
from node.auth import users
from node.database import Database, Writer
from node.errors import Invalid, NotAllowed, NotFound, TooManyRequests
from node.models.account import Account
from node.moderation import audit_log
from node.paging import Page
from tests.support.people import activities_of, remote
from tests.support.posting import publish, receive_post, rita


def staff(tx: Writer, account: Account) -> Account:
    users.create(tx, account, email=f"{account.name}@tintype.test", password_hash="-", role="moderator")
    return account


async def test_a_report_holds_only_visible_posts_of_its_target(
    db: Database, alice: Account, bob: Account, mallory: Account
) -> None:
    def unit(tx: Writer) -> None:
        bad, secret = publish(tx, mallory, "Bad"), publish(tx, mallory, "Secret", visibility="followers")
        other = publish(tx, bob, "Innocent")
        report = reports.report(
            tx, alice, mallory, comment=" Look\x00 ", post_ids=[bad.id, secret.id, other.id, 999]
        )
        found = reports.details(tx, report.id)
        assert (found.report.words, [post.id for post in found.posts]) == ("Look", [bad.id])
        assert (found.by.id, found.target.id, found.report.is_open) == (alice.id, mallory.id, True)
        assert reports.count_open(tx) == 1
        assert activities_of(tx, alice) == []

    await db.write(unit)


@pytest.mark.parametrize("is_forwarded", [True, False])
async def test_a_report_is_forwarded_only_on_request(
    db: Database, alice: Account, is_forwarded: bool
) -> None:
    def unit(tx: Writer) -> None:
        author = rita(tx)
        chosen, _other = receive_post(tx, author), receive_post(tx, author)
        reports.report(tx, alice, author, comment="Spam", post_ids=[chosen.id], is_forwarded=is_forwarded)
        node = accounts.instance_actor(tx)
        expected = [("Flag", author.uri, {"words": "Spam", "objects": [author.uri, chosen.uri]})]
        assert activities_of(tx, node) == (expected if is_forwarded else [])
        assert activities_of(tx, alice) == []

    await db.write(unit)


async def test_a_report_of_oneself_the_node_or_with_a_long_comment_is_refused(
    db: Database, alice: Account
) -> None:
    def unit(tx: Writer) -> None:
        with pytest.raises(Invalid):
            reports.report(tx, alice, alice)
        with pytest.raises(NotFound):
            reports.report(tx, alice, accounts.instance_actor(tx))
        with pytest.raises(Invalid):
            reports.report(tx, alice, rita(tx), comment="x" * 1001)
        with pytest.raises(Invalid):
            reports.report(tx, alice, rita(tx), category="revenge")

    await db.write(unit)


async def test_one_reporter_and_one_server_have_only_so_many_open_reports(
    db: Database, alice: Account, bob: Account, mallory: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "MAX_OPEN_PER_REPORTER", 1)
    monkeypatch.setattr(reports, "MAX_OPEN_PER_SERVER", 2)
    first = await db.write(reports.report, mallory, alice)

    with pytest.raises(TooManyRequests, match="still working"):
        await db.write(reports.report, mallory, bob)
    await db.write(reports.close, await db.write(staff, alice), first.id)
    await db.write(reports.report, mallory, bob)

    for name in ("rita", "rob"):
        await db.write(lambda tx, name=name: reports.receive(tx, remote(tx, name), bob, "", []))
    with pytest.raises(TooManyRequests):
        await db.write(lambda tx: reports.receive(tx, remote(tx, "ruth"), bob, "", []))
    await db.write(lambda tx: reports.receive(tx, remote(tx, "ruth", "other.example"), bob, "", []))


async def test_what_is_done_about_a_report_is_in_the_audit_log(
    db: Database, alice: Account, bob: Account, mallory: Account
) -> None:
    def unit(tx: Writer) -> None:
        moderator = staff(tx, bob)
        post = publish(tx, mallory, "Bad")
        first = reports.report(tx, alice, mallory, post_ids=[post.id])
        second = reports.report(tx, alice, mallory)
        with pytest.raises(NotAllowed):
            reports.close(tx, alice, first.id)
        account_actions.delete_reported_post(tx, moderator, first.id, post.id)
        reports.close(tx, moderator, first.id)
        reports.close(tx, moderator, first.id)
        assert [one.report.id for one in reports.page(tx, Page())] == [second.id]
        account_actions.suspend(tx, moderator, mallory)
        assert reports.count_open(tx) == 0
        closed = reports.page(tx, Page(), is_open=False)
        assert [
            (one.report.id, one.closed_by.name, one.other_reports_count) for one in closed if one.closed_by
        ] == [
            (second.id, "bob", 1),
            (first.id, "bob", 1),
        ]
        assert [line.action for line in audit_log.entries(tx, Page())] == [
            "suspend",
            "close-report",
            "delete-post",
        ]

    await db.write(unit)


async def test_reports_closed_over_a_year_ago_are_deleted(db: Database, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        moderator, author = staff(tx, bob), rita(tx)
        post = receive_post(tx, author)
        old = reports.report(tx, alice, author, post_ids=[post.id])
        waiting = reports.report(tx, alice, author)
        reports.close(tx, moderator, old.id)
        closed_at = reports.details(tx, old.id).report.closed_at
        assert closed_at is not None
        reports.clean_up(tx, closed_at + reports.RETENTION_MS + 1)
        with pytest.raises(NotFound):
            reports.details(tx, old.id)
        assert reports.details(tx, waiting.id).report.is_open

    await db.write(unit)


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("plain <3", "plain <3"),
        ("<p>Rude &amp; <b>loud</b><script>x()</script></p>", "Rude & loud"),
        ("  spaces\x00 ", "spaces"),
        ("x" * 9000, "x" * reports.MAX_REMOTE_COMMENT_LENGTH),
    ],
)
async def test_the_comment_of_a_remote_server_is_cleaned_and_cut(
    db: Database, alice: Account, sent: str, stored: str
) -> None:
    def unit(tx: Writer) -> None:
        report = reports.receive(tx, rita(tx), alice, sent, [])

        assert (report.words, report.category, report.is_forwarded) == (stored, "other", False)

    await db.write(unit)


async def test_a_report_of_a_remote_server_holds_only_posts_of_its_target(
    db: Database, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> None:
        chosen = [publish(tx, alice, f"{number}") for number in range(reports.MAX_POSTS + 2)]

        report = reports.receive(tx, rita(tx), alice, "", [publish(tx, bob), *chosen])

        found = reports.details(tx, report.id)
        assert [post.id for post in found.posts] == [post.id for post in chosen[: reports.MAX_POSTS]]

    await db.write(unit)
