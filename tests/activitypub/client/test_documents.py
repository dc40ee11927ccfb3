"""Fetching documents: each must come from its own id, in either signature style, and never from a blocked server."""

from __future__ import annotations

import pytest

from activitypub.client import documents, signature_style
from activitypub.client.client import Unfetchable
from activitypub.client.fetch_budget import FetchBudget
from node.moderation import domain_rules
from node.node import Node
from tests.support.http_server import Server


async def refused(node: Node, uri: str) -> str:
    with pytest.raises(Unfetchable) as failed:
        await documents.fetch(node, uri)
    assert not failed.value.temporary
    return failed.value.reason


async def test_a_document_under_its_own_id_is_returned(connected: Node, remote: Server) -> None:
    uri = remote.serves("/1", {"id": remote.url("/1"), "type": "Note"})

    assert (await documents.fetch(connected, f"{uri}#part"))["id"] == uri
    assert remote.paths == ["/1"]


async def test_a_document_with_another_id_is_fetched_from_that_id(connected: Node, remote: Server) -> None:
    uri = remote.serves("/1", {"id": remote.url("/1"), "type": "Note", "content": "genuine"})
    page = remote.serves("/@bob/1", {"id": uri, "type": "Note", "content": "forged"})

    assert (await documents.fetch(connected, page))["content"] == "genuine"
    assert remote.paths == ["/@bob/1", "/1"]


async def test_a_document_that_is_not_at_its_id_is_refused(connected: Node, remote: Server) -> None:
    remote.serves("/2", {"id": remote.url("/3"), "type": "Note"})
    page = remote.serves("/1", {"id": remote.url("/2"), "type": "Note"})

    assert "not where its id says" in await refused(connected, page)
    assert remote.paths == ["/1", "/2"]


@pytest.mark.parametrize("id_", [None, "", 7, []])
async def test_a_document_without_an_id_is_refused(connected: Node, remote: Server, id_: object) -> None:
    uri = remote.serves("/1", {"id": id_, "type": "Note"})

    assert "does not say what its id is" in await refused(connected, uri)


async def test_a_local_id_is_never_fetched(connected: Node, remote: Server) -> None:
    local = connected.site.uri("/users/alice")
    page = remote.serves("/1", {"id": local, "type": "Person"})

    assert (
        await refused(connected, local) == await refused(connected, page) == "local objects are not fetched"
    )
    assert documents.is_local_uri(connected, local)
    assert not documents.is_local_uri(connected, page)
    assert not documents.is_local_uri(connected, "acct:alice")


async def test_a_blocked_server_gets_no_request(connected: Node, remote: Server) -> None:
    uri = remote.serves("/1", {"id": remote.url("/1"), "type": "Note"})
    await connected.db.write(domain_rules.block, "b.test")

    assert "does not exchange" in await refused(connected, uri)
    assert remote.requests == []


async def test_a_rejected_signature_is_repeated_once_in_the_other_style(
    connected: Node, remote: Server
) -> None:
    remote.says("/1", b"", status="401 Unauthorized")
    with pytest.raises(Unfetchable) as failed:
        await documents.fetch(connected, remote.url("/1"))

    assert failed.value.response_status == 401
    styles = ["signature-input" in dict(headers) for _, _, headers, _ in remote.requests]
    assert styles == [False, True]
    # Neither style worked, so none is remembered.
    host = f"b.test:{remote.port}"
    assert await signature_style.by_host(connected, host) == "cavage"


async def test_both_requests_are_paid_from_the_budget(connected: Node, remote: Server) -> None:
    remote.says("/1", b"", status="403 Forbidden")
    with pytest.raises(Unfetchable):
        await documents.fetch(connected, remote.url("/1"), budget=FetchBudget(1))

    assert len(remote.requests) == 1


async def test_a_collection_must_stay_on_its_origin(connected: Node, remote: Server) -> None:
    remote.serves("/list", {"type": "Collection", "totalItems": 0})
    remote.moves("/near", remote.url("/list"))
    remote.moves("/far", f"http://c.test:{remote.port}/list")

    doc = await documents.fetch_collection(connected, remote.url("/near"), FetchBudget())
    assert doc["type"] == "Collection"
    with pytest.raises(Unfetchable) as failed:
        await documents.fetch_collection(connected, remote.url("/far"), FetchBudget())
    assert failed.value.reason == "the collection has moved to another server"
