"""How any picture of another server is brought here: photos, faces, emoji. Owns no table.

Only addresses that a post or a profile here already has are ever asked, through the node's one door out.
The bytes decide what it is, in the sandbox, never a name or a declared type. However many look at once,
there is one fetch. A host gets few at a time and so many an hour; one that fell silent is left alone for a
moment. All of that is apart from letters to other servers, which wait for no picture.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from media.images import BadImage, Picture, Variant
from node.attachments import media_cache, stored_files
from node.attachments.media_cache import MediaKey
from node.attachments.stored_files import StoredFile
from node.cache import Cache
from node.errors import Refused, TooManyRequests, Unreachable
from node.moderation import domain_rules
from node.node import Node
from node.text import hostnames

log = logging.getLogger("tintype.pictures")

T = TypeVar("T")

CACHE_FOLDER = "cache/"
BYTES_PER_MB = 1024 * 1024
HOUR_SECONDS = 3600.0
MAX_CONCURRENT, MAX_CONCURRENT_PER_HOST, MAX_WAITING_PER_HOST = 12, 3, 60
MAX_PICTURES_PER_HOUR, MAX_MB_PER_HOUR = 2000, 4096
UNREACHABLE_PAUSE_SECONDS = 20.0
MAX_HOSTS = 5000

# The server's own word on what it sends is not asked for: the sandbox looks.
ACCEPTED_MEDIA_TYPES = ("image/*", "*/*")


@dataclass(slots=True)
class _HostState:
    """How one host is being asked."""

    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_CONCURRENT_PER_HOST))
    in_flight: int = 0
    window_started_at: float = 0.0
    pictures: int = 0
    bytes: int = 0
    paused_until: float = 0.0


@dataclass(frozen=True, slots=True)
class FetchedPicture:
    """A picture that is stored, and not yet in any table."""

    picture: Picture
    files: dict[tuple[str, str], StoredFile]
    url: str

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files.values())


class PictureFetcher:
    """The fetches under way on one node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._tasks: dict[MediaKey, asyncio.Task[Any]] = {}
        self._slots = asyncio.Semaphore(MAX_CONCURRENT)
        self._hosts: Cache[str, _HostState] = Cache(MAX_HOSTS)
        self._asked: dict[str, _HostState] = {}
        node.close_callbacks.append(self.close)

    async def fetch_once(self, key: MediaKey, fetch: Callable[[], Awaitable[T]]) -> T:
        """What `fetch` gives; whoever else wants the same meanwhile waits for the same."""
        task: asyncio.Task[T] | None = self._tasks.get(key)
        if task is None:
            task = asyncio.ensure_future(_call(fetch))
            self._tasks[key] = task
            task.add_done_callback(lambda done: self._done(key, done))
        # Whoever leaves takes only themselves away: the others still wait, and the pixels are kept.
        return await asyncio.shield(task)

    def _done(self, key: MediaKey, task: asyncio.Task[Any]) -> None:
        self._tasks.pop(key, None)
        if not task.cancelled():
            task.exception()  # nobody else fetches it if all have left

    async def close(self) -> None:
        """Leave what is under way: it is fetched when somebody looks again."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def fetch_picture(self, url: str, *, max_bytes: int, variants: tuple[Variant, ...]) -> Picture:
        """The picture at an address, in these sizes. Raises Unreachable or BadImage; TooMuch if not asked at all."""
        host = hostnames.from_uri(url)
        async with self._host_slot(host) as lane, self._slots:
            try:
                found = await self._node.client.get_bytes(
                    url, max_bytes=max_bytes, types=ACCEPTED_MEDIA_TYPES
                )
            except Unreachable as error:
                if getattr(error, "temporary", False) and getattr(error, "response_status", None) is None:
                    lane.paused_until = time.monotonic() + UNREACHABLE_PAUSE_SECONDS
                raise
            lane.bytes += len(found.body)
            there = hostnames.from_uri(found.url)
            if there != host and (await self._node.db.read(domain_rules.policy, there)).rejects_media:
                raise Unreachable("Pictures of that server are not shown here.", detail=found.url)
            return await self._node.sandbox.render(found.body, variants)

    @contextlib.asynccontextmanager
    async def _host_slot(self, host: str) -> AsyncIterator[_HostState]:
        lane = self._host_state(host)
        now = time.monotonic()
        if lane.window_started_at < now - HOUR_SECONDS:
            lane.window_started_at, lane.pictures, lane.bytes = now, 0, 0
        if (
            lane.paused_until > now
            or lane.in_flight >= MAX_WAITING_PER_HOST
            or lane.pictures >= MAX_PICTURES_PER_HOUR
            or lane.bytes >= MAX_MB_PER_HOUR * BYTES_PER_MB
        ):
            raise TooManyRequests(
                "Too many files from that server are being downloaded. Please try again later."
            )
        lane.pictures += 1
        lane.in_flight += 1
        self._asked[host] = lane
        try:
            async with lane.slots:
                yield lane
        finally:
            lane.in_flight -= 1
            if not lane.in_flight:
                del self._asked[host]

    def _host_state(self, host: str) -> _HostState:
        # Whoever is being asked is not forgotten, however many others there are: they get few at a time.
        lane = self._asked.get(host) or self._hosts.get(host) or _HostState()
        self._hosts.put(host, lane)
        return lane


async def _call(fetch: Callable[[], Awaitable[T]]) -> T:
    return await fetch()


async def fetch_and_store(
    node: Node, key: MediaKey, url: str, *, max_bytes: int, variants: tuple[Variant, ...]
) -> FetchedPicture | None:
    """Fetch a picture and store it among the cached files; None, remembered, when it cannot be had.

    The caller writes the rows that name the files, and then calls `settled`.
    """
    kind, id_ = key
    try:
        picture = await node.component(PictureFetcher).fetch_picture(
            url, max_bytes=max_bytes, variants=variants
        )
    except TooManyRequests as error:
        log.info("%s %d at %s is not asked for now: %s", kind, id_, url, error.message)
        return None
    except (Refused, BadImage) as error:
        log.info("%s %d at %s cannot be shown: %s %s", kind, id_, url, error.message, error.detail)
        is_final = not getattr(error, "temporary", False)
        await node.db.write(media_cache.record_failure, kind, id_, url, is_permanent=is_final)
        return None
    stored = await stored_files.store(node, picture.files, folder=CACHE_FOLDER)
    return FetchedPicture(picture, stored, url)


async def restore_lost_files(node: Node, fetched: FetchedPicture) -> None:
    """The rows are written: put back what a deletion of the same bytes took away before they were."""
    await stored_files.restore_missing(node, fetched.files, fetched.picture.files)
