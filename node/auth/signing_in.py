"""Signing in: by password, with a second step where the account asks for one, or by passkey. Every way in ends in `_begin`. Owns no table.

Pages, and whatever else asks people to sign in, call `sign_in`. Where it raises SecondStepRequired nobody is signed in
yet: what it holds says for ten minutes that the password was right, and goes to `sign_in_with_code`.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from node.auth import (
    addresses,
    passwords,
    sessions,
    sign_in_limits,
    sign_in_log,
    sign_ups,
    users,
)
from node.auth.mail import mail_links, user_mail
from node.auth.mail.mail_links import Purpose
from node.auth.passkeys import ceremonies, passkeys
from node.auth.passkeys.ceremonies import DeviceAnswer
from node.auth.second_step import authenticator_apps, recovery_codes
from node.auth.sign_in_log import SignInKind
from node.auth.sign_ups import RejectedSignUp, SignUpRejected
from node.auth.users import Credentials
from node.database import Reader, Site, Writer
from node.errors import Invalid, NotAllowed, NotFound, Refused, TooManyRequests
from node.mail.outgoing_mail import MailKind
from node.models.account import Account
from node.node import Node
from node.text import display_names

PENDING_LIFETIME_MS = 10 * 60 * 1000
WRONG_PASSWORD = "Wrong username, e-mail or password."  # noqa: S105
WRONG_CODE = "That code is not right. Each works once: please type the one that the app shows now."
TOO_LATE = "That took too long. Please sign in again."

C = TypeVar("C", bound=Credentials | RejectedSignUp)


@dataclass(frozen=True, slots=True)
class Browser:
    """What is known of a browser in which somebody signs in. `known` is the mark that it keeps from before."""

    address: str
    user_agent: str
    known: str = ""


class SecondStepRequired(Refused):
    """The password is right, and a second step is asked for. `pending` names the half-finished sign-in."""

    status = 401

    def __init__(self, pending: str) -> None:
        super().__init__("Please enter the code of your authenticator app.")
        self.pending = pending


class UnknownPasskey(NotFound):
    """Nobody here has this passkey any more: the browser can be told to forget it."""


class SignInExpired(Refused):
    """A half-finished sign-in is too old, or its password has changed."""

    status = 422


async def sign_in(
    node: Node, login: str, password: str, *, address: str, user_agent: str, known_browser: str = ""
) -> str:
    """Starts a session and returns its token, for the cookie. Raises Invalid, NotAllowed, TooManyRequests,
    or SecondStepRequired.

    `login` is a name or an e-mail address, `address` the IP address of the client, `known_browser` the mark that a
    browser keeps in which somebody has signed in before. An account that is guessed at under its name and its address
    has the limits of `sign_in_limits` once: beyond them a password counts as wrong.
    """
    browser = Browser(address, user_agent, known_browser)
    name = addresses.normalize_login(node.site, login)
    await sign_in_limits.count_password(node, address, name)
    candidates = await node.db.read(users.all_by_login, login)
    by_email = addresses.is_email(node.site, login)
    found: Credentials | RejectedSignUp | None
    known = [one for one in candidates if is_known_browser(node.site, one.account, known_browser)]
    found = await _with_password(known, password)
    if found is None and (by_email or not known):
        # What is counted and verified must not tell who is registered with an address.
        try:
            await sign_in_limits.count_at_name(node, name)
        except TooManyRequests:
            people = [one.account for one in candidates]
            await node.db.write(sign_in_log.record_guesses, people, user_agent=user_agent, address=address)
            raise
        others: list[Credentials | RejectedSignUp] = [one for one in candidates if one not in known]
        # A rejected sign-up takes the place of a look-up that would find nobody: neither the time nor a limit tells of it.
        most = (users.MAX_SAME_EMAIL if by_email else 1) - len(candidates)
        others += await node.db.read(sign_ups.rejected_by_login, name, is_email=by_email, limit=most)
        allowed = await node.db.write(sign_in_limits.count_guess, address, [one.account_id for one in others])
        others = [one for one in others if one.account_id in allowed]
        times = users.MAX_SAME_EMAIL - len(known) if by_email else 1
        found = await _with_password(others, password, times)
    if found is None:
        raise Invalid(WRONG_PASSWORD, field="password")
    if isinstance(found, RejectedSignUp):
        raise SignUpRejected(found.reason)
    _check_may_sign_in(found)
    new_hash = await passwords.hash(password) if passwords.needs_rehash(found.password_hash) else None

    def unit(tx: Writer) -> tuple[str, str]:
        sign_in_limits.forget_guesses(tx, address, name, found.account)
        if new_hash is not None:
            users.set_password(tx, found.account.id, new_hash)
        return after_password(tx, found, browser)

    token, pending = await node.db.write(unit)
    if pending:
        raise SecondStepRequired(pending)
    return token


def after_password(tx: Writer, found: Credentials, browser: Browser) -> tuple[str, str]:
    """Returns the token of a session for somebody whose password was right; with a second step none,
    but what names the half-finished sign-in."""
    if not authenticator_apps.is_on(tx, found.account.id):
        return _begin(tx, found, SignInKind.PASSWORD, browser), ""
    state = _pending_state(tx, found.account.id)
    id_ = found.account.id
    return "", mail_links.make(tx.site, Purpose.SECOND_STEP, id_, state, lifetime_ms=PENDING_LIFETIME_MS)


def after_code(tx: Writer, pending: str, code: str, browser: Browser) -> str | None:
    """Returns the token of a session for a half-finished sign-in; None for a wrong code. Raises SignInExpired."""
    found = pending_user(tx, pending)
    kind = SignInKind.RECOVERY_CODE if recovery_codes.looks_like_one(code) else SignInKind.CODE
    if use_code(tx, found.account, code):
        return _begin(tx, found, kind, browser)
    sign_in_log.record(
        tx, found.account, SignInKind.WRONG_CODE, user_agent=browser.user_agent, address=browser.address
    )
    return None


def after_passkey(tx: Writer, answer: DeviceAnswer, browser: Browser, *, pending: str = "") -> str:
    """Returns the token of a session for whoever a passkey belongs to; with `pending`, only for its account."""
    expected = pending_user(tx, pending).account.id if pending else 0
    found = _use_passkey(tx, answer, sign_in_purpose(expected), expected)
    _check_may_sign_in(found)
    return _begin(tx, found, SignInKind.PASSKEY, browser)


def after_sign_up(tx: Writer, account: Account, browser: Browser) -> str:
    """Returns the token of the first session of a new account."""
    sign_in_log.record(
        tx, account, SignInKind.NEW_ACCOUNT, user_agent=browser.user_agent, address=browser.address
    )
    return sessions.start(tx, account, browser.user_agent)


def _check_may_sign_in(found: Credentials) -> None:
    if found.user.state == "pending":
        raise NotAllowed("Your sign-up is pending approval.")
    if found.user.state != "active" or found.account.is_inactive:
        raise NotAllowed("Your account has been suspended by the moderators of this server.")


def _begin(tx: Writer, found: Credentials, kind: SignInKind, browser: Browser) -> str:
    """Starts the session of somebody who has proved who they are; tells them by mail of a browser that is new."""
    if found.user.seen_at is not None and not is_known_browser(tx.site, found.account, browser.known):
        about = display_names.clean_line(browser.user_agent, 200)
        user_mail.tell(tx, found.account, MailKind.NEW_SIGN_IN, about=about)
    sign_in_log.record(tx, found.account, kind, user_agent=browser.user_agent, address=browser.address)
    return sessions.start(tx, found.account, browser.user_agent)


def _pending_state(tx: Reader, account_id: int) -> str:
    return f"{users.password_hash(tx, account_id)} {authenticator_apps.version(tx, account_id)}"


def pending_user(tx: Reader, pending: str) -> Credentials:
    """Returns whose sign-in is half-finished. Raises SignInExpired."""
    found = users.by_account_id(tx, mail_links.account_id(pending) or 0)
    if found is None or not mail_links.is_valid(
        tx.site, Purpose.SECOND_STEP, pending, _pending_state(tx, found.account.id)
    ):
        raise SignInExpired(TOO_LATE)
    return found


async def sign_in_with_code(
    node: Node, pending: str, code: str, *, address: str, user_agent: str, known_browser: str = ""
) -> str:
    """Finishes a sign-in with a code of the app or a recovery code; returns the token of the session.

    Raises SignInExpired, Invalid with the field 'code', NotAllowed or TooManyRequests.
    """
    found = await node.db.read(pending_user, pending)
    _check_may_sign_in(found)
    is_known = is_known_browser(node.site, found.account, known_browser)
    await sign_in_limits.count_code(node, found.account, code, address=address, is_known=is_known)

    browser = Browser(address, user_agent, known_browser)
    token = await node.db.write(after_code, pending, code, browser)
    if token is None:
        raise Invalid(WRONG_CODE, field="code")
    return token


def use_code(tx: Writer, account: Account, code: str) -> bool:
    """Returns whether a typed code is right, of the app or one for recovery; it does not work a second time."""
    if not recovery_codes.looks_like_one(code):
        return authenticator_apps.use_code(tx, account.id, code)
    if not recovery_codes.use(tx, account.id, code):
        return False
    left = recovery_codes.count(tx, account.id)
    user_mail.tell(tx, account, MailKind.RECOVERY_CODE_USED, about=str(left))
    return True


def sign_in_purpose(account_id: int = 0) -> str:
    """Returns what a challenge to sign in is for: somebody with any passkey, or a second step of this account."""
    return f"sign in {account_id}" if account_id else "sign in"


def proof_purpose(account: Account) -> str:
    return f"prove {account.id}"


async def sign_in_with_passkey(
    node: Node,
    answer: DeviceAnswer,
    *,
    address: str,
    user_agent: str,
    known_browser: str = "",
    pending: str = "",
) -> str:
    """Starts a session for whoever a passkey belongs to, or finishes a sign-in; returns its token.

    Raises UnknownPasskey, Invalid, SignInExpired, NotAllowed or TooManyRequests.
    """
    await sign_in_limits.count_passkey(node, address)
    browser = Browser(address, user_agent, known_browser)
    return await node.db.write(after_passkey, answer, browser, pending=pending)


async def prove_with_passkey(node: Node, account: Account, session_token: str, answer: DeviceAnswer) -> None:
    """Records in a session that its owner has used one of their passkeys. Raises UnknownPasskey or Invalid."""

    def unit(tx: Writer) -> None:
        _use_passkey(tx, answer, proof_purpose(account), account.id)
        sessions.prove(tx, session_token)

    await node.db.write(unit)


def _use_passkey(tx: Writer, answer: DeviceAnswer, purpose: str, account_id: int) -> Credentials:
    """Verifies the use of a passkey, of this account unless that is 0; returns whose it is."""
    passkey = passkeys.by_credential(tx, answer.credential)
    found = users.by_account_id(tx, passkey.account_id) if passkey else None
    if passkey is None or found is None or account_id not in (0, passkey.account_id):
        raise UnknownPasskey("This passkey is not known here. It may have been removed in the settings.")
    if answer.handle and answer.handle != passkeys.known_handle(tx, found.account):
        raise Invalid(ceremonies.NOT_ACCEPTED, detail="the handle of another account")
    use = ceremonies.verify_use(tx.site, purpose, answer, passkey)
    ceremonies.use_challenge(tx, answer)
    passkeys.record_use(tx, passkey, use.sign_count)
    return found


async def prove_again(
    node: Node, account: Account, session_token: str, *, password: str, code: str, address: str
) -> None:
    """Records in a session that its owner has typed the password again, and a code where one is asked for.

    Raises Invalid, field 'password' or 'code', and TooManyRequests.
    """
    await sign_in_limits.count_proof(node, account)
    if not await passwords.verify(await node.db.read(users.password_hash, account.id), password):
        raise Invalid("The password is wrong.", field="password")
    if await node.db.read(authenticator_apps.is_on, account.id):
        await sign_in_limits.count_code(node, account, code, address=address, is_known=True)

    def unit(tx: Writer) -> bool:
        if authenticator_apps.is_on(tx, account.id) and not use_code(tx, account, code):
            return False
        sessions.prove(tx, session_token)
        sign_in_limits.forget_proofs(tx, account)
        return True

    if not await node.db.write(unit):
        raise Invalid(WRONG_CODE, field="code")


async def _with_password(candidates: Sequence[C], password: str, times: int = 0) -> C | None:
    """Returns the first user whose password this is. It verifies `times` passwords at least, whoever's it is."""
    hashes = [one.password_hash for one in candidates]
    right = [await passwords.verify(one, password) for one in [*hashes, *[None] * (times - len(hashes))]]
    return next((one for one, is_right in zip(candidates, right, strict=False) if is_right), None)


def known_browser_mark(site: Site, account: Account) -> str:
    """Returns what a browser keeps after signing in, to be told from those that never did."""
    return hmac.digest(site.subkey("known browsers"), str(account.id).encode(), "sha256").hex()[:32]


def is_known_browser(site: Site, account: Account, mark: str) -> bool:
    return hmac.compare_digest(known_browser_mark(site, account).encode(), mark.encode())
