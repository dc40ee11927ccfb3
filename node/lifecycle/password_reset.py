"""A forgotten password: a link by mail, or one that an admin hands over, sets a new one. Owns no table."""

from __future__ import annotations

from node import rate_limits
from node.auth import password_strength, passwords, sessions, users
from node.auth.mail import mail_links
from node.auth.mail.mail_links import Purpose
from node.auth.users import Credentials
from node.database import Reader, Site, Writer
from node.errors import Invalid
from node.mail.outgoing_mail import MailKind, queue_mail
from node.models.account import Account
from node.node import Node

LINK_LIFETIME_MS = 3_600_000
MAX_PER_NETWORK, MAX_PER_PERSON = 20, 3  # in an hour
WRONG_LINK = "This link does not work any more. Please ask for a new one."


async def request_link(node: Node, login: str, *, address: str) -> None:
    """Mails a link to whoever has that name or address, if anybody does, which nobody is told. Raises TooManyRequests."""
    network = rate_limits.client_network(address)
    await node.db.write(rate_limits.count_attempt, f"reset {network}", limit=MAX_PER_NETWORK, seconds=3600)
    await node.db.write(_queue_links, login)


def _queue_links(tx: Writer, login: str) -> None:
    for person in users.all_by_login(tx, login):
        key = f"reset of {person.account.id}"
        if person.user.state == "disabled" or person.account.is_inactive:
            continue
        if rate_limits.count_quietly(tx, key, limit=MAX_PER_PERSON, seconds=3600):
            queue_mail(
                tx,
                MailKind.RESET_PASSWORD,
                person.user.email,
                account=person.account,
                language=person.user.language,
            )


def path(site: Site, person: Credentials) -> str:
    """Returns the path of the page that sets a new password: it works once, and for an hour."""
    token = mail_links.make(
        site, Purpose.PASSWORD, person.account.id, _state(person), lifetime_ms=LINK_LIFETIME_MS
    )
    return f"/reset-password?token={token}"


def _state(person: Credentials) -> str:
    return f"{person.user.email} {person.password_hash}"


def check(tx: Reader, token: str) -> Credentials:
    """Returns whose password a link sets. Raises Invalid for one that does not work."""
    person = users.by_account_id(tx, mail_links.account_id(token) or 0)
    if person is None or not mail_links.is_valid(tx.site, Purpose.PASSWORD, token, _state(person)):
        raise Invalid(WRONG_LINK)
    return person


async def set_password(node: Node, token: str, password: str) -> Account:
    """Sets a new password, which signs out all browsers and apps; returns whose it is.

    Raises Invalid, field 'password' or none.
    """
    person = await node.db.read(check, token)
    await password_strength.check_new(node, password, (person.account.name, person.user.email))
    return await node.db.write(_set_password, token, await passwords.hash(password))


def _set_password(tx: Writer, token: str, hashed: str) -> Account:
    person = check(tx, token)
    sessions.replace_password(tx, person.account, hashed)
    return person.account
