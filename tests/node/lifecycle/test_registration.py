from __future__ import annotations

import dataclasses
import time
from functools import partial

import pytest

from node import settings
from node.accounts import accounts
from node.accounts.keys import KeyPair
from node.auth import invites, passwords, sessions, sign_in_limits, sign_ups, signing_in, users
from node.config import RegistrationOptions
from node.database import Database, Writer
from node.errors import Conflict, Invalid, NotAllowed, NotFound, TooManyRequests
from node.ids import now_ms
from node.lifecycle import registration
from node.models.account import Account
from node.node import Node
from node.paging import Page
from tests.support import people

PASSWORD = "a lake in the morning"


@pytest.fixture
async def admin(db: Database, pairs: dict[str, KeyPair]) -> Account:
    def unit(tx: Writer) -> Account:
        user = registration.create_user(
            tx, name="ada", email="ada@a.test", password_hash="x", pair=pairs["alice"], role="admin"
        )
        return accounts.get(tx, user.account_id)

    return await db.write(unit)


def in_mode(node: Node, mode: str) -> Node:
    options = dataclasses.replace(node.config, registration=RegistrationOptions(mode=mode))  # type: ignore[arg-type]
    return dataclasses.replace(node, config=options)


async def sign_up(node: Node, name: str = "bob", **more: str) -> users.User:
    form = {"email": f"{name}@a.test", "password": PASSWORD, "address": "192.0.2.1"} | more
    return await registration.register(node, name=name, **form)


async def test_signing_up_on_an_open_node_and_in_again(node: Node, admin: Account) -> None:
    user = await sign_up(node, email=" Bob@A.Test ", language="de")

    assert (user.state, user.role, user.email, user.language) == ("active", "user", "Bob@a.test", "de")
    assert await node.db.read(people.notifications_of, admin) == [("sign_up", user.account_id)]
    for login in ("bob", "@BOB", "bob@a.test", "BOB@a.test", f"bob@{node.site.domain}"):
        token = await signing_in.sign_in(node, login, PASSWORD, address="192.0.2.1", user_agent="Test")
        found = await node.db.read(sessions.by_token, token)
        assert found is not None
        assert found[0].name == "bob"


@pytest.mark.parametrize(
    ("field", "form"),
    [
        ("name", {"name": "admin"}),
        ("email", {"email": "bob"}),
        ("email", {"email": "bob@a b"}),
        ("email", {"email": "x" * 250 + "@a.test"}),
        ("password", {"password": "1234567"}),
        ("password", {"password": "x" * 257}),
        ("password", {"password": "bob@a.test"}),
    ],
)
async def test_what_cannot_be_used_is_refused_with_its_field(
    node: Node, admin: Account, field: str, form: dict[str, str]
) -> None:
    with pytest.raises(Invalid) as refused:
        await sign_up(node, **form)

    assert refused.value.field == field


async def test_a_name_is_used_once(node: Node, admin: Account) -> None:
    await sign_up(node)

    with pytest.raises(Conflict, match="name"):
        await sign_up(node, "BOB", email="other@a.test")


async def _signs_in(node: Node, login: str, password: str) -> str:
    token = await signing_in.sign_in(node, login, password, address="192.0.2.9", user_agent="Test")
    found = await node.db.read(sessions.by_token, token)
    assert found is not None
    return found[0].name


async def test_a_sign_up_does_not_tell_whether_an_address_is_registered(node: Node, admin: Account) -> None:
    await sign_up(node)
    stranger = "a guess at an address"

    taken = await sign_up(node, "rob", email="BOB@A.TEST", password=stranger)
    fresh = await sign_up(node, "rod", email="fresh@a.test", password=stranger)

    assert (taken.state, taken.role) == (fresh.state, fresh.role)
    # Each signs in by the address with their own password, so signing in does not tell either.
    assert await _signs_in(node, "bob@a.test", PASSWORD) == "bob"
    assert await _signs_in(node, "bob@a.test", stranger) == "rob"
    assert await _signs_in(node, "fresh@a.test", stranger) == "rod"
    with pytest.raises(Invalid):
        await _signs_in(node, "bob@a.test", "neither of the two")


async def test_an_admin_is_told_that_an_address_is_registered(
    node: Node, admin: Account, pairs: dict[str, KeyPair]
) -> None:
    await sign_up(node)
    values = {"email": "Bob@A.test", "password_hash": "-", "pair": pairs["alice"]}
    with pytest.raises(Conflict, match="e-mail"):
        await node.db.write(partial(registration.create_user, name="rob", **values))  # type: ignore[arg-type]


async def test_with_approval_a_new_account_is_hidden_until_approved(node: Node, admin: Account) -> None:
    node = in_mode(node, "approval")
    with pytest.raises(Invalid) as refused:
        await sign_up(node)
    assert refused.value.field == "reason"
    with pytest.raises(Invalid) as too_long:
        await sign_up(node, reason="x" * 1001)
    assert too_long.value.field == "reason"
    user = await sign_up(node, reason="I take photos of lakes")
    bob = await node.db.read(accounts.get, user.account_id)

    assert user.state == "pending"
    assert bob.is_inactive
    with pytest.raises(NotAllowed, match="pending"):
        await signing_in.sign_in(node, "bob", PASSWORD, address="192.0.2.1", user_agent="")
    assert [one.account.name for one in await node.db.read(users.list_users, Page(), state="pending")] == [
        "bob"
    ]

    await node.db.write(users.approve, admin, bob)

    assert not (await node.db.read(accounts.get, bob.id)).is_inactive
    assert await signing_in.sign_in(node, "bob", PASSWORD, address="192.0.2.1", user_agent="")


async def test_a_rejected_sign_up_leaves_nothing(node: Node, admin: Account) -> None:
    node = in_mode(node, "approval")
    user = await sign_up(node, reason="Please")
    bob = await node.db.read(accounts.get, user.account_id)
    with pytest.raises(NotAllowed):
        await node.db.write(users.reject, bob, bob)

    await node.db.write(users.reject, admin, bob)

    assert await node.db.read(accounts.by_id, bob.id) is None
    assert await node.db.read(people.notifications_of, admin) == []
    again = await sign_up(node, reason="Please, once more")
    assert again.state == "pending"
    await node.db.write(users.approve, admin, await node.db.read(accounts.get, again.account_id))
    with pytest.raises(NotFound):
        await node.db.write(users.reject, admin, await node.db.read(accounts.get, again.account_id))


async def test_who_was_rejected_is_told_so_with_the_right_password_for_a_month(
    node: Node, admin: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = in_mode(node, "approval")
    user = await sign_up(node, reason="Please")
    await node.db.write(
        users.reject, admin, await node.db.read(accounts.get, user.account_id), " Not a person. "
    )

    for login in ("bob", "BOB@a.test", "@bob@tintype.test"):
        with pytest.raises(sign_ups.SignUpRejected, match="not accepted") as refused:
            await _signs_in(node, login, PASSWORD)
        assert refused.value.reason == "Not a person."
        with pytest.raises(Invalid, match="Wrong username"):
            await _signs_in(node, login, "a lake in the evening")

    # Whoever has the name now is not told of others, and signs in.
    await sign_up(in_mode(node, "open"), email="rob@a.test", password="another " + PASSWORD)
    assert await _signs_in(node, "bob", "another " + PASSWORD) == "bob"
    with pytest.raises(Invalid):
        await _signs_in(node, "bob", PASSWORD)
    with pytest.raises(sign_ups.SignUpRejected):
        await _signs_in(node, "bob@a.test", PASSWORD)

    later = now_ms() + sign_ups.RETENTION_MS + 1
    assert await node.db.write(sign_ups.clean_up, now_ms()) == 0
    assert await node.db.write(sign_ups.clean_up, later) == 1
    with pytest.raises(Invalid):
        await _signs_in(node, "bob@a.test", PASSWORD)


async def test_guesses_at_a_rejected_sign_up_are_limited_as_others_are(node: Node, admin: Account) -> None:
    node = in_mode(node, "approval")
    user = await sign_up(node, reason="Please")
    await node.db.write(users.reject, admin, await node.db.read(accounts.get, user.account_id))

    refusals = []
    for n in range(sign_in_limits.MAX_ATTEMPTS_PER_NAME + 1):
        # By another spelling that is counted apart, the guesses at one account are counted together.
        login = "bob" if n < sign_in_limits.MAX_ATTEMPTS_PER_NAME else "bob@a.test"
        try:
            await _signs_in(
                node, login, PASSWORD if n == sign_in_limits.MAX_ATTEMPTS_PER_NAME else "wrong lake"
            )
        except (Invalid, NotAllowed, TooManyRequests) as refused:
            refusals.append(type(refused))
    assert refusals == [Invalid] * (sign_in_limits.MAX_ATTEMPTS_PER_NAME + 1)


async def test_nobody_signs_up_on_a_closed_node(node: Node, admin: Account) -> None:
    with pytest.raises(NotAllowed):
        await sign_up(in_mode(node, "closed"))


async def test_an_invite_can_be_used_as_often_as_it_says(node: Node, admin: Account) -> None:
    node = in_mode(node, "invite")
    with pytest.raises(NotAllowed):
        await sign_up(node)
    invite = await node.db.write(invites.create, admin, uses=2, days=1)

    for name in ("bob", "carol"):
        user = await sign_up(node, name, invite=invite.code)
        assert (user.state, user.invited_by) == ("active", admin.id)
    with pytest.raises(NotAllowed, match="expired"):
        await sign_up(node, "dora", invite=invite.code)
    assert await node.db.read(invites.by_account, admin) == []


async def test_an_invite_by_a_user_does_not_replace_the_approval(node: Node, admin: Account) -> None:
    host = await sign_up(node, "carol")
    carol = await node.db.read(accounts.get, host.account_id)
    invite = await node.db.write(invites.create, carol)

    user = await sign_up(in_mode(node, "approval"), invite=invite.code)

    assert (user.state, user.invited_by) == ("pending", carol.id)


async def test_an_invite_by_staff_needs_no_approval(node: Node, admin: Account) -> None:
    node = in_mode(node, "approval")
    invite = await node.db.write(invites.create, admin)

    assert (await sign_up(node, invite=invite.code)).state == "active"


async def test_an_expired_or_revoked_invite_is_refused(
    node: Node, admin: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await node.db.write(invites.create, admin, days=1)
    withdrawn = await node.db.write(invites.create, admin)
    await node.db.write(invites.revoke, admin, withdrawn.code)
    monkeypatch.setattr(invites, "now_ms", lambda: now_ms() + 2 * invites.DAY_MS)

    for code in (old.code, withdrawn.code, "nonsense"):
        with pytest.raises(NotAllowed):
            await sign_up(in_mode(node, "invite"), invite=code)


async def test_the_first_admin_is_created_with_the_printed_code(node: Node) -> None:
    db = node.db
    form = {"name": "ada", "email": "ada@a.test", "password": PASSWORD, "address": "192.0.2.1"}
    assert await db.read(registration.needs_admin)
    with pytest.raises(NotAllowed):
        await sign_up(node)
    first = await db.write(registration.create_setup_code)
    code = await db.write(registration.create_setup_code)
    assert code is not None
    assert code not in str(await db.read(settings.get, "setup_code"))

    for wrong in ("", "AAAA-BBBB-CCCC", str(first)):
        with pytest.raises(Invalid) as refused:
            await registration.set_up_node(node, code=wrong, **form)
        assert refused.value.field == "code"
    user = await registration.set_up_node(node, code=code.lower().replace("-", " "), **form)

    assert user.role == "admin"
    assert not await db.read(registration.needs_admin)
    assert await db.write(registration.create_setup_code) is None
    with pytest.raises(NotAllowed):
        await registration.set_up_node(node, code=code, **(form | {"name": "eve", "email": "e@a.test"}))


async def test_the_code_ends_when_an_admin_is_created_another_way(
    node: Node, pairs: dict[str, KeyPair]
) -> None:
    await node.db.write(registration.create_setup_code)

    def unit(tx: Writer) -> None:
        registration.create_user(
            tx, name="ada", email="ada@a.test", password_hash="x", pair=pairs["alice"], role="admin"
        )

    await node.db.write(unit)

    assert await node.db.read(settings.get, "setup_code") is None


async def test_guessing_the_code_is_soon_refused(node: Node) -> None:
    await node.db.write(registration.create_setup_code)
    form = {"name": "eve", "email": "e@a.test", "password": PASSWORD, "address": "192.0.2.9"}

    for _ in range(10):
        with pytest.raises(Invalid):
            await registration.set_up_node(node, code="AAAA-AAAA-AAAA", **form)
    with pytest.raises(TooManyRequests):
        await registration.set_up_node(node, code="AAAA-AAAA-AAAA", **form)


async def test_roles_are_given_by_admins_and_one_admin_stays(node: Node, admin: Account) -> None:
    user = await sign_up(node)
    bob = await node.db.read(accounts.get, user.account_id)
    with pytest.raises(NotAllowed):
        await node.db.write(users.set_role, bob, bob, "admin")
    with pytest.raises(NotAllowed, match="must be at least one admin"):
        await node.db.write(users.set_role, admin, admin, "user")
    with pytest.raises(Invalid):
        await node.db.write(users.set_role, admin, bob, "king")

    await node.db.write(users.set_role, admin, bob, "admin")
    await node.db.write(users.set_role, bob, admin, "user")

    assert [one.account.name for one in await node.db.read(users.staff)] == ["bob"]
    assert await node.db.read(users.counts_by_state) == {"active": 2, "pending": 0, "disabled": 0}


async def test_users_are_searched_by_a_piece_of_name_or_address(node: Node, admin: Account) -> None:
    await sign_up(node, "under_score")
    await sign_up(node, "underscore")

    def names(tx: Writer, query: str) -> list[str]:
        return [one.account.name for one in users.list_users(tx, Page(), query=query)]

    assert await node.db.read(names, "R_S") == ["under_score"]
    assert await node.db.read(names, "%") == []
    assert await node.db.read(names, "@a.test") == ["underscore", "under_score", "ada"]


def test_passwords_are_argon2id_with_the_costs_we_chose() -> None:
    hashed = passwords.hash_sync(PASSWORD)

    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.verify_sync(hashed, PASSWORD)
    assert not passwords.verify_sync(hashed, PASSWORD + " ")
    assert not passwords.verify_sync("not a hash", PASSWORD)
    assert not passwords.needs_rehash(hashed)
    assert passwords.needs_rehash(
        "$argon2id$v=19$m=8192,t=2,p=1$c29tZXNhbHQ$cmVzdWx0cmVzdWx0cmVzdWx0cmVzdWx0cmVzdWx0cmU"
    )


def test_an_unknown_name_costs_as_much_as_a_wrong_password() -> None:
    hashed = passwords.hash_sync(PASSWORD)

    def cost(of: str | None) -> float:
        best = 1.0
        for _ in range(5):
            begun = time.process_time()
            assert not passwords.verify_sync(of, "wrong")
            best = min(best, time.process_time() - begun)
        return best

    assert 0.5 < cost(None) / cost(hashed) < 2
