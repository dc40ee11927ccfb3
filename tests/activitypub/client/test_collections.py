"""Reading collections page by page: embedded or fetched, within the limits, and from one server only."""

from __future__ import annotations

from typing import Any

import pytest

from activitypub.client import collections
from activitypub.client.client import Unfetchable
from activitypub.client.fetch_budget import FetchBudget
from activitypub.vocab import Ref
from activitypub.vocab.values import ref
from node.node import Node
from tests.support.http_server import Server


async def items(node: Node, server: Server, source: Any, **limits: int) -> collections.CollectionItems:
    return await collections.fetch_items(node, ref(source), server.url("/bob"), FetchBudget(), **limits)


def page(server: Server, path: str, *numbers: int, **more: Any) -> str:
    found = [f"https://b.example/{number}" for number in numbers]
    return server.serves(path, {"type": "CollectionPage", "items": found, **more})


async def test_pages_are_read_from_the_first_to_the_last(connected: Node, remote: Server) -> None:
    last = page(remote, "/3", 3)
    middle = page(remote, "/2", 2, next=last)
    first = page(remote, "/1", 1, next=middle)
    front = remote.serves("/list", {"type": "Collection", "totalItems": 7, "first": first})

    found = await items(connected, remote, front)

    assert found.uris == [f"https://b.example/{number}" for number in (1, 2, 3)]
    assert found.total == 7


async def test_an_embedded_collection_is_not_fetched(connected: Node, remote: Server) -> None:
    embedded = {"type": "Collection", "first": {"type": "CollectionPage", "items": ["https://b.example/1"]}}

    assert (await items(connected, remote, embedded)).uris == ["https://b.example/1"]
    assert remote.requests == []


async def test_an_embedded_stub_is_fetched_by_its_id(connected: Node, remote: Server) -> None:
    uri = page(remote, "/list", 1)

    found = await items(connected, remote, {"id": uri, "type": "Collection", "totalItems": 1})

    assert found.uris == ["https://b.example/1"]


async def test_pages_in_a_circle_are_read_once(connected: Node, remote: Server) -> None:
    page(remote, "/1", 1, next=remote.url("/2"))
    page(remote, "/2", 2, next=remote.url("/1"))

    found = await items(connected, remote, remote.url("/1"))

    assert len(found.items) == 2
    assert remote.paths == ["/1", "/2"]


async def test_items_and_pages_are_limited(connected: Node, remote: Server) -> None:
    for number in range(9):
        page(remote, f"/{number}", number, number + 100, next=remote.url(f"/{number + 1}"))

    assert len((await items(connected, remote, remote.url("/0"), max_items=3)).items) == 3
    remote.requests.clear()
    assert len((await items(connected, remote, remote.url("/0"), max_pages=2)).items) == 6
    assert len(remote.requests) == 3


async def test_a_page_on_another_server_ends_the_reading(connected: Node, remote: Server) -> None:
    first = page(remote, "/1", 1, next=f"http://c.test:{remote.port}/2")
    page(remote, "/2", 2)

    assert (await items(connected, remote, first)).uris == ["https://b.example/1"]
    assert remote.paths == ["/1"]


async def test_a_failure_keeps_what_was_read_before(connected: Node, remote: Server) -> None:
    first = page(remote, "/1", 1, next=remote.url("/missing"))

    assert (await items(connected, remote, first)).uris == ["https://b.example/1"]


@pytest.mark.parametrize("document", [{"type": "Note"}, None])
async def test_an_unreadable_collection_is_unfetchable(
    connected: Node, remote: Server, document: dict[str, str] | None
) -> None:
    if document is not None:
        remote.serves("/list", document)

    with pytest.raises(Unfetchable):
        await items(connected, remote, remote.url("/list"))


async def test_a_collection_of_another_server_is_empty(connected: Node, remote: Server) -> None:
    found = await collections.fetch_items(
        connected, Ref(f"http://c.test:{remote.port}/list"), remote.url("/bob"), FetchBudget()
    )

    assert (found.items, found.total, remote.requests) == ([], None, [])
