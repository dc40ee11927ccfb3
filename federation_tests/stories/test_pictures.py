"""Remote pictures: stored while somebody views them, evicted when nobody does, fetched again when somebody does."""

from __future__ import annotations

from activitypub.remote import notes as remote_notes
from federation_tests.fediverse import Fediverse, Person
from federation_tests.remote_server import RemoteServer, Reply
from federation_tests.security.scenes import alice_follows_rita, create
from node.attachments import media_cache, photo_rows, remote_photos
from node.attachments.media_cache import CacheCapacity
from node.attachments.photo_rows import Photo
from node.database import Writer
from node.models.post import Post
from node.moderation import domain_rules
from node.posts import posts
from tests.support.asgi import Client
from tests.support.pictures import picture
from tests.support.visitors import Visitor
from web.app import create_app


async def _photo(person: Person, post: Post) -> Photo:
    seen = await person.sees(post)
    assert seen is not None
    return seen.photos[0]


async def test_a_photo_is_viewed_evicted_and_viewed_again(fediverse: Fediverse) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    await bob.follows(alice)
    await fediverse.settle()
    post = await alice.posts("Dawn", photo="Dawn over the lake")
    await fediverse.settle()
    photo = await _photo(bob, post)
    viewer = Client(create_app(bob.node))
    address = f"/media/remote/{photo.id}/medium.webp"
    assert await bob.node.storage.total_bytes() == 0

    first = await viewer.get(address)
    assert first.status == 200
    stored = await bob.node.storage.total_bytes()
    assert stored == await bob.node.db.read(media_cache.total_bytes) > 0

    # The next picture fills the cache, and this one was not viewed for longer.
    bob.node.component(CacheCapacity).bytes = int(stored * 1.5)
    later = await alice.posts("Dusk", photo="Dusk over the lake")
    await fediverse.settle()
    assert (await viewer.get(f"/media/remote/{(await _photo(bob, later)).id}/medium.webp")).status == 200
    await fediverse.settle()
    evicted = await _photo(bob, post)
    assert evicted.files == {}
    assert evicted.alt == "Dawn over the lake"
    assert evicted.blurhash

    bob.node.component(CacheCapacity).bytes = stored * 100
    again = await viewer.get(address)
    assert (again.status, again.body) == (200, first.body)


async def test_local_photos_are_no_part_of_the_cache(fediverse: Fediverse) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    post = await alice.posts("Mine", photo="Mine")
    alice.node.component(CacheCapacity).bytes = 1
    await fediverse.settle()

    photo = await _photo(alice, post)

    assert photo.files
    assert not any(file.key.startswith("cache/") for file in photo.files.values())
    assert await alice.node.db.read(media_cache.total_bytes) == 0


async def test_a_post_of_another_server_software_keeps_its_metadata(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    other.person(
        "rita",
        name="Rita :cat:",
        tag=[{"type": "Emoji", "name": ":cat:", "icon": {"type": "Image", "url": f"{other.base}/cat.png"}}],
    )
    other.replies["/cat.png"] = Reply(body=picture(40, 40, "PNG"), content_type="image/png")
    note = other.note(
        "rita",
        1,
        content="<p>Morning :dog: :cat:</p>",
        location={
            "type": "Place",
            "name": "Calgary",
            "latitude": "51.05",
            "longitude": "-114.08",
            "country": "Canada",
        },
        tag=[
            {"type": "Emoji", "id": None, "name": ":dog:", "icon": {"url": f"{other.base}/cat.png"}},
            {"type": "Emoji", "name": "nothing"},
        ],
        attachment=[
            {
                "type": "Image",
                "mediaType": "image/jpeg",
                "url": f"{other.base}/a.jpg",
                "name": "A street",
                "blurhash": "LEHV6nWB2yk8pyo0adR*.7kCMdnj",
                "focalPoint": [-0.8, 0.1],
                "width": 900,
                "height": 600,
                "license": "CC BY-SA",
                "exifData": [
                    {"@type": "PropertyValue", "name": "Make", "value": "SONY"},
                    {"type": "PropertyValue", "name": "FNumber", "value": "f/2.2"},
                    {"@type": "PropertyValue", "name": "GPSLatitude", "value": "51.123456"},
                ],
            }
        ],
    )
    post = await remote_notes.find(alice.node, note["id"])
    assert post is not None
    visitor = Visitor(create_app(alice.node))

    page = await visitor.get(f"/posts/{post.id}")

    assert page.status == 200
    for text in ("SONY · f/2.2", "Calgary, Canada", "CC BY-SA"):
        assert text in page.main_text
    assert "51." not in page.text
    pictures = [element.attributes for element in page.all("img", class_="emoji")]
    assert [attributes["alt"] for attributes in pictures] == [":cat:", ":dog:"]
    for attributes in pictures:
        assert (await visitor.client.get(attributes["src"])).status == 200
    stored = (await alice.node.db.read(photo_rows.by_posts, [post.id]))[post.id][0]
    assert "GPS" not in stored.extra
    assert stored.blurhash
    assert stored.alt == "A street"
    grid = await visitor.get(f"/@rita@{other.domain}")
    assert "fx1 fy2" in grid.text or "fx0 fy2" in grid.text
    assert grid.one("h1").text == "Rita "

    status = (await visitor.client.get(f"/api/v1/statuses/{post.id}")).json
    assert [emoji["shortcode"] for emoji in status["emojis"]] == ["dog"]
    assert [emoji["shortcode"] for emoji in status["account"]["emojis"]] == ["cat"]
    assert status["emojis"][0]["url"].startswith(alice.node.site.uri("/media/emoji/"))
    assert status["media_attachments"][0]["meta"]["focus"] == {"x": -0.8, "y": 0.1}


async def test_a_redirect_evades_no_policy_about_media(
    fediverse: Fediverse, other: RemoteServer, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, other)
    other.replies["/pic.png"] = Reply(status=302, headers={"location": f"{evil.base}/pic.png"})
    evil.serve("/pic.png", picture(64, 48), content_type="image/png")

    def unit(tx: Writer) -> None:
        domain_rules.block(tx, "evil.test", strength="none", rejects_media=True)

    await alice.node.db.write(unit)
    media = [{"type": "Document", "mediaType": "image/png", "url": f"{other.base}/pic.png"}]
    activity = create(other, attachment=media)
    await other.send(alice.node, "rita", activity)
    await fediverse.settle()
    post = await alice.node.db.read(posts.by_uri, activity["object"]["id"])
    assert post is not None
    photo = await _photo(alice, post)
    assert await remote_photos.fetch(alice.node, photo.id) is None
    assert await alice.node.storage.total_bytes() == 0
