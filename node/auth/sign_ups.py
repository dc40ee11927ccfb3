"""Sign-ups that wait for staff, and those that staff rejected. Owns `rejected_sign_ups`.

Those that wait are rows of `users` in the state 'pending'. Of a rejected one the account is deleted; what it takes to
tell the person so is kept for a month: only whoever has its password is told, when they sign in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from node.database import Reader, Writer, build, columns
from node.errors import NotAllowed
from node.ids import now_ms
from node.models.account import Account

RETENTION_MS = 30 * 24 * 3_600_000
MAX_REASON_LENGTH = 500
MAX_COUNTED_PENDING = 500


def count_pending(tx: Reader) -> int:
    """Returns how many sign-ups wait for approval, counted up to `MAX_COUNTED_PENDING`."""
    sql = "SELECT COUNT(*) FROM (SELECT 1 FROM users WHERE state = 'pending' LIMIT :most) AS waiting"
    return int(tx.value(sql, most=MAX_COUNTED_PENDING))


def pending_among(tx: Reader, account_ids: Iterable[int]) -> set[int]:
    """Returns those of these accounts whose sign-up waits for approval."""
    sql = "SELECT account_id FROM users WHERE account_id IN (:ids) AND state = 'pending'"
    return {row["account_id"] for row in tx.all(sql, ids=list(account_ids))}


def check_decided(tx: Reader, account: Account) -> None:
    """Raises NotAllowed for an account whose sign-up waits for approval."""
    if pending_among(tx, [account.id]):
        raise NotAllowed("This person's sign-up is pending. Please approve or reject it.")


class SignUpRejected(NotAllowed):
    """Staff rejected the sign-up, for this `reason` if they gave one."""

    def __init__(self, reason: str) -> None:
        super().__init__("Your request to join was not accepted.")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class RejectedSignUp:
    """A sign-up that was rejected; `id` was that of its account."""

    id: int
    name: str
    email: str
    password_hash: str
    reason: str
    rejected_at: int

    @property
    def account_id(self) -> int:
        return self.id


def record_rejection(tx: Writer, account: Account, *, email: str, password_hash: str, reason: str) -> None:
    """Remembers whom to tell of the rejection. The caller deletes the account."""
    tx.run(
        f"""INSERT INTO rejected_sign_ups ({columns(RejectedSignUp)})
            VALUES (:id, :name, :email, :password_hash, :reason, :now)""",  # noqa: S608
        id=account.id,
        name=account.name,
        email=email,
        password_hash=password_hash,
        reason=reason.strip()[:MAX_REASON_LENGTH],
        now=now_ms(),
    )


def rejected_by_login(tx: Reader, login: str, *, is_email: bool, limit: int) -> list[RejectedSignUp]:
    """Returns sign-ups with a name or an e-mail address that were rejected in the last month, the latest first."""
    rows = tx.all(
        f"""SELECT {columns(RejectedSignUp)} FROM rejected_sign_ups
            WHERE lower({"email" if is_email else "name"}) = lower(:login) AND rejected_at > :since
            ORDER BY rejected_at DESC LIMIT :limit""",  # noqa: S608
        login=login,
        since=now_ms() - RETENTION_MS,
        limit=max(0, limit),
    )
    return [build(RejectedSignUp, row) for row in rows]


def clean_up(tx: Writer, now: int) -> int:
    """Deletes a batch of those that were rejected over a month ago."""
    return tx.run(
        """DELETE FROM rejected_sign_ups WHERE id IN (
               SELECT id FROM rejected_sign_ups WHERE rejected_at < :before ORDER BY rejected_at LIMIT 500)""",
        before=now - RETENTION_MS,
    )
