"""What authors read of the delivery ledger: how far a post, each edit of it and its deletion have come.

Reads `deliveries`, counted by server: one where anything still waits is being tried, one where an inbox took it
has it. Nobody sees anybody else's ledger, and what has never been sent anywhere has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from node.database import Reader, Row, Writer
from node.errors import NotFound
from node.federation import deliveries, outbox, server_availability
from node.models.account import Account
from node.paging import Page

MOST_TOLD = 50


@dataclass(frozen=True, slots=True)
class Tally:
    """Servers: all of them, those that have it, those still being tried, those that will not get it."""

    servers: int
    delivered: int
    waiting: int
    failed: int


NOBODY = Tally(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Telling:
    """One thing an author told other servers about a post. `verb` is Create, Update or Delete."""

    id: int
    post_id: int
    verb: str
    created_at: int
    tally: Tally


@dataclass(frozen=True, slots=True)
class Server:
    """What became of a telling at one server. `again_at` is when a sleeping one is tried next, or 0."""

    host: str
    state: str
    status: int | None
    reason: str
    attempts: int
    again_at: int


_RANK = "MAX(CASE state WHEN 'waiting' THEN 3 WHEN 'delivered' THEN 2 ELSE 1 END)"
_ABOUT = "o.account_id = :who AND o.verb IN ('Create', 'Update', 'Delete') AND o.object_uri <> :self"


def newest(tx: Reader, who: Account, post_id: int) -> Telling | None:
    """How far the latest that `who` said about a post has come."""
    found = _tellings(tx, who, post_id, 1)
    return found[0] if found else None


def of_post(tx: Reader, who: Account, post_id: int) -> list[Telling]:
    """Everything `who` told about a post, newest first. Raises NotFound when that is nothing."""
    found = _tellings(tx, who, post_id, MOST_TOLD)
    if not found:
        raise NotFound("There is no such post.")
    return found


def deleted(tx: Reader, who: Account, page: Page) -> list[Telling]:
    """The deletions of posts by `who`, newest first, as long as they are remembered."""
    rows = tx.all(
        f"""SELECT o.id, o.post_id, o.verb, o.created_at FROM outbox o
            WHERE o.account_id = :who AND o.verb = 'Delete' AND o.post_id IS NOT NULL
            {page.clause("o.id")}""",  # noqa: S608
        who=who.id,
        **page.values,
    )
    return _counted(tx, page.ordered(rows))


def servers(tx: Reader, telling_ids: Iterable[int]) -> dict[int, list[Server]]:
    """For each telling, what became of it everywhere: what is open first, then what failed, then the rest."""
    rows = tx.all(
        """SELECT outbox_id, host, state, status, reason, attempts FROM deliveries
           WHERE outbox_id IN (:ids)
           ORDER BY CASE state WHEN 'waiting' THEN 1 WHEN 'delivered' THEN 3 ELSE 2 END, host, id""",
        ids=list(telling_ids),
    )
    asleep = server_availability.by_names(tx, {row["host"] for row in rows if row["state"] == "waiting"})
    found: dict[int, dict[str, Server]] = {}
    for row in rows:
        known = asleep.get(row["host"])
        found.setdefault(row["outbox_id"], {}).setdefault(
            row["host"],
            Server(
                row["host"],
                row["state"],
                row["status"],
                row["reason"],
                row["attempts"],
                known.sleeps_until if known is not None and row["state"] == "waiting" else 0,
            ),
        )
    return {id_: list(by_host.values()) for id_, by_host in found.items()}


def retry(tx: Writer, who: Account, post_id: int, host: str | None = None) -> int:
    """Try again what has not arrived (at one server, or anywhere): what failed is queued anew, what sleeps
    is woken. How many servers that are. Raises NotFound.
    """
    told = of_post(tx, who, post_id)
    open_ = {
        server.host
        for listed in servers(tx, [one.id for one in told]).values()
        for server in listed
        if server.state != "delivered" and host in (None, server.host)
    }
    for one in reversed(told):
        sentence = outbox.by_id(tx, one.id)
        if sentence is not None:
            deliveries.again(tx, sentence, host=host)
    for name in sorted(open_):
        server_availability.wake(tx, name)
    return len(open_)


def _tellings(tx: Reader, who: Account, post_id: int, limit: int) -> list[Telling]:
    rows = tx.all(
        f"""SELECT o.id, o.post_id, o.verb, o.created_at FROM outbox o
            WHERE o.post_id = :post AND {_ABOUT}
            ORDER BY o.id DESC LIMIT :limit""",  # noqa: S608
        post=post_id,
        who=who.id,
        self=who.uri,
        limit=limit,
    )
    return _counted(tx, rows)


def _counted(tx: Reader, rows: Sequence[Row]) -> list[Telling]:
    tallies = {
        row["outbox_id"]: Tally(row["servers"], row["delivered"], row["waiting"], row["failed"])
        for row in tx.all(
            f"""SELECT outbox_id, COUNT(*) AS servers,
                       COUNT(*) FILTER (WHERE standing = 2) AS delivered,
                       COUNT(*) FILTER (WHERE standing = 3) AS waiting,
                       COUNT(*) FILTER (WHERE standing = 1) AS failed
                FROM (SELECT outbox_id, host, {_RANK} AS standing FROM deliveries
                      WHERE outbox_id IN (:ids) GROUP BY outbox_id, host) counted
                GROUP BY outbox_id""",  # noqa: S608
            ids=[row["id"] for row in rows],
        )
    }
    return [
        Telling(row["id"], row["post_id"], row["verb"], row["created_at"], tallies.get(row["id"], NOBODY))
        for row in rows
    ]
