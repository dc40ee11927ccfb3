"""How many jobs each lane holds (see `queue`). Owns `lanes`.

Adding and finishing both lock the row of the lane, so neither can miss the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from node.database import Reader, Writer

# Few shapes of statement, so that each is prepared once.
_ROWS_AT_ONCE = (64, 8, 1)
_PLACEHOLDERS = {
    size: ", ".join(f"(:lane_{n}, :host_{n}, CAST(:more_{n} AS INTEGER))" for n in range(size))
    for size in _ROWS_AT_ONCE
}


def enter(tx: Writer, names: list[str]) -> set[str]:
    """Counts jobs into their lanes; returns the lanes that held some before.

    Rows are locked in one order everywhere, so two units that add or finish many jobs cannot deadlock.
    """
    counts = sorted(Counter(names).items())
    held: set[str] = set()
    while counts:
        size = next(size for size in _ROWS_AT_ONCE if size <= len(counts))
        group, counts = counts[:size], counts[size:]
        values: dict[str, Any] = {f"lane_{n}": lane for n, (lane, _) in enumerate(group)}
        values |= {f"host_{n}": _host(lane) for n, (lane, _) in enumerate(group)}
        values |= {f"more_{n}": more for n, (_, more) in enumerate(group)}
        rows = tx.all(
            f"""INSERT INTO lanes (lane, host, jobs) VALUES {_PLACEHOLDERS[size]}
                ON CONFLICT (lane) DO UPDATE SET jobs = lanes.jobs + excluded.jobs
                RETURNING lane, jobs""",  # noqa: S608
            **values,
        )
        entered = dict(group)
        held.update(row["lane"] for row in rows if row["jobs"] > entered[row["lane"]])
    return held


def leave(tx: Writer, names: Iterable[str]) -> list[str]:
    """Counts jobs out of their lanes; returns the lanes that hold more, whose first job may run now."""
    left = sorted((lane, less) for lane, less in Counter(names).items() if lane)
    if not left:
        return []
    tx.many(
        "UPDATE lanes SET jobs = jobs - :less WHERE lane = :lane",
        [{"lane": lane, "less": less} for lane, less in left],
    )
    ended = {
        row["lane"]
        for row in tx.all(
            "DELETE FROM lanes WHERE lane IN (:names) AND jobs < 1 RETURNING lane",
            names=[lane for lane, _ in left],
        )
    }
    return [lane for lane, _ in left if lane not in ended]


def nonempty(tx: Reader, names: Iterable[str]) -> set[str]:
    """Returns those of these lanes that hold jobs."""
    return {row["lane"] for row in tx.all("SELECT lane FROM lanes WHERE lane IN (:names)", names=list(names))}


def has_sublane(tx: Reader, lane: str) -> bool:
    """Returns whether a sublane of this lane (named by it, a space and more) holds jobs."""
    found = tx.value(f"SELECT 1 FROM lanes WHERE {_IS_SUBLANE_SQL} LIMIT 1", **_sublane_values(lane))  # noqa: S608
    return found is not None


def sublanes(tx: Reader, lane: str) -> list[str]:
    """Returns the sublanes of a lane that hold jobs."""
    rows = tx.all(f"SELECT lane FROM lanes WHERE {_IS_SUBLANE_SQL}", **_sublane_values(lane))  # noqa: S608
    return [row["lane"] for row in rows]


def delete(tx: Writer, lane: str) -> list[str]:
    """Deletes a lane and its sublanes; returns their names."""
    rows = tx.all(
        f"DELETE FROM lanes WHERE lane <> '' AND (lane = :lane OR {_IS_SUBLANE_SQL}) RETURNING lane",  # noqa: S608
        **_sublane_values(lane),
        lane=lane,
    )
    return [row["lane"] for row in rows]


_IS_SUBLANE_SQL = "host = :host AND host <> '' AND substr(lane, 1, :length) = :start"


def _sublane_values(lane: str) -> dict[str, Any]:
    start = f"{lane} "
    return {"host": _host(start), "start": start, "length": len(start)}


def _host(lane: str) -> str:
    """Returns the first word of a sublane's name, by which sublanes are found; '' for a lane that is none."""
    first, blank, _ = lane.partition(" ")
    return first if blank else ""
