"""Browser sessions: signing in and out. Owns `sessions`.

The cookie holds a random token and the table only its hash, so a copy of the database lets nobody sign in.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from node import rate_limits
from node.accounts.accounts import by_id
from node.auth import passwords, users
from node.database import Reader, Writer, build, columns
from node.errors import Invalid, NotAllowed
from node.ids import now_ms
from node.models import deletion_hooks
from node.models.account import Account
from node.node import Node
from node.text import display_names

RETENTION_MS = 60 * 24 * 60 * 60 * 1000
MAX_ATTEMPTS_PER_NAME = 10
MAX_ATTEMPTS_PER_NETWORK = 60
ATTEMPT_WINDOW_SECONDS = 15 * 60


@dataclass(frozen=True, slots=True)
class Session:
    hash: str
    account_id: int
    user_agent: str
    created_at: int
    seen_at: int

    @property
    def id(self) -> str:
        """The start of the hash, which names the session on the settings page."""
        return self.hash[:16]


async def sign_in(node: Node, login: str, password: str, *, address: str, user_agent: str) -> str:
    """Starts a session and returns its token, for the cookie. Raises Invalid, NotAllowed or TooManyRequests.

    `login` is a name or an e-mail address, `address` the IP address of the client.
    """
    network = rate_limits.client_network(address)
    name_key = f"sign-in {network} {login.strip().lower()}"
    await node.db.write(
        rate_limits.count_attempt,
        f"sign-in {network}",
        limit=MAX_ATTEMPTS_PER_NETWORK,
        seconds=ATTEMPT_WINDOW_SECONDS,
    )
    await node.db.write(
        rate_limits.count_attempt, name_key, limit=MAX_ATTEMPTS_PER_NAME, seconds=ATTEMPT_WINDOW_SECONDS
    )
    found = await node.db.read(users.by_login, login)
    is_right = await passwords.verify(found.password_hash if found else None, password)
    if found is None or not is_right:
        raise Invalid("Wrong username, e-mail or password.", field="password")
    if found.user.state == "pending":
        raise NotAllowed("Your sign-up is pending approval.")
    if found.user.state != "active" or found.account.is_inactive:
        raise NotAllowed("Your account has been suspended by the moderators of this server.")
    new_hash = await passwords.hash(password) if passwords.needs_rehash(found.password_hash) else None

    def unit(tx: Writer) -> str:
        rate_limits.reset(tx, name_key)
        if new_hash is not None:
            users.set_password(tx, found.account.id, new_hash)
        return start(tx, found.account, user_agent)

    return await node.db.write(unit)


def start(tx: Writer, account: Account, user_agent: str) -> str:
    """Creates a session and returns its token."""
    token = secrets.token_urlsafe(32)
    tx.run(
        """INSERT INTO sessions (hash, account_id, user_agent, created_at, seen_at)
           VALUES (:hash, :account, :user_agent, :now, :now)""",
        hash=_hash(token),
        account=account.id,
        user_agent=display_names.clean_line(user_agent, 200),
        now=now_ms(),
    )
    users.mark_seen(tx, account.id)
    return token


def by_token(tx: Reader, token: str) -> tuple[Account, users.User] | None:
    """Returns the account and user of a session; None if it expired,
    or if the account may no longer sign in."""
    account_id = tx.value(
        "SELECT account_id FROM sessions WHERE hash = :hash AND seen_at > :oldest",
        hash=_hash(token),
        oldest=now_ms() - RETENTION_MS,
    )
    if account_id is None:
        return None
    account = by_id(tx, account_id)
    user = users.by_account(tx, account) if account else None
    if account is None or account.is_inactive or user is None or user.state != "active":
        return None
    return account, user


def touch(tx: Writer, token: str) -> None:
    """Extends a session that is used. Needed only when `User.seen_at` is older than `SEEN_UPDATE_INTERVAL_MS`."""
    account_id = tx.value(
        "UPDATE sessions SET seen_at = :now WHERE hash = :hash RETURNING account_id",
        hash=_hash(token),
        now=now_ms(),
    )
    if account_id is not None:
        users.mark_seen(tx, account_id)


def by_account(tx: Reader, account: Account) -> list[Session]:
    """Returns the sessions of an account, the last used first."""
    rows = tx.all(
        f"""SELECT {columns(Session)} FROM sessions
            WHERE account_id = :id AND seen_at > :oldest ORDER BY seen_at DESC, created_at DESC""",  # noqa: S608
        id=account.id,
        oldest=now_ms() - RETENTION_MS,
    )
    return [build(Session, row) for row in rows]


def id_from_token(token: str) -> str:
    """Returns the `Session.id` of a cookie, to mark the current session in the list."""
    return _hash(token)[:16]


def end(tx: Writer, token: str) -> None:
    tx.run("DELETE FROM sessions WHERE hash = :hash", hash=_hash(token))


def end_by_id(tx: Writer, account: Account, id_: str) -> None:
    """Ends a session of this account, named by its `Session.id`."""
    for session in by_account(tx, account):
        if session.id == id_:
            tx.run("DELETE FROM sessions WHERE hash = :hash", hash=session.hash)


def end_all(tx: Writer, account: Account, except_token: str = "") -> None:
    """Ends all sessions of an account except that of `except_token`."""
    tx.run(
        "DELETE FROM sessions WHERE account_id = :id AND hash <> :kept",
        id=account.id,
        kept=_hash(except_token) if except_token else "",
    )


@deletion_hooks.on_account_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes all sessions of an account."""
    end_all(tx, account)


def clean_up(tx: Writer, now: int) -> int:
    """Deletes sessions that were not used for `RETENTION_MS`."""
    return tx.run("DELETE FROM sessions WHERE seen_at < :before", before=now - RETENTION_MS)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


async def change_password(node: Node, account: Account, current: str, new: str, *, keep_token: str) -> None:
    """Changes the password and ends all other sessions. Raises Invalid, field 'current' or 'password'."""
    passwords.check(new)
    if not await passwords.verify(await node.db.read(users.password_hash, account.id), current):
        raise Invalid("The password is wrong.", field="current")
    hashed = await passwords.hash(new)

    def unit(tx: Writer) -> None:
        users.set_password(tx, account.id, hashed)
        end_all(tx, account, except_token=keep_token)

    await node.db.write(unit)
