"""Other servers, awake or asleep. Owns the table `hosts`.

A server that fails to answer is left alone for a while, twice as long each time, and everything meant for
it waits in its lane. One that sends us something is awake: its lane goes on at once. Only servers that
fail, or that want something special, have a row, so the table stays small.

One that says that it hears too much from us (429) is awake already: that it sends us something is no reason to
ask again sooner.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

from node.database import Reader, Writer, build, columns
from node.ids import now_ms
from node.jobs import queue

SECOND = 1000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
FIRST_SLEEP_MS = 30 * SECOND
LONGEST_SLEEP_MS = 12 * HOUR
GIVEN_UP_AFTER_MS = 7 * DAY
KEPT_MS = 60 * DAY
MOST = 20_000
"""Rows that are kept. Strangers choose the names, so there must be an end to them."""


@dataclass(frozen=True, slots=True)
class Host:
    """`failures` in a row since `failing_since`; until `sleeps_until` nothing is tried.

    Until `busy_until` not even if it knocks: it hears too much from us, or did when it said so.
    """

    host: str
    failures: int
    failing_since: int | None
    sleeps_until: int
    busy_until: int
    reason: str
    signature_style: str
    seen_at: int


_SELECT = f"SELECT {columns(Host)} FROM hosts"  # noqa: S608


def by_name(tx: Reader, host: str) -> Host | None:
    row = tx.one(_SELECT + " WHERE host = :host", host=host)
    return build(Host, row) if row else None


def by_names(tx: Reader, names: Iterable[str]) -> dict[str, Host]:
    """What is remembered of each of these servers."""
    rows = tx.all(_SELECT + " WHERE host IN (:names)", names=list(names))
    return {row["host"]: build(Host, row) for row in rows}


def failing(tx: Reader, *, limit: int = 200) -> list[Host]:
    """Servers that do not answer, the longest silent first."""
    rows = tx.all(
        _SELECT + " WHERE failures > 0 ORDER BY failing_since, host LIMIT :limit",
        limit=limit,
    )
    return [build(Host, row) for row in rows]


def given_up(tx: Reader, hosts: Iterable[str], now: int) -> set[str]:
    """Those that have been silent for a week and are asleep: nothing new is queued for them.

    When such a sleep ends, the next thing meant for them is tried again, so they are never lost for good.
    """
    rows = tx.all(
        """SELECT host FROM hosts
           WHERE host IN (:hosts) AND failing_since < :before AND sleeps_until > :now""",
        hosts=list(hosts),
        before=now - GIVEN_UP_AFTER_MS,
        now=now,
    )
    return {row["host"] for row in rows}


def failed(
    tx: Writer, host: str, reason: str, *, retry_after_ms: int | None = None, is_busy: bool = False
) -> int:
    """It did not answer: how long it is left alone, as the time to try again.

    `retry_after_ms` is what it asked for itself, in milliseconds from now; `is_busy` if it hears too much from us.
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
    sleeps_until = now + pause_ms(failures, retry_after_ms)
    tx.run(
        "UPDATE hosts SET sleeps_until = :until, busy_until = :busy WHERE host = :host",
        until=sleeps_until,
        busy=sleeps_until if is_busy else 0,
        host=host,
    )
    return sleeps_until


def pause_ms(failures: int, retry_after_ms: int | None = None) -> int:
    """Twice as long after each failure, up to half a day, give or take a fifth so that lanes do not march in step."""
    pause = min(LONGEST_SLEEP_MS, FIRST_SLEEP_MS << min(failures - 1, 20))
    pause = int(pause * random.uniform(0.8, 1.2))  # noqa: S311
    if retry_after_ms is not None:
        pause = max(pause, min(retry_after_ms, DAY))
    return pause


def answered(tx: Writer, hosts: Iterable[str]) -> None:
    """They answered: whatever was held against them is forgotten."""
    tx.run(
        """UPDATE hosts SET failures = 0, failing_since = NULL, sleeps_until = 0, busy_until = 0, reason = ''
           WHERE host IN (:hosts) AND failures > 0""",
        hosts=sorted(hosts),
    )


def knocked(tx: Writer, hosts: Iterable[str]) -> None:
    """They sent us something, so they are awake: what waits for them is tried now."""
    rows = tx.all(
        "SELECT host FROM hosts WHERE host IN (:hosts) AND sleeps_until > 0 AND busy_until <= :now",
        hosts=list(hosts),
        now=now_ms(),
    )
    for row in rows:
        wake(tx, row["host"])


def wake(tx: Writer, host: str) -> None:
    """Try what waits for a server now, without waiting for the end of its sleep."""
    tx.run("UPDATE hosts SET sleeps_until = 0, busy_until = 0 WHERE host = :host", host=host)
    queue.hurry(tx, host)


def forget(tx: Writer, host: str) -> None:
    """Hold nothing against a server any more, and remember nothing of it."""
    tx.run("DELETE FROM hosts WHERE host = :host", host=host)


def styles(tx: Reader, hosts: Iterable[str]) -> dict[str, str]:
    """Which kind of signature each understands, where it is not 'cavage'."""
    rows = tx.all(
        "SELECT host, signature_style FROM hosts WHERE host IN (:hosts) AND signature_style <> 'cavage'",
        hosts=list(hosts),
    )
    return {row["host"]: row["signature_style"] for row in rows}


def asleep(tx: Reader, hosts: Iterable[str], now: int) -> dict[str, int]:
    """Those of these servers that are left alone, and until when."""
    names = list(hosts)
    if not names:
        return {}
    rows = tx.all(
        "SELECT host, sleeps_until FROM hosts WHERE host IN (:hosts) AND sleeps_until > :now",
        hosts=names,
        now=now,
    )
    return {row["host"]: row["sleeps_until"] for row in rows}


def style(tx: Reader, host: str) -> str:
    """Which kind of signature it understands: 'cavage' until it was seen to want 'rfc9421'."""
    return styles(tx, [host]).get(host, "cavage")


def prefers(tx: Writer, host: str, signature_style: str) -> None:
    """Remember the kind of signature that worked."""
    tx.run(
        """INSERT INTO hosts (host, signature_style, seen_at) VALUES (:host, :style, :now)
           ON CONFLICT (host) DO UPDATE SET signature_style = excluded.signature_style""",
        host=host,
        style=signature_style,
        now=now_ms(),
    )


def advertised(tx: Writer, host: str, signature_style: str) -> None:
    """It says that it understands a kind of signature: believed while nothing else is known of it."""
    tx.run(
        """INSERT INTO hosts (host, signature_style, seen_at) VALUES (:host, :style, :now)
           ON CONFLICT (host) DO NOTHING""",
        host=host,
        style=signature_style,
        now=now_ms(),
    )


def clean_up(tx: Writer, now: int) -> int:
    """Forget servers about which there is nothing to remember, and the longest unheard-of beyond `MOST`."""
    gone = tx.run(
        """DELETE FROM hosts WHERE (failures = 0 AND signature_style = 'cavage')
              OR seen_at < :before""",
        before=now - KEPT_MS,
    )
    return gone + tx.run(
        """DELETE FROM hosts WHERE host IN (
               SELECT host FROM hosts ORDER BY seen_at DESC, host LIMIT 1000000 OFFSET :most)""",
        most=MOST,
    )
