"""Paces the frames of an HTTP/2 connection: each costs the parser alike, however little is in it.

64 KB may be 7,000 frames, which would stop every other connection for half a second. So a connection has a number of
frames in hand, gets more as time passes and for every KB that it sends or is sent, and waits when there are none. Heads of
requests are not counted, since requests take turns: a proxy may send those of thousands of people over one connection.
To take one back counts as several. Nothing is refused.
"""

from __future__ import annotations

from collections.abc import Iterator

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD = 9
"""Bytes of a frame before what it holds: first the length of that in three bytes, then its kind (RFC 9113, section 4.1)."""

WEIGHTS = {1: 0, 3: 4}
"""How much a frame counts by its kind: HEADERS, RST_STREAM. A browser that leaves a page takes back up to 50 requests; each
was begun, which costs ten times a frame."""

IN_HAND = 200  # a page with all that is on it takes about 60
PER_SECOND = 200
PER_BYTE = (
    1 / 1024
)  # a body comes in frames of 16 KB, and that one was read is told for every 4 KB, or less often
PART = 32  # frames that are read before others have a turn, one or two milliseconds


class FramePace:
    """Counts the frames that a connection sends. `now` is in seconds, of a clock that only goes forward."""

    def __init__(self, now: float) -> None:
        self._in_hand, self._counted_at = float(IN_HAND), now
        self._left = len(PREFACE)  # bytes before the next frame's head
        self._head = b""

    def add_bytes(self, count: int) -> None:
        """Counts bytes that were read or sent."""
        self._in_hand = min(self._in_hand + count * PER_BYTE, IN_HAND)

    def seconds_to_wait(self, now: float) -> float:
        """Returns how long to wait before more is read; 0 while frames are in hand."""
        self._in_hand = min(self._in_hand + (now - self._counted_at) * PER_SECOND, IN_HAND)
        self._counted_at = now
        return max(0.0, -self._in_hand / PER_SECOND)

    def parts(self, data: bytes) -> Iterator[bytes]:
        """Cuts what was read into parts with at most `PART` heads of frames each, and counts them."""
        start = place = frames = 0
        while place < len(data):
            if self._left:
                step = min(self._left, len(data) - place)
                self._left -= step
            else:
                step = min(HEAD - len(self._head), len(data) - place)
                self._head += data[place : place + step]
                if len(self._head) == HEAD:
                    frames += 1
                    self._in_hand -= WEIGHTS.get(self._head[3], 1)
                    self._left, self._head = int.from_bytes(self._head[:3]), b""
            place += step
            if frames == PART or place == len(data):
                self.add_bytes(place - start)
                yield data[start:place]
                start, frames = place, 0
