"""Limits on connections that hold whichever of the two servers runs."""

from __future__ import annotations

MAX_UNREAD_BODY = (
    262_144  # bytes of a request body that wait for the app before no more is read from the socket
)
STALL_FACTOR = 4  # a request under way may stand still this many times as long as a connection may be idle
