"""People whose handles are on a shorter domain than the host their node is reached at."""

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


def _called(options: Config, club: str) -> Config:
    return dataclasses.replace(options, node=dataclasses.replace(options.node, handle_domain=club))


@asynccontextmanager
async def _started_again_as(fediverse: Fediverse, node: Node, club: str) -> AsyncIterator[Node]:
    """The node after its admin has changed the option; the others are down."""
    await fediverse.close()
    fediverse.running.clear()
    again = await wiring.open_node(_called(node.config, club))
    try:
        yield again
    finally:
        await again.close()


async def _of_the_club(fediverse: Fediverse, other: RemoteServer) -> Person:
    """alice of a.test, who is called @alice@other.test."""
    before = fediverse.change
    fediverse.change = lambda options: _called(options, other.domain)
    alice = await fediverse.person("alice@a.test")
    fediverse.change = before
    assert alice.handle == f"alice@{other.domain}"
    return alice


def _leads(other: RemoteServer, to: str, *names: str) -> None:
    """What an admin sets up on the web server of the short domain."""
    host = other.domain.replace(":", "%3A")
    for name in names:
        path = f"/.well-known/webfinger?resource=acct%3A{name}%40{host}"
        other.replies[path] = Reply(301, headers={"location": f"https://{to}{path}"})


async def test_somebody_is_found_followed_and_mentioned_by_the_short_name(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    alice = await _of_the_club(fediverse, other)
    _leads(other, alice.node.site.domain, "alice")
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


async def test_the_long_name_leads_to_the_same_person(fediverse: Fediverse, other: RemoteServer) -> None:
    alice = await _of_the_club(fediverse, other)
    _leads(other, alice.node.site.domain, "alice")
    bob = await fediverse.person("bob@b.test")

    long = await bob.finds(HandleOnly(f"alice@{alice.node.site.domain}"))
    assert long.full_handle == f"alice@{other.domain}"
    assert long.id == (await bob.finds(alice)).id
    for name in ("alice", "alice@" + alice.node.site.domain, "ALICE@" + other.domain.upper()):
        here = await lookup.resolve(alice.node, name if "@" in name else f"@{name}@{other.domain}", None)
        assert isinstance(here, Account)
        assert here.id == alice.id


async def test_a_short_domain_that_leads_nowhere_leaves_the_long_name(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    alice = await _of_the_club(fediverse, other)
    bob = await fediverse.person("bob@b.test")

    found = await lookup.resolve(bob.node, (await alice.account()).url, await bob.account())
    assert isinstance(found, Account)
    assert found.full_handle == f"alice@{alice.node.site.domain}"


async def test_nobody_elsewhere_is_taken_for_one_of_the_club(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    alice = await _of_the_club(fediverse, other)
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


async def test_a_changed_option_renames_people_but_not_the_node(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    alice = await fediverse.person("alice@a.test")
    node = alice.node
    async with _started_again_as(fediverse, node, other.domain) as again:
        assert (await again.db.read(accounts.get, alice.id)).full_handle == f"alice@{other.domain}"
        assert (await again.db.read(accounts.instance_actor)).domain == again.site.domain


async def test_our_own_come_before_somebody_who_was_known_under_the_name(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    """The ordinary move: alice was elsewhere on that domain until the club took it for its own people."""
    alice = await fediverse.person("alice@a.test")
    node = alice.node
    await actors.find(node, other.person("alice"))
    async with _started_again_as(fediverse, node, other.domain) as again:
        found = await again.db.read(accounts.by_handle, "alice")
        assert found is not None
        assert found.id == alice.id
        client = Client(FederationApp(again), {"accept": AP})
        assert (await client.get("/users/alice")).status == 200
        finger = await client.get("/.well-known/webfinger", {"resource": f"acct:alice@{other.domain}"})
        assert finger.status == 200


async def test_addresses_on_the_short_domain_are_understood(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    alice = await _of_the_club(fediverse, other)
    for resource in (f"https://{other.domain}/@alice", f"https://{other.domain}/users/alice"):
        url = alice.node.site.uri(f"/.well-known/webfinger?resource={resource}")
        assert (await other.get(url))[0] == 200
        here = await lookup.resolve(alice.node, resource, await alice.account())
        assert isinstance(here, Account)
        assert here.id == alice.id
