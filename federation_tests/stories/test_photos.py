"""A photo is delivered from one node to those who should see it, and to nobody else."""

from __future__ import annotations

import json

from federation_tests.fediverse import Fediverse, has
from node.attachments import photo_rows, photos, remote_photos
from node.attachments.photo_metadata import SharedMetadata
from node.models.visibility import may_see_file
from node.posts import tagged_people
from node.posts.drafts import Draft
from node.publishing import photo_details, publishing
from tests.media import samples
from tests.media.test_exif import photo as camera_photo
from tests.support.visitors import sign_in


async def test_a_photo_reaches_a_remote_follower(fediverse: Fediverse) -> None:
    alice, bob, carol = await fediverse.people("alice@a.test", "bob@b.test", "carol@c.test")
    await bob.follows(alice)
    await fediverse.settle()
    assert await bob.is_following(alice)

    post = await alice.posts("Morning at the lake #fog", photo="A lake in fog")
    await fediverse.settle()

    assert await bob.home() == ["Morning at the lake #fog"]
    seen = await bob.sees(post)
    assert seen is not None
    assert seen.author.full_handle == alice.handle
    assert [photo.alt for photo in seen.photos] == ["A lake in fog"]
    assert seen.photos[0].blurhash
    assert (seen.photos[0].width, seen.photos[0].height) == (64, 48)
    assert seen.hashtags == [("fog", "fog")]
    assert not await has(carol.node, post)


async def test_its_files_are_fetched_when_somebody_views_it(fediverse: Fediverse) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    await bob.follows(alice)
    await fediverse.settle()
    post = await alice.posts("Dawn", photo="Dawn", visibility="followers")
    await fediverse.settle()
    seen = await bob.sees(post)
    assert seen is not None
    assert seen.photos[0].files == {}

    await remote_photos.fetch(bob.node, seen.photos[0].id)

    fetched = (await bob.node.db.read(photo_rows.by_ids, [seen.photos[0].id]))[seen.photos[0].id]
    assert fetched.files
    key = next(iter(fetched.files.values())).key
    assert await bob.node.db.read(may_see_file, bob.id, key) == "private"
    assert await bob.node.db.read(may_see_file, 0, key) is None


async def test_people_place_and_focal_point_arrive_and_a_removed_tag_goes(fediverse: Fediverse) -> None:
    alice, bob, carol = await fediverse.people("alice@a.test", "bob@b.test", "carol@c.test")
    await carol.follows(alice)
    tagged, author = await alice.finds(bob), await alice.account()
    await fediverse.settle()
    one = await photos.upload(alice.node, author, camera_photo(), alt="Bob")
    await photo_details.use_photo_place(alice.node, author, one.id, "Berlin", "town")
    await alice._do(photo_details.set_focus, one.id, 0.5, -0.25)
    await alice._do(photo_details.tag, one.id, tagged, 0.75, 0.25)

    post = await alice._do(publishing.publish, Draft(photo_ids=[one.id], visibility="followers"))
    await fediverse.settle()

    seen = await bob.sees(post)
    assert seen is not None
    [shown] = seen.photos
    assert (shown.focus_x, shown.focus_y) == (0.5, -0.25)
    place = shown.public_metadata["place"]
    assert (place["name"], place["latitude"], place["longitude"]) == ("Berlin", 52.5, 13.4)
    [there] = (await bob.node.db.read(tagged_people.by_photos, [shown.id]))[shown.id]
    assert (there.account.id, there.x, there.y) == (bob.id, 0.75, 0.25)
    assert await bob.notifications() == [("mention", "alice@a.test")]

    # The tag is gone for good on the server of the tagged person, also when the author edits the post.
    await bob._do(photo_details.remove_own_tags, seen.post.id)
    await alice.edits(post, "Bob in Berlin")
    await fediverse.settle()
    assert await bob.node.db.read(tagged_people.by_photos, [shown.id]) == {}

    await alice._do(photo_details.untag, one.id, tagged.id)
    await fediverse.settle()
    seen = await carol.sees(post)
    assert seen is not None
    assert await carol.node.db.read(tagged_people.by_photos, [seen.photos[0].id]) == {}


async def test_an_album_arrives_whole_and_in_order(fediverse: Fediverse) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    await bob.follows(alice)
    await fediverse.settle()

    post = await alice.posts("A walk", photos_=6, alt="Step")
    await fediverse.settle()

    seen = await bob.sees(post)
    assert seen is not None
    assert [photo.alt for photo in seen.photos] == [f"Step {n}" for n in range(6)]
    # For servers that show only four photos of a post, the caption has the URL of its page.
    assert post.url in seen.post.caption


async def test_followers_only_photos_reach_followers_only(fediverse: Fediverse) -> None:
    alice, bob, carol, dan = await fediverse.people(
        "alice@a.test", "bob@b.test", "carol@b.test", "dan@c.test"
    )
    await bob.follows(alice)
    await fediverse.settle()

    post = await alice.posts("For friends", photo="A party", visibility="followers")
    await fediverse.settle()

    assert await bob.sees(post) is not None
    # Carol is on the same node as Bob: it has the post, and she still may not see it.
    assert await has(carol.node, post)
    assert await carol.sees(post) is None
    assert not await has(dan.node, post)


async def test_a_direct_photo_reaches_only_mentioned_accounts(fediverse: Fediverse) -> None:
    alice, bob, carol, dan = await fediverse.people(
        "alice@a.test", "bob@b.test", "carol@b.test", "dan@c.test"
    )
    for follower in (carol, dan):
        await follower.follows(alice)
    await fediverse.settle()

    post = await alice.posts(f"Only you @{bob.handle}", photo="A secret", visibility="direct")
    await fediverse.settle()

    assert await bob.sees(post) is not None
    assert ("mention", "alice@a.test") in await bob.notifications()
    assert await carol.sees(post) is None
    assert not await has(dan.node, post)


async def test_only_ticked_metadata_are_delivered_with_the_photo(fediverse: Fediverse) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    await bob.follows(alice)
    await fediverse.settle()
    uploaded = await photos.upload(alice.node, await alice.account(), camera_photo(), alt="Fog")
    shared = SharedMetadata(frozenset({"settings"}), "CC BY-NC", "Lake Tegel")
    await alice._do(publishing.publish, Draft(caption="Fog", photo_ids=[uploaded.id], shared_metadata=shared))
    await fediverse.settle()
    (view,) = await bob.home_views()
    metadata = json.loads(view.photos[0].extra)
    assert dict(metadata["exif"])["FNumber"] == "f/2.2"
    assert "Model" not in dict(metadata["exif"])
    assert (metadata["license"], metadata["place"]["name"]) == ("CC BY-NC", "Lake Tegel")
    assert samples.SECRET not in view.photos[0].extra
    page = await (await sign_in(bob.node, await bob.account())).get(f"/posts/{view.post.id}")
    for text in ("23 mm · f/2.2 · 1/200 s · ISO 400", "CC BY-NC", "Lake Tegel"):
        assert text in page.main_text
