"""Request bodies: how soon they must arrive, and how much of unfinished requests a node holds.

Every body is read through a `Body`, whichever part of the node reads it. One that does not move for a while ends with
408. What has arrived of unfinished requests is counted by the address of the client, and uploads by person too; above
a limit the answer is 429. Most requests bring their body along and are not counted at all.

Members, servers that are known and visitors each have a share of their own of what may be unfinished in total, so that
none of them is kept out by another kind. Where a share is full, a body ends with 503: in the group of addresses
that has most, the one that moved least. So nobody is kept out by clients that send a little and wait, from however
many addresses.

A body in memory is small, and so are its limits. An upload goes to a file of the media folder that has no name, so
that nothing is left of it when the client leaves or the process is killed.
"""

from __future__ import annotations

import asyncio
import enum
import time
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from itertools import islice
from typing import Any, BinaryIO

from node.errors import Refused, TooManyRequests
from node.node import Node
from node.rate_limits import client_network
from web.request.addresses import group_of, of_request

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

BYTES_PER_MB = 1024 * 1024
STALL_SECONDS, MIN_BYTES = 30.0, 16_384
"""A body ends when fewer bytes than these have arrived in that time, and more are missing."""

UPLOAD_SECONDS = 3600.0
"""How long an upload may take that moves all the time: 40 MB through a telephone far from anywhere."""


class SenderKind(enum.Enum):
    """Who sends a request. Each kind has a share of its own of what may be unfinished."""

    MEMBER = enum.auto()
    SERVER = enum.auto()
    """One whose last request to an inbox had a valid signature."""
    VISITOR = enum.auto()


MAX_UNFINISHED_PER_ADDRESS, MAX_UNFINISHED = 64, 1024
MAX_MEMORY_PER_ADDRESS = 16 * BYTES_PER_MB
MAX_MEMORY = {
    SenderKind.MEMBER: 48 * BYTES_PER_MB,
    SenderKind.SERVER: 48 * BYTES_PER_MB,
    SenderKind.VISITOR: 32 * BYTES_PER_MB,
}
MAX_UPLOAD_BYTES = 256 * BYTES_PER_MB
"""The bytes of all unfinished uploads of one person; at least one upload of the largest photo."""

ADDRESS_FACTOR, TOTAL_FACTOR = 2, 4
"""How many times as much as one person one address, and all of them, may have under way."""

MAX_SMALL_PIECES, MIN_BYTES_PER_PIECE = 128, 512
"""A body may come in so many pieces of any size, and in one more for so many bytes."""

MAX_COMPARED = 64
"""How many bodies are compared where one has to give way."""

_SCOPE_KEY = "tintype.body"
_RETRY_SECONDS = 30


class BodyTooSlow(Refused):
    """The body stopped arriving."""

    status = 408


class BodyOverLimit(Refused):
    """The body is larger than this request may be, or comes in too many small pieces."""

    status = 413


class TooBusy(Refused):
    """All clients together have sent too much that is not finished."""

    status = 503


def has_too_many_pieces(pieces: int, size: int) -> bool:
    """Returns whether a body of that many bytes came in so many pieces that these cost more than the bytes."""
    return pieces > MAX_SMALL_PIECES + size // MIN_BYTES_PER_PIECE


class Usage:
    """How much of one thing is used: by address, by group of addresses, and in total."""

    def __init__(self) -> None:
        self.by_address: Counter[str] = Counter()
        self.by_group: Counter[str] = Counter()
        self.total = 0

    def add(self, address: str, count: int) -> None:
        self.total += count
        for counter, key in ((self.by_address, address), (self.by_group, group_of(address))):
            counter[key] += count
            if counter[key] <= 0:
                del counter[key]


class Share:
    """What has arrived of the unfinished requests of one kind of sender."""

    def __init__(self, kind: SenderKind) -> None:
        self.kind = kind
        self.unfinished, self.memory, self.uploads = Usage(), Usage(), Usage()
        self._groups: dict[str, dict[Body, None]] = {}

    def add(self, address: str, body: Body) -> None:
        """Counts a body that is not finished. Raises TooBusy or TooManyRequests."""
        if self.unfinished.by_address[address] >= MAX_UNFINISHED_PER_ADDRESS:
            raise _too_much_at_once()
        self.make_room(self.unfinished, address, 1, MAX_UNFINISHED)
        self.unfinished.add(address, 1)
        self._groups.setdefault(group_of(address), {})[body] = None

    def remove(self, address: str, body: Body) -> None:
        """Ends the counting of a body."""
        self.unfinished.add(address, -1)
        group = group_of(address)
        del self._groups[group][body]
        if not self._groups[group]:
            del self._groups[group]

    def make_room(self, used: Usage, address: str, count: int, most: int, asking: Body | None = None) -> None:
        """Ends bodies until what is added for an address fits in. Raises TooBusy where that leaves the one that asks."""
        while used.total + count > most:
            body = self._slowest(used, group_of(address), count)
            if body is None or body is asking:
                raise _too_busy()
            body.end(_too_busy())

    def _slowest(self, used: Usage, group: str, count: int) -> Body | None:
        """Returns the body that moved least in the groups that have most when `count` is added to one of them.

        Only the oldest are compared: a request that has too little room costs little.
        """
        own = used.by_group[group] + count
        most = max(own, *used.by_group.values(), 0)
        groups = [name for name, its in used.by_group.items() if its == most and name != group]
        if own == most:
            groups.append(group)
        found = (body for name in groups for body in self._groups.get(name, ()))
        counted = (body for body in found if used is self.unfinished or body.counts_in(used))
        now = time.monotonic()
        return min(islice(counted, MAX_COMPARED), key=lambda body: body.speed(now), default=None)


class Bodies:
    """Counts what has arrived of the unfinished requests of one node."""

    def __init__(self, node: Node) -> None:
        self.trusted_proxies = frozenset(node.config.server.trusted_proxies)
        self.max_upload_bytes = max(
            MAX_UPLOAD_BYTES, node.config.media.max_upload_mb * BYTES_PER_MB + BYTES_PER_MB
        )
        self.shares = {kind: Share(kind) for kind in SenderKind}
        self.by_person: Counter[int | str] = Counter()

    @property
    def unfinished(self) -> int:
        """The number of unfinished requests that are counted."""
        return sum(share.unfinished.total for share in self.shares.values())

    def open(self, scope: Any, receive: Receive) -> Body:
        """Returns the body of a request; `body_of` finds it again. Close it when the request is over."""
        body = scope[_SCOPE_KEY] = Body(self, scope, receive)
        return body


def body_of(scope: Any) -> Body | None:
    """Returns the body of a request; None where the app was called without one."""
    body: Body | None = scope.get(_SCOPE_KEY)
    return body


class Body:
    """The body of one request. `receive` takes the place of the server's."""

    def __init__(self, bodies: Bodies, scope: Any, receive: Receive) -> None:
        self.max_bytes: int | None = None
        self.refusal: Refused | None = None
        self._bodies = bodies
        self._share = bodies.shares[SenderKind.VISITOR]
        self._scope = scope
        self._receive = receive
        self._is_whole = False
        self._counted = 0
        self._pieces = 0
        self._began = 0.0
        self._is_listed = False
        self._address = ""
        self._person: int | str | None = None
        self._window_ends: float | None = None
        self._window_bytes = 0
        self._files: list[BinaryIO] = []
        self._wait: asyncio.Timeout | None = None

    def count_as(self, kind: SenderKind) -> None:
        """Counts this body in the share of a kind of sender: before it is read."""
        if not self._is_listed:
            self._share = self._bodies.shares[kind]

    async def receive(self) -> Message:
        """Returns the next message of the server. Raises Refused: 408, 413, 429 or 503.

        It is also kept as `refusal`, for a reader that cannot be ended by an exception.
        """
        if self._is_whole:
            return await self._receive()
        if self.refusal is not None:
            raise self.refusal
        try:
            message = await self._next()
            if self.refusal is not None:  # it came in the same moment
                raise self.refusal
            if message["type"] == "http.request":
                self._take(len(message.get("body", b"")), is_last=not message.get("more_body", False))
            return message
        except Refused as refusal:
            self.refusal = refusal
            raise

    async def receive_quietly(self) -> Message:
        """Returns what `receive` does, but a refused body simply ends: `refusal` says why."""
        try:
            return await self.receive()
        except Refused:
            self._is_whole = True
            return {"type": "http.request", "body": b"", "more_body": False}

    def accept_upload(self, person: int | str) -> None:
        """Counts what arrives as an upload of this account, or of a visitor's address, whose reader puts it into files.

        Raises TooManyRequests where all that is declared would be too much beside what is under way.
        """
        bodies = self._bodies
        declared = next((value for name, value in self._scope["headers"] if name == b"content-length"), b"0")
        size = int(declared) if declared.isdigit() and len(declared) < 16 else 0
        if bodies.by_person[person] + max(size, self._counted) > bodies.max_upload_bytes:
            self.refusal = _too_much_at_once()
            raise self.refusal
        self._person = person
        if isinstance(person, int):
            self.count_as(SenderKind.MEMBER)
        if self._counted:  # what came before it was known whose it is
            self._share.memory.add(self._address, -self._counted)
            self._share.uploads.add(self._address, self._counted)
            bodies.by_person[person] += self._counted

    def add_file(self, file: BinaryIO) -> BinaryIO:
        """Keeps a file until the body is closed, and closes it then."""
        self._files.append(file)
        return file

    def counts_in(self, used: Usage) -> bool:
        """Returns whether the bytes of this body are counted there."""
        return self._counted > 0 and (used is self._share.uploads) == (self._person is not None)

    def speed(self, now: float) -> float:
        """Returns how many bytes a second have arrived."""
        return self._counted / max(now - self._began, 0.001)

    def end(self, refusal: Refused) -> None:
        """Refuses what is still missing, and wakes the reader."""
        self.refusal = refusal
        self._stop_counting()
        if self._wait is not None and not self._wait.expired():
            self._wait.reschedule(0)

    def close(self) -> None:
        """Ends the counting, and closes the files."""
        for file in self._files:
            file.close()
        self._stop_counting()

    def _stop_counting(self) -> None:
        if self._is_listed:
            self._share.remove(self._address, self)
            if self._person is None:
                self._share.memory.add(self._address, -self._counted)
            else:
                self._share.uploads.add(self._address, -self._counted)
                _subtract(self._bodies.by_person, self._person, self._counted)
            self._is_listed = False

    async def _next(self) -> Message:
        now = time.monotonic()
        if self._window_ends is None:
            self._window_ends = now + STALL_SECONDS
        try:
            async with asyncio.timeout(self._window_ends - now) as self._wait:
                return await self._receive()
        except TimeoutError:
            raise self.refusal or BodyTooSlow("The request took too long to arrive.") from None
        finally:
            self._wait = None

    def _take(self, size: int, *, is_last: bool) -> None:
        self._is_whole = is_last
        if is_last and not self._is_listed and self._person is None:
            if self.max_bytes is not None and size > self.max_bytes:
                raise BodyOverLimit("That is larger than this server accepts.")
            return
        if not self._is_listed:
            self._list()
        self._window_bytes += size
        if self._window_bytes >= MIN_BYTES:
            self._window_ends, self._window_bytes = None, 0
        self._count(size)
        self._pieces += 1
        if has_too_many_pieces(self._pieces, self._counted):
            raise BodyOverLimit("That is larger than this server accepts.")

    def _list(self) -> None:
        self._address = self._client()
        self._share.add(self._address, self)
        self._began = time.monotonic()
        self._is_listed = True

    def _count(self, size: int) -> None:
        bodies, share, address = self._bodies, self._share, self._address
        if self.max_bytes is not None and self._counted + size > self.max_bytes:
            raise BodyOverLimit("That is larger than this server accepts.")
        if self._person is None:
            used, most, most_in_total = share.memory, MAX_MEMORY_PER_ADDRESS, MAX_MEMORY[share.kind]
        else:
            used, most = share.uploads, bodies.max_upload_bytes * ADDRESS_FACTOR
            most_in_total = bodies.max_upload_bytes * TOTAL_FACTOR
            if bodies.by_person[self._person] + size > bodies.max_upload_bytes:
                raise _too_much_at_once()
        if used.by_address[address] + size > most:
            raise _too_much_at_once()
        share.make_room(used, address, size, most_in_total, self)
        self._counted += size
        used.add(address, size)
        if self._person is not None:
            bodies.by_person[self._person] += size

    def _client(self) -> str:
        return client_network(of_request(self._scope, self._bodies.trusted_proxies))


def _subtract(counter: Counter[int | str], key: int | str, count: int) -> None:
    counter[key] -= count
    if counter[key] <= 0:
        del counter[key]


def _too_much_at_once() -> TooManyRequests:
    return TooManyRequests(
        "Too much is being sent from here at once. Please try again when the other uploads have ended.",
        retry_after=_RETRY_SECONDS,
    )


def _too_busy() -> TooBusy:
    return TooBusy("Too many uploads are under way. Please try again in a moment.")
