"""What moderators do about accounts and posts, and who may do it."""

from __future__ import annotations

import dataclasses

import pytest

from node.accounts import accounts
from node.admin import account_actions, reports
from node.auth import access_tokens, sessions, users
from node.database import Database, Writer
from node.errors import Invalid, NotAllowed, NotFound
from node.models.account import Account
from node.moderation import audit_log, domain_rules
from node.paging import Page
from node.posts import posts
from tests.support import people
from tests.support.posting import publish, receive_post, rita


def staff(tx: Writer, account: Account, role: str = "moderator") -> Account:
    users.create(tx, account, email=f"{account.name}@tintype.test", password_hash="-", role=role)
    return account


async def test_only_staff_may_suspend_and_only_an_admin_a_colleague(
    db: Database, alice: Account, bob: Account, mallory: Account
) -> None:
    def given(tx: Writer) -> None:
        staff(tx, alice, "admin")
        staff(tx, bob)
        staff(tx, mallory, "user")

    await db.write(given)

    for moderator, account in ((mallory, bob), (bob, alice), (alice, alice)):
        for action in (account_actions.suspend, account_actions.unsuspend):
            with pytest.raises(NotAllowed):
                await db.write(action, moderator, account)
    await db.write(account_actions.suspend, bob, mallory)
    assert (await db.read(accounts.get, mallory.id)).is_inactive
    await db.write(account_actions.unsuspend, bob, mallory)
    assert not (await db.read(accounts.get, mallory.id)).is_inactive
    await db.write(account_actions.suspend, alice, bob)
    assert await db.read(people.verbs_of, mallory) == ["Update", "Update"]


async def test_a_suspension_ends_sessions_and_tokens_and_closes_reports(
    db: Database, alice: Account, bob: Account, mallory: Account
) -> None:
    def given(tx: Writer) -> tuple[str, str, int]:
        staff(tx, bob)
        staff(tx, mallory, "user")
        report = reports.report(tx, alice, mallory)
        return sessions.start(tx, mallory, ""), access_tokens.create(tx, mallory, {"read"}, "app"), report.id

    session, token, report_id = await db.write(given)

    await db.write(account_actions.suspend, bob, mallory)

    assert await db.read(sessions.by_token, session) is None
    assert await db.read(access_tokens.by_token, token) is None
    closed = (await db.read(reports.details, report_id)).report
    assert closed.closed_by == bob.id


async def test_suspending_and_unsuspending_are_in_the_audit_log(
    db: Database, bob: Account, mallory: Account
) -> None:
    await db.write(staff, bob)
    await db.write(account_actions.suspend, bob, mallory)
    await db.write(account_actions.unsuspend, bob, mallory)

    entries = await db.read(audit_log.entries, Page())
    assert [(one.by_name, one.action, one.target) for one in entries] == [
        ("bob", "unsuspend", "mallory"),
        ("bob", "suspend", "mallory"),
    ]


async def test_a_pending_sign_up_is_not_unsuspended(db: Database, bob: Account, mallory: Account) -> None:
    def given(tx: Writer) -> None:
        staff(tx, bob)
        users.create(tx, mallory, email="m@a.test", password_hash="-", state="pending")
        accounts.set_visible(tx, mallory.id, is_visible=False)

    await db.write(given)

    with pytest.raises(NotAllowed, match="pending"):
        await db.write(account_actions.unsuspend, bob, mallory)

    assert (await db.read(accounts.get, mallory.id)).is_inactive


async def test_a_remote_account_stays_suspended_with_its_server(db: Database, bob: Account) -> None:
    def given(tx: Writer) -> Account:
        staff(tx, bob)
        author = rita(tx)
        account_actions.suspend(tx, bob, author)
        domain_rules.block(tx, "far.example")
        return author

    author = await db.write(given)

    await db.write(account_actions.unsuspend, bob, author)
    assert (await db.read(accounts.get, author.id)).is_inactive

    await db.write(domain_rules.unblock, "far.example")
    assert not (await db.read(accounts.get, author.id)).is_inactive


async def test_only_a_post_that_the_report_names_is_deleted(
    db: Database, alice: Account, bob: Account, mallory: Account
) -> None:
    def unit(tx: Writer) -> None:
        moderator = staff(tx, bob)
        bad, unrelated = publish(tx, mallory, "Bad"), publish(tx, mallory, "Fine")
        report = reports.report(tx, alice, mallory, post_ids=[bad.id])

        with pytest.raises(NotAllowed):
            account_actions.delete_reported_post(tx, alice, report.id, bad.id)
        for report_id, post_id in ((report.id, unrelated.id), (report.id + 1, bad.id), (report.id, 999)):
            with pytest.raises(NotFound):
                account_actions.delete_reported_post(tx, moderator, report_id, post_id)
        account_actions.delete_reported_post(tx, moderator, report.id, bad.id)
        with pytest.raises(NotFound):
            account_actions.delete_reported_post(tx, moderator, report.id, bad.id)

        current = posts.by_ids(tx, [bad.id, unrelated.id])
        assert [current[one.id].deleted_at is None for one in (bad, unrelated)] == [False, True]
        assert people.activities_of(tx, mallory)[-1][:2] == ("Delete", bad.uri)

    await db.write(unit)


async def test_a_remote_post_is_deleted_on_this_node_only(db: Database, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        moderator, author = staff(tx, bob), rita(tx)
        post = receive_post(tx, author)
        report = reports.report(tx, alice, author, post_ids=[post.id])
        before = tx.value("SELECT COUNT(*) FROM outbox")

        account_actions.delete_reported_post(tx, moderator, report.id, post.id)

        current = posts.by_id(tx, post.id)
        assert current is not None
        assert current.deleted_at is not None
        assert tx.value("SELECT COUNT(*) FROM outbox") == before

    await db.write(unit)


async def test_a_remote_account_can_be_suspended(db: Database, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        moderator, author = staff(tx, bob), rita(tx)

        account_actions.suspend(tx, moderator, author)

        assert accounts.get(tx, author.id).is_inactive

    await db.write(unit)


@pytest.mark.parametrize("is_confirmed", [True, False])
async def test_who_deletes_their_own_account_types_its_name_and_is_told_by_mail(
    db: Database, alice: Account, bob: Account, is_confirmed: bool
) -> None:
    def deletes(tx: Writer, typed: str) -> list[str]:
        tx.site = dataclasses.replace(tx.site, sends_mail=True)
        account_actions.delete_own(tx, accounts.get(tx, alice.id), typed)
        return [row["payload"] for row in tx.all("SELECT payload FROM jobs WHERE kind = 'send_mail'")]

    def given(tx: Writer) -> None:
        staff(tx, alice, "user")
        users.set_address(tx, alice, "alice@home.example", is_confirmed=is_confirmed)
        reports.report(tx, bob, alice, comment="Spam")

    await db.write(given)
    with pytest.raises(Invalid):
        await db.write(deletes, "bob")
    assert (await db.read(accounts.get, alice.id)).deleted_at is None

    mails = await db.write(deletes, f" @{alice.full_handle.upper()} ")

    assert [("account_deleted" in one, "alice@home.example" in one) for one in mails] == (
        [(True, True)] if is_confirmed else []
    )
    assert (await db.read(accounts.get, alice.id)).deleted_at is not None
    assert await db.read(reports.count_open) == 0


async def test_the_last_admin_cannot_delete_their_own_account(db: Database, alice: Account) -> None:
    await db.write(staff, alice, "admin")

    with pytest.raises(NotAllowed, match="at least one admin"):
        await db.write(account_actions.delete_own, alice, alice.name)
