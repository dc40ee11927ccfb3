"""Bounds what the heads of an HTTP/2 connection cost, for the fast and for the plain server.

A few bytes may stand for a thousand headers that were sent before (HPACK), and each of them is checked several times.
"""

from __future__ import annotations

from typing import Any

import hypercorn.protocol
from hypercorn.protocol.h2 import H2Protocol

from web.server.heads import BoundedDecoder


class StrictH2(H2Protocol):
    """Hypercorn's reader of HTTP/2, with a `BoundedDecoder`."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.connection.decoder = BoundedDecoder(self.connection.decoder.max_header_list_size)


def install() -> None:
    """Puts the strict reader in the place where hypercorn looks its own one up, unless the fast server has done that."""
    if hypercorn.protocol.H2Protocol is H2Protocol:  # type: ignore[attr-defined]
        hypercorn.protocol.H2Protocol = StrictH2  # type: ignore[attr-defined,assignment]
