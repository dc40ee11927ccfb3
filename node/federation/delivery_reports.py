"""What became of deliveries, for the people who may know: authors and staff. Reads the table `deliveries`.

Authors see how far each of their posts, its edits and its deletion have come, counted by server: one where
anything still waits is pending, one where any inbox took it is delivered. Nobody sees the report of another
author, and a post that was never sent to another server has none. Staff see counts and failures of all
servers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from node.database import Reader, Row, Writer, build, build_all, columns
from node.errors import NotFound
from node.federation import deliveries, outbox, server_availability
from node.models.account import Account
from node.paging import Page

MAX_ACTIVITIES = 50


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
class DeliveryCounts:
    """Servers: all of them, those that have it, those still pending, those that will not get it."""

    servers: int
    delivered: int
    waiting: int
    failed: int


NO_DELIVERIES = DeliveryCounts(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """One activity about a post, and how far it has come. `verb` is Create, Update or Delete."""

    id: int
    post_id: int
    verb: str
    created_at: int
    counts: DeliveryCounts


@dataclass(frozen=True, slots=True)
class ServerDelivery:
    """What became of an activity at one server.

    `next_attempt_at`, in milliseconds, is when a waiting one at an unavailable server is tried next, else 0.
    """

    host: str
    state: str
    status: int | None
    reason: str
    attempts: int
    next_attempt_at: int


_SELECT = f"SELECT {columns(Delivery)} FROM deliveries"  # noqa: S608
_STATE_RANK_SQL = "MAX(CASE state WHEN 'waiting' THEN 3 WHEN 'delivered' THEN 2 ELSE 1 END)"
_IS_POST_ACTIVITY_SQL = (
    "o.account_id = :author AND o.verb IN ('Create', 'Update', 'Delete') AND o.object_uri <> :self"
)


def latest(tx: Reader, author: Account, post_id: int) -> DeliveryReport | None:
    """Returns the report of the newest activity of `author` about a post."""
    found = _reports(tx, author, post_id, 1)
    return found[0] if found else None


def by_post(tx: Reader, author: Account, post_id: int) -> list[DeliveryReport]:
    """Returns the reports of all activities of `author` about a post, newest first.

    Raises NotFound if none.
    """
    found = _reports(tx, author, post_id, MAX_ACTIVITIES)
    if not found:
        raise NotFound("There is no such post.")
    return found


def deletions(tx: Reader, author: Account, page: Page) -> list[DeliveryReport]:
    """Returns the deletions of posts by `author`, newest first, as long as the outbox keeps them."""
    rows = tx.all(
        f"""SELECT o.id, o.post_id, o.verb, o.created_at FROM outbox o
            WHERE o.account_id = :author AND o.verb = 'Delete' AND o.post_id IS NOT NULL
            {page.clause("o.id")}""",  # noqa: S608
        author=author.id,
        **page.values,
    )
    return _with_counts(tx, page.newest_first(rows))


def server_deliveries(tx: Reader, outbox_ids: Iterable[int]) -> dict[int, list[ServerDelivery]]:
    """Returns what became of each activity at each server: waiting, then failed and gone, then delivered."""
    rows = tx.all(
        """SELECT outbox_id, host, state, status, reason, attempts FROM deliveries
           WHERE outbox_id IN (:ids)
           ORDER BY CASE state WHEN 'waiting' THEN 1 WHEN 'delivered' THEN 3 ELSE 2 END, host, id""",
        ids=list(outbox_ids),
    )
    availability = server_availability.by_hosts(
        tx, {row["host"] for row in rows if row["state"] == "waiting"}
    )
    found: dict[int, dict[str, ServerDelivery]] = {}
    for row in rows:
        known = availability.get(row["host"])
        found.setdefault(row["outbox_id"], {}).setdefault(
            row["host"],
            ServerDelivery(
                row["host"],
                row["state"],
                row["status"],
                row["reason"],
                row["attempts"],
                known.sleeps_until if known is not None and row["state"] == "waiting" else 0,
            ),
        )
    return {id_: list(by_host.values()) for id_, by_host in found.items()}


def retry_undelivered(tx: Writer, author: Account, post_id: int, host: str | None = None) -> int:
    """Tries again what has not arrived (at one server, or at all); returns how many servers that are.

    What failed is queued again, what waits for a server is tried now. Raises NotFound as `by_post` does.
    """
    reports = by_post(tx, author, post_id)
    hosts = {
        server.host
        for servers in server_deliveries(tx, [report.id for report in reports]).values()
        for server in servers
        if server.state != "delivered" and host in (None, server.host)
    }
    for report in reversed(reports):
        activity = outbox.by_id(tx, report.id)
        if activity is not None:
            deliveries.retry(tx, activity, host=host)
    for name in sorted(hosts):
        server_availability.retry_now(tx, name)
    return len(hosts)


def _reports(tx: Reader, author: Account, post_id: int, limit: int) -> list[DeliveryReport]:
    rows = tx.all(
        f"""SELECT o.id, o.post_id, o.verb, o.created_at FROM outbox o
            WHERE o.post_id = :post AND {_IS_POST_ACTIVITY_SQL}
            ORDER BY o.id DESC LIMIT :limit""",  # noqa: S608
        post=post_id,
        author=author.id,
        self=author.uri,
        limit=limit,
    )
    return _with_counts(tx, rows)


def _with_counts(tx: Reader, rows: Sequence[Row]) -> list[DeliveryReport]:
    counts = {
        row["outbox_id"]: DeliveryCounts(row["servers"], row["delivered"], row["waiting"], row["failed"])
        for row in tx.all(
            f"""SELECT outbox_id, COUNT(*) AS servers,
                       COUNT(*) FILTER (WHERE state_rank = 2) AS delivered,
                       COUNT(*) FILTER (WHERE state_rank = 3) AS waiting,
                       COUNT(*) FILTER (WHERE state_rank = 1) AS failed
                FROM (SELECT outbox_id, host, {_STATE_RANK_SQL} AS state_rank FROM deliveries
                      WHERE outbox_id IN (:ids) GROUP BY outbox_id, host) counted
                GROUP BY outbox_id""",  # noqa: S608
            ids=[row["id"] for row in rows],
        )
    }
    return [
        DeliveryReport(
            row["id"], row["post_id"], row["verb"], row["created_at"], counts.get(row["id"], NO_DELIVERIES)
        )
        for row in rows
    ]


def by_id(tx: Reader, id_: int) -> Delivery | None:
    row = tx.one(_SELECT + " WHERE id = :id", id=id_)
    return build(Delivery, row) if row else None


def counts_by_state(tx: Reader) -> dict[str, int]:
    """Returns the number of deliveries in each state, for staff."""
    rows = tx.all("SELECT state, COUNT(*) AS n FROM deliveries GROUP BY state")
    return {row["state"]: row["n"] for row in rows}


def counts_by_host(tx: Reader, hosts: Iterable[str]) -> dict[str, dict[str, int]]:
    """Returns the number of deliveries in each state by host, for staff."""
    found: dict[str, dict[str, int]] = {}
    for row in tx.all(
        "SELECT host, state, COUNT(*) AS n FROM deliveries WHERE host IN (:hosts) GROUP BY host, state",
        hosts=list(hosts),
    ):
        found.setdefault(row["host"], {})[row["state"]] = row["n"]
    return found


def undelivered(tx: Reader, *, limit: int = 100) -> Sequence[Delivery]:
    """Returns what did not arrive, newest first: failed, gone, or waiting after a failed attempt.

    For staff.
    """
    rows = tx.all(
        _SELECT
        + """ WHERE state IN ('failed', 'gone') OR (state = 'waiting' AND attempts > 0)
              ORDER BY id DESC LIMIT :limit""",
        limit=limit,
    )
    return build_all(Delivery, rows)
