"""Remembers which signature style each server accepts: draft-cavage until it was seen to want RFC 9421.

When a server rejects one style, the request is repeated once in the other ("double-knocking"), and the style
that worked is stored per host, for deliveries and for fetches. If it stops working, the same happens the other
way round.
"""

from __future__ import annotations

from collections.abc import Mapping

from activitypub.signatures import OTHER_STYLE
from node.federation import server_availability
from node.node import Node

_HINTS = ("signature", "rfc9421", "cavage")


async def by_host(node: Node, host: str) -> str:
    """Returns the style to sign with for this host: 'cavage' or 'rfc9421'."""
    return await node.db.read(server_availability.signature_style, host)


async def remember(node: Node, host: str, style: str) -> None:
    """Stores the style that a host has just accepted."""
    await node.db.write(server_availability.set_signature_style, host, style)


def other(style: str) -> str:
    """Returns the style to try after this one was rejected."""
    return OTHER_STYLE.get(style, "cavage")


def is_rejection(status: int | None, headers: Mapping[str, str], body: str) -> bool:
    """Returns whether a response may mean that the other signature style is wanted: 401, 403,
    or a 400 that speaks of it."""
    if status in (401, 403):
        return True
    text = body.lower()
    return status == 400 and ("Accept-Signature" in headers or any(hint in text for hint in _HINTS))
