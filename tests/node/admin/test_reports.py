"""Reports: who is meant, which posts, what goes to another server, and what becomes of it."""

from __future__ import annotations

import pytest

from node.accounts import accounts
from node.admin import account_actions, reports
from node.auth import users
from node.database import Database, Writer
from node.errors import Invalid, NotAllowed, NotFound
from node.models.account import Account
from node.moderation import audit_log
from node.paging import Page
from node.posts import posts
from tests.support.people import said
from tests.support.posting import arrives, publish, rita


def staff(tx: Writer, who: Account) -> Account:
    users.create(tx, who, email=f"{who.name}@tintype.test", password_hash="-", role="moderator")
    return who


async def test_only_posts_of_theirs_that_one_may_see_are_in_a_report(
    db: Database, alice: Account, bob: Account, mallory: Account
) -> None:
    def unit(tx: Writer) -> None:
        bad, secret = publish(tx, mallory, "Bad"), publish(tx, mallory, "Secret", visibility="followers")
        other = publish(tx, bob, "Innocent")
        made = reports.report(
            tx, alice, mallory, comment=" Look\x00 ", post_ids=[bad.id, secret.id, other.id, 999]
        )
        found = reports.details(tx, made.id)
        assert (found.report.words, [post.id for post in found.posts]) == ("Look", [bad.id])
        assert (found.by.id, found.target.id, found.report.is_open) == (alice.id, mallory.id, True)
        assert reports.count_open(tx) == 1
        assert said(tx, alice) == []

    await db.write(unit)


@pytest.mark.parametrize("is_forwarded", [True, False])
async def test_another_server_hears_of_it_only_if_that_is_wanted(
    db: Database, alice: Account, is_forwarded: bool
) -> None:
    def unit(tx: Writer) -> None:
        author = rita(tx)
        chosen, _other = arrives(tx, author), arrives(tx, author)
        reports.report(tx, alice, author, comment="Spam", post_ids=[chosen.id], is_forwarded=is_forwarded)
        node = accounts.instance_actor(tx)
        expected = [("Flag", author.uri, {"words": "Spam", "objects": [author.uri, chosen.uri]})]
        assert said(tx, node) == (expected if is_forwarded else [])
        assert said(tx, alice) == []

    await db.write(unit)


async def test_nobody_reports_themselves_the_node_or_too_many_words(db: Database, alice: Account) -> None:
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


async def test_what_is_done_about_a_report_is_written_down(
    db: Database, alice: Account, bob: Account, mallory: Account
) -> None:
    def unit(tx: Writer) -> None:
        judge = staff(tx, bob)
        post = publish(tx, mallory, "Bad")
        first = reports.report(tx, alice, mallory, post_ids=[post.id])
        second = reports.report(tx, alice, mallory)
        unrelated = publish(tx, mallory, "Fine")
        with pytest.raises(NotFound):
            account_actions.delete_reported_post(tx, judge, first.id, unrelated.id)
        with pytest.raises(NotAllowed):
            account_actions.delete_reported_post(tx, alice, first.id, post.id)
        with pytest.raises(NotAllowed):
            reports.close(tx, alice, first.id)
        account_actions.delete_reported_post(tx, judge, first.id, post.id)
        gone = posts.by_id(tx, post.id)
        assert gone is not None
        assert gone.deleted_at is not None
        assert said(tx, mallory)[-1][:2] == ("Delete", post.uri)
        reports.close(tx, judge, first.id)
        reports.close(tx, judge, first.id)
        assert [one.report.id for one in reports.page(tx, Page())] == [second.id]
        account_actions.suspend(tx, judge, mallory)
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


async def test_what_was_closed_long_ago_is_forgotten(db: Database, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        judge, author = staff(tx, bob), rita(tx)
        post = arrives(tx, author)
        old = reports.report(tx, alice, author, post_ids=[post.id])
        waiting = reports.report(tx, alice, author)
        reports.close(tx, judge, old.id)
        closed_at = reports.details(tx, old.id).report.closed_at
        assert closed_at is not None
        reports.clean_up(tx, closed_at + reports.RETENTION_MS + 1)
        with pytest.raises(NotFound):
            reports.details(tx, old.id)
        assert reports.details(tx, waiting.id).report.is_open

    await db.write(unit)
