"""Mail that is to be sent: queued in the unit of work that causes it, written and sent by the job `send_mail`.

A job names what the mail is about, never a password, link or code: those are made while it is written, so that neither
the queue nor a copy of the database holds any.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from node.database import Writer
from node.ids import now_ms
from node.jobs import queue
from node.jobs.queue import GiveUp, Job, RetryLater
from node.models.account import Account

JOB = "send_mail"
FIRST_WAIT_MS, MAX_WAIT_MS = 60_000, 4 * 3_600_000
MAX_AGE_MS = 2 * 24 * 3_600_000


class MailKind(enum.StrEnum):
    """What a mail is about."""

    CONFIRM_ADDRESS = "confirm_address"
    RESET_PASSWORD = "reset_password"  # noqa: S105
    ADDRESS_CHANGED = "address_changed"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    NEW_SIGN_IN = "new_sign_in"
    SECOND_STEP_CHANGED = "second_step_changed"
    PASSKEY_ADDED = "passkey_added"
    RECOVERY_CODE_USED = "recovery_code_used"
    ACCOUNT_DELETED = "account_deleted"
    APPROVED = "approved"
    REJECTED = "rejected"
    STAFF_SIGN_UP = "staff_sign_up"
    STAFF_REPORT = "staff_report"


@dataclass(frozen=True, slots=True)
class MailRequest:
    """A mail as its job has it. `account_id` is the account it is about, 0 for none; `about` a name or an id."""

    kind: MailKind
    to: str
    account_id: int
    language: str
    about: str
    asked_at: int


def queue_mail(
    tx: Writer,
    kind: MailKind,
    to: str,
    *,
    account: Account | None = None,
    language: str = "",
    about: str = "",
) -> None:
    """Queues a mail. Does nothing where the node sends none: whoever offers one says so (`site.sends_mail`)."""
    if not tx.site.sends_mail:
        return
    payload = {
        "kind": kind.value,
        "to": to,
        "account": account.id if account else 0,
        "language": language,
        "about": about,
        "asked_at": now_ms(),
    }
    queue.add(tx, JOB, payload)


def read_request(job: Job) -> MailRequest:
    """Returns what a job is to send. Raises GiveUp for a kind that this version does not know."""
    payload = job.payload
    if payload["kind"] not in [kind.value for kind in MailKind]:
        raise GiveUp(f"no mail is of the kind {payload['kind']!r}")
    return MailRequest(
        MailKind(payload["kind"]),
        payload["to"],
        payload["account"],
        payload["language"],
        payload["about"],
        payload["asked_at"],
    )


def retry_later(request: MailRequest, attempts: int, reason: str) -> RetryLater | GiveUp:
    """Returns what a job raises whose mail could not be handed over: it is tried for two days, less and less often."""
    now = now_ms()
    if now - request.asked_at > MAX_AGE_MS:
        return GiveUp(f"not sent within two days: {reason}")
    return RetryLater(now + min(MAX_WAIT_MS, FIRST_WAIT_MS << min(attempts - 1, 10)), reason)
