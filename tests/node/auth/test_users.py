"""Users: e-mail addresses, login names, preferences, and what staff may do to whom."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from node.auth import users
from node.database import Database, Writer
from node.errors import Conflict, Invalid, NotAllowed, NotFound
from node.models.account import Account
from node.models.audience import VISIBILITIES
from node.paging import Page


@pytest.fixture
async def user(db: Database, alice: Account) -> users.User:
    return await db.write(users.create, alice, email="alice@a.test", password_hash="x")


@pytest.fixture
async def staff(db: Database, alice: Account, bob: Account, mallory: Account) -> None:
    """alice is an admin, bob a moderator, mallory a user."""

    def unit(tx: Writer) -> None:
        users.create(tx, alice, email="a@a.test", password_hash="x", role="admin")
        users.create(tx, bob, email="b@a.test", password_hash="x", role="moderator")
        users.create(tx, mallory, email="m@a.test", password_hash="x")

    await db.write(unit)


async def test_an_address_may_be_of_several_users_and_the_oldest_is_found_first(
    db: Database, user: users.User, bob: Account
) -> None:
    await db.write(partial(users.create, email="ALICE@a.test", password_hash="y"), bob)

    found = await db.read(users.all_by_login, "alice@A.test")
    assert [(one.account.name, one.password_hash) for one in found] == [("alice", "x"), ("bob", "y")]
    assert [one.account.name for one in await db.read(users.all_by_login, "bob")] == ["bob"]
    with pytest.raises(Conflict):
        await db.write(partial(users.create, email="other@a.test", password_hash="z"), bob)


async def test_an_unknown_role_is_refused(db: Database, alice: Account) -> None:
    with pytest.raises(Invalid) as refused:
        await db.write(users.create, alice, email="a@a.test", password_hash="x", role="owner")

    assert refused.value.field == "role"


@pytest.mark.parametrize(
    "login", ["alice", " @Alice ", "ALICE@A.test", "alice@tintype.test", "alice@TINTYPE.test"]
)
async def test_a_user_is_found_by_name_handle_and_e_mail(db: Database, user: users.User, login: str) -> None:
    found = await db.read(users.by_login, login)

    assert found is not None
    assert (found.account.name, found.user, found.password_hash) == ("alice", user, "x")


@pytest.mark.parametrize("login", ["", "@", "bob", "alice@far.example", "%", "alice'--"])
async def test_an_unknown_login_finds_nobody(db: Database, user: users.User, login: str) -> None:
    assert await db.read(users.by_login, login) is None


async def test_preferences_change_one_by_one(db: Database, alice: Account, user: users.User) -> None:
    await db.write(users.set_preferences, alice, theme="dark")
    await db.write(users.set_preferences, alice, default_visibility="followers", language="de")
    with pytest.raises(Invalid):
        await db.write(users.set_preferences, alice, theme="plaid")

    kept = await db.read(users.by_account, alice)
    assert kept is not None
    assert (kept.theme, kept.default_visibility, kept.language) == ("dark", "followers", "de")


async def test_every_visibility_of_a_post_can_be_the_default(
    db: Database, alice: Account, user: users.User
) -> None:
    for visibility in VISIBILITIES:
        await db.write(users.set_preferences, alice, default_visibility=visibility)
    with pytest.raises(Invalid, match="public, unlisted, followers, direct"):
        await db.write(users.set_preferences, alice, default_visibility="private")


async def test_notifications_are_never_marked_unread_again(
    db: Database, alice: Account, user: users.User
) -> None:
    await db.write(users.mark_notifications_read, alice.id, 7)
    await db.write(users.mark_notifications_read, alice.id, 3)

    found = await db.read(users.by_account, alice)
    assert found is not None
    assert found.notifications_read_id == 7


async def test_a_password_is_set_only_for_an_account_that_can_sign_in(
    db: Database, user: users.User, alice: Account, bob: Account
) -> None:
    await db.write(users.set_password, alice.id, "new")
    with pytest.raises(NotFound):
        await db.write(users.set_password, bob.id, "new")

    assert await db.read(users.password_hash, alice.id) == "new"
    assert await db.read(users.password_hash, bob.id) is None


@pytest.mark.usefixtures("staff")
async def test_only_staff_moderate_and_only_admins_moderate_staff(
    db: Database, alice: Account, bob: Account, mallory: Account
) -> None:
    allowed = {(alice, bob), (alice, mallory), (bob, mallory)}
    for actor in (alice, bob, mallory):
        for target in (alice, bob, mallory):
            if (actor, target) in allowed:
                await db.read(users.check_may_moderate, actor, target)
            else:
                with pytest.raises(NotAllowed):
                    await db.read(users.check_may_moderate, actor, target)


@pytest.mark.usefixtures("staff")
async def test_only_an_admin_changes_roles_and_the_last_admin_stays(
    db: Database, alice: Account, bob: Account, mallory: Account
) -> None:
    with pytest.raises(NotAllowed, match="Only an admin"):
        await db.write(users.set_role, bob, mallory, "moderator")
    for actor in (alice, None):
        with pytest.raises(NotAllowed, match="at least one admin"):
            await db.write(users.set_role, actor, alice, "user")

    await db.write(users.set_role, alice, bob, "admin")
    await db.write(users.set_role, bob, alice, "user")

    assert [one.account.name for one in await db.read(users.staff)] == ["bob"]


@pytest.mark.usefixtures("staff")
async def test_users_are_listed_newest_first_by_state_role_and_text(
    db: Database, alice: Account, bob: Account, mallory: Account
) -> None:
    async def names(page: Page | None = None, **filters: str) -> list[str]:
        found = await db.read(users.list_users, page or Page(), **filters)
        return [user.account.name for user in found]

    assert await names() == ["mallory", "bob", "alice"]
    assert await names(Page(limit=1, max_id=mallory.id)) == ["bob"]
    assert await names(role="moderator") == ["bob"]
    assert await names(state="pending") == []
    assert await names(query=" MALL") == ["mallory"]
    assert await names(query="b@a.test") == ["bob"]
    assert await names(query="%") == []


@pytest.mark.usefixtures("staff")
async def test_counts_include_states_without_users(db: Database, bob: Account) -> None:
    await db.write(users.mark_seen, bob.id)

    assert await db.read(users.counts_by_state) == {"active": 3, "pending": 0, "disabled": 0}
    assert await db.read(users.count_active_since, 0) == 1


async def test_two_admins_who_demote_each_other_at_once_leave_one(
    db: Database, staff: None, alice: Account, bob: Account
) -> None:
    for _ in range(10):
        await db.write(users.set_role, None, alice, "admin")
        await db.write(users.set_role, None, bob, "admin")

        await asyncio.gather(
            db.write(users.set_role, alice, bob, "user"),
            db.write(users.set_role, bob, alice, "user"),
            return_exceptions=True,
        )

        roles = [await db.read(users.by_account, one) for one in (alice, bob)]
        assert sorted(user.role for user in roles if user) == ["admin", "user"]
