"""Section F of the security table, leaks: shared caches, hidden recipients, direct posts, camera metadata."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from PIL import Image

from activitypub.client import signing_keys
from activitypub.remote import actors
from federation_tests.fediverse import Fediverse
from federation_tests.remote_server import RemoteServer
from federation_tests.security.scenes import alice_follows_rita, create
from node import database
from node.attachments import photo_rows, photos
from node.database import Reader
from node.posts.drafts import Draft
from node.publishing import publishing
from tests.media import samples
from tests.support.asgi import Client
from tests.support.visitors import sign_in
from web.api import Api
from web.app import create_app

MIGRATIONS = Path(database.__file__).parent


async def test_F3_a_response_for_one_reader_is_never_cached_for_another(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    await bob.follows(alice)
    await fediverse.settle()
    evil.person("mallory")
    opened = await alice.posts("Open", photo="Open")
    private = await alice.posts("Private", photo="Private", visibility="followers")
    key = await signing_keys.by_account(bob.node, bob.id)

    # The server of a follower first, then others, at the same address.
    found = await bob.node.client.get_json(private.uri, key=key)
    assert found.doc["id"] == private.uri
    for author in (None, "mallory"):
        status, body, headers = await evil.get(private.uri, author=author)
        assert status == 404
        assert b"Private" not in body
        assert headers["cache-control"] == "private, no-store"
    # An open post may be cached, by Accept and Signature.
    for author, cache in ((None, "public, max-age=60"), ("mallory", "public, max-age=60")):
        status, _, headers = await evil.get(opened.uri, author=author)
        assert (status, headers["cache-control"], headers["vary"]) == (
            200,
            cache,
            "Accept, Signature, Accept-Encoding",
        )

    node = alice.node
    visitor = await sign_in(node, await alice.account())
    anybody = Client(create_app(node), {"accept": "text/html"})
    path = private.url.removeprefix(node.site.base_url)
    allowed = await visitor.get(path)
    assert allowed.status == 200
    denied = await anybody.get(path)
    assert denied.status == 404
    for reply in (allowed, denied):
        assert reply.headers["cache-control"].startswith("private")
        assert set(reply.headers["vary"].split(", ")) >= {"Cookie", "Accept"}
    api = await Client(Api(node)).get(f"/api/v1/statuses/{private.id}")
    assert (api.status, api.headers["cache-control"], api.headers["vary"]) == (
        404,
        "private, no-store",
        "Authorization",
    )
    (photo,) = (await node.db.read(photo_rows.by_posts, [private.id]))[private.id]
    file = f"/media/{photo.files['federated', 'jpeg'].key}"
    served = await visitor.client.get(file, headers={"cookie": _cookie(visitor.cookies)})
    assert (served.status, (await anybody.get(file)).status) == (200, 404)
    assert "private" in served.headers["cache-control"]


def _cookie(cookies: dict[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "HEIC"])
async def test_F5_no_metadata_of_a_camera_is_served(
    fediverse: Fediverse, evil: RemoteServer, kind: str
) -> None:
    """Exif with GPS and a maker note, XMP, IPTC, comments, profiles and bytes behind the image."""
    (alice,) = await fediverse.people("alice@a.test")
    data = samples.HEIC if kind == "HEIC" else samples.with_secrets(kind)
    photo = await photos.upload(alice.node, await alice.account(), data, alt="A lake")
    post = await alice._do(publishing.publish, Draft(caption="A lake", photo_ids=[photo.id]))
    await fediverse.settle()
    (photo,) = (await alice.node.db.read(photo_rows.by_posts, [post.id]))[post.id]
    assert len(photo.files) >= 5
    for file in photo.files.values():
        status, body, _ = await evil.get(alice.node.site.uri(f"/media/{file.key}"), accept="image/*")
        assert status == 200
        _assert_no_metadata(body)
    # Nor is it in the documents about the photo.
    for accept in ("application/activity+json", "text/html"):
        _, document, _ = await evil.get(post.uri, accept=accept)
        assert samples.SECRET.encode() not in document
        assert b"52.5" not in document
    # Nothing else of the file is stored.
    assert await alice.node.storage.total_bytes() == sum(file.bytes for file in photo.files.values())


def _assert_no_metadata(data: bytes) -> None:
    for word in (
        samples.SECRET.encode(),
        samples.SECRET.encode("utf-16-be"),
        b"Exif\0\0",
        b"<x:xmpmeta",
        b"8BIM",
    ):
        assert word not in data
    image = Image.open(io.BytesIO(data))
    image.load()
    assert not dict(image.getexif())
    assert not {"xmp", "XML:com.adobe.xmp", "photoshop", "comment"} & set(image.info)


def _everything(tx: Reader) -> str:
    """Every row of every table of a node, as text."""
    migrations = " ".join(path.read_text() for path in sorted(MIGRATIONS.rglob("*.sql")))
    tables = sorted(set(re.findall(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)", migrations)))
    assert "posts" in tables
    return str([[dict(row) for row in tx.all(f"SELECT * FROM {table}")] for table in tables])


async def test_F6_hidden_recipients_are_neither_stored_nor_forwarded(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    fan = other.person("fan")
    assert (
        await other.send(alice.node, "fan", other.activity("fan", "Follow", (await alice.account()).uri))
        == 202
    )
    post = await alice.posts("Mine", photo="Mine")
    await fediverse.settle()
    hidden = ["https://hidden.example/users/blind", (await alice.account()).uri]
    followers = (await alice.account()).followers_uri
    activity = create(
        evil, inReplyTo=post.uri, bto=hidden, bcc=hidden, cc=[followers, f"{evil.base}/users/rita/followers"]
    )
    activity |= {"bto": hidden, "bcc": hidden}
    activity["object"]["tag"] = [{"type": "Mention", "href": (await alice.account()).uri, "bcc": hidden}]
    other.received.clear()
    assert await evil.send(alice.node, "rita", activity) == 202
    await fediverse.settle()

    # It was forwarded to the followers, without the hidden recipients.
    forwarded = [one for one in other.received if one["type"] == "Create"]
    assert all("hidden.example" not in json.dumps(one) for one in forwarded)
    assert fan
    rows = await alice.node.db.read(_everything)
    assert "hidden.example" not in rows
    for address in (post.uri, f"{post.uri}/replies?page=true", f"{post.uri}/context?page=true"):
        _, body, _ = await evil.get(address)
        assert not {b"bto", b"bcc", b"hidden.example"} & set(body.split(b'"'))


async def test_F7_a_direct_post_goes_to_the_inboxes_of_its_recipients(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    for server, name in ((evil, "rita"), (evil, "nosy"), (other, "fan")):
        uri = server.person(name)
        await actors.find(alice.node, uri)
        follow = server.activity(name, "Follow", (await alice.account()).uri)
        assert await server.send(alice.node, name, follow) == 202
    await fediverse.settle()
    for server in (evil, other):
        server.requests.clear()
        server.received.clear()

    await alice.posts(f"For you @rita@{evil.domain}", visibility="direct")
    await fediverse.settle()

    assert [one["type"] for one in evil.received] == ["Create"]
    assert evil.requests["/users/rita/inbox"] == 1
    assert evil.requests["/inbox"] == evil.requests["/users/nosy/inbox"] == 0
    assert other.received == []
    (activity,) = evil.received
    assert activity["to"] == [f"{evil.base}/users/rita"]
    assert not activity.get("cc")
    assert "/followers" not in json.dumps(
        [
            activity["to"],
            activity.get("cc"),
            activity["object"]["to"],
            activity["object"].get("cc"),
        ]
    )
