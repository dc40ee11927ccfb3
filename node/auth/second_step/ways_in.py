"""The ways into an account, and every change of them: none leaves an account without one. Owns no table.

A password that is followed by a second step where that is on; a passkey, which is enough by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from node.auth import passwords, users
from node.auth.mail import user_mail
from node.auth.passkeys import passkeys
from node.auth.passkeys.passkeys import NewPasskey
from node.auth.second_step import authenticator_apps, recovery_codes
from node.database import Reader, Writer
from node.errors import Conflict
from node.mail.outgoing_mail import MailKind
from node.models.account import Account

MIN_PASSKEYS = 2
"""Of somebody without a password."""


@dataclass(frozen=True, slots=True)
class WaysIn:
    """How somebody can sign in. `has_second_step`: the password alone is not enough."""

    has_password: bool
    has_second_step: bool
    has_app: bool
    recovery_codes: int
    passkeys: int


def of_account(tx: Reader, account: Account) -> WaysIn:
    return WaysIn(
        passwords.is_set(users.password_hash(tx, account.id)),
        authenticator_apps.is_on(tx, account.id),
        authenticator_apps.has_app(tx, account.id),
        recovery_codes.count(tx, account.id),
        passkeys.count(tx, account.id),
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


def turn_on_with_passkeys(tx: Writer, account: Account) -> list[str]:
    """Asks for a passkey after the password, without an app; returns recovery codes. Raises Conflict without a passkey."""
    ways = _locked(tx, account)
    if not ways.passkeys:
        raise Conflict("Please add a passkey first.")
    codes = authenticator_apps.turn_on_with_passkeys(tx, account)
    user_mail.tell(tx, account, MailKind.SECOND_STEP_CHANGED, about="on")
    return codes


def add_passkey(tx: Writer, account: Account, new: NewPasskey, name: str) -> None:
    """Adds a passkey, and says so by mail. Raises Conflict for one that is known, NotAllowed for too many."""
    passkeys.add(tx, account, new, name)
    user_mail.tell(tx, account, MailKind.PASSKEY_ADDED, about=name)


def remove_passkey(tx: Writer, account: Account, id_: int) -> None:
    """Removes a passkey. Raises NotFound, and Conflict for the last one where that is needed."""
    ways = _locked(tx, account)
    if ways.passkeys == 1 and not ways.has_password:
        raise Conflict(
            "This is your only way to sign in. Please set a password or add another passkey first."
        )
    if ways.passkeys == 1 and ways.has_second_step and not ways.has_app:
        raise Conflict("Two-step sign-in needs this passkey. Please set up an app first, or turn it off.")
    passkeys.remove(tx, account, id_)


def remove_password(tx: Writer, account: Account) -> None:
    """Removes the password: passkeys are the only way in from then on. Raises Conflict without two of them."""
    if _locked(tx, account).passkeys < MIN_PASSKEYS:
        raise Conflict("Please add a second passkey first, on another device: one can get lost.")
    users.set_password(tx, account.id, passwords.no_password())
    user_mail.tell(tx, account, MailKind.PASSWORD_CHANGED)


def _locked(tx: Writer, account: Account) -> WaysIn:
    """Returns the ways in; who changes them at the same time waits, so that two cannot each remove the other's last."""
    users.lock(tx, account)
    return of_account(tx, account)


def turn_off_second_step(tx: Writer, account: Account, *, by_admin: bool = False) -> None:
    """Makes the password enough again, and says so by mail. Raises Conflict where the staff must have a second step.

    An admin may do it all the same, for somebody who has lost phone and codes and has to set it up anew.
    """
    if needs_second_step(tx, account) and not by_admin:
        raise Conflict("Moderators and admins of this server need two-step sign-in.")
    if authenticator_apps.is_on(tx, account.id):
        authenticator_apps.turn_off(tx, account)
        user_mail.tell(tx, account, MailKind.SECOND_STEP_CHANGED, about="off")
