"""Decides which IP addresses this node may connect to: globally routable unicast, and nothing else.

An allow rule, not a deny list: whatever is not known to be a public host is
refused, so a range assigned in the future is refused too. `ipaddress.is_global`
alone is not enough: it calls multicast, NAT64 of loopback, 6to4 relays and several
reserved IPv6 blocks global, differently in each Python release.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_GLOBAL_V6 = IPv6Network("2000::/3")
_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")
_NOT_HOSTS_V6 = (
    IPv6Network("2001::/23"),  # protocol assignments: Teredo, ORCHID, benchmarking
    IPv6Network("2001:db8::/32"),
    IPv6Network("2002::/16"),  # 6to4 carries any IPv4 address inside
    IPv6Network("3fff::/20"),
)
_NOT_HOSTS_V4 = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    )
)
_NUMERIC_LABEL = re.compile(r"(?:[0-9]+|0[xX][0-9A-Fa-f]*)")


def is_public(address: str | IPv4Address | IPv6Address) -> bool:
    """Returns whether the address is an ordinary host on the public internet."""
    if isinstance(address, str):
        try:
            address = ip_address(address)
        except ValueError:
            return False
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return False
        if address in _MAPPED or address in _NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
        return address in _GLOBAL_V6 and not any(address in block for block in _NOT_HOSTS_V6)
    return address.is_global and not any(address in block for block in _NOT_HOSTS_V4)


def parse_ip_literal(host: str) -> IPv4Address | IPv6Address | None:
    """Returns the IP address that a host is written as, or None when it is a name to be resolved.

    The system's resolver also takes `2130706433`, `0x7f.1` and `0177.0.0.1` for
    addresses; only the canonical spelling is accepted. Raises ValueError for the others.
    """
    if host.startswith("["):
        return IPv6Address(host[1:-1])
    if _NUMERIC_LABEL.fullmatch(host.removesuffix(".").rpartition(".")[2]):
        return IPv4Address(host)
    return None
