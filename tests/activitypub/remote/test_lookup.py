"""Looking up what somebody typed: a page leads to its document, and visitors cause no request."""

from __future__ import annotations

from typing import Any

import pytest

from activitypub.remote import lookup
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from tests.support.http_server import AP, Server

HTML = "text/html; charset=utf-8"


def serve_actor(server: Server, name: str = "rita") -> str:
    uri = server.url(f"/users/{name}")
    return server.serves(
        f"/users/{name}",
        {"id": uri, "type": "Person", "preferredUsername": name, "inbox": f"{uri}/inbox"},
    )


def serve_note(server: Server, author: str) -> str:
    uri = server.url("/notes/1")
    document: dict[str, Any] = {
        "id": uri,
        "type": "Note",
        "attributedTo": author,
        "content": "<p>Fog</p>",
        "to": ["https://www.w3.org/ns/activitystreams#Public"],
    }
    return server.serves("/notes/1", document)


async def test_a_url_of_an_actor_or_a_post_is_resolved(
    connected: Node, remote: Server, alice: Account
) -> None:
    actor = serve_actor(remote)
    note = serve_note(remote, actor)

    found = await lookup.resolve(connected, f" {actor} ", alice)
    post = await lookup.resolve(connected, note, alice)

    assert isinstance(found, Account)
    assert found.uri == actor
    assert isinstance(post, Post)
    assert post.uri == note


@pytest.mark.parametrize("where", ["in the page", "in the header"])
async def test_a_page_leads_to_its_document(
    connected: Node, remote: Server, alice: Account, where: str
) -> None:
    note = serve_note(remote, serve_actor(remote))
    if where == "in the page":
        remote.says("/page", f'<link rel="alternate" type="{AP}" href="{note}">'.encode(), kind=HTML)
    else:
        remote.says("/page", b"<p>Fog", kind=HTML, Link=f'<{note}>; rel="alternate"; type="{AP}"')

    post = await lookup.resolve(connected, remote.url("/page"), alice)

    assert isinstance(post, Post)
    assert post.uri == note


@pytest.mark.parametrize("page", ["<p>Nothing", '<link rel="alternate" type="{AP}" href="{here}">'])
async def test_a_page_without_another_document_is_nothing(
    connected: Node, remote: Server, alice: Account, page: str
) -> None:
    body = page.replace("{AP}", AP).replace("{here}", remote.url("/page"))
    remote.says("/page", body.encode(), kind=HTML)

    assert await lookup.resolve(connected, remote.url("/page"), alice) is None


async def test_a_visitor_finds_what_is_known_and_causes_no_request(
    connected: Node, remote: Server, alice: Account
) -> None:
    actor = serve_actor(remote)
    assert await lookup.resolve(connected, actor, None) is None
    assert await lookup.resolve(connected, f"@rita@b.test:{remote.port}", None) is None
    assert remote.requests == []

    await lookup.resolve(connected, actor, alice)
    known = await lookup.resolve(connected, actor, None)
    assert isinstance(known, Account)
    assert known.uri == actor


async def test_a_local_url_or_handle_is_resolved_without_a_request(
    connected: Node, remote: Server, alice: Account, bob: Account
) -> None:
    for query in ("bob", "nobody@tintype.test", "https://tintype.test/users/nobody", ""):
        assert await lookup.resolve(connected, query, alice) is None
    for query in ("bob@tintype.test", "@BOB@tintype.test", bob.uri, "https://tintype.test/@bob"):
        found = await lookup.resolve(connected, query, alice)
        assert isinstance(found, Account), query
        assert found.id == bob.id
    assert remote.requests == []


async def test_a_private_post_is_fetched_with_the_key_of_the_viewer(
    connected: Node, remote: Server, alice: Account
) -> None:
    note = serve_note(remote, serve_actor(remote))
    remote.requests.clear()

    await lookup.resolve(connected, note, alice)

    signatures = {target: dict(headers).get("signature", "") for _, target, headers, _ in remote.requests}
    assert f'keyId="{alice.uri}#main-key"' in signatures["/notes/1"]
    assert alice.uri not in signatures["/users/rita"]
