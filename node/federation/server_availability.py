"""Which other servers are unavailable, and which signatures they take. Owns the table `hosts`.

A server that does not respond is left alone for a pause, twice as long after each failure, while everything
for it waits in its lane. One that contacts us is available: its lane goes on at once, unless it had responded
429 (too many requests): then contact is no reason to try sooner. `deliveries` tells the whole story.

Only servers that fail, or that take another signature than 'cavage', have a row, so the table stays small.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

from node.database import Reader, Writer, build, columns
from node.ids import now_ms
from node.jobs import queue

SECOND_MS = 1000
HOUR_MS = 3600 * SECOND_MS
DAY_MS = 24 * HOUR_MS
FIRST_BACKOFF_MS = 30 * SECOND_MS
MAX_BACKOFF_MS = 12 * HOUR_MS
MAX_PAUSE_MS = 2 * DAY_MS  # longer than any: what is stored beyond it was stored while the clock was wrong
GIVE_UP_AFTER_MS = 7 * DAY_MS
RETENTION_MS = 60 * DAY_MS
MAX_ROWS = 20_000
"""Rows that are kept. Other servers choose the names, so there must be a bound."""


@dataclass(frozen=True, slots=True)
class ServerAvailability:
    """What is known of one server; times are in milliseconds, 0 or None for never.

    `failures` in a row since `failing_since`. Until `sleeps_until` nothing is sent, unless it contacts us;
    until `busy_until` not even then, since it limits our requests (429).
    """

    host: str
    failures: int
    failing_since: int | None
    sleeps_until: int
    busy_until: int
    reason: str
    signature_style: str
    seen_at: int


_SELECT = f"SELECT {columns(ServerAvailability)} FROM hosts"  # noqa: S608


def by_host(tx: Reader, host: str) -> ServerAvailability | None:
    row = tx.one(_SELECT + " WHERE host = :host", host=host)
    return build(ServerAvailability, row) if row else None


def by_hosts(tx: Reader, names: Iterable[str]) -> dict[str, ServerAvailability]:
    """Returns what is known of each host, for those that have a row."""
    rows = tx.all(_SELECT + " WHERE host IN (:names)", names=list(names))
    return {row["host"]: build(ServerAvailability, row) for row in rows}


def failing(tx: Reader, *, limit: int = 200) -> list[ServerAvailability]:
    """Returns the servers that do not respond, those that have been failing for longest first."""
    rows = tx.all(
        _SELECT + " WHERE failures > 0 ORDER BY failing_since, host LIMIT :limit",
        limit=limit,
    )
    return [build(ServerAvailability, row) for row in rows]


def given_up(tx: Reader, hosts: Iterable[str], now: int) -> set[str]:
    """Returns the hosts that have failed for 7 days and are unavailable at `now`:
    nothing new is queued for them.

    When their pause ends, the next delivery is tried again, so they are never given up for good.
    """
    rows = tx.all(
        """SELECT host FROM hosts
           WHERE host IN (:hosts) AND failing_since < :before
             AND sleeps_until > :now AND sleeps_until <= :latest""",
        hosts=list(hosts),
        before=now - GIVE_UP_AFTER_MS,
        now=now,
        latest=now + MAX_PAUSE_MS,
    )
    return {row["host"] for row in rows}


def record_failure(
    tx: Writer, host: str, reason: str, *, retry_after_ms: int | None = None, is_rate_limited: bool = False
) -> int:
    """Records that a server did not respond; returns when to try again, in milliseconds.

    `retry_after_ms` is what it asked for itself, in milliseconds from now; `is_rate_limited` if it responded
    429.
    """
    now = now_ms()
    failures = tx.value(
        """INSERT INTO hosts (host, failures, failing_since, reason, seen_at)
           VALUES (:host, 1, :now, :reason, :now)
           ON CONFLICT (host) DO UPDATE SET failures = hosts.failures + 1,
               failing_since = COALESCE(hosts.failing_since, excluded.failing_since),
               reason = excluded.reason, seen_at = excluded.seen_at
           RETURNING failures""",
        host=host,
        now=now,
        reason=reason[:500],
    )
    sleeps_until = now + backoff_ms(failures, retry_after_ms)
    tx.run(
        "UPDATE hosts SET sleeps_until = :until, busy_until = :busy WHERE host = :host",
        until=sleeps_until,
        busy=sleeps_until if is_rate_limited else 0,
        host=host,
    )
    return sleeps_until


def backoff_ms(failures: int, retry_after_ms: int | None = None) -> int:
    """Returns the pause after so many failures in a row: 30 s doubled each time, up to 12 h; a longer
    `retry_after_ms`, up to a day.

    Give or take a fifth, so that lanes which paused together do not all resume together.
    """
    pause = min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS << min(failures - 1, 20))
    pause = int(pause * random.uniform(0.8, 1.2))  # noqa: S311
    if retry_after_ms is not None:
        pause = max(pause, min(retry_after_ms, DAY_MS))
    return pause


def record_success(tx: Writer, hosts: Iterable[str]) -> None:
    """Records that servers responded: their failures are forgotten."""
    tx.run(
        """UPDATE hosts SET failures = 0, failing_since = NULL, sleeps_until = 0, busy_until = 0, reason = ''
           WHERE host IN (:hosts) AND failures > 0""",
        hosts=sorted(hosts),
    )


def record_contact(tx: Writer, hosts: Iterable[str]) -> None:
    """Records that servers sent us an activity: what waits for them is tried now, except after a 429."""
    rows = tx.all(
        """SELECT host FROM hosts
           WHERE host IN (:hosts) AND sleeps_until > 0 AND (busy_until <= :now OR busy_until > :latest)""",
        hosts=list(hosts),
        now=now_ms(),
        latest=now_ms() + MAX_PAUSE_MS,
    )
    for row in rows:
        retry_now(tx, row["host"])


def retry_now(tx: Writer, host: str) -> None:
    """Tries what waits for a server now, without waiting for the end of its pause."""
    tx.run("UPDATE hosts SET sleeps_until = 0, busy_until = 0 WHERE host = :host", host=host)
    queue.run_lane_now(tx, host)


def reset(tx: Writer, host: str) -> None:
    """Forgets everything about a server, its signature style included."""
    tx.run("DELETE FROM hosts WHERE host = :host", host=host)


def signature_styles(tx: Reader, hosts: Iterable[str]) -> dict[str, str]:
    """Returns the signature style of each host, where it is not 'cavage'."""
    rows = tx.all(
        "SELECT host, signature_style FROM hosts WHERE host IN (:hosts) AND signature_style <> 'cavage'",
        hosts=list(hosts),
    )
    return {row["host"]: row["signature_style"] for row in rows}


def unavailable_until(tx: Reader, hosts: Iterable[str], now: int) -> dict[str, int]:
    """Returns until when each host is unavailable (milliseconds), for those that are."""
    names = list(hosts)
    if not names:
        return {}
    rows = tx.all(
        """SELECT host, sleeps_until FROM hosts
           WHERE host IN (:hosts) AND sleeps_until > :now AND sleeps_until <= :latest""",
        hosts=names,
        now=now,
        latest=now + MAX_PAUSE_MS,
    )
    return {row["host"]: row["sleeps_until"] for row in rows}


def signature_style(tx: Reader, host: str) -> str:
    """Returns the signature style a server takes: 'cavage' unless it was seen to take 'rfc9421'."""
    return signature_styles(tx, [host]).get(host, "cavage")


def set_signature_style(tx: Writer, host: str, signature_style: str) -> None:
    """Remembers the signature style that worked."""
    tx.run(
        """INSERT INTO hosts (host, signature_style, seen_at) VALUES (:host, :style, :now)
           ON CONFLICT (host) DO UPDATE SET signature_style = excluded.signature_style""",
        host=host,
        style=signature_style,
        now=now_ms(),
    )


def set_advertised_signature_style(tx: Writer, host: str, signature_style: str) -> None:
    """Remembers the signature style a server says it takes, unless something is known of it already."""
    tx.run(
        """INSERT INTO hosts (host, signature_style, seen_at) VALUES (:host, :style, :now)
           ON CONFLICT (host) DO NOTHING""",
        host=host,
        style=signature_style,
        now=now_ms(),
    )


def clean_up(tx: Writer, now: int) -> int:
    """Deletes rows that say nothing or are older than `RETENTION_MS`, and the oldest beyond `MAX_ROWS`."""
    gone = tx.run(
        """DELETE FROM hosts WHERE host IN (SELECT host FROM hosts
               WHERE (failures = 0 AND signature_style = 'cavage') OR seen_at < :before LIMIT 500)""",
        before=now - RETENTION_MS,
    )
    return gone + tx.run(
        """DELETE FROM hosts WHERE host IN (
               SELECT host FROM hosts ORDER BY seen_at DESC, host LIMIT 500 OFFSET :most)""",
        most=MAX_ROWS,
    )
