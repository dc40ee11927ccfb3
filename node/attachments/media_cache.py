"""The cache of other servers' pictures: what is stored, and when somebody last viewed it.

Owns `cached_media` and `cached_hosts`. No file is known here: the pictures' own tables have them (`photos`, `avatars`,
`emoji`), and whoever writes or deletes files there records it here in the same unit of work, so that the totals are
always true. A failed fetch is recorded too, and tried again after ever longer waits.

Access times are gathered in memory and written from time to time, so that a page of pictures costs no write. What
a killed process had not yet written makes some pictures seem a few minutes older than they are.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from node.cache import Cache
from node.database import Reader, Writer, build_all, columns
from node.errors import DatabaseUnavailable
from node.ids import now_ms
from node.jobs import queue
from node.node import Node
from node.text import hostnames

MediaKey = tuple[str, int]

BYTES_PER_GB = 1024**3
MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS

EVICT_ABOVE, EVICT_DOWN_TO = 0.97, 0.92
"""The shares of the capacity that start an eviction, and that it leaves."""

MAX_HOST_SHARE = 0.5
"""The share of the capacity that the pictures of one host may fill."""

FIRST_RETRY_MS, FIRST_RETRY_PERMANENT_MS, MAX_RETRY_MS = 5 * MINUTE_MS, 60 * MINUTE_MS, 7 * DAY_MS
ACCESS_RESOLUTION_MS = 10 * MINUTE_MS
FLUSH_INTERVAL_MS = MINUTE_MS
MAX_PENDING_ACCESSES, MAX_REMEMBERED_ACCESSES = 500, 50_000


@dataclass(frozen=True, slots=True)
class CachedHost:
    """What is stored from one host."""

    host: str
    pictures: int
    bytes: int


@dataclass(frozen=True, slots=True)
class CacheUsage:
    """What is stored in total; `hosts` are those that use most."""

    pictures: int
    bytes: int
    servers: int
    hosts: list[CachedHost]


class CacheCapacity:
    """How many bytes one node may store."""

    def __init__(self, node: Node) -> None:
        self.bytes = int(node.config.media.cache_gb * BYTES_PER_GB)


class AccessTimes:
    """Gathers when pictures were viewed, on one node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._pending: dict[MediaKey, int] = {}
        self._recorded: Cache[MediaKey, bool] = Cache(MAX_REMEMBERED_ACCESSES, ACCESS_RESOLUTION_MS / 1000)
        self._flushed_at = time.monotonic()
        node.close_callbacks.append(self.flush)

    async def record(self, kind: str, id_: int) -> None:
        """Records that somebody views a stored picture. Writes only now and then."""
        if self._recorded.get((kind, id_)):
            return
        now = now_ms()
        self._recorded.put((kind, id_), True)
        self._pending[kind, id_] = now
        if len(self._pending) >= MAX_PENDING_ACCESSES or self._is_flush_due():
            await self.flush()

    def _is_flush_due(self) -> bool:
        return (time.monotonic() - self._flushed_at) * 1000 >= FLUSH_INTERVAL_MS

    async def flush(self) -> None:
        """Writes the gathered access times to the database."""
        pending, self._pending = self._pending, {}
        self._flushed_at = time.monotonic()
        if pending:
            # What is not written makes pictures seem older than they are, and no more.
            with contextlib.suppress(DatabaseUnavailable):
                await self._node.db.write(record_access, pending)


def record_stored(tx: Writer, kind: str, id_: int, url: str, size: int, *, capacity: int) -> bool:
    """Records a fetched picture. False if another process was quicker: then its files are not needed.

    `capacity` is how many bytes may be stored in total; above it, or where one host uses more than its share, job
    `trim_cache` is queued.
    """
    host = hostnames.from_uri(url)
    row = tx.one(
        """INSERT INTO cached_media (kind, id, url, host, bytes, looked_at)
           VALUES (:kind, :id, :url, :host, :size, :now)
           ON CONFLICT (kind, id) DO UPDATE SET url = excluded.url, host = excluded.host,
               bytes = excluded.bytes, looked_at = excluded.looked_at, failures = 0, try_after = 0
           WHERE cached_media.bytes = 0 RETURNING id""",
        kind=kind,
        id=id_,
        url=url,
        host=host,
        size=max(1, size),
        now=now_ms(),
    )
    if row is None:
        return False
    host_bytes = tx.value(
        """INSERT INTO cached_hosts (host, pictures, bytes) VALUES (:host, 1, :size)
           ON CONFLICT (host) DO UPDATE SET pictures = cached_hosts.pictures + 1,
               bytes = cached_hosts.bytes + excluded.bytes RETURNING bytes""",
        host=host,
        size=max(1, size),
    )
    if host_bytes > capacity * MAX_HOST_SHARE or total_bytes(tx) > capacity * EVICT_ABOVE:
        queue.add_once(tx, "trim_cache", {})
    return True


def record_failure(tx: Writer, kind: str, id_: int, url: str, *, is_permanent: bool) -> None:
    """Records a failed fetch: the picture is not requested again for a while, four times longer each time."""
    failures = tx.value(
        "SELECT failures FROM cached_media WHERE kind = :kind AND id = :id AND url = :url",
        kind=kind,
        id=id_,
        url=url,
    )
    first = FIRST_RETRY_PERMANENT_MS if is_permanent else FIRST_RETRY_MS
    now = now_ms()
    tx.run(
        """INSERT INTO cached_media (kind, id, url, host, bytes, looked_at, failures, try_after)
           VALUES (:kind, :id, :url, :host, 0, :now, :failures, :after)
           ON CONFLICT (kind, id) DO UPDATE SET url = excluded.url, host = excluded.host,
               failures = excluded.failures, try_after = excluded.try_after, looked_at = excluded.looked_at
           WHERE cached_media.bytes = 0""",
        kind=kind,
        id=id_,
        url=url,
        host=hostnames.from_uri(url),
        failures=(failures or 0) + 1,
        now=now,
        after=now + min(MAX_RETRY_MS, first * 4 ** min(failures or 0, 10)),
    )


def may_fetch(tx: Reader, kind: str, id_: int, url: str) -> bool:
    """Returns whether a picture that is not stored may be requested now.

    Failures at another address do not count.
    """
    after = tx.value(
        "SELECT try_after FROM cached_media WHERE kind = :kind AND id = :id AND url = :url",
        kind=kind,
        id=id_,
        url=url,
    )
    now = now_ms()
    return after is None or not now < after <= now + MAX_RETRY_MS


def delete(tx: Writer, kind: str, ids: Sequence[int]) -> None:
    """Removes these pictures from the cache, with what is recorded of failed fetches."""
    rows = tx.all(
        "DELETE FROM cached_media WHERE kind = :kind AND id IN (:ids) RETURNING host, bytes",
        kind=kind,
        ids=list(ids),
    )
    less: dict[str, tuple[int, int]] = {}
    for row in rows:
        if row["bytes"]:
            pictures, size = less.get(row["host"], (0, 0))
            less[row["host"]] = (pictures + 1, size + row["bytes"])
    if not less:
        return
    # Hosts are counted down in one order everywhere, so that two units cannot wait for each other.
    tx.many(
        "UPDATE cached_hosts SET pictures = pictures - :pictures, bytes = bytes - :size WHERE host = :host",
        [{"host": host, "pictures": less[host][0], "size": less[host][1]} for host in sorted(less)],
    )
    tx.run("DELETE FROM cached_hosts WHERE host IN (:hosts) AND pictures < 1", hosts=list(less))


def record_access(tx: Writer, accesses: Mapping[MediaKey, int]) -> None:
    """Writes when pictures were last viewed (milliseconds). A time never goes back."""
    tx.many(
        """UPDATE cached_media SET looked_at = :at
           WHERE kind = :kind AND id = :id AND bytes > 0 AND looked_at < :at""",
        [{"kind": kind, "id": id_, "at": at} for (kind, id_), at in sorted(accesses.items())],
    )


def total_bytes(tx: Reader) -> int:
    """Returns the bytes of everything that is stored."""
    return int(tx.value("SELECT COALESCE(SUM(bytes), 0) FROM cached_hosts"))


def largest_host_above(tx: Reader, min_bytes: float) -> CachedHost | None:
    """Returns the host that uses most, if that is more than `min_bytes`."""
    rows = tx.all(
        f"SELECT {columns(CachedHost)} FROM cached_hosts WHERE bytes > :min_bytes ORDER BY bytes DESC LIMIT 1",  # noqa: S608
        min_bytes=int(min_bytes),
    )
    return next(iter(build_all(CachedHost, rows)), None)


def least_recently_used(
    tx: Reader, excess_bytes: float, limit: int, host: str | None = None
) -> list[MediaKey]:
    """Returns the pictures that were not viewed for longest, as many as make up `excess_bytes`."""
    rows = tx.all(
        f"""SELECT kind, id, bytes FROM cached_media
            WHERE bytes > 0 {"" if host is None else "AND host = :host"}
            ORDER BY looked_at LIMIT :limit""",  # noqa: S608
        limit=limit,
        **({} if host is None else {"host": host}),
    )
    found: list[MediaKey] = []
    for row in rows:
        if excess_bytes <= 0:
            break
        excess_bytes -= row["bytes"]
        found.append((row["kind"], row["id"]))
    return found


def by_hosts(tx: Reader, hosts: Iterable[str], limit: int) -> list[MediaKey]:
    """Returns up to `limit` pictures that were fetched from these hosts."""
    rows = tx.all(
        "SELECT kind, id FROM cached_media WHERE host IN (:hosts) AND bytes > 0 LIMIT :limit",
        hosts=list(hosts),
        limit=limit,
    )
    return [(row["kind"], row["id"]) for row in rows]


def hosts(tx: Reader) -> list[str]:
    """Returns every host from which something is stored."""
    return [row["host"] for row in tx.all("SELECT host FROM cached_hosts")]


def usage(tx: Reader, limit: int = 10) -> CacheUsage:
    """Returns what is stored, for the admin pages; `limit` bounds the number of hosts."""
    row = tx.one(
        """SELECT COALESCE(SUM(pictures), 0) AS pictures, COALESCE(SUM(bytes), 0) AS bytes, COUNT(*) AS servers
           FROM cached_hosts"""
    )
    assert row is not None
    largest = tx.all(
        f"SELECT {columns(CachedHost)} FROM cached_hosts ORDER BY bytes DESC, host LIMIT :limit",  # noqa: S608
        limit=limit,
    )
    return CacheUsage(int(row["pictures"]), int(row["bytes"]), row["servers"], build_all(CachedHost, largest))


def clean_up(tx: Writer, now: int) -> int:
    """Deletes failures that might have been tried again a week ago. Returns how many."""
    return tx.run(
        """DELETE FROM cached_media WHERE (kind, id) IN (
               SELECT kind, id FROM cached_media WHERE bytes = 0 AND try_after < :before
               ORDER BY try_after LIMIT 500)""",
        before=now - 7 * DAY_MS,
    )
