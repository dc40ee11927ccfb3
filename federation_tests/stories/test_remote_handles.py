"""Handles of others on a shorter domain than their server: asked for, kept, and never worth more than both say."""

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


def _says(short: RemoteServer, uri: str, *, at: RemoteServer | None = None) -> str:
    """Let a server (the short domain itself) answer who rita@short is; the path of that answer."""
    path = f"/.well-known/webfinger?resource=acct%3Arita%40{short.domain.replace(':', '%3A')}"
    links = [{"rel": "self", "type": AP, "href": uri}]
    jrd = {"subject": f"acct:rita@{short.domain}", "links": links}
    (at or short).serve(path, jrd, content_type="application/jrd+json")
    return path


async def _known_by_the_short_name(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> tuple[Person, str, str]:
    """Alice, the actor she knows as rita@other, and the path of what other says about rita."""
    (alice,) = await fediverse.people("alice@a.test")
    uri = evil.person("rita", webfinger=f"rita@{other.domain}")
    path = _says(other, uri)
    assert (await actors.find(alice.node, uri)).full_handle == f"rita@{other.domain}"
    return alice, uri, path


async def test_a_name_is_kept_while_its_host_is_down(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice, uri, path = await _known_by_the_short_name(fediverse, evil, other)
    other.replies[path] = Reply(503)
    assert (await actors.find(alice.node, uri, refresh=True)).full_handle == f"rita@{other.domain}"


async def test_a_name_is_kept_when_one_cause_has_asked_enough(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice, uri, _ = await _known_by_the_short_name(fediverse, evil, other)
    again = await actors.find(alice.node, uri, refresh=True, budget=FetchBudget(1))
    assert again.full_handle == f"rita@{other.domain}"


async def test_a_name_is_lost_when_its_host_no_longer_knows_it(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice, uri, path = await _known_by_the_short_name(fediverse, evil, other)
    del other.replies[path]
    assert (await actors.find(alice.node, uri, refresh=True)).full_handle == f"rita@{evil.domain}"


async def test_a_first_look_that_failed_is_made_up_for(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    uri = evil.person("rita")
    _says(other, uri)
    own = f"/.well-known/webfinger?resource=acct%3Arita%40{evil.domain.replace(':', '%3A')}"
    evil.replies[own] = Reply(503)
    assert (await actors.find(alice.node, uri)).full_handle == f"rita@{evil.domain}"
    evil.replies[own] = next(iter(reply for path, reply in other.replies.items() if "webfinger" in path))
    assert (await actors.find(alice.node, uri, refresh=True)).full_handle == f"rita@{other.domain}"


async def test_a_move_between_short_domains_renames_nobody(
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
        _says(other, old)
        _says(fourth, new)
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


async def test_a_third_server_is_not_asked_over_and_over(
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
async def test_a_server_that_has_its_webfinger_elsewhere_says_so_in_host_meta(
    fediverse: Fediverse, evil: RemoteServer, dtd: str
) -> None:
    """Entities are never expanded: what declares any is not read."""
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


async def test_the_host_meta_of_a_short_domain_names_the_long_one(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    handle = f"rita@{other.domain}"
    uri = evil.person("rita", webfinger=handle)
    _says(other, uri, at=evil)
    links = [{"rel": "lrdd", "template": evil.base + "/.well-known/webfinger?resource={uri}"}]
    other.serve("/.well-known/host-meta.json", {"links": links}, content_type="application/json")
    assert (await actors.by_handle(alice.node, handle)).uri == uri


async def test_emitted_documents_for_people_known_under_a_suspended_name_are_given_up(
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
