"""Browser sessions: how they begin, last and end. Owns `sessions`.

The cookie holds a token (`issued_tokens`) and the table only its hash.
"""

from __future__ import annotations

from dataclasses import dataclass

from node.accounts.accounts import by_id
from node.auth import (
    issued_tokens,
    password_strength,
    passwords,
    sign_in_limits,
    users,
)
from node.auth.issued_tokens import TokenKind
from node.auth.mail import user_mail
from node.auth.oauth import authorization_codes
from node.database import Reader, Writer, build, columns
from node.ids import now_ms
from node.mail.outgoing_mail import MailKind
from node.models import deletion_hooks
from node.models.account import Account
from node.node import Node
from node.text import display_names

RETENTION_MS = 60 * 24 * 60 * 60 * 1000
MAX_PER_ACCOUNT = 50
PROOF_LIFETIME_MS = 10 * 60 * 1000


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


def start(tx: Writer, account: Account, user_agent: str) -> str:
    """Creates a session and returns its token. Beyond `MAX_PER_ACCOUNT` those used longest ago end."""
    token = issued_tokens.issue(tx.site, TokenKind.SESSION, account)
    tx.run(
        """DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions WHERE account_id = :account
               ORDER BY seen_at DESC, created_at DESC LIMIT 1000 OFFSET :kept)""",
        account=account.id,
        kept=MAX_PER_ACCOUNT - 1,
    )
    tx.run(
        """INSERT INTO sessions (hash, account_id, user_agent, created_at, seen_at, proved_at)
           VALUES (:hash, :account, :user_agent, :now, :now, :now)""",
        hash=issued_tokens.hash_of(token),
        account=account.id,
        user_agent=display_names.clean_line(user_agent, 200),
        now=now_ms(),
    )
    users.mark_seen(tx, account.id)
    return token


def by_token(tx: Reader, token: str) -> tuple[Account, users.User] | None:
    """Returns the account and user of a session; None if it expired,
    or if the account may no longer sign in."""
    if issued_tokens.account_id(tx.site, TokenKind.SESSION, token) is None:
        return None
    account_id = tx.value(
        "SELECT account_id FROM sessions WHERE hash = :hash AND seen_at > :oldest",
        hash=issued_tokens.hash_of(token),
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
        hash=issued_tokens.hash_of(token),
        now=now_ms(),
    )
    if account_id is not None:
        users.mark_seen(tx, account_id)


def prove(tx: Writer, token: str) -> None:
    """Records that somebody has just proved again who they are in this session."""
    sql = "UPDATE sessions SET proved_at = :now WHERE hash = :hash"
    tx.run(sql, hash=issued_tokens.hash_of(token), now=now_ms())


def is_proved(tx: Reader, token: str) -> bool:
    """Returns whether somebody proved who they are in this session within `PROOF_LIFETIME_MS`, by signing in or again."""
    sql = "SELECT 1 FROM sessions WHERE hash = :hash AND proved_at > :oldest"
    oldest = now_ms() - PROOF_LIFETIME_MS
    return tx.value(sql, hash=issued_tokens.hash_of(token), oldest=oldest) is not None


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
    return issued_tokens.hash_of(token)[:16]


def end(tx: Writer, token: str) -> None:
    tx.run("DELETE FROM sessions WHERE hash = :hash", hash=issued_tokens.hash_of(token))


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
        kept=issued_tokens.hash_of(except_token) if except_token else "",
    )


@deletion_hooks.on_account_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes all sessions of an account."""
    end_all(tx, account)


def clean_up(tx: Writer, now: int, after: str | None) -> str | None:
    """Deletes those of the next sessions that were not used for `RETENTION_MS`; returns where to go on, None at the end."""
    rows = tx.all(
        "SELECT hash, seen_at FROM sessions WHERE hash > :after ORDER BY hash LIMIT 500", after=after or ""
    )
    unused = [row["hash"] for row in rows if row["seen_at"] < now - RETENTION_MS]
    tx.run("DELETE FROM sessions WHERE hash IN (:hashes)", hashes=unused)
    return rows[-1]["hash"] if rows else None


async def change_password(
    node: Node, account: Account, new: str, *, keep_token: str, keeps_apps: bool = False
) -> None:
    """Changes the password, and ends all other sessions and, unless they are kept, the tokens of all apps.

    Whoever calls it knows that it is the person themselves (`is_proved`). Raises Invalid, field 'password'.
    """
    user = await node.db.read(users.by_account, account)
    await password_strength.check_new(node, new, (account.name, user.email if user else ""))
    hashed = await passwords.hash(new)
    await node.db.write(
        replace_password, account, hashed, keep_session_token=keep_token, keeps_apps=keeps_apps
    )


def replace_password(
    tx: Writer, account: Account, hashed: str, *, keep_session_token: str = "", keeps_apps: bool = False
) -> None:
    """Sets a new password hash, ends what was signed in with the old password, and says so by mail. Raises NotFound.

    Attempts at the old password no longer count.
    """
    users.set_password(tx, account.id, hashed)
    if (person := users.by_account_id(tx, account.id)) is not None:
        sign_in_limits.unlock(tx, person)
    user_mail.tell(tx, account, MailKind.PASSWORD_CHANGED)
    end_all(tx, account, except_token=keep_session_token)
    if not keeps_apps:
        authorization_codes.sign_out_apps(tx, account)
