"""Activities in forms that ActivityStreams allows and few servers send: lists of one, partial objects, aliases."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from activitypub.remote import actors, profile_preview
from federation_tests.fediverse import Fediverse, Person
from federation_tests.remote_server import PUBLIC, RemoteServer, key_pair
from federation_tests.security.scenes import alice_follows_rita, create
from node.accounts import keys, relationships
from node.admin import reports
from node.attachments import photo_rows
from node.interactions import follows, pins
from node.jobs import queue
from node.lifecycle import migration, profiles
from node.models.interaction_policy import EVERYONE, InteractionPolicy
from node.posts import posts
from node.posts.drafts import Draft
from node.publishing import publishing
from node.text import formatting


def in_lists(value: Any) -> Any:
    """The document with every property as a list of one."""
    if isinstance(value, list):
        return [in_lists(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: one if name in ("id", "@context") else in_lists(one if isinstance(one, list) else [one])
        for name, one in value.items()
    }


async def _deliver(evil: RemoteServer, alice: Person, activity: Any, *, now: float | None = None) -> None:
    """Sends an activity of rita, signed now or at this time, and processes it."""
    assert await evil.send(alice.node, "rita", activity, now=now) == 202
    await alice.fediverse.settle()


@pytest.mark.parametrize("how", ["plain", "type", "actor", "object"])
async def test_an_undo_in_lists_undoes_a_like(fediverse: Fediverse, evil: RemoteServer, how: str) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    post = await alice.posts("Fog")
    like = evil.activity("rita", "Like", post.uri)
    await _deliver(evil, alice, like)
    assert (await alice.sees(post)).post.likes_count == 1
    inner = dict(like)
    if how == "type":
        inner["type"] = ["Like"]
    if how == "actor":
        inner["actor"] = [inner["actor"]]
    if how == "object":
        inner["object"] = [inner["object"]]
        inner["id"] = inner["id"] + "-mangled"
    await _deliver(evil, alice, evil.activity("rita", "Undo", inner))
    assert (await alice.sees(post)).post.likes_count == 0


async def test_an_undo_in_lists_ends_a_follow(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    alice_uri = alice.node.site.uri("/users/alice")
    follow = evil.activity("rita", "Follow", alice_uri)
    await _deliver(evil, alice, follow)
    assert (await alice.account()).followers_count == 1
    undo = evil.activity(
        "rita", "Undo", {"type": ["Follow"], "actor": [follow["actor"]], "object": [alice_uri]}
    )
    await _deliver(evil, alice, undo)
    assert (await alice.account()).followers_count == 0


async def test_a_follow_in_lists(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    await _deliver(evil, alice, in_lists(evil.activity("rita", "Follow", (await alice.account()).uri)))
    assert (await alice.account()).followers_count == 1


async def test_a_like_and_a_boost_in_lists(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    post = await alice.posts("Fog")
    for activity in (
        evil.activity("rita", "Like", {"id": post.uri, "type": "Note"}),
        evil.activity("rita", "Announce", post.uri, to=[PUBLIC]),
    ):
        await _deliver(evil, alice, in_lists(activity))
    seen = await alice.sees(post)
    assert (seen.post.likes_count, seen.post.boosts_count) == (1, 1)


async def test_a_post_in_lists_is_created_edited_and_deleted(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    post = await alice.posts("Fog")
    doc = create(
        evil,
        attachment={
            "type": "Document",
            "mediaType": "image/jpeg",
            "url": evil.base + "/a.jpg",
            "name": "alt",
            "width": 5,
            "height": 6,
            "focalPoint": [0.5, -0.5],
            "blurhash": "LEHV6nWB2yk8pyo0adR*.7kCMdnj",
        },
        tag={"type": "Hashtag", "name": "#Fog", "href": evil.base + "/t/fog"},
        sensitive=True,
        summary="cw",
        inReplyTo=post.uri,
        location={"type": "Place", "name": "X", "latitude": "5", "longitude": "6"},
        commentsEnabled=False,
    )
    await _deliver(evil, alice, in_lists(doc))
    stored = await alice.node.db.read(posts.by_uri, doc["object"]["id"])
    assert stored is not None
    assert (stored.warning, stored.is_sensitive, stored.parent_id) == ("cw", True, post.id)
    (pic,) = (await alice.node.db.read(photo_rows.by_posts, [stored.id]))[stored.id]
    assert (pic.alt, pic.width, pic.height, pic.focus_x) == ("alt", 5, 6, 0.5)
    assert pic.blurhash == "LEHV6nWB2yk8pyo0adR*.7kCMdnj"
    assert not stored.comments_enabled
    note = doc["object"] | {"content": "<p>New</p>", "updated": "2030-01-01T00:00:00Z"}
    await _deliver(evil, alice, in_lists(evil.activity("rita", "Update", note)))
    stored = await alice.node.db.read(posts.by_uri, doc["object"]["id"])
    assert "New" in stored.caption
    tombstone = {"id": note["id"], "type": "Tombstone"}
    await _deliver(evil, alice, in_lists(evil.activity("rita", "Delete", tombstone)))
    assert (await alice.node.db.read(posts.by_uri, note["id"])).deleted_at


async def test_an_actor_in_lists(fediverse: Fediverse, evil: RemoteServer) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    uri = evil.person("rita")
    doc = json.loads(evil.replies["/users/rita"].body)
    doc |= {
        "name": "Rita",
        "summary": "<p>hi</p>",
        "manuallyApprovesFollowers": True,
        "discoverable": True,
        "indexable": True,
        "icon": {"type": "Image", "url": evil.base + "/i.png"},
        "image": {"type": "Image", "url": evil.base + "/h.png", "name": "wide"},
        "published": "2020-01-01T00:00:00Z",
        "alsoKnownAs": [evil.base + "/users/x"],
        "featured": uri + "/f",
        "suspended": False,
        "movedTo": evil.base + "/users/y",
    }
    evil.serve("/users/rita", in_lists(doc))
    rita = await actors.find(alice.node, uri)
    assert (rita.name, rita.display_name, rita.header_alt) == ("rita", "Rita", "wide")
    assert (rita.is_locked, rita.is_discoverable, rita.is_indexable) == (True, True, True)
    assert rita.shared_inbox == evil.base + "/inbox"
    assert (rita.aliases, rita.moved_to) == ([evil.base + "/users/x"], evil.base + "/users/y")
    assert (rita.avatar_url, rita.header_url) == (evil.base + "/i.png", evil.base + "/h.png")
    assert rita.bio == "<p>hi</p>"
    assert len(await alice.node.db.read(keys.by_account, rita)) == 1


async def test_an_accept_in_lists(fediverse: Fediverse, evil: RemoteServer) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    uri = evil.person("rita")
    rita = await actors.find(alice.node, uri)
    await alice._do(follows.follow, rita)
    await fediverse.settle()
    (follow,) = evil.received
    del follow["id"]
    await _deliver(evil, alice, in_lists(evil.activity("rita", "Accept", follow)))
    assert (await alice.node.db.read(relationships.follow_between, await alice.account(), rita)).is_accepted


async def test_a_collection_in_lists(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    uri = f"{evil.base}/users/rita"
    note = evil.note("rita", 7)
    evil.person("rita", featured=uri + "/f")
    evil.serve(
        "/users/rita/f",
        in_lists(
            {"id": uri + "/f", "type": "OrderedCollection", "totalItems": 1, "orderedItems": [note["id"]]}
        ),
    )
    rita = await actors.find(alice.node, uri, refresh=True)
    await alice.node.db.write(actors.queue_featured, rita)
    await fediverse.settle()
    assert await alice.node.db.read(pins.post_uris, rita) == [note["id"]]


async def test_a_report_in_lists(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    post = await alice.posts("Fog")
    about = [(await alice.account()).uri, post.uri]
    await _deliver(evil, alice, in_lists(evil.activity("rita", "Flag", about, content="bad")))
    assert await alice.node.db.read(reports.count_open) == 1


async def test_a_quote_request_in_lists(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    target = await alice._do(
        publishing.publish, Draft(caption="Quote me", policy=InteractionPolicy(quote=EVERYONE))
    )
    await fediverse.settle()
    evil.received.clear()
    note = evil.note("rita", 3, quote=target.uri)
    request = evil.activity("rita", "QuoteRequest", [target.uri], instrument=[note])
    await _deliver(evil, alice, request)
    assert [x["type"] for x in evil.received] == ["Accept"]


@pytest.mark.parametrize("how", ["string", "object", "list"])
async def test_a_forwarded_comment_whose_parent_is_an_object(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer, how: str
) -> None:
    """Forwarded by the server of the conversation."""
    alice = await alice_follows_rita(fediverse, evil)
    activity = create(evil)
    await _deliver(evil, alice, activity)
    other.person("otto")
    parent = activity["object"]["id"]
    shape = {"string": parent, "object": {"id": parent, "type": "Note"}, "list": [parent]}[how]
    note = other.note("otto", 1, inReplyTo=shape, content="<p>Answer</p>")
    forwarded = other.activity("otto", "Create", note, to=note["to"], cc=note["cc"])
    await _deliver(evil, alice, forwarded)
    assert await alice.node.db.read(posts.by_uri, note["id"]) is not None


@pytest.mark.parametrize("kind", ["Tombstone", ["Tombstone"]])
async def test_a_tombstone_in_a_list_is_a_tombstone(
    fediverse: Fediverse, evil: RemoteServer, kind: Any
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    activity = create(evil)
    await _deliver(evil, alice, activity)
    uri = activity["object"]["id"]
    evil.serve("/users/rita/statuses/1", {"id": uri, "type": kind})
    post = await alice.node.db.read(posts.by_uri, uri)
    await alice.node.db.write(lambda tx: queue.add(tx, "check_post", {"id": post.id, "uri": uri}))
    await fediverse.settle()
    assert (await alice.node.db.read(posts.by_uri, uri)).deleted_at is not None


@pytest.mark.parametrize("agrees", [True, False])
async def test_where_an_account_has_moved_is_known_once_its_profile_is_opened(
    fediverse: Fediverse, evil: RemoteServer, agrees: bool
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    new = evil.person("rita2", alsoKnownAs=[f"{evil.base}/users/rita"] if agrees else [])
    rita = await actors.find(alice.node, evil.person("rita", movedTo=new))
    assert await alice.node.db.read(migration.destination, rita) is None
    await profile_preview.queue_refresh(alice.node, rita)
    await fediverse.settle()
    found = await alice.node.db.read(migration.destination, rita)
    assert (found.uri if found else None) == (new if agrees else None)


@pytest.mark.parametrize("kind", ["Create", ["Create"]])
async def test_an_outbox_in_lists_is_imported(fediverse: Fediverse, evil: RemoteServer, kind: Any) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    uri = evil.person("rita")
    note = evil.note("rita", 5)
    evil.serve(
        "/users/rita/outbox",
        {
            "id": uri + "/outbox",
            "type": "OrderedCollection",
            "totalItems": 1,
            "orderedItems": [{"id": uri + "#c1", "type": kind, "actor": uri, "object": note}],
        },
    )
    rita = await actors.find(alice.node, uri)
    await profile_preview.queue_refresh(alice.node, rita)
    await fediverse.settle()
    assert await alice.node.db.read(posts.by_uri, note["id"]) is not None


@pytest.mark.parametrize("kind", ["Note", ["Note"], "https://www.w3.org/ns/activitystreams#Note", "as:Note"])
async def test_a_type_in_every_form(fediverse: Fediverse, evil: RemoteServer, kind: Any) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    doc = create(evil, type=kind)
    doc["type"] = {"Note": "Create", "as:Note": "as:Create"}.get(
        kind if isinstance(kind, str) else "", "Create"
    )
    await _deliver(evil, alice, doc)
    assert await alice.node.db.read(posts.by_uri, doc["object"]["id"]) is not None


@pytest.mark.parametrize(
    "to", [PUBLIC, "as:Public", "Public", [PUBLIC], {"id": PUBLIC}, [{"id": "as:Public"}]]
)
async def test_the_public_collection_in_every_form(fediverse: Fediverse, evil: RemoteServer, to: Any) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    doc = create(evil, to=to, cc=None)
    await _deliver(evil, alice, doc)
    assert (await alice.node.db.read(posts.by_uri, doc["object"]["id"])).visibility == "public"


@pytest.mark.parametrize("how", ["stub", "no author", "author null", "foreign author"])
async def test_an_embedded_object_that_proves_nothing_is_fetched(
    fediverse: Fediverse, evil: RemoteServer, how: str
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    note = evil.note("rita", 1)
    embed = {
        "stub": {"id": note["id"], "type": "Note"},
        "no author": {k: v for k, v in note.items() if k != "attributedTo"},
        "author null": note | {"attributedTo": None},
        "foreign author": note | {"attributedTo": "https://x.example/y"},
    }[how]
    await _deliver(evil, alice, evil.activity("rita", "Create", embed, to=note["to"], cc=note["cc"]))
    assert await alice.node.db.read(posts.by_uri, note["id"]) is not None


async def test_a_follow_without_an_id_is_answered_every_time(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    evil.received.clear()
    for seconds in (2, 1):
        doc = evil.activity("rita", "Follow", (await alice.account()).uri)
        del doc["id"]
        await _deliver(evil, alice, doc, now=time.time() - seconds)
    assert [one["type"] for one in evil.received].count("Accept") == 2


@pytest.mark.parametrize("style", ["cavage", "rfc9421"])
async def test_a_key_id_with_a_host_in_capitals_is_found(
    fediverse: Fediverse, evil: RemoteServer, style: str
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    post = await alice.posts("Fog")
    base = evil.base.replace("evil", "Evil")
    uri = f"{base}/users/rita"
    evil.person(
        "rita",
        id=uri,
        inbox=uri + "/inbox",
        publicKey={"id": uri + "#main-key", "owner": uri, "publicKeyPem": key_pair(f"rita@{evil.domain}")[1]},
    )
    like = evil.activity("rita", "Like", post.uri) | {"actor": uri, "id": uri + "#likes/1"}
    key = evil.key("rita", key_id=uri + "#main-key")
    assert await evil.send(alice.node, "rita", like, key=key, style=style) == 202
    await fediverse.settle()
    assert (await alice.sees(post)).post.likes_count == 1


async def test_content_warnings_and_names_keep_their_signs(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    warning = create(evil, summary="Tom &amp; Jerry &lt;3", sensitive=True)
    await evil.send(alice.node, "rita", warning)
    await fediverse.settle()
    (view,) = await alice.home_views()
    assert view.post.warning == "Tom & Jerry <3"

    (bob,) = await fediverse.people("bob@b.test")
    await bob.follows(alice)
    await fediverse.settle()
    await alice.posts("A lake", photo="A lake", warning="R&D & &lt; 1 < 2")
    await fediverse.settle()
    (seen,) = await bob.home_views()
    assert seen.post.warning == "R&D & &lt; 1 < 2"


async def test_titles_poll_options_and_profile_fields_keep_their_signs(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    field = {"type": "PropertyValue", "name": "Tom &amp; Jerry &lt;3", "value": "R&amp;D"}
    alice = await alice_follows_rita(fediverse, evil)
    evil.person("rita", attachment=[field, {**field, "name": "a < b & c"}])
    rita = await actors.find(alice.node, f"{evil.base}/users/rita", refresh=True)
    assert rita.profile_fields == [("Tom & Jerry <3", "R&amp;D"), ("a < b & c", "R&amp;D")]

    options = [{"type": "Note", "name": name} for name in ("Tom &amp; Jerry", "a < b & c")]
    poll = create(evil, type="Question", name="Cats &amp; mice <3", oneOf=options)
    await evil.send(alice.node, "rita", poll)
    await fediverse.settle()
    (view,) = await alice.home_views()
    assert view.extras.poll is not None
    assert [option.title for option in view.extras.poll.options] == ["Tom & Jerry", "a < b & c"]
    assert formatting.html_to_text(view.post.caption).startswith("Cats & mice <3")


async def test_labels_of_profile_fields_show_the_same_on_all_servers(fediverse: Fediverse) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    fields = [("R&D <b>", "x"), ("1 &lt; 2", "y")]
    account = await alice.account()
    await alice.node.db.write(
        profiles.update_profile,
        account,
        display_name="Alice",
        bio="",
        fields=fields,
        is_locked=False,
        is_discoverable=True,
        is_indexable=True,
    )

    seen = await bob.finds(alice)

    assert [label for label, _ in seen.profile_fields] == ["R&D <b>", "1 &lt; 2"]
