"""The delivery ledger: which server has heard which of our sentences. Owns the table `deliveries`.

A row is written for every inbox in the same unit of work that queues its job, and closed in the unit that
finishes the job. So the author can be told "delivered to 43 of 45 servers" and it is true.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from node import jobs
from node.database import Reader, Writer, build, columns
from node.ids import new_id, now_ms
from node.outbox import Sentence

KEPT_MS = 30 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Delivery:
    """`state` is waiting, delivered, failed or gone; `status` is the last HTTP status, if there was one."""

    id: int
    outbox_id: int
    inbox: str
    host: str
    state: str
    status: int | None
    reason: str
    attempts: int
    created_at: int
    finished_at: int | None


@dataclass(frozen=True, slots=True)
class Tally:
    """How far a post, its edits or its deletion have come."""

    servers: int
    delivered: int
    waiting: int
    failed: int


_SELECT = f"SELECT {columns(Delivery)} FROM deliveries"  # noqa: S608


def queue(tx: Writer, sentence: Sentence, inboxes: Iterable[tuple[str, str]]) -> int:
    """One row and one job per (inbox, host) that has none yet; how many there were."""
    known = {
        row["inbox"] for row in tx.all("SELECT inbox FROM deliveries WHERE outbox_id = :id", id=sentence.id)
    }
    now = now_ms()
    rows = [
        {"id": new_id(), "outbox_id": sentence.id, "inbox": inbox, "host": host, "now": now}
        for inbox, host in dict.fromkeys(inboxes)
        if inbox not in known
    ]
    if rows:
        tx.many(
            """INSERT INTO deliveries (id, outbox_id, inbox, host, created_at)
               VALUES (:id, :outbox_id, :inbox, :host, :now)""",
            rows,
        )
        jobs.add_many(
            tx,
            "deliver",
            [
                (
                    {
                        "id": row["id"],
                        "inbox": row["inbox"],
                        "host": row["host"],
                        "sentence": sentence.id,
                        "by": sentence.account_id,
                        "since": now,
                    },
                    str(row["host"]),
                )
                for row in rows
            ],
        )
    return len(rows)


def refuse(tx: Writer, sentence: Sentence, inboxes: Iterable[tuple[str, str]], reason: str) -> None:
    """Write down that these are not even tried, and why."""
    now = now_ms()
    for inbox, host in inboxes:
        tx.run(
            """INSERT INTO deliveries (id, outbox_id, inbox, host, state, reason, created_at, finished_at)
               VALUES (:id, :outbox_id, :inbox, :host, 'failed', :reason, :now, :now)
               ON CONFLICT DO NOTHING""",
            id=new_id(),
            outbox_id=sentence.id,
            inbox=inbox,
            host=host,
            reason=reason,
            now=now,
        )


def by_id(tx: Reader, id_: int) -> Delivery | None:
    row = tx.one(_SELECT + " WHERE id = :id", id=id_)
    return build(Delivery, row) if row else None


def close(tx: Writer, id_: int, state: str, *, status: int | None = None, reason: str = "") -> None:
    """It is over: delivered, failed or gone."""
    tx.run(
        """UPDATE deliveries SET state = :state, status = :status, reason = :reason,
                  attempts = attempts + 1, finished_at = :now
           WHERE id = :id""",
        state=state,
        status=status,
        reason=reason[:500],
        now=now_ms(),
        id=id_,
    )


def tried(tx: Writer, id_: int, *, status: int | None, reason: str) -> int:
    """It did not work this time and will be tried again; how many tries that makes."""
    attempts: int | None = tx.value(
        """UPDATE deliveries SET status = :status, reason = :reason, attempts = attempts + 1
           WHERE id = :id RETURNING attempts""",
        status=status,
        reason=reason[:500],
        id=id_,
    )
    return attempts or 1


def of_post(tx: Reader, post_id: int) -> Tally:
    """How many servers have heard of a post and all that was said about it since."""
    row = tx.one(
        """SELECT COUNT(DISTINCT d.host) AS servers,
                  COUNT(DISTINCT d.host) FILTER (WHERE d.state = 'delivered') AS delivered,
                  COUNT(DISTINCT d.host) FILTER (WHERE d.state = 'waiting') AS waiting,
                  COUNT(DISTINCT d.host) FILTER (WHERE d.state IN ('failed', 'gone')) AS failed
           FROM outbox o JOIN deliveries d ON d.outbox_id = o.id
           WHERE o.post_id = :post""",
        post=post_id,
    )
    if row is None:
        return Tally(0, 0, 0, 0)
    return Tally(row["servers"], row["delivered"], row["waiting"], row["failed"])


def totals(tx: Reader) -> dict[str, int]:
    """Rows per state, for the admin."""
    rows = tx.all("SELECT state, COUNT(*) AS n FROM deliveries GROUP BY state")
    return {row["state"]: row["n"] for row in rows}


def by_hosts(tx: Reader, hosts: Iterable[str]) -> dict[str, dict[str, int]]:
    """Host → rows per state, for the admin."""
    found: dict[str, dict[str, int]] = {}
    for row in tx.all(
        "SELECT host, state, COUNT(*) AS n FROM deliveries WHERE host IN (:hosts) GROUP BY host, state",
        hosts=list(hosts),
    ):
        found.setdefault(row["host"], {})[row["state"]] = row["n"]
    return found


def unfinished(tx: Reader, *, limit: int = 100) -> list[Delivery]:
    """What did not arrive, newest first: waiting with at least one failure, failed or gone."""
    rows = tx.all(
        _SELECT
        + """ WHERE state IN ('failed', 'gone') OR (state = 'waiting' AND attempts > 0)
              ORDER BY id DESC LIMIT :limit""",
        limit=limit,
    )
    return [build(Delivery, row) for row in rows]


def clean_up(tx: Writer, now: int) -> int:
    """Forget closed rows that are history."""
    return tx.run(
        "DELETE FROM deliveries WHERE state <> 'waiting' AND finished_at < :before", before=now - KEPT_MS
    )
