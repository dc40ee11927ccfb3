"""Invites: codes with which users let others sign up. Owns `invites`; the settings and the sign-up call it.

An invite serves a number of sign-ups and a number of days; after either it is refused, and a clean-up deletes it. It
ends with the right of its author to be here, too. A user invites `MAX_PEOPLE` people in `PERIOD_DAYS`, a moderator more.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from node.accounts import accounts
from node.auth import users
from node.database import Reader, Writer, build, columns
from node.errors import Invalid, NotAllowed
from node.ids import now_ms
from node.models import deletion_hooks
from node.models.account import Account

DAY_MS = 24 * 60 * 60 * 1000
MAX_PEOPLE, MAX_PEOPLE_OF_STAFF = 10, 500
PERIOD_DAYS = 30


@dataclass(frozen=True, slots=True)
class Invite:
    code: str
    account_id: int
    uses_left: int
    created_at: int
    expires_at: int


def create(tx: Writer, account: Account, *, uses: int = 1, days: int = 7) -> Invite:
    """Creates an invite by a local account.

    Raises Invalid for a number out of range, NotAllowed for an inactive user and for one who has invited enough people.
    """
    if not (1 <= uses <= 100 and 1 <= days <= 90):
        raise Invalid("An invitation is for 1 to 100 people and for 1 to 90 days.")
    user = users.lock(tx, account)  # invites created at once are counted, too
    if user is None or user.state != "active":
        raise NotAllowed("You cannot invite anyone at the moment.")
    now = now_ms()
    _check_limit(tx, user, uses, now)
    made = Invite(secrets.token_urlsafe(9), account.id, uses, now, now + days * DAY_MS)
    tx.run(
        """INSERT INTO invites (code, account_id, uses_left, created_at, expires_at)
           VALUES (:code, :account, :uses, :now, :expires)""",
        code=made.code,
        account=account.id,
        uses=uses,
        now=now,
        expires=made.expires_at,
    )
    return made


def _check_limit(tx: Reader, user: users.User, uses: int, now: int) -> None:
    """Counts who came and who may still come by the invites of a user."""
    pending = tx.value(
        """SELECT COALESCE(SUM(uses_left), 0) FROM invites
           WHERE account_id = :account AND expires_at > :now AND uses_left > 0""",
        account=user.account_id,
        now=now,
    )
    invited = users.count_invited_since(tx, user.account_id, now - PERIOD_DAYS * DAY_MS)
    most = MAX_PEOPLE_OF_STAFF if user.is_staff else MAX_PEOPLE
    if int(pending) + invited + uses > most:
        raise NotAllowed(
            f"You can invite {most} people in {PERIOD_DAYS} days. Please delete an invite that is not used, or wait.",
        )


def by_account(tx: Reader, account: Account) -> list[Invite]:
    """Returns the invites of an account that can still be used, newest first."""
    rows = tx.all(
        f"""SELECT {columns(Invite)} FROM invites
            WHERE account_id = :account AND uses_left > 0 AND expires_at > :now
            ORDER BY created_at DESC""",  # noqa: S608
        account=account.id,
        now=now_ms(),
    )
    return [build(Invite, row) for row in rows]


def revoke(tx: Writer, account: Account, code: str) -> None:
    tx.run("DELETE FROM invites WHERE code = :code AND account_id = :account", code=code, account=account.id)


@deletion_hooks.on_account_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes the invites of an account."""
    tx.run("DELETE FROM invites WHERE account_id = :id", id=account.id)


def clean_up(tx: Writer, now: int) -> int:
    """Deletes invites that are used up or have expired."""
    return tx.run("DELETE FROM invites WHERE uses_left < 1 OR expires_at < :now", now=now)


def usable_by_code(tx: Reader, code: str) -> Invite | None:
    """Returns the invite with a code, unless it is used up or has expired, or its author may not sign in any more."""
    row = tx.one(
        f"""SELECT {columns(Invite)} FROM invites
            WHERE code = :code AND uses_left > 0 AND expires_at > :now""",  # noqa: S608
        code=code.strip(),
        now=now_ms(),
    )
    found = build(Invite, row) if row else None
    return found if found is not None and _is_author_active(tx, found) else None


def _is_author_active(tx: Reader, invite: Invite) -> bool:
    account = accounts.by_id(tx, invite.account_id)
    user = users.by_account(tx, account) if account is not None and not account.is_inactive else None
    return user is not None and user.state == "active"


def redeem(tx: Writer, code: str) -> Invite | None:
    """Uses an invite once and returns it; None, and nothing changes, if it cannot be used."""
    if usable_by_code(tx, code) is None:
        return None
    row = tx.one(
        f"""UPDATE invites SET uses_left = uses_left - 1
            WHERE code = :code AND uses_left > 0 AND expires_at > :now RETURNING {columns(Invite)}""",  # noqa: S608
        code=code.strip(),
        now=now_ms(),
    )
    return build(Invite, row) if row else None
