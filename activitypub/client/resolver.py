"""Resolves host names, checks every address, and hands exactly the checked addresses to aiohttp.

A name that resolves to a public address at the check and to 127.0.0.1 at the
connection (DNS rebinding) would pass any check made by name. aiohttp therefore gets
its addresses from here alone. If one of several addresses is not public, the name is refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address

from aiohttp.abc import AbstractResolver, ResolveResult

from activitypub.client.public_addresses import is_public
from node.cache import Cache

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

CACHE_TTL_SECONDS, MAX_CACHED_HOSTS, MAX_CONCURRENT_LOOKUPS = 60.0, 2048, 16

_UNKNOWN_HOST = (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))


class AddressNotPublic(OSError):
    """The name resolves to an address that is not public."""


def is_unknown_host(error: BaseException | None) -> bool:
    """Returns whether a look-up ended with the answer that there is no such name, and not without an answer."""
    return isinstance(error, socket.gaierror) and error.errno in _UNKNOWN_HOST


class GuardedResolver(AbstractResolver):
    """Resolves through `resolve(host, port)`, or the system; caches addresses for a minute, 2,048 hosts at most."""

    def __init__(self, *, allow_private: bool, resolve: Resolve | None = None) -> None:
        self._allow_private = allow_private
        self._resolve = resolve or SystemResolver()
        self._cache: Cache[str, list[str]] = Cache(MAX_CACHED_HOSTS, CACHE_TTL_SECONDS)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        addresses = self._cache.get(host)
        if addresses is None:
            addresses = list(await self._resolve(host, port))
            if not addresses:
                raise OSError(f"{host} has no address")
            if not self._allow_private and not all(is_public(address) for address in addresses):
                raise AddressNotPublic(f"{host} is not on the public internet")
            self._cache.put(host, addresses)
        return [
            {
                "hostname": host,
                "host": address,
                "port": port,
                "family": socket.AF_INET6 if ip_address(address).version == 6 else socket.AF_INET,
                "proto": 0,
                "flags": socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            }
            for address in addresses
        ]

    async def close(self) -> None:
        self._cache.clear()


class SystemResolver:
    """Calls getaddrinfo on threads of its own, 16 at a time.

    Not on the event loop's shared pool: a few names whose DNS servers never answer would
    block all of it. The threads are daemons, so that such a name cannot delay the shutdown either.
    """

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(MAX_CONCURRENT_LOOKUPS)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        loop = asyncio.get_running_loop()
        result: asyncio.Future[list[str]] = loop.create_future()
        await self._slots.acquire()

        def set_outcome(found: list[str] | OSError) -> None:
            self._slots.release()
            if result.done():
                return
            if isinstance(found, OSError):
                result.set_exception(found)
            else:
                result.set_result(found)

        def resolve() -> None:
            found: list[str] | OSError
            try:
                rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
                found = list(dict.fromkeys(str(row[4][0]) for row in rows))
            except OSError as error:
                found = error
            except UnicodeError:
                found = OSError(f"{host} is not a host name")
            with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(set_outcome, found)

        threading.Thread(target=resolve, daemon=True, name="resolver").start()
        return await result
