"""The queue of mail: what a job holds, and when it is tried again."""

from __future__ import annotations

import dataclasses

import pytest

from node.database import Database, Writer
from node.ids import now_ms
from node.jobs.queue import GiveUp, Job, RetryLater
from node.mail import outgoing_mail
from node.mail.outgoing_mail import JOB, MailKind
from node.models.account import Account


@pytest.mark.parametrize("sends_mail", [True, False])
async def test_a_node_without_a_mail_server_queues_none(
    db: Database, alice: Account, sends_mail: bool
) -> None:
    def unit(tx: Writer) -> int:
        tx.site = dataclasses.replace(tx.site, sends_mail=sends_mail)
        outgoing_mail.queue_mail(tx, MailKind.APPROVED, "alice@a.test", account=alice)
        return int(tx.value("SELECT COUNT(*) FROM jobs WHERE kind = :kind", kind=JOB))

    assert await db.write(unit) == int(sends_mail)


def test_it_is_tried_less_and_less_often_and_for_two_days() -> None:
    payload = {
        "kind": "approved", "to": "a@a.test", "account": 1, "language": "", "about": "", "asked_at": now_ms(),
    }  # fmt: skip
    request = outgoing_mail.read_request(Job(1, JOB, "", payload, 1))

    waits = []
    for attempt in range(1, 20):
        later = outgoing_mail.retry_later(request, attempt, "busy")
        assert isinstance(later, RetryLater)
        waits.append(round((later.run_at - now_ms()) / 60_000))
    assert waits[:5] == [1, 2, 4, 8, 16]
    assert max(waits) == waits[-1] == 240

    old = dataclasses.replace(request, asked_at=now_ms() - outgoing_mail.MAX_AGE_MS - 1)
    assert isinstance(outgoing_mail.retry_later(old, 20, "busy"), GiveUp)
