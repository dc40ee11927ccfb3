"""The e-mail address of a user: confirmed by a link or a code, and changed. Owns no table.

On a node that sends no mail an address is stored as it is given, and counts as unconfirmed.
"""

from __future__ import annotations

from node import rate_limits
from node.auth import addresses, users
from node.auth.mail import mail_links
from node.auth.mail.mail_links import Purpose
from node.auth.users import User
from node.database import Reader, Writer
from node.errors import Invalid
from node.mail.outgoing_mail import MailKind, queue_mail
from node.models.account import Account
from node.node import Node

LINK_LIFETIME_MS = 3 * 24 * 3_600_000
MAX_MAILS_PER_DAY, MAX_CODES_PER_HOUR = 6, 10
WRONG_LINK = "This link does not work any more. Please ask for a new one."
WRONG_CODE = "That is not the code of the newest mail. Please look again, or ask for another mail."


def is_to_be_confirmed(user: User, address: str) -> bool:
    """Returns whether confirming this address would change something."""
    return address == user.new_email or (address == user.email and user.email_confirmed_at is None)


def unconfirmed_address(user: User) -> str:
    """Returns the address that the user is asked to confirm, '' for none."""
    return user.new_email or ("" if user.email_confirmed_at else user.email)


def confirmation_state(user: User, address: str) -> str:
    """Returns what a link or code is bound to: it changes when the address is confirmed."""
    return f"{address} {user.email_confirmed_at or 0}"


async def ask_for_confirmation(node: Node, account: Account) -> None:
    """Sends the mail again. Raises TooManyRequests."""
    await _count_mail(node, account)
    await node.db.write(queue_confirmation, account)


async def _count_mail(node: Node, account: Account) -> None:
    await node.db.write(
        rate_limits.count_attempt, f"confirm {account.id}", limit=MAX_MAILS_PER_DAY, seconds=24 * 3600
    )


def queue_confirmation(tx: Writer, account: Account) -> None:
    """Queues the mail that asks to confirm the address of a user; does nothing where there is none to confirm."""
    user = users.by_account(tx, account)
    address = unconfirmed_address(user) if user else ""
    if user is not None and address:
        queue_mail(tx, MailKind.CONFIRM_ADDRESS, address, account=account, language=user.language)


def address_of_link(tx: Reader, token: str) -> str:
    """Returns the address that a link confirms. Raises Invalid for one that does not work."""
    return _confirmed_by(tx, token)[1]


def confirm_by_link(tx: Writer, token: str) -> Account:
    """Confirms an address; returns whose it is. Raises Invalid for a link that does not work."""
    user, address = _confirmed_by(tx, token)
    return _confirm(tx, user, address)


def _confirmed_by(tx: Reader, token: str) -> tuple[users.Credentials, str]:
    person = users.by_account_id(tx, mail_links.account_id(token) or 0)
    address = unconfirmed_address(person.user) if person else ""
    if person is None or not address:
        raise Invalid(WRONG_LINK)
    if not mail_links.is_valid(tx.site, Purpose.ADDRESS, token, confirmation_state(person.user, address)):
        raise Invalid(WRONG_LINK)
    return person, address


async def confirm_by_code(node: Node, account: Account, code: str) -> None:
    """Confirms the address of who is signed in. Raises Invalid for a wrong code, and TooManyRequests."""
    await node.db.write(
        rate_limits.count_attempt, f"code {account.id}", limit=MAX_CODES_PER_HOUR, seconds=3600
    )
    await node.db.write(_confirm_by_code, account, code)


def _confirm_by_code(tx: Writer, account: Account, code: str) -> None:
    person = users.by_account_id(tx, account.id)
    address = unconfirmed_address(person.user) if person else ""
    if person is None or not address:
        return
    state = confirmation_state(person.user, address)
    if not mail_links.is_valid_code(tx.site, Purpose.ADDRESS, account.id, state, code):
        raise Invalid(WRONG_CODE, field="code")
    _confirm(tx, person, address)


def _confirm(tx: Writer, person: users.Credentials, address: str) -> Account:
    """Stores a confirmed address, and tells the earlier one."""
    before = person.user
    users.set_address(tx, person.account, address, is_confirmed=True)
    if before.email.lower() != address.lower():
        queue_mail(
            tx,
            MailKind.ADDRESS_CHANGED,
            before.email,
            account=person.account,
            language=before.language,
            about=address,
        )
    return person.account


async def change(node: Node, account: Account, *, address: str) -> None:
    """Changes the address: where the node sends mail, once it is confirmed.

    Whoever calls it knows that it is the person themselves. Raises Invalid, field 'email', and TooManyRequests.
    """
    address = addresses.normalize_email(address)
    if not node.site.sends_mail:
        await node.db.write(users.set_address, account, address, is_confirmed=False)
        return
    await _count_mail(node, account)
    await node.db.write(_change, account, address)


def _change(tx: Writer, account: Account, address: str) -> None:
    user = users.by_account(tx, account)
    is_present = user is not None and user.email == address
    users.set_new_address(tx, account, "" if is_present else address)
    queue_confirmation(tx, account)
