"""Names to addresses, once: every answer is checked, and the checked address is what gets connected to.

A name that answers with a public address at the check and with 127.0.0.1 at the
connection would walk past any check made by name. aiohttp therefore gets its
addresses from here alone. If one answer of several is not public, the name is refused.
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

KEPT_SECONDS, MOST_KEPT, MOST_AT_ONCE = 60.0, 2048, 16


class NotPublic(OSError):
    """The name belongs to an address we do not talk to."""


class GuardedResolver(AbstractResolver):
    """Resolves through `resolve(host, port)`, or the system; keeps answers for a minute in a bounded table."""

    def __init__(self, *, allow_private: bool, resolve: Resolve | None = None) -> None:
        self._allow_private = allow_private
        self._resolve = resolve or SystemResolver()
        self._kept: Cache[str, list[str]] = Cache(MOST_KEPT, KEPT_SECONDS)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        addresses = self._kept.get(host)
        if addresses is None:
            addresses = list(await self._resolve(host, port))
            if not addresses:
                raise OSError(f"{host} has no address")
            if not self._allow_private and not all(is_public(address) for address in addresses):
                raise NotPublic(f"{host} is not on the public internet")
            self._kept.put(host, addresses)
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
        self._kept.clear()


class SystemResolver:
    """getaddrinfo on threads of its own, a bounded number at a time.

    Not the event loop's shared pool: a few names whose servers never answer would hold
    all of it. The threads are daemons, so that such a name cannot delay our own end either.
    """

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(MOST_AT_ONCE)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[str]] = loop.create_future()
        await self._slots.acquire()

        def settle(found: list[str] | OSError) -> None:
            self._slots.release()
            if answer.done():
                return
            if isinstance(found, OSError):
                answer.set_exception(found)
            else:
                answer.set_result(found)

        def look_up() -> None:
            found: list[str] | OSError
            try:
                rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
                found = list(dict.fromkeys(str(row[4][0]) for row in rows))
            except OSError as error:
                found = error
            except UnicodeError:
                found = OSError(f"{host} is not a host name")
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(settle, found)

        threading.Thread(target=look_up, daemon=True, name="resolver").start()
        return await answer
