"""Mail to people, through a real SMTP server: addresses confirmed and changed, passwords forgotten, staff told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from node.accounts import accounts
from node.accounts.keys import KeyPair
from node.admin import reports
from node.auth import sessions, users
from node.database import Reader
from node.lifecycle import registration
from node.models.account import Account
from node.node import Node
from tests.support.mail_server import MailServer, code, html, link, plain_text
from tests.support.visitors import Visitor, sign_in
from web.app import create_app
from web.request.session import KNOWN_BROWSER_COOKIE, SESSION_COOKIE

Settle = Callable[[], Awaitable[int]]
PASSWORD, NEW = "a picture a day", "another lake, another day"
ALICE = "alice@home.example"


async def _signs_up(node: Node, visitor: Visitor) -> Account:
    await visitor.get("/sign-up")
    seen = await visitor.post("/sign-up", {"name": "alice", "email": ALICE, "password": PASSWORD})
    assert seen.status == 200, seen.main_text
    return await node.db.read(_by_name, "alice")


def _by_name(tx: Reader, name: str) -> Account:
    found = users.by_login(tx, name)
    assert found is not None
    return found.account


async def _user(node: Node, account: Account) -> users.User:
    user = await node.db.read(users.by_account, account)
    assert user is not None
    return user


async def _confirmed(node: Node, visitor: Visitor, settle: Settle, mail_server: MailServer) -> Account:
    account = await _signs_up(node, visitor)
    await settle()
    mail_server.received.clear()
    await node.db.write(users.set_address, account, ALICE, is_confirmed=True)
    return account


async def test_an_address_is_confirmed_by_a_link(
    node: Node, visitor: Visitor, settle: Settle, mail_server: MailServer
) -> None:
    alice = await _signs_up(node, visitor)
    await settle()
    mail = mail_server.take()
    assert (mail["To"], mail["From"]) == (ALICE, "Test <photos@tintype.test>")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "@alice@tintype.test" in plain_text(mail)
    assert f"{link(mail)}" in html(mail).replace("&amp;", "&")

    # A program that opens the links of a mail confirms nothing; a person in another browser does.
    anybody = Visitor(create_app(node))
    page = await anybody.get(link(mail))
    assert ALICE in page.main_text
    assert (await _user(node, alice)).email_confirmed_at is None
    await anybody.post("/confirm-address", {"token": link(mail).partition("token=")[2]})
    assert (await _user(node, alice)).email_confirmed_at is not None

    again = await anybody.get(link(mail))
    assert again.status == 422
    assert "does not work any more" in again.text


async def test_an_address_is_confirmed_by_a_code(
    node: Node, visitor: Visitor, settle: Settle, mail_server: MailServer
) -> None:
    alice = await _signs_up(node, visitor)
    await settle()
    right = code(mail_server.take())
    await visitor.get("/settings/password")
    wrong = f"{(int(right) + 1) % 10**6:06}"

    seen = await visitor.post("/settings/address/confirm", {"code": wrong})
    assert seen.status == 422
    assert "not the code" in seen.main_text
    seen = await visitor.post("/settings/address/confirm", {"code": f"{right[:3]} {right[3:]}"})

    assert "E-mail address confirmed." in seen.main_text
    assert (await _user(node, alice)).email_confirmed_at is not None


async def test_codes_cannot_be_tried_out(
    node: Node, visitor: Visitor, settle: Settle, mail_server: MailServer
) -> None:
    await _signs_up(node, visitor)
    await settle()
    right = code(mail_server.take())
    await visitor.get("/settings/password")
    for guess in range(10):
        await visitor.post("/settings/address/confirm", {"code": f"{guess:06}"})

    seen = await visitor.post("/settings/address/confirm", {"code": right})

    assert seen.status == 429
    assert "too often" in seen.main_text


async def test_a_forgotten_password_is_replaced(
    node: Node, visitor: Visitor, settle: Settle, mail_server: MailServer
) -> None:
    alice = await _confirmed(node, visitor, settle, mail_server)
    other = Visitor(create_app(node))
    page = await other.get("/sign-in")
    assert page.one("a", href="/forgot-password")
    await other.get("/forgot-password")

    seen = await other.post("/forgot-password", {"login": ALICE.upper()})
    assert "on its way" in seen.main_text
    await settle()
    mail = mail_server.take()
    page = await other.get(link(mail))
    assert page.headers["referrer-policy"] == "no-referrer"
    token = page.one("input", name="token").attributes["value"]
    seen = await other.post("/reset-password", {"token": token, "password": "short"})
    assert seen.status == 422
    seen = await other.post("/reset-password", {"token": token, "password": NEW})

    assert "Please sign in with it" in seen.main_text
    # Everything that was signed in is signed out, and the link works no more.
    assert await node.db.read(sessions.by_token, visitor.cookies[SESSION_COOKIE]) is None
    assert (await other.get(link(mail))).status == 422
    await settle()
    assert mail_server.take()["Subject"] == "Your password was changed"
    await other.get("/sign-in")
    assert (await other.post("/sign-in", {"login": "alice", "password": NEW})).status == 200
    assert SESSION_COOKIE in other.cookies
    assert (await _user(node, alice)).email == ALICE


async def test_a_new_password_or_address_ends_the_links_of_earlier_mail(
    node: Node, visitor: Visitor, settle: Settle, mail_server: MailServer
) -> None:
    alice = await _confirmed(node, visitor, settle, mail_server)
    await visitor.get("/forgot-password")
    await visitor.post("/forgot-password", {"login": "alice"})
    await settle()
    path = link(mail_server.take())
    assert (await visitor.get(path)).status == 200

    await node.db.write(users.set_address, alice, "new@home.example", is_confirmed=True)

    assert (await visitor.get(path)).status == 422
    assert (await visitor.get(f"{path}0")).status == 422
    assert (await visitor.get("/reset-password?token=zz.1.0")).status == 422
    assert (await visitor.get("/reset-password")).status == 422


async def test_nobody_is_told_who_has_an_account(
    node: Node, visitor: Visitor, settle: Settle, mail_server: MailServer
) -> None:
    await _confirmed(node, visitor, settle, mail_server)
    stranger = Visitor(create_app(node))
    await stranger.get("/forgot-password")

    seen = [
        (await stranger.post("/forgot-password", {"login": login})).main_text
        for login in ("alice", ALICE, "nobody", "nobody@home.example", "", "\N{SNOWMAN}" * 400)
    ]

    assert len(set(seen)) == 1
    await settle()
    assert [mail["To"] for mail in mail_server.received] == [ALICE, ALICE]


async def test_nobody_is_flooded_with_mail(
    node: Node, visitor: Visitor, settle: Settle, mail_server: MailServer
) -> None:
    await _confirmed(node, visitor, settle, mail_server)
    await visitor.get("/forgot-password")

    seen = [await visitor.post("/forgot-password", {"login": "alice"}) for _ in range(21)]

    await settle()
    assert len(mail_server.received) == 3
    assert [one.status for one in seen] == [200] * 20 + [429]


async def test_an_address_is_changed_once_the_new_one_is_confirmed(
    node: Node, visitor: Visitor, settle: Settle, mail_server: MailServer
) -> None:
    alice = await _confirmed(node, visitor, settle, mail_server)
    await visitor.get("/settings/password")
    seen = await visitor.post("/settings/address", {"email": "new@home.example"})
    assert "A mail is on its way" in seen.main_text
    await settle()
    mail = mail_server.take()
    assert mail["To"] == "new@home.example"
    assert (await _user(node, alice)).email == ALICE
    await visitor.post("/settings/address/confirm", {"code": code(mail)})

    assert (await _user(node, alice)).email == "new@home.example"
    await settle()
    told = mail_server.take()
    assert (told["To"], told["Subject"]) == (ALICE, "Your e-mail address was changed")
    assert "new@home.example" in plain_text(told)


async def test_a_sign_in_with_another_browser_is_told(
    node: Node, visitor: Visitor, settle: Settle, mail_server: MailServer
) -> None:
    await _confirmed(node, visitor, settle, mail_server)
    firefox = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
    other = Visitor(create_app(node))
    for _ in range(2):
        await other.get("/sign-in")
        await other.post("/sign-in", {"login": "alice", "password": PASSWORD}, headers=firefox)
        await other.post("/sign-out")
    assert KNOWN_BROWSER_COOKIE in other.cookies

    await settle()

    mail = mail_server.take()
    assert mail["Subject"] == "New sign-in to your account"
    assert "Firefox on Linux" in plain_text(mail)


async def test_staff_is_told_of_sign_ups_and_reports(
    node: Node, alice: Account, bob: Account, settle: Settle, mail_server: MailServer, visitor: Visitor
) -> None:
    await sign_in(node, alice, "admin")
    await sign_in(node, bob, "moderator")
    await node.db.write(users.set_address, alice, ALICE, is_confirmed=True)

    await registration.register(
        node,
        name="carol",
        email="carol@x.example",
        password=PASSWORD,
        address="192.0.2.1",
        reason="I like fog",
    )
    await settle()
    # This node is open; carol was asked to confirm her address, and nothing waits for the staff.
    assert mail_server.take()["To"] == "carol@x.example"
    await node.db.write(reports.report, bob, alice, comment="Rude", category="other")
    await settle()

    mail = mail_server.take()
    assert (mail["To"], mail["Subject"]) == (ALICE, "A new report")
    assert link(mail).startswith("/admin/reports/")


@pytest.mark.parametrize("decision", [users.approve, users.reject])
async def test_who_waited_for_approval_is_told(
    node: Node,
    alice: Account,
    settle: Settle,
    mail_server: MailServer,
    pairs: dict[str, KeyPair],
    decision: Callable[..., None],
) -> None:
    await sign_in(node, alice, "admin")
    await node.db.write(users.set_address, alice, ALICE, is_confirmed=True)
    carol = await node.db.write(
        registration.sign_up,
        mode="approval",
        name="carol",
        email="carol@x.example",
        password_hash="-",
        pair=pairs["mallory"],
        reason="I like fog",
    )
    await settle()
    by_recipient = {mail["To"]: mail for mail in mail_server.received}
    assert "I like fog" in plain_text(by_recipient[ALICE])
    mail_server.received.clear()

    account = await node.db.read(accounts.get, carol.account_id)
    await node.db.write(decision, alice, account)
    await settle()

    mail = mail_server.take()
    assert mail["To"] == "carol@x.example"
    wanted = "You can sign in as carol now" if decision is users.approve else "did not approve"
    assert wanted in plain_text(mail)
    assert link(mail) == "/sign-in"
    assert ("when you sign in within 30 days" in plain_text(mail)) is (decision is users.reject)
