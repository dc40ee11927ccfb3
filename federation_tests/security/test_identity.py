"""Section B of the security table, through the socket of a running node: ids, origins and handles."""

from __future__ import annotations

from typing import Any

import pytest

from activitypub.client.client import Unfetchable
from activitypub.remote import actors, lookup
from federation_tests.fediverse import Fediverse, Person
from federation_tests.remote_server import PUBLIC, RemoteServer
from federation_tests.security.scenes import alice_follows_rita, create
from node.accounts import accounts
from node.attachments import photo_rows, photos
from node.errors import NotFound
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from node.posts import posts
from node.text import formatting
from tests.support.pictures import picture


async def _post(node: Node, uri: str) -> Post | None:
    return await node.db.read(posts.by_uri, uri)


async def _account(node: Node, uri: str) -> Account | None:
    return await node.db.read(accounts.by_uri, uri)


async def _resolve(person: Person, address: str) -> Account | Post | None:
    return await lookup.resolve(person.node, address, await person.account())


async def test_B1_a_spoofed_id_is_fetched_from_its_own_origin(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    victim = other.person("rita", name="The real Rita")
    spoof = evil.serve("/x", {"id": victim, "type": "Person", "preferredUsername": "rita", "name": "Fake"})
    evil.replies["/x"].body = other.replies["/users/rita"].body.replace(b"The real Rita", b"Fake")

    found = await _resolve(alice, spoof)

    assert isinstance(found, Account)
    assert found.uri == victim
    assert found.display_name == "The real Rita"
    assert evil.requests["/x"] == 1
    assert other.requests["/users/rita"] == 1


async def test_an_id_unknown_to_its_own_origin_is_not_imported(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    evil.serve("/x", {**other.note("rita", 5, is_served=False), "id": f"{other.base}/users/rita/statuses/5"})
    assert await _resolve(alice, f"{evil.base}/x") is None
    assert await _post(alice.node, f"{other.base}/users/rita/statuses/5") is None


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "image/png",
        "application/json",
        "application/ld+json",
        'application/ld+json; profile="x"',
    ],
)
async def test_B2_only_documents_of_the_right_type_count(
    fediverse: Fediverse, evil: RemoteServer, content_type: str
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    evil.person("rita")
    evil.replies["/users/rita"].content_type = content_type
    with pytest.raises(Unfetchable):
        await actors.find(alice.node, f"{evil.base}/users/rita")
    assert await _account(alice.node, f"{evil.base}/users/rita") is None


async def test_B3_an_upload_is_never_served_as_a_document(fediverse: Fediverse, evil: RemoteServer) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    hidden = b'{"@context":"https://www.w3.org/ns/activitystreams","type":"Person"}'
    await photos.upload(alice.node, await alice.account(), picture() + hidden)
    with pytest.raises(Exception, match=r"photo|picture|file|image"):
        await photos.upload(alice.node, await alice.account(), hidden)
    post = await alice.posts("Look", photo="Look")
    file = (
        (await alice.node.db.read(photo_rows.by_posts, [post.id]))[post.id][0].files["federated", "jpeg"].key
    )
    status, body, headers = await evil.get(alice.node.site.uri(f"/media/{file}"))
    assert status == 200
    assert headers["content-type"] == "image/jpeg"
    assert headers["x-content-type-options"] == "nosniff"
    assert hidden not in body


async def test_B4_a_redirect_to_another_origin_is_not_the_document_of_the_first(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    victim = f"{other.base}/users/rita"
    other.serve("/users/rita", b"", status=302, headers={"location": f"{evil.base}/fake"})
    evil.person("fake")
    evil.replies["/fake"] = evil.replies["/users/fake"]
    evil.replies["/fake"].body = evil.replies["/fake"].body.replace(
        f"{evil.base}/users/fake".encode(), victim.encode()
    )
    with pytest.raises(Unfetchable):
        await actors.find(alice.node, victim)
    assert await _account(alice.node, victim) is None


async def test_B5_a_local_object_is_never_imported(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    local_uri = alice.node.site.uri("/p/alice/12345")
    forged = create(evil, id=local_uri, attributedTo=alice.node.site.uri("/users/alice"))
    assert await evil.send(alice.node, "rita", forged) == 202
    announced = evil.activity("rita", "Announce", local_uri, to=[PUBLIC])
    assert await evil.send(alice.node, "rita", announced) == 202
    await fediverse.settle()
    assert await _post(alice.node, local_uri) is None
    assert await _resolve(alice, local_uri) is None
    with pytest.raises(Unfetchable):
        await actors.find(alice.node, alice.node.site.uri("/users/nobody"))


async def test_B6_a_post_embedded_in_a_boost_is_not_believed(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    other.person("victor")
    genuine = other.note("victor", 1, content="<p>What I wrote</p>")
    forged = {**genuine, "content": "<p>What I never wrote</p>"}
    announced = evil.activity("rita", "Announce", forged, to=[PUBLIC])

    assert await evil.send(alice.node, "rita", announced) == 202
    await fediverse.settle()

    stored = await _post(alice.node, genuine["id"])
    assert stored is not None
    assert formatting.html_to_text(stored.caption) == "What I wrote"
    assert await alice.home() == ["What I wrote"]


async def test_a_boost_of_a_post_that_does_not_exist_is_ignored(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    other.person("victor")
    forged = other.note("victor", 2, is_served=False)
    announced = evil.activity("rita", "Announce", forged, to=[PUBLIC])
    assert await evil.send(alice.node, "rita", announced) == 202
    await fediverse.settle()
    assert await _post(alice.node, forged["id"]) is None
    assert await alice.home() == []


async def test_B7_an_update_of_somebody_elses_post_changes_nothing(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, other)
    activity = create(other)
    await other.send(alice.node, "rita", activity)
    await fediverse.settle()
    evil.person("mallory")
    other.person("neighbour")
    forged = {**activity["object"], "content": "<p>Forged</p>", "updated": "2030-01-01T00:00:00Z"}

    for server, author in ((evil, "mallory"), (other, "neighbour")):
        with_own_author = {**forged, "attributedTo": f"{server.base}/users/{author}"}
        for version in (forged, with_own_author):
            update = server.activity(author, "Update", version)
            assert await server.send(alice.node, author, update) == 202
    unknown = {**forged, "id": f"{other.base}/users/rita/statuses/77"}
    await evil.send(alice.node, "mallory", evil.activity("mallory", "Update", unknown))
    await fediverse.settle()

    assert await alice.home() == ["Post 1"]
    assert await _post(alice.node, unknown["id"]) is None


async def test_B8_a_deletion_by_somebody_else_deletes_nothing(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, other)
    activity = create(other)
    await other.send(alice.node, "rita", activity)
    await fediverse.settle()
    evil.person("mallory")
    other.person("neighbour")
    rita = f"{other.base}/users/rita"

    for server, author in ((evil, "mallory"), (other, "neighbour")):
        for target in (activity["object"]["id"], {"id": activity["object"]["id"], "type": "Tombstone"}, rita):
            await server.send(alice.node, author, server.activity(author, "Delete", target))
    await fediverse.settle()

    assert await alice.home() == ["Post 1"]
    account = await _account(alice.node, rita)
    assert account is not None
    assert account.deleted_at is None


async def test_a_delete_by_another_actor_does_not_block_a_later_create(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, other)
    evil.person("mallory")
    other.person("neighbour")
    activity = create(other)
    for server, author in ((evil, "mallory"), (other, "neighbour")):
        await server.send(alice.node, author, server.activity(author, "Delete", activity["object"]["id"]))
        # Nor by an earlier activity with the same id.
        await server.send(
            alice.node, author, {**server.activity(author, "Undo", "x:y"), "id": activity["id"]}
        )
    await fediverse.settle()
    await other.send(alice.node, "rita", activity)
    await fediverse.settle()
    assert await alice.home() == ["Post 1"]


async def test_a_post_deleted_by_its_author_before_it_arrived_is_not_stored(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    activity = create(evil)
    await evil.send(alice.node, "rita", evil.activity("rita", "Delete", activity["object"]["id"]))
    await fediverse.settle()
    await evil.send(alice.node, "rita", activity)
    await fediverse.settle()
    assert await alice.home() == []


@pytest.mark.parametrize("case", ["author on another server", "id on another server", "neighbour's post"])
async def test_B9_an_embedded_post_that_is_not_the_actors_is_not_stored(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer, case: str
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    other.person("victor")
    evil.person("neighbour")
    changes: dict[str, Any] = {
        "author on another server": {"attributedTo": f"{other.base}/users/victor"},
        "id on another server": {"id": f"{other.base}/users/victor/statuses/9"},
        "neighbour's post": {"attributedTo": f"{evil.base}/users/neighbour"},
    }[case]
    note = {**evil.note("rita", 9, is_served=False), "content": "<p>Forged</p>", **changes}
    activity = evil.activity("rita", "Create", note, to=note["to"], cc=note["cc"])
    assert await evil.send(alice.node, "rita", activity) == 202
    await fediverse.settle()
    assert await _post(alice.node, note["id"]) is None
    assert await alice.home() == []


async def test_a_create_with_only_the_id_of_its_post_is_fetched(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    note = evil.note("rita", 10)
    activity = evil.activity("rita", "Create", note["id"], to=note["to"], cc=note["cc"])
    assert await evil.send(alice.node, "rita", activity) == 202
    await fediverse.settle()
    assert await alice.home() == ["Post 10"]


async def test_B10_an_updated_actor_is_fetched_from_its_own_id(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    uri = evil.person("rita", name="Rita the second")
    forged = {
        "id": uri,
        "type": "Person",
        "preferredUsername": "admin",
        "name": "Forged",
        "inbox": f"{other.base}/inbox",
    }
    assert await evil.send(alice.node, "rita", evil.activity("rita", "Update", forged)) == 202
    await fediverse.settle()
    rita = await _account(alice.node, uri)
    assert rita is not None
    assert (rita.name, rita.display_name, rita.inbox) == ("rita", "Rita the second", f"{uri}/inbox")


async def test_B12_a_handle_belongs_to_the_actor_that_its_server_names(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    uri = evil.person("mallory")
    other.person("rita")
    evil.serve(
        f"/.well-known/webfinger?resource=acct%3Amallory%40{evil.domain.replace(':', '%3A')}",
        {
            "subject": f"acct:rita@{other.domain}",
            "links": [{"rel": "self", "type": "application/activity+json", "href": uri}],
        },
        content_type="application/jrd+json",
    )
    with pytest.raises(NotFound):
        await actors.by_handle(alice.node, f"mallory@{evil.domain}")
    assert await _account(alice.node, uri) is None


async def test_a_claimed_handle_that_is_not_confirmed_is_not_shown(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    other.person("mallory")
    uri = evil.person("mallory", webfinger=f"mallory@{other.domain}")
    found = await actors.find(alice.node, uri)
    assert found.full_handle == f"mallory@{evil.domain}"


async def test_a_handle_on_another_host_is_accepted_when_both_agree(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    uri = evil.person("rita", webfinger=f"rita@{other.domain}")
    jrd = {
        "subject": f"acct:rita@{other.domain}",
        "links": [{"rel": "self", "type": "application/activity+json", "href": uri}],
    }
    for server in (evil, other):
        resource = f"acct%3Arita%40{server.domain.replace(':', '%3A')}"
        path = f"/.well-known/webfinger?resource={resource}"
        server.serve(path, jrd, content_type="application/jrd+json")
    assert (await actors.by_handle(alice.node, f"rita@{evil.domain}")).full_handle == f"rita@{other.domain}"
    assert (await actors.find(alice.node, uri, refresh=True)).full_handle == f"rita@{other.domain}"


def _serve_webfinger(server: RemoteServer, handle: str, uri: str, *servers: RemoteServer) -> None:
    """Lets servers answer WebFinger queries for `rita` with that handle and that actor."""
    for server in servers:
        server.serve(
            f"/.well-known/webfinger?resource=acct%3Arita%40{server.domain.replace(':', '%3A')}",
            {
                "subject": f"acct:{handle}",
                "links": [{"rel": "self", "type": "application/activity+json", "href": uri}],
            },
            content_type="application/jrd+json",
        )


async def test_no_server_can_give_a_handle_to_a_remote_actor(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    victim = await actors.find(alice.node, other.person("rita"))
    _serve_webfinger(evil, f"rita@{evil.domain}", victim.uri, evil)
    with pytest.raises(NotFound):
        await actors.by_handle(alice.node, f"rita@{evil.domain}")
    assert await _resolve(alice, f"@rita@{evil.domain}") is None
    await lookup.fetch_mentioned_accounts(alice.node, f"Hello @rita@{evil.domain}")
    refreshed = await actors.find(alice.node, victim.uri, refresh=True)
    assert refreshed.full_handle == f"rita@{other.domain}"


async def test_a_handle_on_another_host_is_kept_after_any_lookup(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    """For actors without the property `webfinger`: both hosts are queried and must agree."""
    (alice,) = await fediverse.people("alice@a.test")
    uri = evil.person("rita")
    handle = f"rita@{other.domain}"
    _serve_webfinger(evil, handle, uri, evil, other)
    assert (await actors.find(alice.node, uri)).full_handle == handle
    assert (await actors.find(alice.node, uri, refresh=True)).full_handle == handle
    assert (await actors.by_handle(alice.node, handle)).uri == uri
    # When the other host no longer confirms it, the handle falls back.
    _serve_webfinger(other, handle, f"{other.base}/users/somebody", other)
    assert (await actors.find(alice.node, uri, refresh=True)).full_handle == f"rita@{evil.domain}"


async def test_the_webfinger_template_is_read_from_host_meta(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    uri = evil.person("rita")
    (path,) = [path for path in evil.replies if path.startswith("/.well-known/webfinger")]
    evil.replies["/finger" + path.removeprefix("/.well-known/webfinger")] = evil.replies.pop(path)
    links = [{"rel": "lrdd", "template": evil.base + "/finger?resource={uri}"}]
    evil.serve("/.well-known/host-meta.json", {"links": links}, content_type="application/json")
    assert (await actors.by_handle(alice.node, f"rita@{evil.domain}")).uri == uri
