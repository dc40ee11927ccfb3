"""Focal point, place and people of a photo: before it is posted, and in a post, which is edited by them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from fractions import Fraction

import pytest

from media.editing.recipes import Recipe
from node.attachments import photo_rows, photos
from node.attachments.photo_metadata import SharedMetadata
from node.attachments.photo_rows import Photo
from node.database import Reader
from node.errors import Invalid, NotFound, TooManyRequests
from node.interactions import blocks
from node.models import places
from node.models.account import Account
from node.models.places import PRECISIONS
from node.models.post import Post
from node.models.visibility import may_see
from node.node import Node
from node.posts import posts, revisions, tagged_people
from node.posts.drafts import Draft
from node.publishing import photo_details, photo_edits, publishing, saved_drafts
from tests.media.test_exif import photo as camera_photo
from tests.node.attachments.test_photos import current
from tests.support.people import notifications_of, verbs_of

Picture = Callable[..., bytes]
BERLIN = (52.52, 13.405)


async def publish(node: Node, who: Account, *shown: Photo, **draft: object) -> Post:
    wanted = Draft(photo_ids=[one.id for one in shown], **draft)  # type: ignore[arg-type]
    return await node.db.write(publishing.publish, who, wanted)


async def whole_database(node: Node) -> str:
    """Returns every text and number in every table."""

    def unit(tx: Reader) -> str:
        tables = ("photos", "posts", "post_edits", "saved_drafts", "jobs", "outbox", "attempts")
        return json.dumps(
            [dict(row) for table in tables for row in tx.all(f"SELECT * FROM {table}")], default=str
        )

    return await node.db.read(unit)


async def test_a_focal_point_of_a_photo_in_a_post_edits_the_post(
    node: Node, alice: Account, photo: Picture
) -> None:
    shown = await photos.upload(node, alice, photo())
    await node.db.write(photo_details.set_focus, alice, shown.id, 0.5, -0.25)
    post = await publish(node, alice, shown)
    assert (await current(node, shown.id)).focus_x == 0.5

    await node.db.write(photo_details.set_focus, alice, shown.id, -3, 0.12345)
    await node.db.write(photo_details.set_focus, alice, shown.id, -3, 0.12345)

    now = await current(node, shown.id)
    assert (now.focus_x, now.focus_y) == (-1.0, 0.123)
    assert await node.db.read(verbs_of, alice) == ["Create", "Update"]
    assert len(await node.db.read(revisions.by_post, post)) == 2


@pytest.mark.parametrize("precision", list(PRECISIONS))
async def test_the_place_in_a_file_is_kept_no_finer_than_chosen(
    node: Node, alice: Account, precision: str
) -> None:
    shown = await photos.upload(node, alice, camera_photo())
    await node.db.write(saved_drafts.save, alice, Draft(photo_ids=[shown.id]))
    assert "52.5" not in await whole_database(node)

    changed = await photo_details.use_photo_place(node, alice, shown.id, "Berlin", precision)

    place, decimals = places.load(changed.place), PRECISIONS[precision]
    if decimals is None:
        assert (place.name, place.has_coordinates) == ("Berlin", False)
    else:
        assert place.latitude is not None
        assert place.longitude is not None
        assert math.isclose(place.latitude, BERLIN[0], abs_tol=0.51 * 10**-decimals)
        assert math.isclose(place.longitude, BERLIN[1], abs_tol=0.51 * 10**-decimals)
        assert (Fraction(str(place.latitude)) * 10**decimals).denominator == 1
    post = await publish(node, alice, shown)
    await node.db.write(publishing.edit, alice, post, Draft(caption="Later", photo_ids=[shown.id]))
    kept = await whole_database(node)
    assert ("13.405" in kept) == (precision == "exact")
    assert ("52.52" in kept) == (precision in ("exact", "km"))


async def test_a_place_is_read_when_its_author_asks_and_not_before(node: Node, alice: Account) -> None:
    shown = await photos.upload(node, alice, camera_photo())
    await publish(node, alice, shown)

    assert (await current(node, shown.id)).place == ""
    assert "place" not in (await current(node, shown.id)).public_metadata
    named = await node.db.write(photo_details.set_place, alice, shown.id, " The \n sea ", "town")

    assert places.load(named.place) == places.PhotoPlace("The sea", "town")
    assert (await current(node, shown.id)).public_metadata["place"] == {
        "name": "The sea",
        "precision": "town",
    }
    assert await node.db.read(verbs_of, alice) == ["Create", "Update"]


async def test_a_place_becomes_coarser_and_never_finer(node: Node, alice: Account) -> None:
    shown = await photos.upload(node, alice, camera_photo())
    await photo_details.use_photo_place(node, alice, shown.id, "", "km")

    region = await node.db.write(photo_details.set_place, alice, shown.id, "Brandenburg", "region")
    again = await node.db.write(photo_details.set_place, alice, shown.id, "Berlin", "exact")

    assert places.load(region.place) == places.PhotoPlace("Brandenburg", "region", 53, 13)
    assert places.load(again.place) == places.PhotoPlace("Berlin", "region", 53, 13)
    gone = await node.db.write(photo_details.remove_place, alice, shown.id)
    assert gone.place == ""


async def test_a_photo_keeps_its_own_place_beside_that_of_the_post(
    node: Node, alice: Account, photo: Picture
) -> None:
    one, two = await photos.upload(node, alice, photo()), await photos.upload(node, alice, photo(seed=2))
    await node.db.write(photo_details.set_place, alice, one.id, "A lake", "town")
    shared = SharedMetadata(place="The country")
    post = await publish(node, alice, one, two, shared_metadata=shared)
    # What an app does: new words, and nothing about metadata.
    await node.db.write(publishing.edit, alice, post, Draft(caption="New", photo_ids=[one.id, two.id]))

    found = (await node.db.read(photo_rows.by_posts, [post.id]))[post.id]
    assert [photo.public_metadata["place"]["name"] for photo in found] == ["A lake", "The country"]


@pytest.mark.parametrize("precision", ["", "street"])
async def test_an_unknown_precision_is_refused(
    node: Node, alice: Account, photo: Picture, precision: str
) -> None:
    shown = await photos.upload(node, alice, photo())
    with pytest.raises(Invalid, match="how precise"):
        await node.db.write(photo_details.set_place, alice, shown.id, "A lake", precision)
    with pytest.raises(Invalid, match="how precise"):
        await photo_details.use_photo_place(node, alice, shown.id, "A lake", precision)


async def test_a_photo_without_a_place_or_without_its_file_says_so(
    node: Node, alice: Account, mallory: Account, photo: Picture
) -> None:
    shown = await photos.upload(node, alice, photo())
    with pytest.raises(Invalid, match="no location in the file"):
        await photo_details.use_photo_place(node, alice, shown.id, "", "town")
    with pytest.raises(NotFound):
        await photo_details.use_photo_place(node, mallory, shown.id, "", "town")
    await node.storage.delete(shown.original_file)
    with pytest.raises(Invalid, match="no longer kept"):
        await photo_details.use_photo_place(node, alice, shown.id, "", "town")


async def test_places_are_read_so_often_and_no_more(
    node: Node, alice: Account, photo: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo_details, "MAX_READ_PER_HOUR", 1)
    shown = await photos.upload(node, alice, camera_photo())
    await photo_details.use_photo_place(node, alice, shown.id, "", "town")
    with pytest.raises(TooManyRequests):
        await photo_details.use_photo_place(node, alice, shown.id, "", "region")


async def test_whoever_is_tagged_may_see_the_post_and_is_told_once(
    node: Node, alice: Account, bob: Account, mallory: Account, photo: Picture
) -> None:
    shown = await photos.upload(node, alice, photo())
    await node.db.write(photo_details.tag, alice, shown.id, bob, 0.2, 0.3)
    assert await node.db.read(notifications_of, bob) == []
    post = await publish(node, alice, shown, caption="Hello @bob", visibility="followers")

    assert await node.db.read(may_see, bob, post)
    assert not await node.db.read(may_see, mallory, post)
    assert len(await node.db.read(notifications_of, bob)) == 1

    await node.db.write(photo_details.tag, alice, shown.id, bob, 0.4, 0.3)
    await node.db.write(photo_details.tag, alice, shown.id, mallory, 0.4, 0.3)
    await node.db.write(photo_details.untag, alice, shown.id, mallory.id)
    await node.db.write(photo_details.untag, alice, shown.id, mallory.id)

    assert len(await node.db.read(notifications_of, bob)) == 1
    assert len(await node.db.read(notifications_of, mallory)) == 1
    assert await node.db.read(verbs_of, alice) == ["Create", "Update", "Update", "Update"]


async def test_whoever_blocks_the_author_before_the_post_is_not_addressed_by_it(
    node: Node, alice: Account, bob: Account, photo: Picture
) -> None:
    shown = await photos.upload(node, alice, photo())
    await node.db.write(photo_details.tag, alice, shown.id, bob, 0.2, 0.3)
    await node.db.write(blocks.block, bob, alice)
    post = await publish(node, alice, shown, visibility="direct")

    assert not await node.db.read(may_see, bob, post)
    assert await node.db.read(notifications_of, bob) == []


async def test_a_tagged_person_removes_the_tags_and_other_servers_are_told(
    node: Node,
    alice: Account,
    bob: Account,
    mallory: Account,
    photo: Picture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, two = await photos.upload(node, alice, photo()), await photos.upload(node, alice, photo(seed=2))
    for shown in (one, two):
        await node.db.write(photo_details.tag, alice, shown.id, bob, 0.2, 0.3)
    post = await publish(node, alice, one, two)

    with pytest.raises(NotFound):
        await node.db.write(photo_details.remove_own_tags, mallory, post.id)
    await node.db.write(photo_details.remove_own_tags, bob, post.id)

    assert await node.db.read(tagged_people.by_photos, [one.id, two.id]) == {}
    assert await node.db.read(verbs_of, alice) == ["Create", "Update"]


async def test_a_tag_is_removed_even_where_the_post_was_edited_too_often(
    node: Node, alice: Account, bob: Account, photo: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = await photos.upload(node, alice, photo())
    await node.db.write(photo_details.tag, alice, shown.id, bob, 0.2, 0.3)
    post = await publish(node, alice, shown)
    monkeypatch.setattr(publishing, "MAX_EDITS_PER_HOUR", 0)

    await node.db.write(photo_details.remove_own_tags, bob, post.id)

    assert await node.db.read(tagged_people.by_photos, [shown.id]) == {}
    found = await node.db.read(posts.by_id, post.id)
    assert found is not None
    assert found.edited_at is None


async def test_points_follow_the_photo_when_it_is_cut_and_turned(
    node: Node, alice: Account, bob: Account, mallory: Account, photo: Picture
) -> None:
    shown = await photos.upload(node, alice, photo(400, 300))
    await node.db.write(photo_details.set_focus, alice, shown.id, 0.6, 0)
    await node.db.write(photo_details.tag, alice, shown.id, bob, 0.75, 0.5)
    await node.db.write(photo_details.tag, alice, shown.id, mallory, 0.25, 0.5)

    cut = await photo_edits.edit(node, alice, shown.id, Recipe(crop=(0.5, 0.0, 1.0, 1.0), turn=0))

    assert (cut.focus_x, cut.focus_y) == (0.2, 0)
    [one] = (await node.db.read(tagged_people.by_photos, [shown.id]))[shown.id]
    assert (one.account.id, one.x, one.y) == (bob.id, 0.5, 0.5)

    await photo_edits.edit(node, alice, shown.id, Recipe())

    [one] = (await node.db.read(tagged_people.by_photos, [shown.id]))[shown.id]
    assert (one.x, one.y) == (0.75, 0.5)
    assert (await current(node, shown.id)).focus_x == 0.6
