"""A photo is edited from its original, in no post and in one, and the edit can be changed and undone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from media.editing.recipes import Adjustments, Recipe, canonical
from media.images import VARIANTS
from node.attachments import photo_rows, photos
from node.attachments.photo_rows import Photo
from node.database import Reader, Writer
from node.errors import Conflict, Invalid, NotFound
from node.ids import now_ms
from node.jobs import queue
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from node.posts import posts, revisions
from node.posts.drafts import Draft
from node.publishing import photo_edits, publishing
from tests.node.attachments.test_photos import current, run_jobs, stored
from tests.support.people import verbs_of

CROP = Recipe(crop=(0.0, 0.0, 0.5, 1.0))
LOOK = Recipe(look="juniper", strength=80)
ALL = {(variant.name, variant.format) for variant in VARIANTS}


def keep_originals(node: Node) -> None:
    node.config = replace(node.config, media=replace(node.config.media, keep_originals=True))


def keys(photo: Photo) -> set[str]:
    return {file.key for file in photo.files.values()}


async def test_a_photo_is_edited_in_every_variant_and_nothing_of_before_stays(
    node: Node, alice: Account, photo: Callable[..., bytes]
) -> None:
    uploaded = await photos.upload(node, alice, photo(1200, 900), alt="a lake")
    await run_jobs(node)
    plain = await current(node, uploaded.id)

    edited = await photo_edits.edit(node, alice, uploaded.id, CROP)
    await run_jobs(node)

    now = await current(node, uploaded.id)
    assert (edited.width, edited.height, now.recipe) == (600, 900, canonical(CROP))
    assert (now.alt, now.original_file) == ("a lake", uploaded.original_file)
    assert now.blurhash != plain.blurhash
    assert set(now.files) == ALL
    assert all(now.files[name].width != plain.files[name].width for name in ALL if name[0] != "thumb")
    assert stored(node) == keys(now) | {now.original_file}


async def test_an_edit_is_changed_and_undone_from_the_original(
    node: Node, alice: Account, photo: Callable[..., bytes]
) -> None:
    uploaded = await photos.upload(node, alice, photo(300, 200))

    await photo_edits.edit(node, alice, uploaded.id, CROP)
    looked = await photo_edits.edit(node, alice, uploaded.id, LOOK)
    undone = await photo_edits.edit(node, alice, uploaded.id, Recipe(seed=5))

    assert (looked.width, looked.height) == (300, 200)
    assert keys(looked).isdisjoint(keys(uploaded))
    assert undone == replace(uploaded, files=undone.files)
    assert keys(undone) == keys(uploaded)
    await run_jobs(node)
    assert stored(node) == keys(await current(node, uploaded.id)) | {uploaded.original_file}


async def test_the_same_recipe_again_makes_nothing(
    node: Node, alice: Account, photo: Callable[..., bytes]
) -> None:
    uploaded = await photos.upload(node, alice, photo())
    edited = await photo_edits.edit(node, alice, uploaded.id, LOOK)
    await run_jobs(node)

    await photo_edits.edit(node, alice, uploaded.id, LOOK)

    assert await node.db.write(queue.claim, "render_photo", 1, now_ms()) == []
    assert (await current(node, uploaded.id)).recipe == edited.recipe


async def test_once_a_post_has_the_photo_its_original_goes_and_the_edit_stays(
    node: Node, alice: Account, photo: Callable[..., bytes]
) -> None:
    uploaded = await photos.upload(node, alice, photo(300, 200))
    await photo_edits.edit(node, alice, uploaded.id, CROP)
    await run_jobs(node)
    assert (await current(node, uploaded.id)).original_file

    await node.db.write(publishing.publish, alice, Draft(photo_ids=[uploaded.id]))
    await run_jobs(node)

    posted = await current(node, uploaded.id)
    assert (posted.width, posted.original_file, posted.recipe) == (150, "", canonical(CROP))
    assert set(posted.files) == ALL
    assert stored(node) == keys(posted)
    with pytest.raises(Invalid, match="no longer kept"):
        await photo_edits.edit(node, alice, uploaded.id, LOOK)


async def test_a_photo_posted_before_its_deferred_variants_gets_them_edited(
    node: Node, alice: Account, photo: Callable[..., bytes]
) -> None:
    uploaded = await photos.upload(node, alice, photo(300, 200))
    await photo_edits.edit(node, alice, uploaded.id, CROP)

    await node.db.write(publishing.publish, alice, Draft(photo_ids=[uploaded.id]))
    await run_jobs(node)

    posted = await current(node, uploaded.id)
    assert (posted.original_file, set(posted.files)) == ("", ALL)
    assert {file.width / file.height for name, file in posted.files.items() if name[0] != "thumb"} == {0.75}


async def test_a_photo_of_a_post_is_edited_with_a_revision_and_an_update(
    node: Node, alice: Account, photo: Callable[..., bytes]
) -> None:
    keep_originals(node)
    first, second = [await photos.upload(node, alice, photo(300, 200, seed=seed), alt="x") for seed in (1, 2)]
    post = await node.db.write(
        publishing.publish, alice, Draft(caption="Two lakes", photo_ids=[first.id, second.id])
    )
    await run_jobs(node)

    await photo_edits.edit(node, alice, second.id, CROP)
    await run_jobs(node)

    def unit(tx: Writer) -> tuple[Post | None, list[int], list[str], int]:
        ids = [one.id for one in photo_rows.by_posts(tx, [post.id])[post.id]]
        return posts.by_id(tx, post.id), ids, verbs_of(tx, alice), len(revisions.by_post(tx, post))

    now, ids, verbs, versions = await node.db.write(unit)
    assert now is not None
    assert now.edited_at is not None
    assert (now.source, ids, verbs, versions) == (
        "Two lakes",
        [first.id, second.id],
        ["Create", "Update"],
        2,
    )
    edited = await current(node, second.id)
    assert (edited.width, edited.alt, set(edited.files)) == (150, "x", ALL)
    assert edited.original_file
    assert (await current(node, first.id)).recipe == ""


async def test_only_its_owner_edits_a_photo(
    node: Node, alice: Account, bob: Account, photo: Callable[..., bytes]
) -> None:
    uploaded = await photos.upload(node, alice, photo())

    with pytest.raises(NotFound):
        await photo_edits.edit(node, bob, uploaded.id, LOOK)

    assert (await current(node, uploaded.id)).recipe == ""


async def test_of_two_edits_at_once_one_is_told(
    node: Node, alice: Account, photo: Callable[..., bytes]
) -> None:
    uploaded = await photos.upload(node, alice, photo())
    edited = await photo_edits.edit(node, alice, uploaded.id, LOOK)
    other = await node.sandbox.render(photo(), photos.IMMEDIATE_VARIANTS)

    with pytest.raises(Conflict):
        await node.db.write(photos.replace_edit, alice, uploaded, canonical(CROP), other, {})

    await run_jobs(node)
    now = await current(node, uploaded.id)
    assert now.recipe == edited.recipe
    assert stored(node) == keys(now) | {now.original_file}


async def test_variants_made_before_an_edit_are_not_taken_for_those_of_it(
    node: Node, alice: Account, photo: Callable[..., bytes]
) -> None:
    uploaded = await photos.upload(node, alice, photo(300, 200))
    (job,) = await node.db.write(queue.claim, "render_photo", 1, now_ms())
    await photo_edits.edit(node, alice, uploaded.id, CROP)

    late = {("large", "webp"): uploaded.files["medium", "webp"]}
    await node.db.write(photos.save_deferred_variants, job, uploaded, late, keep_original=False)
    await run_jobs(node)

    now = await current(node, uploaded.id)
    assert (now.files["large", "webp"].width, now.files["large", "webp"].height) == (150, 200)


async def test_without_the_file_of_its_original_a_photo_stays_as_it_is(
    node: Node, alice: Account, photo: Callable[..., bytes]
) -> None:
    uploaded = await photos.upload(node, alice, photo())
    await node.storage.delete(uploaded.original_file)

    with pytest.raises(Invalid, match="no longer kept"):
        await photo_edits.edit(node, alice, uploaded.id, LOOK)

    assert await current(node, uploaded.id) == uploaded


async def test_a_focal_point_stays_unless_the_frame_is_another(
    node: Node, alice: Account, photo: Callable[..., bytes]
) -> None:
    uploaded = await photos.upload(node, alice, photo())
    await node.db.write(lambda tx: photos.set_details(tx, alice, uploaded.id, focus=(0.5, -0.5)))

    looked = await photo_edits.edit(node, alice, uploaded.id, LOOK)
    cropped = await photo_edits.edit(node, alice, uploaded.id, replace(CROP, adjust=Adjustments(fade=5)))

    assert (looked.focus_x, looked.focus_y) == (0.5, -0.5)
    assert (cropped.focus_x, cropped.focus_y) == (0.0, 0.0)


def test_what_is_no_recipe_is_refused_with_words_for_people() -> None:
    assert photo_edits.parse(canonical(LOOK)) == LOOK
    with pytest.raises(Invalid, match="reload") as caught:
        photo_edits.parse('{"version": 1, "look": "unknown"}')
    assert caught.value.field == "recipe"


async def test_several_photos_of_a_post_are_edited_at_once_and_the_post_once(
    node: Node, alice: Account, photo: Callable[..., bytes]
) -> None:
    keep_originals(node)
    ids = [(await photos.upload(node, alice, photo(300, 200))).id for _ in range(3)]
    post = await node.db.write(publishing.publish, alice, Draft(photo_ids=ids))

    edited = await photo_edits.edit_all(node, alice, {ids[0]: LOOK, ids[1]: Recipe(), ids[2]: CROP})

    assert [one.id for one in edited] == ids
    assert [(await current(node, one)).recipe for one in ids] == [canonical(LOOK), "", canonical(CROP)]

    def count(tx: Reader) -> tuple[int, int]:
        found = posts.by_id(tx, post.id)
        assert found is not None
        return len(revisions.by_post(tx, found)), verbs_of(tx, alice).count("Update")

    assert await node.db.read(count) == (2, 1)


async def test_of_several_photos_all_are_edited_or_none(
    node: Node, alice: Account, bob: Account, photo: Callable[..., bytes]
) -> None:
    mine, other = [(await photos.upload(node, who, photo(300, 200))).id for who in (alice, bob)]
    lost = await photos.upload(node, alice, photo(310, 200))
    await node.storage.delete(lost.original_file)
    before = stored(node)

    with pytest.raises(NotFound):
        await photo_edits.edit_all(node, alice, {mine: LOOK, other: LOOK})
    with pytest.raises(Invalid, match="no longer kept"):
        await photo_edits.edit_all(node, alice, {mine: LOOK, lost.id: LOOK})
    with pytest.raises(Invalid, match="at a time"):
        await photo_edits.edit_all(node, alice, dict.fromkeys(range(21), LOOK))

    assert (await current(node, mine)).recipe == ""
    await run_jobs(node)
    assert {key for key in stored(node) if key not in before} <= {
        file.key for file in (await current(node, mine)).files.values()
    } | {file.key for one in (other, lost.id) for file in (await current(node, one)).files.values()}
