"""Which kind of signature each server takes: the older one until it was seen to want the newer.

A server that refuses one is asked in the other, once, and what worked is remembered for its whole origin, for
what is sent and for what is fetched. If that stops working, the same happens the other way round.
"""

from __future__ import annotations

from collections.abc import Mapping

from activitypub.signatures import OTHER
from node.federation import server_availability
from node.node import Node

_HINTS = ("signature", "rfc9421", "cavage")


async def of(node: Node, host: str) -> str:
    """'cavage' or 'rfc9421'."""
    return await node.db.read(server_availability.style, host)


async def learned(node: Node, host: str, style: str) -> None:
    await node.db.write(server_availability.prefers, host, style)


def other(style: str) -> str:
    return OTHER.get(style, "cavage")


def is_refusal(status: int | None, headers: Mapping[str, str], body: str) -> bool:
    """Whether an answer may mean that the other kind of signature is wanted."""
    if status in (401, 403):
        return True
    said = body.lower()
    return status == 400 and ("Accept-Signature" in headers or any(hint in said for hint in _HINTS))
