"""Fetches pictures of other servers: photos, avatars, headers, emoji. Owns no table.

Only addresses that a stored post or account has are requested, through the node's one HTTP client for other servers.
The bytes decide the type, in the sandbox, never a name or a declared type. However many people view a picture at
once, there is one fetch. A host gets few requests at a time and a limited number an hour, and so does the server whose
people's pictures they are, since its files may be on any number of hosts; an unreachable host is left alone for a
moment. All of that is apart from deliveries to other servers, which wait for no picture.
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
from media.render_queue import Source, SourceMustWait
from media.workers import SandboxUnavailable
from node.attachments import media_cache, stored_files
from node.attachments.disk_space import DiskSpace
from node.attachments.media_cache import MediaKey
from node.attachments.stored_files import StoredFile
from node.cache import Cache
from node.errors import DiskFull, Refused, TooManyRequests, Unreachable
from node.moderation import domain_rules
from node.node import Node
from node.text import hostnames

log = logging.getLogger("tintype.pictures")

T = TypeVar("T")

CACHE_FOLDER = "cache/"
BYTES_PER_MB = 1024 * 1024
HOUR_SECONDS = 3600.0
# For each host, and for each server.
MAX_CONCURRENT, MAX_CONCURRENT_PER_HOST, MAX_WAITING_PER_HOST = 12, 3, 60
MAX_PICTURES_PER_HOUR, MAX_MB_PER_HOUR = 2000, 4096
UNREACHABLE_PAUSE_SECONDS = 20.0
MAX_HOSTS = 5000

# A declared type decides nothing: the sandbox reads the bytes.
ACCEPTED_MEDIA_TYPES = ("image/*", "*/*")


@dataclass(slots=True)
class _HostState:
    """The requests to one host, or for one server: those in flight, and the budget of the hour."""

    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_CONCURRENT_PER_HOST))
    in_flight: int = 0
    window_started_at: float = 0.0
    pictures: int = 0
    bytes: int = 0
    paused_until: float = 0.0


class _HostStates:
    """The states of hosts, or of servers, by name."""

    def __init__(self) -> None:
        self._states: Cache[str, _HostState] = Cache(MAX_HOSTS)
        self._active: dict[str, _HostState] = {}

    @contextlib.asynccontextmanager
    async def slot(self, name: str) -> AsyncIterator[_HostState]:
        """Waits until another request may be made. Raises TooManyRequests above a limit."""
        # The state of a host with requests in flight is kept, however many others there are.
        state = self._active.get(name) or self._states.get(name) or _HostState()
        self._states.put(name, state)
        now = time.monotonic()
        if state.window_started_at < now - HOUR_SECONDS:
            state.window_started_at, state.pictures, state.bytes = now, 0, 0
        if (
            state.paused_until > now
            or state.in_flight >= MAX_WAITING_PER_HOST
            or state.pictures >= MAX_PICTURES_PER_HOUR
            or state.bytes >= MAX_MB_PER_HOUR * BYTES_PER_MB
        ):
            raise TooManyRequests(
                "Too many files from that server are being downloaded. Please try again later."
            )
        state.pictures += 1
        state.in_flight += 1
        self._active[name] = state
        try:
            async with state.slots:
                yield state
        finally:
            state.in_flight -= 1
            if not state.in_flight:
                del self._active[name]


@dataclass(frozen=True, slots=True)
class FetchedPicture:
    """A picture whose files are stored, and not yet in any table."""

    picture: Picture
    files: dict[tuple[str, str], StoredFile]
    url: str

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files.values())


class PictureFetcher:
    """The fetches in flight on one node, with the limits for each host."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._tasks: dict[MediaKey, asyncio.Task[Any]] = {}
        self._slots = asyncio.Semaphore(MAX_CONCURRENT)
        self._hosts, self._servers = _HostStates(), _HostStates()
        node.close_callbacks.append(self.close)

    async def fetch_once(self, key: MediaKey, fetch: Callable[[], Awaitable[T]]) -> T:
        """Returns what `fetch` returns.

        While one runs for a key, further callers wait for the same result.
        """
        task: asyncio.Task[T] | None = self._tasks.get(key)
        if task is None:
            task = asyncio.ensure_future(_call(fetch))
            self._tasks[key] = task
            task.add_done_callback(lambda done: self._done(key, done))
        # A cancelled caller does not cancel the fetch: others may wait for it, and the picture is stored.
        return await asyncio.shield(task)

    def _done(self, key: MediaKey, task: asyncio.Task[Any]) -> None:
        self._tasks.pop(key, None)
        if not task.cancelled():
            task.exception()  # otherwise asyncio logs it as never retrieved, where all callers were cancelled

    async def close(self) -> None:
        """Cancels what is in flight: it is fetched when somebody views it again."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def fetch_picture(
        self, url: str, *, server: str, max_bytes: int, variants: tuple[Variant, ...]
    ) -> Picture:
        """Fetches and renders the picture at an address.

        `server`: the domain of the person or emoji whose picture it is. Its turns in the sandbox are counted for it,
        since the host of the file may be another for each picture.

        Raises Unreachable or BadImage; TooManyRequests if not tried.
        """
        host = hostnames.from_uri(url)
        source = Source(server, is_local=False)
        # Both the rendered and the downloaded take memory, so they share the slots; a host is free for others earlier.
        async with self._servers.slot(server) as server_state, contextlib.AsyncExitStack() as slots:
            async with self._hosts.slot(host) as state:
                await slots.enter_async_context(self._slots)
                self._check_source(source)
                try:
                    response = await self._node.client.get_bytes(
                        url, max_bytes=max_bytes, types=ACCEPTED_MEDIA_TYPES
                    )
                except Unreachable as error:
                    if getattr(error, "temporary", False) and getattr(error, "response_status", None) is None:
                        state.paused_until = time.monotonic() + UNREACHABLE_PAUSE_SECONDS
                    raise
                state.bytes += len(response.body)
                server_state.bytes += len(response.body)
            final_host = hostnames.from_uri(response.url)
            if (
                final_host != host
                and (await self._node.db.read(domain_rules.policy, final_host)).rejects_media
            ):
                raise Unreachable("Pictures of that server are not shown here.", detail=response.url)
            try:
                return await self._node.sandbox.render(response.body, variants, source)
            except SourceMustWait as wait:
                raise _source_must_wait(wait) from wait
            except SandboxUnavailable as busy:
                raise TooManyRequests(
                    "This server is busy. Please try again in a moment.", detail=str(busy)
                ) from busy

    def _check_source(self, source: Source) -> None:
        """Raises TooManyRequests for a server whose pictures took too long: the file is not even requested."""
        try:
            self._node.sandbox.check_source(source)
        except SourceMustWait as wait:
            raise _source_must_wait(wait) from wait

    async def fetch_head(self, url: str, *, server: str, max_bytes: int) -> bytes:
        """Fetches the first bytes of a picture, within the same limits.

        Raises Unreachable; TooManyRequests if not tried.
        """
        host = hostnames.from_uri(url)
        async with self._servers.slot(server), self._hosts.slot(host) as state, self._slots:
            response = await self._node.client.get_beginning(
                url, max_bytes=max_bytes, types=ACCEPTED_MEDIA_TYPES
            )
            state.bytes += len(response.body)
            body: bytes = response.body
            return body


def _source_must_wait(wait: SourceMustWait) -> TooManyRequests:
    return TooManyRequests("Pictures of that server took too long. Please try again later.", detail=str(wait))


async def _call(fetch: Callable[[], Awaitable[T]]) -> T:
    return await fetch()


async def fetch_and_store(
    node: Node, key: MediaKey, url: str, *, server: str, max_bytes: int, variants: tuple[Variant, ...]
) -> FetchedPicture | None:
    """Fetches a picture of somebody on `server` and stores its files below `CACHE_FOLDER`.

    None, with the failure recorded, if that fails.

    Nothing is recorded where a limit of the host stopped it. The caller writes the rows that name the files, and then
    calls `stored_files.restore_missing`.
    """
    kind, id_ = key
    try:
        node.component(DiskSpace).check()
        picture = await node.component(PictureFetcher).fetch_picture(
            url, server=server, max_bytes=max_bytes, variants=variants
        )
        stored = await stored_files.store(node, picture.files, folder=CACHE_FOLDER)
    except (TooManyRequests, DiskFull) as error:
        log.info("%s %d at %s is not requested now: %s", kind, id_, url, error.message)
        return None
    except (Refused, BadImage) as error:
        log.info("%s %d at %s cannot be shown: %s %s", kind, id_, url, error.message, error.detail)
        is_final = not getattr(error, "temporary", False)
        await node.db.write(media_cache.record_failure, kind, id_, url, is_permanent=is_final)
        return None
    return FetchedPicture(picture, stored, url)
