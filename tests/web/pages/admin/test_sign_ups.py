"""Sign-ups that wait for approval: staff are told, review them, and read what became of them."""

from __future__ import annotations

import dataclasses

import pytest

from node.accounts import accounts
from node.auth import invites, users
from node.config import RegistrationOptions
from node.database import Reader
from node.models.account import Account
from node.node import Node
from tests.support.visitors import Visitor
from tests.web.pages.conftest import PASSWORD, SignedIn
from web.app import App, create_app


@pytest.fixture
def mode() -> str:
    return "approval"


@pytest.fixture
def app(node: Node, mode: str) -> App:
    options = dataclasses.replace(node.config, registration=RegistrationOptions(mode=mode))  # type: ignore[arg-type]
    return create_app(dataclasses.replace(node, config=options))


@pytest.fixture
async def admin(alice: Account, signed_in: SignedIn) -> Visitor:
    return await signed_in(alice, role="admin")


async def ask_to_join(app: App, name: str = "ulla", **more: str) -> Visitor:
    visitor = Visitor(app)
    await visitor.get("/sign-up")
    form = {"name": name, "email": f"{name}@a.test", "password": PASSWORD, "reason": "Lakes"} | more
    await visitor.post("/sign-up", form)
    return visitor


def _account_of(tx: Reader, name: str) -> Account:
    found = accounts.by_handle(tx, name)
    assert found is not None
    return found


async def test_staff_are_told_of_a_sign_up_that_waits_until_it_is_approved(
    node: Node, app: App, admin: Visitor
) -> None:
    await ask_to_join(app)

    seen = await admin.get("/admin/people")
    assert seen.one("span", **{"data-count": "unread_count"}).text.startswith("1")
    assert "(1)" in seen.one("span", **{"data-count": "staff_count"}).text
    assert "Sign-ups (1)" in seen.main_text
    seen = await admin.get("/notifications")
    assert "ulla asked to join" in seen.main_text
    assert seen.all("a", href="/admin/sign-ups")
    assert not seen.all("a", href="/@ulla")

    ulla = await node.db.read(_account_of, "ulla")
    seen = await admin.get("/admin/sign-ups")
    assert "Lakes" in seen.main_text
    seen = await admin.post(f"/admin/sign-ups/{ulla.id}/approve")
    assert "Sign-ups (" not in seen.main_text
    seen = await admin.get("/notifications")
    assert "ulla signed up" in seen.main_text
    assert seen.all("a", href="/@ulla")
    assert not seen.all("a", href="/admin/sign-ups")


async def test_a_rejected_sign_up_leaves_no_notification(node: Node, app: App, admin: Visitor) -> None:
    await ask_to_join(app)
    ulla = await node.db.read(_account_of, "ulla")
    await admin.get("/admin/sign-ups")

    seen = await admin.post(f"/admin/sign-ups/{ulla.id}/reject")

    assert seen.one("span", **{"data-count": "unread_count"}).text.startswith("0")
    assert "ulla" not in (await admin.get("/notifications")).main_text


async def test_who_was_rejected_reads_the_reason_when_signing_in(
    node: Node, app: App, admin: Visitor
) -> None:
    visitor = await ask_to_join(app)
    ulla = await node.db.read(_account_of, "ulla")
    seen = await admin.get("/admin/sign-ups")
    assert seen.all("input", name="reason")
    await admin.post(f"/admin/sign-ups/{ulla.id}/reject", {"reason": "This is for <lakes> only."})

    await visitor.get("/sign-in")
    seen = await visitor.post("/sign-in", {"login": "ulla", "password": PASSWORD})
    assert seen.status == 403
    assert "Your request to join was not accepted." in seen.main_text
    assert "This is for <lakes> only." in seen.main_text

    seen = await visitor.post("/sign-in", {"login": "ulla", "password": "something else"})
    assert "Wrong username" in seen.main_text
    assert "lakes" not in seen.main_text


@pytest.mark.parametrize("mode", ["open"])
async def test_on_an_open_node_a_sign_up_leads_to_the_profile_and_to_no_review(
    app: App, admin: Visitor
) -> None:
    await ask_to_join(app)

    seen = await admin.get("/notifications")

    assert "ulla signed up" in seen.main_text
    assert seen.all("a", href="/@ulla")
    assert not seen.all("a", href="/admin/sign-ups")


async def test_somebody_who_waits_cannot_be_made_a_moderator(node: Node, app: App, admin: Visitor) -> None:
    await ask_to_join(app)
    ulla = await node.db.read(_account_of, "ulla")

    seen = await admin.get("/admin/people?q=ulla")
    assert not seen.all("select", id=f"role-{ulla.id}")
    assert (await admin.post(f"/admin/people/{ulla.id}/role", {"role": "moderator"})).status == 403

    user = await node.db.read(users.by_account, ulla)
    assert user is not None
    assert user.role == "user"


async def test_an_invite_says_whether_it_needs_an_approval(
    node: Node, app: App, alice: Account, bob: Account, admin: Visitor, signed_in: SignedIn
) -> None:
    await signed_in(bob)
    of_staff = await node.db.write(invites.create, alice)
    of_a_member = await node.db.write(invites.create, bob)
    visitor = Visitor(app)

    seen = await visitor.get(f"/sign-up?invite={of_staff.code}")
    assert "reviewed" not in seen.main_text
    assert "Request an account" not in seen.main_text
    assert not seen.all("textarea", name="reason")

    seen = await visitor.get(f"/sign-up?invite={of_a_member.code}")
    assert "reviewed" in seen.main_text
    assert "Request an account" in seen.main_text
    assert not seen.all("textarea", name="reason")

    # One that has ended invites nobody: the reason is asked for.
    for path in ("/sign-up", "/sign-up?invite=nonsense"):
        seen = await visitor.get(path)
        assert "reviewed" in seen.main_text
        assert seen.all("textarea", name="reason")

    # What was typed wrongly does not change what the page says.
    seen = await visitor.post(
        "/sign-up", {"name": "u", "invite": of_staff.code, "email": "x", "password": "short"}
    )
    assert seen.status == 422
    assert "Request an account" not in seen.main_text
