"""Option `handle_domain`: local handles are on another domain than the host of their node."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from activitypub.remote import actors, lookup
from activitypub.server.routes import FederationApp
from federation_tests.fediverse import Fediverse, HandleOnly, Person
from federation_tests.remote_server import AP, RemoteServer, Reply
from node.accounts import accounts
from node.config import Config
from node.models.account import Account
from node.node import Node
from tests.support.asgi import Client
from web import wiring


def _with_handle_domain(options: Config, domain: str) -> Config:
    return dataclasses.replace(options, node=dataclasses.replace(options.node, handle_domain=domain))


@asynccontextmanager
async def _restarted_with(fediverse: Fediverse, node: Node, domain: str) -> AsyncIterator[Node]:
    """The node, restarted with another `handle_domain`; the others are down."""
    await fediverse.close()
    fediverse.running.clear()
    again = await wiring.open_node(_with_handle_domain(node.config, domain))
    try:
        yield again
    finally:
        await again.close()


async def _with_short_handle(fediverse: Fediverse, other: RemoteServer) -> Person:
    """alice of a.test, whose handle is alice@other.test."""
    before = fediverse.change
    fediverse.change = lambda options: _with_handle_domain(options, other.domain)
    alice = await fediverse.person("alice@a.test")
    fediverse.change = before
    assert alice.handle == f"alice@{other.domain}"
    return alice


def _redirect_webfinger(other: RemoteServer, to: str, *names: str) -> None:
    """Redirects WebFinger of the handle domain to the node, as its admin would set it up."""
    host = other.domain.replace(":", "%3A")
    for name in names:
        path = f"/.well-known/webfinger?resource=acct%3A{name}%40{host}"
        other.replies[path] = Reply(301, headers={"location": f"https://{to}{path}"})


async def test_an_account_is_found_followed_and_mentioned_by_its_handle(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    alice = await _with_short_handle(fediverse, other)
    _redirect_webfinger(other, alice.node.site.domain, "alice")
    bob = await fediverse.person("bob@b.test")

    found = await bob.finds(alice)
    assert found.full_handle == f"alice@{other.domain}"
    assert found.uri == alice.node.site.uri("/users/alice")
    await bob.follows(alice)
    await fediverse.settle()
    await alice.posts("Fog over the lake")
    await fediverse.settle()
    assert await bob.home() == ["Fog over the lake"]

    await bob.posts(f"Have you seen this, @alice@{other.domain}?")
    await fediverse.settle()
    assert ("mention", "bob@b.test") in await alice.notifications()


async def test_the_handle_with_the_host_leads_to_the_same_account(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    alice = await _with_short_handle(fediverse, other)
    _redirect_webfinger(other, alice.node.site.domain, "alice")
    bob = await fediverse.person("bob@b.test")

    long = await bob.finds(HandleOnly(f"alice@{alice.node.site.domain}"))
    assert long.full_handle == f"alice@{other.domain}"
    assert long.id == (await bob.finds(alice)).id
    for name in ("alice", "alice@" + alice.node.site.domain, "ALICE@" + other.domain.upper()):
        found = await lookup.resolve(alice.node, name if "@" in name else f"@{name}@{other.domain}", None)
        assert isinstance(found, Account)
        assert found.id == alice.id


async def test_without_webfinger_on_the_handle_domain_the_host_is_shown(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    alice = await _with_short_handle(fediverse, other)
    bob = await fediverse.person("bob@b.test")

    found = await lookup.resolve(bob.node, (await alice.account()).url, await bob.account())
    assert isinstance(found, Account)
    assert found.full_handle == f"alice@{alice.node.site.domain}"


async def test_a_remote_account_cannot_use_the_local_handle_domain(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    alice = await _with_short_handle(fediverse, other)
    uri = other.person("mallory", webfinger=f"mallory@{other.domain}")
    assert await other.send(
        alice.node, "mallory", other.activity("mallory", "Follow", alice.node.site.uri("/users/alice"))
    ) in (
        202,
        401,
    )
    await fediverse.settle()
    assert await alice.node.db.read(accounts.by_uri, uri) is None
    with pytest.raises(AssertionError):
        await alice.finds(HandleOnly(f"mallory@{other.domain}"))


async def test_a_changed_option_renames_accounts_but_not_the_instance_actor(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    alice = await fediverse.person("alice@a.test")
    node = alice.node
    async with _restarted_with(fediverse, node, other.domain) as again:
        assert (await again.db.read(accounts.get, alice.id)).full_handle == f"alice@{other.domain}"
        assert (await again.db.read(accounts.instance_actor)).domain == again.site.domain


async def test_a_local_account_wins_over_a_remote_one_with_its_handle(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    """The usual case: alice had an account on that domain before it became the handle domain of this node."""
    alice = await fediverse.person("alice@a.test")
    node = alice.node
    await actors.find(node, other.person("alice"))
    async with _restarted_with(fediverse, node, other.domain) as again:
        found = await again.db.read(accounts.by_handle, "alice")
        assert found is not None
        assert found.id == alice.id
        client = Client(FederationApp(again), {"accept": AP})
        assert (await client.get("/users/alice")).status == 200
        finger = await client.get("/.well-known/webfinger", {"resource": f"acct:alice@{other.domain}"})
        assert finger.status == 200


async def test_urls_on_the_handle_domain_are_resolved(fediverse: Fediverse, other: RemoteServer) -> None:
    alice = await _with_short_handle(fediverse, other)
    for resource in (f"https://{other.domain}/@alice", f"https://{other.domain}/users/alice"):
        url = alice.node.site.uri(f"/.well-known/webfinger?resource={resource}")
        assert (await other.get(url))[0] == 200
        found = await lookup.resolve(alice.node, resource, await alice.account())
        assert isinstance(found, Account)
        assert found.id == alice.id
