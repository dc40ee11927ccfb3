"""Authors see the delivery of their posts, server by server, and can retry it."""

from __future__ import annotations

import pytest

from federation_tests.fediverse import Fediverse
from federation_tests.remote_server import RemoteServer
from node.accounts import accounts
from node.database import Reader, Writer
from node.federation import delivery_reports
from node.interactions import follows
from node.lifecycle import remote_accounts
from node.models.remote_actor import RemoteActor
from node.paging import Page
from tests.support.visitors import sign_in
from web.pages import delivery_reports as delivery_report_pages


async def test_the_author_sees_which_servers_have_a_post_and_retries(fediverse: Fediverse) -> None:
    alice, bob, carol = await fediverse.people("alice@a.test", "bob@b.test", "carol@c.test")
    for follower in (bob, carol):
        await follower.follows(alice)
    await fediverse.settle()
    await fediverse.down("b.test")
    post = await alice.posts("A clock", photo="A clock")
    await fediverse.settle()

    client = await sign_in(alice.node, await alice.account())
    seen = await client.get(f"/p/alice/{post.id}")
    assert "Delivered to 1 of 2 servers, 1 pending" in seen.main_text
    seen = await client.get(f"/posts/{post.id}/ledger")
    assert f"{fediverse.domain('c.test')}" in seen.main_text
    assert "The server does not respond." in seen.main_text
    assert "next attempt" in seen.main_text

    await fediverse.up("b.test")
    seen = await client.post(f"/posts/{post.id}/ledger/again", {"host": fediverse.domain("b.test")})
    assert "Trying again" in seen.main_text
    await fediverse.settle()
    assert await bob.home() == ["A clock"]
    assert "Delivered to 2 of 2 servers." in (await client.get(f"/posts/{post.id}/ledger")).main_text


async def test_a_rejected_delivery_can_be_retried(fediverse: Fediverse, evil: RemoteServer) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    evil.person("rita")
    await evil.send(alice.node, "rita", evil.activity("rita", "Follow", (await alice.account()).uri))
    await fediverse.settle()
    evil.inbox_status = 413
    post = await alice.posts("A clock", photo="A clock")
    await fediverse.settle()
    client = await sign_in(alice.node, await alice.account())
    seen = await client.get(f"/posts/{post.id}/ledger")
    assert "Delivered to 0 of 1 server." in seen.main_text
    assert "The server rejected it." in seen.main_text

    evil.inbox_status = 202
    evil.received.clear()
    assert await alice.node.db.write(delivery_reports.retry_undelivered, await alice.account(), post.id) == 1
    await fediverse.settle()
    assert [activity["type"] for activity in evil.received] == ["Create"]
    assert (await alice.delivery_counts(post)).delivered == 1


async def test_a_deletion_has_a_report_too(fediverse: Fediverse) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    await bob.follows(alice)
    await fediverse.settle()
    post = await alice.posts("A clock", photo="A clock")
    await fediverse.settle()
    await fediverse.down("b.test")
    await alice.deletes(post)
    await fediverse.settle()

    client = await sign_in(alice.node, await alice.account())
    seen = await client.get("/settings/deleted")
    assert "Deleted on 0 of 1 server, 1 pending" in seen.main_text
    (report,) = await alice.node.db.read(delivery_reports.deletions, await alice.account(), Page())
    assert report.post_id == post.id
    seen = await client.get(f"/posts/{post.id}/ledger")
    assert "Post deleted" in seen.main_text

    await fediverse.up("b.test")
    await client.post(f"/posts/{post.id}/ledger/again")
    await fediverse.settle()
    assert "Deleted on 1 of 1 server" in (await client.get("/settings/deleted")).main_text


async def test_nobody_else_sees_a_report(fediverse: Fediverse) -> None:
    alice, bob, mallory = await fediverse.people("alice@a.test", "bob@b.test", "mallory@a.test")
    await bob.follows(alice)
    await fediverse.settle()
    post = await alice.posts("A clock", photo="A clock")
    await fediverse.settle()
    client = await sign_in(mallory.node, await mallory.account())
    assert (await client.get(f"/posts/{post.id}/ledger")).status == 404
    assert (await client.post(f"/posts/{post.id}/ledger/again")).status == 404
    assert "Delivered to" not in (await client.get(f"/p/alice/{post.id}")).main_text


async def test_an_admin_sees_unavailable_servers_and_retries_or_gives_up(fediverse: Fediverse) -> None:
    alice, bob, carol = await fediverse.people("alice@a.test", "bob@b.test", "carol@c.test")
    for follower in (bob, carol):
        await follower.follows(alice)
    await fediverse.settle()
    for name in ("b.test", "c.test"):
        await fediverse.down(name)
    await alice.posts("A clock", photo="A clock")
    await fediverse.settle()
    admin = await sign_in(alice.node, await alice.account(), role="admin")
    seen = await admin.get("/admin/deliveries")
    for name in ("b.test", "c.test"):
        assert fediverse.domain(name) in seen.main_text
    await admin.post("/admin/deliveries/forget", {"host": fediverse.domain("c.test")})
    for name in ("b.test", "c.test"):
        await fediverse.up(name)
    await admin.post("/admin/deliveries/wake", {"host": fediverse.domain("b.test")})
    await fediverse.settle()
    assert await bob.home() == ["A clock"]
    assert await carol.home() == []

    await admin.post("/admin/deliveries/again", {"host": fediverse.domain("c.test")})
    await fediverse.settle()
    assert await carol.home() == ["A clock"]
    assert await alice.node.db.read(accounts.get, alice.id) == await alice.account()


async def test_an_edit_has_a_report_of_its_own(fediverse: Fediverse) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    await bob.follows(alice)
    await fediverse.settle()
    post = await alice.posts("A clock", photo="A clock")
    await fediverse.settle()
    await fediverse.down("b.test")
    await alice.edits(post, "A clock at noon")
    await fediverse.settle()
    client = await sign_in(alice.node, await alice.account())
    seen = await client.get(f"/posts/{post.id}/ledger")
    edit, first = (element.text for element in seen.all("section", class_="delivery"))
    assert "Post edited" in edit
    assert "Delivered to 0 of 1 server, 1 pending." in edit
    assert "Post published" in first
    assert "Delivered to 1 of 1 server." in first
    await fediverse.up("b.test")
    await client.post(f"/posts/{post.id}/ledger/again")
    await fediverse.settle()
    assert await bob.home() == ["A clock at noon"]
    assert "pending" not in (await client.get(f"/posts/{post.id}/ledger")).main_text


async def test_a_report_of_many_servers_is_paged(
    fediverse: Fediverse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_report_pages, "SERVERS_PER_PAGE", 3)
    (alice,) = await fediverse.people("alice@a.test")

    def follow_from_many(tx: Writer) -> None:
        for n in range(8):
            uri = f"https://s{n}.example/users/fan"
            fan = RemoteActor(uri=uri, name="fan", domain=f"s{n}.example", inbox=f"{uri}/inbox")
            follows.follow(tx, remote_accounts.upsert(tx, fan), accounts.get(tx, alice.id), uri=f"{uri}#1")

    await alice.node.db.write(follow_from_many)
    post = await alice.posts("To all of you", photo="A clock")
    client = await sign_in(alice.node, await alice.account())
    while ran := await alice.node.db.read(_to_fan_out):
        assert ran
        await fediverse.settle()

    path, found = f"/posts/{post.id}/ledger", []
    while path:
        seen = await client.get(path)
        found += [element.text for element in seen.all("b") if element.text.endswith(".example")]
        next_pages = [link.attributes["href"] for link in seen.all("a") if link.text == "More servers"]
        path = next_pages[0] if next_pages else ""
    assert sorted(found) == [f"s{n}.example" for n in range(8)]
    assert "7 to 8 of 8" in seen.main_text
    report_id = seen.path.partition("of=")[2].partition("&")[0]
    assert (await client.get(f"/posts/{post.id}/ledger?of={report_id}&from=999999999999")).status == 200
    assert (await client.get(f"/posts/{post.id}/ledger?of=1")).status == 404


def _to_fan_out(tx: Reader) -> int:
    return int(tx.value("SELECT COUNT(*) FROM jobs WHERE kind = 'fan_out'"))
