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
from node.attachments.media_cache import Key
from node.attachments.stored_files import File
from node.cache import Cache
from node.errors import Refused, TooMuch, Unreachable
from node.moderation import domain_policy
from node.node import Node
from node.text import hostnames

log = logging.getLogger("tintype.pictures")

T = TypeVar("T")

FOLDER = "cache/"
MB = 1024 * 1024
HOUR = 3600.0
AT_ONCE, AT_ONCE_OF_ONE, MOST_WAITING_FOR_ONE = 12, 3, 60
MOST_AN_HOUR, MOST_MB_AN_HOUR = 2000, 4096
SILENCE = 20.0
MOST_HOSTS = 5000

# The server's own word on what it sends is not asked for: the sandbox looks.
TYPES = ("image/*", "*/*")


@dataclass(slots=True)
class _Host:
    """How one host is being asked."""

    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE_OF_ONE))
    asking: int = 0
    since: float = 0.0
    pictures: int = 0
    bytes: int = 0
    silent_until: float = 0.0


@dataclass(frozen=True, slots=True)
class Brought:
    """A picture that is stored, and not yet in any table."""

    picture: Picture
    files: dict[tuple[str, str], File]
    url: str

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files.values())


class Fetches:
    """The fetches under way on one node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._tasks: dict[Key, asyncio.Task[Any]] = {}
        self._places = asyncio.Semaphore(AT_ONCE)
        self._hosts: Cache[str, _Host] = Cache(MOST_HOSTS)
        self._asked: dict[str, _Host] = {}
        node.ends.append(self.close)

    async def once(self, key: Key, fetch: Callable[[], Awaitable[T]]) -> T:
        """What `fetch` gives; whoever else wants the same meanwhile waits for the same."""
        task: asyncio.Task[T] | None = self._tasks.get(key)
        if task is None:
            task = asyncio.ensure_future(_of(fetch))
            self._tasks[key] = task
            task.add_done_callback(lambda done: self._done(key, done))
        # Whoever leaves takes only themselves away: the others still wait, and the pixels are kept.
        return await asyncio.shield(task)

    def _done(self, key: Key, task: asyncio.Task[Any]) -> None:
        self._tasks.pop(key, None)
        if not task.cancelled():
            task.exception()  # nobody else fetches it if all have left

    async def close(self) -> None:
        """Leave what is under way: it is fetched when somebody looks again."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def picture(self, url: str, *, most_bytes: int, variants: tuple[Variant, ...]) -> Picture:
        """The picture at an address, in these sizes. Raises Unreachable or BadImage; TooMuch if not asked at all."""
        host = hostnames.of(url)
        async with self._turn(host) as lane, self._places:
            try:
                found = await self._node.client.get_bytes(url, limit=most_bytes, types=TYPES)
            except Unreachable as error:
                if getattr(error, "temporary", False) and getattr(error, "answered", None) is None:
                    lane.silent_until = time.monotonic() + SILENCE
                raise
            lane.bytes += len(found.body)
            there = hostnames.of(found.url)
            if there != host and (await self._node.db.read(domain_policy.policy, there)).rejects_media:
                raise Unreachable("Pictures of that server are not shown here.", detail=found.url)
            return await self._node.sandbox.render(found.body, variants)

    @contextlib.asynccontextmanager
    async def _turn(self, host: str) -> AsyncIterator[_Host]:
        lane = self._lane(host)
        now = time.monotonic()
        if lane.since < now - HOUR:
            lane.since, lane.pictures, lane.bytes = now, 0, 0
        if (
            lane.silent_until > now
            or lane.asking >= MOST_WAITING_FOR_ONE
            or lane.pictures >= MOST_AN_HOUR
            or lane.bytes >= MOST_MB_AN_HOUR * MB
        ):
            raise TooMuch("Too many files from that server are being downloaded. Please try again later.")
        lane.pictures += 1
        lane.asking += 1
        self._asked[host] = lane
        try:
            async with lane.places:
                yield lane
        finally:
            lane.asking -= 1
            if not lane.asking:
                del self._asked[host]

    def _lane(self, host: str) -> _Host:
        # Whoever is being asked is not forgotten, however many others there are: they get few at a time.
        lane = self._asked.get(host) or self._hosts.get(host) or _Host()
        self._hosts.put(host, lane)
        return lane


async def _of(fetch: Callable[[], Awaitable[T]]) -> T:
    return await fetch()


async def bring(
    node: Node, key: Key, url: str, *, most_bytes: int, variants: tuple[Variant, ...]
) -> Brought | None:
    """Fetch a picture and store it among the cached files; None, remembered, when it cannot be had.

    The caller writes the rows that name the files, and then calls `settled`.
    """
    kind, id_ = key
    try:
        picture = await node.part(Fetches).picture(url, most_bytes=most_bytes, variants=variants)
    except TooMuch as error:
        log.info("%s %d at %s is not asked for now: %s", kind, id_, url, error.message)
        return None
    except (Refused, BadImage) as error:
        log.info("%s %d at %s cannot be shown: %s %s", kind, id_, url, error.message, error.detail)
        is_final = not getattr(error, "temporary", False)
        await node.db.write(media_cache.failed, kind, id_, url, is_final=is_final)
        return None
    stored = await stored_files.store(node, picture.files, folder=FOLDER)
    return Brought(picture, stored, url)


async def settled(node: Node, brought: Brought) -> None:
    """The rows are written: put back what a deletion of the same bytes took away before they were."""
    await stored_files.restore_lost(node, brought.files, brought.picture.files)
