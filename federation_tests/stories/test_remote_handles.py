"""Remote handles on another domain than the actor's server: verified on both, and kept while a domain is down."""

from __future__ import annotations

import pytest

from activitypub.client.fetch_budget import FetchBudget
from activitypub.remote import actors
from federation_tests.authority import Authority
from federation_tests.fediverse import Fediverse, Person
from federation_tests.remote_server import AP, RemoteServer, Reply
from federation_tests.security.scenes import alice_follows_rita
from federation_tests.test_deliveries import _followed
from node.accounts import relationships
from node.errors import NotFound
from node.federation import server_availability
from node.jobs import queue
from node.moderation import domain_rules


def _serve_webfinger(short: RemoteServer, uri: str, *, at: RemoteServer | None = None) -> str:
    """Serves WebFinger for rita@short (on that domain itself, or `at` another); returns the path."""
    path = f"/.well-known/webfinger?resource=acct%3Arita%40{short.domain.replace(':', '%3A')}"
    links = [{"rel": "self", "type": AP, "href": uri}]
    jrd = {"subject": f"acct:rita@{short.domain}", "links": links}
    (at or short).serve(path, jrd, content_type="application/jrd+json")
    return path


async def _known_as_rita_at_other(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> tuple[Person, str, str]:
    """Alice, the URI of the actor known as rita@other, and the path of its WebFinger on other."""
    (alice,) = await fediverse.people("alice@a.test")
    uri = evil.person("rita", webfinger=f"rita@{other.domain}")
    path = _serve_webfinger(other, uri)
    assert (await actors.find(alice.node, uri)).full_handle == f"rita@{other.domain}"
    return alice, uri, path


async def test_a_handle_is_kept_while_its_domain_is_down(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice, uri, path = await _known_as_rita_at_other(fediverse, evil, other)
    other.replies[path] = Reply(503)
    assert (await actors.find(alice.node, uri, refresh=True)).full_handle == f"rita@{other.domain}"


async def test_a_handle_is_kept_when_the_fetch_budget_is_used_up(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice, uri, _ = await _known_as_rita_at_other(fediverse, evil, other)
    again = await actors.find(alice.node, uri, refresh=True, budget=FetchBudget(1))
    assert again.full_handle == f"rita@{other.domain}"


async def test_a_handle_is_lost_when_its_domain_no_longer_has_it(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice, uri, path = await _known_as_rita_at_other(fediverse, evil, other)
    del other.replies[path]
    assert (await actors.find(alice.node, uri, refresh=True)).full_handle == f"rita@{evil.domain}"


async def test_a_handle_that_could_not_be_verified_is_verified_later(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    uri = evil.person("rita")
    _serve_webfinger(other, uri)
    own = f"/.well-known/webfinger?resource=acct%3Arita%40{evil.domain.replace(':', '%3A')}"
    evil.replies[own] = Reply(503)
    assert (await actors.find(alice.node, uri)).full_handle == f"rita@{evil.domain}"
    evil.replies[own] = next(iter(reply for path, reply in other.replies.items() if "webfinger" in path))
    assert (await actors.find(alice.node, uri, refresh=True)).full_handle == f"rita@{other.domain}"


async def test_a_move_between_handle_domains_renames_no_account(
    fediverse: Fediverse,
    evil: RemoteServer,
    other: RemoteServer,
    ports: dict[str, int],
    test_authority: Authority,
) -> None:
    third, fourth = (RemoteServer(name, ports[name], test_authority) for name in ("b.test", "c.test"))
    await third.start()
    await fourth.start()
    try:
        alice = await alice_follows_rita(fediverse, evil)
        old, new = f"{evil.base}/users/rita", f"{third.base}/users/rita"
        evil.person("rita", webfinger=f"rita@{other.domain}", movedTo=new)
        third.person("rita", webfinger=f"rita@{fourth.domain}", alsoKnownAs=[old])
        _serve_webfinger(other, old)
        _serve_webfinger(fourth, new)
        assert (await actors.find(alice.node, new)).full_handle == f"rita@{fourth.domain}"
        assert await evil.send(alice.node, "rita", evil.activity("rita", "Move", old, target=new)) == 202
        await fediverse.settle()
        assert (await actors.find(alice.node, old)).full_handle == f"rita@{other.domain}"
        now = await actors.find(alice.node, new)
        assert now.full_handle == f"rita@{fourth.domain}"
        assert await alice.node.db.read(relationships.follow_between, await alice.account(), now) is not None
    finally:
        await third.stop()
        await fourth.stop()


async def test_a_third_server_is_not_requested_over_and_over(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    uri = evil.person("rita", webfinger=f"rita@{other.domain}")
    for _ in range(5):
        assert await evil.send(alice.node, "rita", evil.activity("rita", "Update", uri)) == 202
        await fediverse.settle()
    for n in range(5):
        evil.person(f"p{n}", webfinger=f"p{n}@{other.domain}")
        like = evil.activity(f"p{n}", "Like", "https://nowhere.example/1")
        assert await evil.send(alice.node, f"p{n}", like) == 202
    assert sum(other.requests.values()) <= 3


XRD = (
    '<?xml version="1.0" encoding="UTF-8"?>{dtd}<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0">'
    '<Link rel="lrdd" template="{base}/finger?resource={{uri}}"/></XRD>'
)


@pytest.mark.parametrize("dtd", ["", '<!DOCTYPE x [<!ENTITY a "b">]>'])
async def test_host_meta_names_another_webfinger_address(
    fediverse: Fediverse, evil: RemoteServer, dtd: str
) -> None:
    """XML entities are never expanded: a document that declares any is not parsed."""
    (alice,) = await fediverse.people("alice@a.test")
    uri = evil.person("rita")
    (path,) = [path for path in evil.replies if path.startswith("/.well-known/webfinger")]
    evil.replies["/finger" + path.removeprefix("/.well-known/webfinger")] = evil.replies.pop(path)
    document = XRD.format(base=evil.base, dtd=dtd).encode()
    evil.replies["/.well-known/host-meta"] = Reply(body=document, content_type="application/xrd+xml")
    try:
        found = (await actors.by_handle(alice.node, f"rita@{evil.domain}")).uri
    except NotFound:
        found = ""
    assert found == ("" if dtd else uri)


async def test_the_host_meta_of_a_handle_domain_names_another_server(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    handle = f"rita@{other.domain}"
    uri = evil.person("rita", webfinger=handle)
    _serve_webfinger(other, uri, at=evil)
    links = [{"rel": "lrdd", "template": evil.base + "/.well-known/webfinger?resource={uri}"}]
    other.serve("/.well-known/host-meta.json", {"links": links}, content_type="application/json")
    assert (await actors.by_handle(alice.node, handle)).uri == uri


async def test_deliveries_to_a_blocked_handle_domain_are_given_up(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    alice = await _followed(fediverse, other, "rita")
    await alice.node.db.write(
        lambda tx: tx.run("UPDATE accounts SET domain = 'short.example' WHERE name = 'rita'")
    )
    await other.stop()
    await alice.posts("One")
    await fediverse.settle()
    await alice.node.db.write(domain_rules.block, "short.example")
    await fediverse.settle()
    await other.start()
    await alice.node.db.write(server_availability.retry_now, other.domain)
    await fediverse.settle()
    assert other.received == []
    assert not await alice.node.db.read(queue.has_jobs, "redeliver")
