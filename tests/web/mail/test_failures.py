"""Mail that cannot be sent: it waits, is given up, or the node sends none; nobody is left without a way."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable

from node.auth import users
from node.database import Reader
from node.ids import now_ms
from node.jobs import queue
from node.mail import outgoing_mail
from node.mail.outgoing_mail import MAX_AGE_MS, MailKind, queue_mail
from node.models.account import Account
from node.node import Node
from tests.support.mail_server import MailServer, link
from tests.support.visitors import Visitor, sign_in
from web.app import create_app

Settle = Callable[..., Awaitable[int]]
ADDRESS = "alice@tintype.test"


def _jobs(tx: Reader) -> list[tuple[str, int, bool]]:
    rows = tx.all("SELECT failed_at, reason, attempts FROM jobs WHERE kind = 'send_mail'")
    return [(row["reason"], row["attempts"], row["failed_at"] is not None) for row in rows]


async def test_a_server_that_is_busy_gets_the_mail_later(
    node: Node, alice: Account, settle: Settle, mail_server: MailServer
) -> None:
    visitor = await sign_in(node, alice)
    mail_server.answers[ADDRESS] = "451 Greylisted"
    await visitor.get("/settings/password")
    await visitor.post("/settings/address/confirm", {"again": "yes"})
    await settle()
    assert mail_server.received == []
    assert await node.db.read(_jobs) == [("451 Greylisted", 1, False)]

    mail_server.answers.clear()
    await settle(now_ms() + 2 * outgoing_mail.FIRST_WAIT_MS)

    assert mail_server.take()["To"] == ADDRESS


async def test_a_mail_is_tried_for_two_days(
    node: Node, alice: Account, settle: Settle, mail_server: MailServer, clock: Callable[[int], None]
) -> None:
    mail_server.answers[ADDRESS] = "451 Greylisted"
    await node.db.write(queue_mail, MailKind.PASSWORD_CHANGED, ADDRESS, account=alice)
    await sign_in(node, alice)

    tries, ahead = 0, 0
    while not (await node.db.read(_jobs))[0][2]:
        tries += await settle()
        ahead += 3_600_000
        clock(ahead)

    assert MAX_AGE_MS < ahead < 1.3 * MAX_AGE_MS
    assert 15 < tries < 40


async def test_an_address_that_is_refused_is_told_to_its_owner(
    node: Node, alice: Account, settle: Settle, mail_server: MailServer
) -> None:
    visitor = await sign_in(node, alice)
    mail_server.answers[ADDRESS] = "550 5.1.1 No such mailbox"
    await visitor.get("/settings/password")
    await visitor.post("/settings/address/confirm", {"again": "yes"})
    await settle()

    assert await node.db.read(_jobs) == [("550 5.1.1 No such mailbox", 1, True)]
    page = await visitor.get("/settings/password")
    assert "Mail to this address was refused: 550 5.1.1 No such mailbox" in page.main_text

    mail_server.answers.clear()
    await visitor.post("/settings/address/confirm", {"again": "yes"})
    await settle()
    assert "refused" not in (await visitor.get("/settings/password")).main_text


async def test_a_mail_whose_reason_is_gone_is_not_sent(
    node: Node, alice: Account, settle: Settle, mail_server: MailServer
) -> None:
    await sign_in(node, alice)
    await node.db.write(queue_mail, MailKind.RESET_PASSWORD, ADDRESS, account=alice)
    await node.db.write(users.delete_by_account, alice)
    await node.db.write(queue.add, "send_mail", {"kind": "of a newer version"})

    await settle()

    assert mail_server.received == []
    assert await node.db.read(_jobs) == [("no mail is of the kind 'of a newer version'", 1, True)]


async def test_neither_queue_nor_tables_hold_a_link(
    node: Node, alice: Account, settle: Settle, mail_server: MailServer
) -> None:
    await sign_in(node, alice)
    await node.db.write(queue_mail, MailKind.RESET_PASSWORD, ADDRESS, account=alice)

    def everything(tx: Reader) -> str:
        return str(tx.all("SELECT * FROM jobs")) + str(tx.all("SELECT * FROM users"))

    before = await node.db.read(everything)
    await settle()
    token = link(mail_server.take()).partition("token=")[2]
    assert token.rpartition(".")[2] not in before + await node.db.read(everything)


async def test_without_a_mail_server_an_admin_hands_over_a_link(
    node: Node, alice: Account, settle: Settle
) -> None:
    await sign_in(node, alice)
    node.site = dataclasses.replace(node.site, sends_mail=False)
    visitor = Visitor(create_app(node))

    page = await visitor.get("/forgot-password")

    assert "This server sends no mail. Please ask an admin" in page.main_text
    assert not page.all("button", class_="button main")
