"""The address of a client behind reverse proxies, and the group of addresses that it belongs to."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Collection
from typing import Any

GROUP_BITS = 48


def nearest_untrusted(remote: str, forwarded: str, trusted: Collection[str]) -> str:
    """Returns the address of the client: the nearest hop that is not one of the trusted proxies.

    `forwarded` is X-Forwarded-For, which counts only as far as trusted proxies wrote it: a client cannot choose
    its address.
    """
    hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
    address = remote
    while hops and (address in trusted or address in ("", "<local>") or address.startswith("unix:")):
        address = hops.pop()
    return address


def of_request(scope: Any, trusted: Collection[str]) -> str:
    """Returns the address of the client that sent an ASGI request."""
    peer = (scope.get("client") or ("",))[0] or ""
    forwarded = ",".join(
        value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"
    )
    return nearest_untrusted(peer, forwarded, trusted)


@functools.lru_cache(maxsize=2048)
def group_of(address: str) -> str:
    """Returns the group of a network that counts as one client; what is no network of IPv6 is a group of its own.

    The group of an address of IPv6 is its /48, which is what one customer may have, and so of no more weight than
    one address of IPv4.
    """
    try:
        return str(ipaddress.IPv6Network(address).supernet(new_prefix=GROUP_BITS))
    except ValueError:
        return address
