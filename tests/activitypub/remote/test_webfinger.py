"""WebFinger: handles are split strictly, believed only from their own server, and local resources are found."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activitypub.client.client import Unfetchable
from activitypub.remote import webfinger
from activitypub.uris import Malformed
from node.database import Reader
from node.models.account import Account
from node.node import Node
from tests.support.http_server import AP, Server


@pytest.mark.parametrize(
    ("handle", "expected"),
    [
        ("bob@b.example", ("bob", "b.example")),
        ("@bob@b.example", ("bob", "b.example")),
        ("acct:bob@B.Example", ("bob", "b.example")),
        (" ACCT:Bob@b.example:443 ", ("Bob", "b.example")),
        ("bob@b.example:8443", ("bob", "b.example:8443")),
        ("bob@b.example.", ("bob", "b.example")),
        ("bob@bücher.example", ("bob", "xn--bcher-kva.example")),
    ],
)
def test_a_handle_is_split_into_name_and_domain(handle: str, expected: tuple[str, str]) -> None:
    assert webfinger.split_handle(handle) == expected


@pytest.mark.parametrize(
    "handle",
    ["", "bob", "@bob", "bob@", "@@b.example", "a b@b.example", "bob@b.example/x", "bob@u@b.example"],
)
def test_a_malformed_handle_is_refused(handle: str) -> None:
    with pytest.raises(Malformed):
        webfinger.split_handle(handle)


@given(st.text(max_size=40))
def test_any_text_is_split_or_malformed(text: str) -> None:
    with contextlib.suppress(Malformed):
        name, domain = webfinger.split_handle(text)
        assert webfinger.split_handle(f"{name}@{domain}") == (name, domain)


def jrd(subject: str, actor: str, **link: Any) -> dict[str, Any]:
    return {"subject": subject, "links": [{"rel": "self", "type": AP, "href": actor, **link}]}


def serve_handle(server: Server, host: str, document: dict[str, Any], name: str = "bob") -> None:
    """Serves the WebFinger document of `name` on a host; all hosts are the same server."""
    resource = f"acct%3A{name}%40{host}%3A{server.port}"
    server.serves(f"/.well-known/webfinger?resource={resource}", document, kind="application/jrd+json")


@pytest.fixture
def plain(connected: Node) -> Node:
    """The node, with plain HTTP for itself and for remote servers."""
    federation = dataclasses.replace(connected.config.federation, allow_http=True)
    connected.config = dataclasses.replace(connected.config, federation=federation)
    connected.site = dataclasses.replace(connected.site, scheme="http")
    return connected


async def test_a_handle_is_believed_from_its_own_server(plain: Node, remote: Server) -> None:
    actor = remote.url("/users/bob")
    serve_handle(remote, "b.test", jrd(f"acct:Bob@b.test:{remote.port}", actor))

    found = await webfinger.look_up_handle(plain, f"@bob@b.test:{remote.port}")

    assert found == webfinger.WebFingerResult("Bob", f"b.test:{remote.port}", actor)


async def test_a_subject_on_another_host_must_be_confirmed_there(plain: Node, remote: Server) -> None:
    actor, subject = remote.url("/users/bob"), f"acct:bob@c.test:{remote.port}"
    serve_handle(remote, "b.test", jrd(subject, actor))
    with pytest.raises(Unfetchable):
        await webfinger.look_up_handle(plain, f"bob@b.test:{remote.port}")

    serve_handle(remote, "c.test", jrd(subject, remote.url("/users/somebody")))
    with pytest.raises(Malformed):
        await webfinger.look_up_handle(plain, f"bob@b.test:{remote.port}")

    serve_handle(remote, "c.test", jrd(subject, actor))
    found = await webfinger.look_up_handle(plain, f"bob@b.test:{remote.port}")
    assert (found.domain, found.actor_uri) == (f"c.test:{remote.port}", actor)


@pytest.mark.parametrize(
    "document",
    [
        {"links": []},
        {"subject": 7, "links": [{"rel": "self", "type": AP, "href": "https://b.test/1"}]},
        jrd("acct:bob@b.test:PORT", "https://b.test/1", rel="profile"),
        jrd("acct:bob@b.test:PORT", "https://b.test/1", type="text/html"),
        jrd("acct:bob@b.test:PORT", "not a web address"),
        {"subject": "acct:bob@b.test:PORT", "links": {"self": "https://b.test/1"}},
    ],
    ids=["no subject", "subject", "relation", "type", "address", "links"],
)
async def test_a_malformed_document_is_refused(plain: Node, remote: Server, document: dict[str, Any]) -> None:
    if isinstance(document.get("subject"), str):
        document = document | {"subject": document["subject"].replace("PORT", str(remote.port))}
    serve_handle(remote, "b.test", document)

    with pytest.raises(Malformed):
        await webfinger.look_up_handle(plain, f"bob@b.test:{remote.port}")


@pytest.mark.parametrize(
    "kind", ["text/plain", "text/plain; charset=utf-8", "application/octet-stream", "binary/octet-stream"]
)
async def test_a_static_file_is_read_whatever_its_type(plain: Node, remote: Server, kind: str) -> None:
    actor, handle = remote.url("/users/bob"), f"bob@b.test:{remote.port}"
    path = f"/.well-known/webfinger?resource=acct%3Abob%40b.test%3A{remote.port}"
    remote.serves(path, jrd(f"acct:{handle}", actor), kind=kind)

    assert (await webfinger.look_up_handle(plain, handle)).actor_uri == actor

    remote.serves(path, jrd(f"acct:{handle}", actor), kind="text/html")
    with pytest.raises(Unfetchable):
        await webfinger.look_up_handle(plain, handle)


@pytest.mark.parametrize(
    "subject", [{}, {"subject": None}, {"subject": ""}, {"subject": " "}, {"subject": "ACTOR"}]
)
async def test_without_a_subject_the_actor_has_to_confirm_the_handle(
    plain: Node, remote: Server, subject: dict[str, Any]
) -> None:
    actor, handle = remote.url("/users/bob"), f"bob@c.test:{remote.port}"
    if subject.get("subject") == "ACTOR":
        subject = {"subject": actor}
    serve_handle(remote, "c.test", {"links": jrd("", actor)["links"], **subject})

    found = await webfinger.look_up_handle(plain, handle)

    assert (found.name, found.domain, found.actor_uri) == ("bob", f"c.test:{remote.port}", actor)
    assert await webfinger.is_confirmed_by_actor_host(plain, found, handle)
    with pytest.raises(Unfetchable):
        await webfinger.is_confirmed_by_actor_host(plain, found, None)
    serve_handle(remote, "b.test", {"links": jrd("", actor)["links"]})
    assert not await webfinger.is_confirmed_by_actor_host(plain, found, None)


async def test_a_local_handle_is_never_queried(plain: Node, remote: Server) -> None:
    with pytest.raises(Malformed):
        await webfinger.look_up_handle(plain, f"alice@{plain.site.handle_domain}")
    assert remote.requests == []


@pytest.mark.parametrize("path", ["/users/alice", "/@alice", "/@alice@tintype.test", "/@alice/"])
async def test_a_local_url_names_its_account(node: Node, alice: Account, path: str) -> None:
    def find(tx: Reader) -> Account | None:
        return webfinger.local_account(tx, f"https://tintype.test{path}")

    found = await node.db.read(find)

    assert found is not None
    assert found.id == alice.id


@pytest.mark.parametrize(
    "resource",
    ["bob@tintype.test", "alice@b.example", "https://b.example/@alice", "https://tintype.test/p/alice/1"],
)
async def test_other_resources_name_nobody(node: Node, alice: Account, resource: str) -> None:
    assert await node.db.read(webfinger.local_account, resource) is None


async def test_the_domain_itself_names_the_instance_actor(node: Node) -> None:
    for resource in ("tintype.test@tintype.test", "https://tintype.test", "https://tintype.test/actor"):
        found = await node.db.read(webfinger.local_account, resource)
        assert found is not None
        assert found.kind == "Application"
