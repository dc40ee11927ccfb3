"""Public responses, kept for a moment: the same for every visitor, and dropped as soon as anything public changes.

A response is kept with the number of the last public change that was committed before its page was read (see
`node.database.public_changes`). Any later change makes it worthless, so nothing that was deleted or made private is
shown to a request that comes after that. Where several processes serve one database, each sees its own changes only:
for those of the others there is the time limit.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any

from node.database.public_changes import PublicChanges

TTL_SECONDS = 2.0
MAX_BYTES = 16 * 1024 * 1024  # of all that is kept
MAX_RESPONSE_BYTES = (
    4 * 1024 * 1024
)  # a post with 2,000 comments takes up to 2 MB, and most time of all to make
ROW_BYTES = 1000  # what a row costs beside its key and body


@dataclass(frozen=True, slots=True)
class WholeResponse:
    """A response that an app has finished.

    One that is the same for many has no `body`, but the `pieces` of it between which `form_token` stands, so that
    nobody who reads it slowly needs a copy of it; `packed` are these compressed (see `compression`).
    """

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    pieces: tuple[bytes, ...] = ()
    packed: tuple[bytes, ...] = ()
    form_token: bytes = b""

    @property
    def is_for_many(self) -> bool:
        is_personal = any(name.lower() == b"set-cookie" for name, _value in self.headers)
        return self.status == 200 and not is_personal

    @property
    def bytes_held(self) -> int:
        return len(self.body) + sum(map(len, self.pieces)) + sum(map(len, self.packed))


class PageCache:
    """Keeps responses by what they depend on; those who ask for one that is being made wait for it."""

    def __init__(self, changes: PublicChanges, now: Callable[[], float]) -> None:
        self._changes, self._now = changes, now
        self._rows: OrderedDict[Hashable, tuple[float, int, WholeResponse]] = OrderedDict()
        self._being_made: dict[Hashable, tuple[int, asyncio.Task[WholeResponse]]] = {}
        self.bytes = 0

    def find(self, key: Hashable) -> Awaitable[WholeResponse] | None:
        """Returns what to wait for where a response is kept or being made under a key, as it is since the last
        public change."""
        version = self._changes.version
        row = self._rows.get(key)
        if row is not None:
            if row[1] == version and row[0] > self._now():
                return _finished(row[2])
            self._remove(key)
        being_made = self._being_made.get(key)
        if being_made is not None and being_made[0] == version:
            return asyncio.shield(being_made[1])
        return None

    async def get(self, key: Hashable, make: Callable[[], Awaitable[WholeResponse]]) -> WholeResponse:
        """Returns the response that is kept or being made under a key, else what `make` returns."""
        if (found := self.find(key)) is not None:
            return await found
        version = self._changes.version
        task: asyncio.Task[Any] = asyncio.create_task(self._make(key, version, make))
        self._being_made[key] = (version, task)
        task.add_done_callback(lambda done: self._forget(key, done))
        return await asyncio.shield(task)

    async def _make(
        self, key: Hashable, version: int, make: Callable[[], Awaitable[WholeResponse]]
    ) -> WholeResponse:
        response = await make()
        may_be_kept = response.is_for_many and response.bytes_held <= MAX_RESPONSE_BYTES
        if may_be_kept and self._changes.version == version:
            self._remove(key)
            self._rows[key] = (self._now() + TTL_SECONDS, version, response)
            self.bytes += _size(key, response)
            while self.bytes > MAX_BYTES:
                self._remove(next(iter(self._rows)))
        return response

    def _remove(self, key: Hashable) -> None:
        row = self._rows.pop(key, None)
        if row is not None:
            self.bytes -= _size(key, row[2])

    def _forget(self, key: Hashable, done: asyncio.Task[WholeResponse]) -> None:
        being_made = self._being_made.get(key)
        if being_made is not None and being_made[1] is done:
            del self._being_made[key]
        if not done.cancelled():
            done.exception()  # those who waited have it; there may be none left


def _size(key: Hashable, response: WholeResponse) -> int:
    """Returns the bytes that a row takes, about: visitors choose the addresses in the keys."""
    return ROW_BYTES + len(repr(key)) + response.bytes_held


async def _finished(response: WholeResponse) -> WholeResponse:
    return response
