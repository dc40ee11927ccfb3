"""The delivery ledger: which server has heard which of our sentences. Owns the table `deliveries`.

A row is written for every inbox in the same unit of work that queues its job, and closed in the unit that
finishes the job (`outcomes`). So the author can be told "delivered to 43 of 45 servers" and it is true.
`ledgers` reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from node.database import Reader, Writer, build, build_all, columns
from node.federation import outbox
from node.federation.outbox import Sentence
from node.ids import id_at, new_id, now_ms
from node.jobs import queue as jobs

DAY = 24 * 3600 * 1000
KEPT_MS = 30 * DAY
GIVEN_UP_AFTER_MS = 7 * DAY
MOST_AGAIN = 200


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
class End:
    """How a delivery ended: `state` is delivered, failed or gone."""

    id: int
    state: str
    status: int | None
    reason: str


_SELECT = f"SELECT {columns(Delivery)} FROM deliveries"  # noqa: S608


def queue(
    tx: Writer, sentence: Sentence, inboxes: Iterable[tuple[str, str]], *, is_synchronized: bool = False
) -> int:
    """One row and one job per (inbox, host) that has none yet; how many there were.

    `is_synchronized`: the receivers are told whom of theirs we believe to follow the author.
    """
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
        said = {"sentence": sentence.id, "by": sentence.account_id, "about": about(sentence), "since": now}
        if is_synchronized:
            said["synchronized"] = True
        jobs.add_many(
            tx,
            "deliver",
            [
                ({"id": row["id"], "inbox": row["inbox"], "host": row["host"], **said}, str(row["host"]))
                for row in rows
            ],
        )
    return len(rows)


def about(sentence: Sentence) -> str:
    """What must keep its order among itself: all that is said about one post, or between two people."""
    if sentence.post_id is not None:
        return f"post:{sentence.post_id}"
    if sentence.target_id is not None:
        return f"people:{sentence.account_id}:{sentence.target_id}"
    return f"person:{sentence.account_id}"


def refuse(tx: Writer, sentence: Sentence, inboxes: Iterable[tuple[str, str]], reason: str) -> None:
    """Write down that these are not even tried, and why."""
    now = now_ms()
    rows = [
        {"id": new_id(), "outbox_id": sentence.id, "inbox": inbox, "host": host, "reason": reason, "now": now}
        for inbox, host in inboxes
    ]
    if rows:
        tx.many(
            """INSERT INTO deliveries (id, outbox_id, inbox, host, state, reason, created_at, finished_at)
               VALUES (:id, :outbox_id, :inbox, :host, 'failed', :reason, :now, :now)
               ON CONFLICT DO NOTHING""",
            rows,
        )


def by_id(tx: Reader, id_: int) -> Delivery | None:
    row = tx.one(_SELECT + " WHERE id = :id", id=id_)
    return build(Delivery, row) if row else None


def close(tx: Writer, ends: Iterable[End]) -> None:
    """These are over."""
    now = now_ms()
    tx.many(
        """UPDATE deliveries SET state = :state, status = :status, reason = :reason,
                  attempts = attempts + 1, finished_at = :now
           WHERE id = :id""",
        [
            {
                "id": end.id,
                "state": end.state,
                "status": end.status,
                "reason": end.reason[:500],
                "now": now,
            }
            for end in ends
        ],
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


def again(tx: Writer, sentence: Sentence, *, host: str | None = None) -> int:
    """Queue anew what failed of a sentence (to one server, or to all); how many that were.

    It goes to the end of its server's lane, and has another week. What has been taken back or replaced since is
    not said again; a post is told as it is now.
    """
    if outbox.is_overtaken(tx, sentence):
        return 0
    now = now_ms()
    rows = tx.all(
        """UPDATE deliveries SET state = 'waiting', created_at = :now, finished_at = NULL
           WHERE outbox_id = :sentence AND state IN ('failed', 'gone') AND (:host = '' OR host = :host)
           RETURNING id, inbox, host""",
        sentence=sentence.id,
        host=host or "",
        now=now,
    )
    said = {"sentence": sentence.id, "by": sentence.account_id, "about": about(sentence), "since": now}
    if rows and sentence.verb in ("Create", "Update"):
        outbox.forget_document(tx, sentence)
        said["anew"] = now
    jobs.add_many(
        tx,
        "redeliver",
        [
            ({"id": row["id"], "inbox": row["inbox"], "host": row["host"], **said}, row["host"])
            for row in rows
        ],
    )
    return len(rows)


def again_at(tx: Writer, host: str) -> int:
    """Queue anew what failed at one server, the newest `MOST_AGAIN` sentences of it; how many deliveries."""
    rows = tx.all(
        """SELECT DISTINCT outbox_id FROM deliveries WHERE host = :host AND state IN ('failed', 'gone')
           ORDER BY outbox_id DESC LIMIT :most""",
        host=host,
        most=MOST_AGAIN,
    )
    found = (outbox.by_id(tx, row["outbox_id"]) for row in reversed(rows))
    return sum(again(tx, sentence, host=host) for sentence in found if sentence is not None)


def drop(tx: Writer, host: str, reason: str) -> int:
    """Give up everything that waits for a server; how much that was."""
    jobs.drop_lanes(tx, host)
    return tx.run(
        """UPDATE deliveries SET state = 'failed', reason = :reason, finished_at = :now
           WHERE host = :host AND state = 'waiting'""",
        host=host,
        reason=reason,
        now=now_ms(),
    )


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


def unfinished(tx: Reader, *, limit: int = 100) -> Sequence[Delivery]:
    """What did not arrive, newest first: waiting with at least one failure, failed or gone."""
    rows = tx.all(
        _SELECT
        + """ WHERE state IN ('failed', 'gone') OR (state = 'waiting' AND attempts > 0)
              ORDER BY id DESC LIMIT :limit""",
        limit=limit,
    )
    return build_all(Delivery, rows)


def clean_up(tx: Writer, now: int) -> int:
    """Forget closed rows that are history; close those whose job is no more."""
    tx.run(
        """UPDATE deliveries SET state = 'failed', finished_at = :now
           WHERE state = 'waiting' AND id < :before AND created_at < :then""",
        now=now,
        before=id_at(now - 2 * GIVEN_UP_AFTER_MS),
        then=now - 2 * GIVEN_UP_AFTER_MS,
    )
    return tx.run(
        "DELETE FROM deliveries WHERE id < :before AND state <> 'waiting' AND finished_at < :then",
        before=id_at(now - KEPT_MS),
        then=now - KEPT_MS,
    )
