"""The address of a client behind reverse proxies."""

from __future__ import annotations

from collections.abc import Collection


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
