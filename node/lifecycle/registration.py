"""Sign-up: the registration mode and the first admin. Owns no table.

While a node has no admin, a one-time code is printed where the node was started, and whoever holds it may create
the admin account in the browser. It ends with its first use or with the first admin.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from node import rate_limits, settings
from node.accounts import accounts, keys
from node.auth import addresses, invites, password_strength, passwords, users
from node.auth.mail import user_mail
from node.auth.users import User
from node.database import Reader, Writer
from node.errors import Conflict, Invalid, NotAllowed
from node.lifecycle import mail_address
from node.mail.outgoing_mail import MailKind
from node.node import Node
from node.notifications import notifications
from node.text import display_names

_CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_SETUP_CODE_KEY = "setup_code"
MAX_REASON_LENGTH = 1000


@dataclass(frozen=True, slots=True)
class SignUpSteps:
    """Whether staff have to approve a sign-up, and whether they are to be told why somebody would like to join."""

    is_reviewed: bool
    needs_reason: bool


async def register(
    node: Node,
    *,
    name: str,
    email: str,
    password: str,
    address: str,
    reason: str = "",
    invite: str = "",
    language: str = "",
) -> User:
    """Signs up as the registration mode allows. The user is `pending` where staff have to approve it.

    Raises Invalid (with its field), Conflict, NotAllowed or TooMuch.
    """
    mode = node.config.registration.mode
    await node.db.read(check_open, mode, invite)
    hashed, pair = await _prepare(node, "sign-up", name, email, password, address)
    return await node.db.write(
        sign_up,
        mode=mode,
        name=name,
        email=email,
        password_hash=hashed,
        reason=reason,
        invite=invite,
        language=language,
        pair=pair,
    )


async def set_up_node(node: Node, *, code: str, name: str, email: str, password: str, address: str) -> User:
    """Creates the first admin. Raises Invalid (field `code` for a wrong one), Conflict, NotAllowed, TooMuch."""
    hashed, pair = await _prepare(node, "set-up", name, email, password, address)
    return await node.db.write(
        create_first_admin, code, name=name, email=email, password_hash=hashed, pair=pair
    )


async def _prepare(
    node: Node, action: str, name: str, email: str, password: str, address: str
) -> tuple[str, keys.KeyPair]:
    """Checks what needs no table, counts the attempt, and does the slow work before the unit of work."""
    display_names.check_username(name)
    addresses.normalize_email(email)
    passwords.check(password)
    if password.lower() in (name.lower(), email.strip().lower()):
        raise Invalid("The password must not be your username or e-mail address.", field="password")
    await node.db.write(
        rate_limits.count_attempt,
        f"{action} {rate_limits.client_network(address)}",
        limit=10,
        seconds=60 * 60,
    )
    await password_strength.check_new(node, password, (name, email))
    return await passwords.hash(password), await asyncio.to_thread(keys.generate)


def check_open(tx: Reader, mode: str, invite: str = "") -> None:
    """Raises NotAllowed when nobody can sign up now, or not without an invite."""
    if needs_admin(tx):
        raise NotAllowed("This server is not set up yet. Please create the admin account first.")
    if mode == "closed":
        raise NotAllowed("Sign-ups are closed on this server.")
    if mode == "invite" and invites.usable_by_code(tx, invite) is None:
        if invite:
            raise NotAllowed("You need an invite to sign up here, and this one has expired.")
        raise NotAllowed("You need an invite to sign up on this server.")


def sign_up(
    tx: Writer,
    *,
    mode: str,
    name: str,
    email: str,
    password_hash: str,
    pair: keys.KeyPair,
    reason: str = "",
    invite: str = "",
    language: str = "",
) -> User:
    """Creates the account and the user, and notifies the staff. Raises as `register`.

    With an invite by staff no approval is needed, with that of another user no reason. In mode `closed` an invite does
    not help. That an e-mail address is in use is told to nobody.
    """
    check_open(tx, mode, invite)
    invited = invites.redeem(tx, invite) if invite else None
    is_pending = mode == "approval" and not _is_of_staff(tx, invited)
    if is_pending and invited is None and not reason.strip():
        raise Invalid("Please tell us briefly why you would like to join.", field="reason")
    if len(reason.strip()) > MAX_REASON_LENGTH:
        raise Invalid(f"Your reason can have {MAX_REASON_LENGTH} characters.", field="reason")
    account = accounts.create_local(tx, name, pair=pair)
    user = users.create(
        tx,
        account,
        email=email,
        password_hash=password_hash,
        state="pending" if is_pending else "active",
        reason=reason,
        language=language,
        invited_by=invited.account_id if invited else None,
    )
    for colleague in users.staff(tx):
        notifications.notify(tx, colleague.account.id, "sign_up", actor=account)
    mail_address.queue_confirmation(tx, account)
    if is_pending:
        accounts.set_visible(tx, account.id, is_visible=False)
        user_mail.tell_staff(tx, MailKind.STAFF_SIGN_UP, account=account)
    return user


def steps(tx: Reader, mode: str, code: str) -> SignUpSteps:
    """Returns what a sign-up with this invite code ('' for none) asks for, in this mode."""
    invite = invites.usable_by_code(tx, code) if code else None
    is_reviewed = mode == "approval" and not _is_of_staff(tx, invite)
    return SignUpSteps(is_reviewed=is_reviewed, needs_reason=is_reviewed and invite is None)


def _is_of_staff(tx: Reader, invite: invites.Invite | None) -> bool:
    author = accounts.by_id(tx, invite.account_id) if invite is not None else None
    user = users.by_account(tx, author) if author is not None else None
    return user is not None and user.is_staff


def needs_admin(tx: Reader) -> bool:
    return tx.value("SELECT 1 FROM users WHERE role = 'admin' AND state = 'active' LIMIT 1") is None


def create_setup_code(tx: Writer) -> str | None:
    """Returns a new one-time code to print at start, or None once there is an admin. An earlier code ends."""
    if not needs_admin(tx):
        settings.remove(tx, _SETUP_CODE_KEY)
        return None
    code = "".join(secrets.choice(_CODE_ALPHABET) for _ in range(12))
    settings.put(tx, _SETUP_CODE_KEY, _hash(code))
    return "-".join((code[:4], code[4:8], code[8:]))


def create_first_admin(
    tx: Writer,
    code: str,
    *,
    name: str,
    email: str,
    password_hash: str,
    pair: keys.KeyPair,
    language: str = "",
) -> User:
    """Creates the admin account, once, for whoever has the code. Raises NotAllowed, Invalid (field `code`) or Conflict."""
    if not needs_admin(tx):
        raise NotAllowed("This server already has an admin.")
    stored = settings.get(tx, _SETUP_CODE_KEY)
    typed = "".join(character for character in code.upper() if character.isalnum())
    if stored is None or not hmac.compare_digest(stored, _hash(typed)):
        raise Invalid("The code is not the one printed in the terminal of the server.", field="code")
    return create_user(
        tx, name=name, email=email, password_hash=password_hash, pair=pair, role="admin", language=language
    )


def create_user(
    tx: Writer,
    *,
    name: str,
    email: str,
    password_hash: str,
    pair: keys.KeyPair,
    role: str = "user",
    language: str = "",
) -> User:
    """Creates an account and its user in any mode: for the command line and the first admin, who may know addresses."""
    if addresses.is_email_in_use(tx, addresses.normalize_email(email)):
        raise Conflict("That e-mail address is already in use.")
    account = accounts.create_local(tx, name, pair=pair)
    user = users.create(tx, account, email=email, password_hash=password_hash, role=role, language=language)
    if role == "admin":
        settings.remove(tx, _SETUP_CODE_KEY)
    return user


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
