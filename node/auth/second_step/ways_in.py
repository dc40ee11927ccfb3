"""The ways into an account, and every change of them: none leaves an account without one. Owns no table.

A password that is followed by a second step where that is on; a passkey, which is enough by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from node.auth import user_mail, users
from node.auth.second_step import authenticator_apps, recovery_codes
from node.database import Reader, Writer
from node.errors import Conflict
from node.mail.outgoing_mail import MailKind
from node.models.account import Account


@dataclass(frozen=True, slots=True)
class WaysIn:
    """How somebody can sign in. `has_second_step`: the password alone is not enough."""

    has_password: bool
    has_second_step: bool
    has_app: bool
    recovery_codes: int


def of_account(tx: Reader, account: Account) -> WaysIn:
    return WaysIn(
        bool(users.password_hash(tx, account.id)),
        authenticator_apps.is_on(tx, account.id),
        authenticator_apps.has_app(tx, account.id),
        recovery_codes.count(tx, account.id),
    )


def needs_second_step(tx: Reader, account: Account) -> bool:
    """Returns whether this node asks for a second step here: of its staff, if an admin has said so."""
    user = users.by_account(tx, account)
    return tx.site.staff_needs_second_step and user is not None and user.is_staff


def set_up_app(tx: Writer, account: Account, offered: str, code: str) -> list[str]:
    """Sets up an authenticator app, as `authenticator_apps.set_up` does, and says so by mail."""
    codes = authenticator_apps.set_up(tx, account, offered, code)
    user_mail.tell(tx, account, MailKind.SECOND_STEP_CHANGED, about="on")
    return codes


def turn_off_second_step(tx: Writer, account: Account) -> None:
    """Makes the password enough again, and says so by mail. Raises Conflict where the staff must have a second step."""
    if needs_second_step(tx, account):
        raise Conflict("Moderators and admins of this server need two-step sign-in.")
    if authenticator_apps.is_on(tx, account.id):
        authenticator_apps.turn_off(tx, account)
        user_mail.tell(tx, account, MailKind.SECOND_STEP_CHANGED, about="off")
