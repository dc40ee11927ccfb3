"""What is kept of other servers' pictures, and since when nobody has looked. Owns `cached_media` and `cached_hosts`.

Nothing here knows a file: the pictures' own tables do (`photos`, `avatars`, `emoji`), and whoever writes or
forgets files there says so here in the same unit of work, so that the sums are always true. A picture that
could not be had is remembered too, and asked for again after ever longer waits.

Looks are gathered in memory and written now and then, so that a page of pictures costs no write. What a
killed process had not written yet makes some pictures seem a few minutes older than they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from node.cache import Cache
from node.database import Reader, Writer, build_all, columns
from node.ids import now_ms
from node.jobs import queue
from node.node import Node
from node.text import hostnames

Key = tuple[str, int]

GB = 1024**3
MINUTE = 60_000
DAY = 24 * 60 * MINUTE

FULL, EMPTIED_TO = 0.97, 0.92
"""Which part of the ceiling sets off an eviction, and what it leaves."""

MOST_OF_ONE = 0.5
"""The part of the ceiling that the pictures of one host may fill."""

FIRST_WAIT, FIRST_WAIT_FINAL, LONGEST_WAIT = 5 * MINUTE, 60 * MINUTE, 7 * DAY
LOOK_COUNTS_FOR = 10 * MINUTE
WRITE_AFTER = MINUTE
MOST_WAITING, MOST_REMEMBERED = 500, 50_000


@dataclass(frozen=True, slots=True)
class Host:
    """What is kept from one host."""

    host: str
    pictures: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Sizes:
    """What is kept in all; `hosts` are those that fill most."""

    pictures: int
    bytes: int
    servers: int
    hosts: list[Host]


class Room:
    """How many bytes one node may keep."""

    def __init__(self, node: Node) -> None:
        self.bytes = int(node.config.media.cache_gb * GB)


class Looks:
    """Who was looked at lately, on one node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._fresh: dict[Key, int] = {}
        self._known: Cache[Key, bool] = Cache(MOST_REMEMBERED, LOOK_COUNTS_FOR / 1000)
        self._written_at = now_ms()
        node.ends.append(self.write)

    async def note(self, kind: str, id_: int) -> None:
        """Somebody looks at a picture that is kept."""
        if self._known.get((kind, id_)):
            return
        now = now_ms()
        self._known.put((kind, id_), True)
        self._fresh[kind, id_] = now
        if len(self._fresh) >= MOST_WAITING or now - self._written_at >= WRITE_AFTER:
            await self.write()

    async def write(self) -> None:
        """Write what has been gathered."""
        fresh, self._fresh = self._fresh, {}
        self._written_at = now_ms()
        if fresh:
            await self._node.db.write(looked, fresh)


def kept(tx: Writer, kind: str, id_: int, url: str, size: int, *, room: int) -> bool:
    """A picture has been fetched. False if another process was quicker: then its files are not needed.

    `room` is how many bytes may be kept in all; what is over it leaves soon after.
    """
    host = hostnames.of(url)
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
    held = tx.value(
        """INSERT INTO cached_hosts (host, pictures, bytes) VALUES (:host, 1, :size)
           ON CONFLICT (host) DO UPDATE SET pictures = cached_hosts.pictures + 1,
               bytes = cached_hosts.bytes + excluded.bytes RETURNING bytes""",
        host=host,
        size=max(1, size),
    )
    if held > room * MOST_OF_ONE or total(tx) > room * FULL:
        queue.add_once(tx, "trim_cache", {})
    return True


def failed(tx: Writer, kind: str, id_: int, url: str, *, is_final: bool) -> None:
    """A picture could not be had: it is not asked for again for a while, four times longer each time."""
    failures = tx.value(
        "SELECT failures FROM cached_media WHERE kind = :kind AND id = :id AND url = :url",
        kind=kind,
        id=id_,
        url=url,
    )
    first = FIRST_WAIT_FINAL if is_final else FIRST_WAIT
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
        host=hostnames.of(url),
        failures=(failures or 0) + 1,
        now=now,
        after=now + min(LONGEST_WAIT, first * 4 ** min(failures or 0, 10)),
    )


def may_be_tried(tx: Reader, kind: str, id_: int, url: str) -> bool:
    """Whether a picture that is not here may be asked for now. Failures at another address do not count."""
    after = tx.value(
        "SELECT try_after FROM cached_media WHERE kind = :kind AND id = :id AND url = :url",
        kind=kind,
        id=id_,
        url=url,
    )
    return after is None or bool(after <= now_ms())


def forget(tx: Writer, kind: str, ids: Sequence[int]) -> None:
    """Nothing is kept of these pictures any more, nor that they could not be had."""
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


def looked(tx: Writer, looks: Mapping[Key, int]) -> None:
    """Note when pictures were last looked at."""
    tx.many(
        """UPDATE cached_media SET looked_at = :at
           WHERE kind = :kind AND id = :id AND bytes > 0 AND looked_at < :at""",
        [{"kind": kind, "id": id_, "at": at} for (kind, id_), at in sorted(looks.items())],
    )


def total(tx: Reader) -> int:
    """All bytes that are kept."""
    return int(tx.value("SELECT COALESCE(SUM(bytes), 0) FROM cached_hosts"))


def crowding(tx: Reader, most: float) -> Host | None:
    """The host that fills most, if it is more than `most` bytes."""
    rows = tx.all(
        f"SELECT {columns(Host)} FROM cached_hosts WHERE bytes > :most ORDER BY bytes DESC LIMIT 1",  # noqa: S608
        most=int(most),
    )
    return next(iter(build_all(Host, rows)), None)


def longest_unseen(tx: Reader, excess: float, limit: int, host: str | None = None) -> list[Key]:
    """The pictures that nobody has looked at for longest, as many as make up `excess` bytes."""
    rows = tx.all(
        f"""SELECT kind, id, bytes FROM cached_media
            WHERE bytes > 0 {"" if host is None else "AND host = :host"}
            ORDER BY looked_at LIMIT :limit""",  # noqa: S608
        limit=limit,
        **({} if host is None else {"host": host}),
    )
    found: list[Key] = []
    for row in rows:
        if excess <= 0:
            break
        excess -= row["bytes"]
        found.append((row["kind"], row["id"]))
    return found


def of_hosts(tx: Reader, hosts: Iterable[str], limit: int) -> list[Key]:
    """Some pictures that were fetched from these hosts."""
    rows = tx.all(
        "SELECT kind, id FROM cached_media WHERE host IN (:hosts) AND bytes > 0 LIMIT :limit",
        hosts=list(hosts),
        limit=limit,
    )
    return [(row["kind"], row["id"]) for row in rows]


def hosts(tx: Reader) -> list[str]:
    """Every host from which something is kept."""
    return [row["host"] for row in tx.all("SELECT host FROM cached_hosts")]


def sizes(tx: Reader, limit: int = 10) -> Sizes:
    """What is kept, for the admin."""
    row = tx.one(
        """SELECT COALESCE(SUM(pictures), 0) AS pictures, COALESCE(SUM(bytes), 0) AS bytes, COUNT(*) AS servers
           FROM cached_hosts"""
    )
    assert row is not None
    most = tx.all(
        f"SELECT {columns(Host)} FROM cached_hosts ORDER BY bytes DESC, host LIMIT :limit",  # noqa: S608
        limit=limit,
    )
    return Sizes(int(row["pictures"]), int(row["bytes"]), row["servers"], build_all(Host, most))


def clean_up(tx: Writer, now: int) -> int:
    """Pictures that could not be had are forgotten a week after they might have been asked for again."""
    return tx.run("DELETE FROM cached_media WHERE bytes = 0 AND try_after < :before", before=now - 7 * DAY)
