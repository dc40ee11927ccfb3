"""What somebody is told by mail of the ways into their account, so that a stranger's change does not go unseen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from node import rate_limits
from node.accounts import accounts
from node.accounts.keys import KeyPair
from node.admin import account_actions
from node.auth import passwords, sign_in_limits, signing_in, users
from node.auth.second_step import ways_in
from node.database import Writer
from node.models.account import Account
from node.node import Node
from tests.support.authenticator import with_passkey
from tests.support.mail_server import MailServer, link, plain_text
from tests.support.second_step import set_up
from tests.support.visitors import Visitor
from web.request.session import KNOWN_BROWSER_COOKIE

Settle = Callable[[], Awaitable[int]]
PASSWORD, NEW = "a picture a day", "another lake, another day"


async def _alice(node: Node, pairs: dict[str, KeyPair]) -> Account:
    hashed = await passwords.hash(PASSWORD)

    def unit(tx: Writer) -> Account:
        alice = accounts.create_local(tx, "alice", pair=pairs["alice"])
        users.create(tx, alice, email="alice@home.example", password_hash=hashed)
        users.set_address(tx, alice, "alice@home.example", is_confirmed=True)
        return alice

    return await node.db.write(unit)


async def test_each_change_of_the_ways_in_is_told(
    node: Node, settle: Settle, mail_server: MailServer, pairs: dict[str, KeyPair]
) -> None:
    alice = await _alice(node, pairs)

    async def told() -> tuple[str, str]:
        await settle()
        mail = mail_server.take()
        assert mail["To"] == "alice@home.example"
        return mail["Subject"], plain_text(mail)

    await with_passkey(node, alice)
    subject, text = await told()
    assert subject == "A passkey was added"
    assert "“A phone”" in text
    assert "/settings/passkeys" in text

    _, codes = await set_up(node, alice)
    assert (await told())[0] == "Two-step sign-in was turned on"

    def uses_a_code(tx: Writer) -> bool:
        return signing_in.use_code(tx, alice, codes[0])

    assert await node.db.write(uses_a_code)
    subject, text = await told()
    assert subject == "A recovery code was used"
    assert "left: 9" in text

    await node.db.write(ways_in.turn_off_second_step, alice)
    assert (await told())[0] == "Two-step sign-in was turned off"

    await with_passkey(node, alice)
    await told()
    await node.db.write(ways_in.remove_password, alice)
    assert (await told())[0] == "Your password was changed"


async def test_who_sets_a_new_password_by_mail_gets_in_while_others_go_on_guessing(
    node: Node, visitor: Visitor, settle: Settle, mail_server: MailServer, pairs: dict[str, KeyPair]
) -> None:
    await _alice(node, pairs)
    await visitor.get("/forgot-password")
    await visitor.post("/forgot-password", {"login": "alice"})
    await settle()
    await visitor.get(link(mail_server.take()))
    token = visitor.page.one("input", name="token").attributes["value"] if visitor.page else ""
    seen = await visitor.post("/reset-password", {"token": token, "password": NEW})
    assert seen.path == "/sign-in?done=password"
    assert KNOWN_BROWSER_COOKIE in visitor.cookies
    for n in range(sign_in_limits.MAX_ATTEMPTS_PER_ACCOUNT + 1):
        await node.db.write(_guesses, n)

    seen = await visitor.post("/sign-in", {"login": "alice", "password": NEW})

    assert seen.path == "/"


def _guesses(tx: Writer, n: int) -> None:
    """Counts what a guess at alice from somewhere else is counted as, without its slow hash."""
    limit, seconds = sign_in_limits.MAX_ATTEMPTS_PER_ACCOUNT, sign_in_limits.ACCOUNT_WINDOW_SECONDS
    rate_limits.count_quietly(tx, "sign-in to alice", limit=limit, seconds=seconds)


async def test_a_deleted_account_is_told_of_at_its_last_address(
    node: Node, settle: Settle, mail_server: MailServer, pairs: dict[str, KeyPair]
) -> None:
    alice = await _alice(node, pairs)

    await node.db.write(account_actions.delete_own, alice, "alice")
    await settle()

    mail = mail_server.take()
    assert (mail["To"], mail["Subject"]) == ("alice@home.example", "Your account was deleted")
    assert f"@{alice.full_handle} was deleted" in plain_text(mail)
