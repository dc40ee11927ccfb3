"""What visitors leave unfinished keeps no member and no known server out, and other visitors only for a moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from node.node import Node
from tests.abuse.half_sent import PART, Sender, status
from tests.support.parallel import ONE_AT_A_TIME
from tests.support.pictures import picture
from web.app import App
from web.request import bodies

pytestmark = ONE_AT_A_TIME

MOST = 12

# Addresses that one client may have, each of which counts as another one.
NETWORKS = {
    "one /48": lambda n: f"2001:db8:1:{n:x}::1",
    "addresses of IPv4": lambda n: f"203.0.113.{n}",
}
EACH_NETWORK = pytest.mark.parametrize("address_of", NETWORKS.values(), ids=NETWORKS)
AddressOf = Callable[[int], str]


@pytest.fixture(autouse=True)
def low_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MAX_UNFINISHED", MOST)


async def fill(served: Sender, address_of: AddressOf) -> list[asyncio.StreamReader]:
    """Sends more unfinished forms than there may be, each from another address."""
    return [await served.begin("sign-in", 200_000, 3, address_of(n)) for n in range(MOST + 5)]


async def upload(served: Sender, address: str) -> int:
    """Uploads a photo in two pieces; returns the status."""
    data = PART % b"file" + picture(900, 700) + b"\r\n--edge--\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    served.open.append(writer)
    writer.write(served.head("api", len(data), address) + data[:1000])
    await writer.drain()
    if early := await status(reader, 0.3):
        return early
    writer.write(data[1000:])
    return await status(reader)


@EACH_NETWORK
async def test_a_member_uploads_whatever_visitors_hold(
    node: Node, served: Sender, address_of: AddressOf
) -> None:
    await fill(served, address_of)

    for address in ("198.51.100.1", address_of(0)):
        assert await upload(served, address) == 200
    for kind in ("form", "json", "api"):
        assert await status(await served.begin(kind, 200_000, 5_000, "198.51.100.1"), 0.3) == 0


@EACH_NETWORK
async def test_what_visitors_hold_in_memory_is_not_taken_from_members(
    node: Node, served: Sender, monkeypatch: pytest.MonkeyPatch, address_of: AddressOf
) -> None:
    for share in bodies.MAX_MEMORY:
        monkeypatch.setitem(bodies.MAX_MEMORY, share, 400_000)
    for n in range(8):
        await served.begin("sign-in", 200_000, 60_000, address_of(n))

    written = await served.begin("json", 300_000, 200_000, "198.51.100.1")

    assert await status(written, 0.5) == 0


@EACH_NETWORK
async def test_a_known_server_delivers_whatever_visitors_hold(
    node: Node, app: App, served: Sender, address_of: AddressOf
) -> None:
    app._front._known_servers.note("198.51.100.1", is_good=True)
    delivering = [await served.begin("inbox", 100_000, 500, "198.51.100.1") for _ in range(2)]
    await fill(served, address_of)

    delivering.append(await served.begin("inbox", 100_000, 500, "198.51.100.1"))

    assert await asyncio.gather(*(status(reader, 0.5) for reader in delivering)) == [0, 0, 0]


async def test_a_group_of_addresses_has_no_more_than_another_visitor(node: Node, served: Sender) -> None:
    many = await fill(served, NETWORKS["one /48"])
    few = [await served.begin("sign-in", 200_000, 3, f"2001:db8:{n:x}::1") for n in range(2, 7)]

    assert await asyncio.gather(*(status(reader, 0.5) for reader in few)) == [0] * 5
    lost = await asyncio.gather(*(status(reader, 0.1) for reader in many))
    assert sorted(lost) == [0] * (MOST - 5) + [503] * 10


async def test_where_no_visitor_has_more_the_body_that_moved_least_gives_way(
    node: Node, served: Sender
) -> None:
    moving = [await served.begin("sign-in", 200_000, 50_000, f"192.0.2.{n}") for n in range(3)]
    standing = await fill(served, NETWORKS["addresses of IPv4"])

    new = await served.begin("inbox", 100_000, 50_000, "198.51.100.1")

    assert await asyncio.gather(*(status(reader, 0.5) for reader in (*moving, new))) == [0] * 4
    lost = await asyncio.gather(*(status(reader, 0.1) for reader in standing))
    assert sorted(lost) == [0] * (MOST - 4) + [503] * 9
