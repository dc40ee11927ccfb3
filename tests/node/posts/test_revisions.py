from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from node.attachments import photos
from node.database import Database, Writer
from node.errors import TooManyRequests
from node.ids import MAX_ID
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from node.paging import Page
from node.posts import posts, revisions
from node.posts.drafts import Draft
from node.posts.revisions import PhotoChange, Revision
from node.publishing import publishing
from tests.support.posting import publish


async def test_a_post_never_edited_has_one_version(db: Database, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice, "Lake", warning="wet")
        [only] = revisions.by_post(tx, post)
        assert (only.caption, only.warning, only.is_sensitive) == (post.caption, "wet", True)
        assert (only.photos, only.created_at) == ([], post.published_at)

    await db.write(unit)


async def test_versions_are_listed_from_the_first_to_the_present_one(db: Database, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice, "one")
        second = publishing.edit(tx, alice, post, Draft(caption="two"))
        third = publishing.edit(tx, alice, second, Draft(caption="three", is_sensitive=True))

        versions = revisions.by_post(tx, third)
        assert [version.caption for version in versions] == [post.caption, second.caption, third.caption]
        assert [version.is_sensitive for version in versions] == [False, False, True]
        assert [version.created_at for version in versions] == [
            post.published_at,
            second.edited_at,
            third.edited_at,
        ]

    await db.write(unit)


async def test_a_version_keeps_the_photos_and_alt_texts_it_had(
    node: Node, alice: Account, photo: Callable[..., bytes]
) -> None:
    picture = await photos.upload(node, alice, photo(), alt="a lake")

    def unit(tx: Writer) -> None:
        post = publish(tx, alice, photo_ids=[picture.id])
        changed = Draft(caption="Evening", photo_ids=[picture.id], alts={picture.id: "a pond"})
        edited = publishing.edit(tx, alice, post, changed)

        before, present = revisions.by_post(tx, edited)
        assert (before.photos, present.photos) == ([(picture.id, "a lake")], [(picture.id, "a pond")])
        assert revisions.current_photos(tx, edited) == [(picture.id, "a pond")]

    await node.db.write(unit)


async def test_versions_of_one_post_are_deleted_alone(db: Database, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        one, two = [
            publishing.edit(tx, alice, publish(tx, alice), Draft(caption=f"Evening {n}")) for n in range(2)
        ]
        revisions.delete_by_post(tx, one)
        assert [len(revisions.by_post(tx, post)) for post in (one, two)] == [1, 2]

    await db.write(unit)


def _edit(tx: Writer, post: Post, caption: str) -> Post:
    """Replaces a post as another server may, as often as it likes."""
    previous = revisions.current_photos(tx, post)
    changed = replace(post, caption=caption, edited_at=(post.edited_at or post.published_at) + 1000)
    revisions.record(tx, post, previous)
    posts.update(tx, changed)
    return changed


def _age(tx: Writer) -> None:
    """Moves the versions, in their order, and the counted edits to a time before the last hour."""
    tx.run("UPDATE post_edits SET id = id - :hours", hours=5_000_000 << 16)
    tx.run("UPDATE attempts SET window_at = window_at - :hours", hours=3 * 3_600_000)


async def test_of_many_edits_in_an_hour_a_few_are_kept(db: Database, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice, "0")
        for number in range(1, revisions.MAX_PER_HOUR + 20):
            post = _edit(tx, post, f"<p>{number}</p>")
        kept = revisions.by_post(tx, post)
        assert len(kept) == revisions.MAX_PER_HOUR + 1
        assert kept[-1].caption == post.caption == f"<p>{revisions.MAX_PER_HOUR + 19}</p>"

    await db.write(unit)


async def test_the_first_version_and_the_latest_ones_are_kept(db: Database, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        post = first = publish(tx, alice, "First")
        for number in range(1, revisions.MAX_VERSIONS + 20):
            post = _edit(tx, post, f"<p>{number}</p>")
            _age(tx)
        kept = revisions.by_post(tx, post)
        assert len(kept) == revisions.MAX_VERSIONS + 1
        assert kept[0].caption == first.caption
        numbers = [int(version.caption[3:-4]) for version in kept[1:]]
        assert numbers == list(range(20, revisions.MAX_VERSIONS + 20))

    await db.write(unit)


async def test_all_versions_together_have_a_greatest_length(db: Database, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice, "First")
        for number in range(12):
            post = _edit(tx, post, "abcdefghijkl"[number] * 30_000)
        *former, _ = revisions.by_post(tx, post)
        assert sum(len(version.caption) for version in former) <= revisions.MAX_KEPT_LENGTH
        assert former[-1].caption[0] == "k", "the one before the present one"
        assert len(former) == 7

    await db.write(unit)


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 80])
async def test_pages_of_versions_join_to_the_whole(db: Database, alice: Account, limit: int) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice, "0")
        for number in range(1, 12):
            post = _edit(tx, post, str(number))
        whole = revisions.by_post(tx, post)
        found = page = revisions.by_post(tx, post, Page(limit=limit))
        assert len(page) <= limit
        while revisions.has_older(tx, post, found):
            below = found[0].id or MAX_ID
            page = revisions.by_post(tx, post, Page(limit=limit, max_id=below))
            assert 0 < len(page) <= limit
            found = [*page, *found]
        assert found == whole
        above = revisions.by_post(tx, post, Page(limit=80, min_id=whole[4].id))
        assert above == whole[5:]

    await db.write(unit)


@pytest.mark.parametrize("links", [0, 200], ids=["short", "so long that few versions are kept"])
async def test_a_post_is_not_edited_without_end_in_an_hour(db: Database, alice: Account, links: int) -> None:
    def edit(tx: Writer, post: Post, number: int) -> Post:
        return publishing.edit(
            tx, alice, post, Draft(caption=f"Version {number}" + " https://lake.example/a" * links)
        )

    post = await db.write(publish, alice, "First")
    for number in range(revisions.MAX_PER_HOUR):
        post = await db.write(edit, post, number)
    with pytest.raises(TooManyRequests):
        await db.write(edit, post, 1000)
    await db.write(_age)
    assert "1000" in (await db.write(edit, post, 1000)).caption


def test_what_changed_of_the_photos_is_told_by_their_numbers() -> None:
    before = _revision([(1, "one"), (2, "two"), (3, "three"), (5, "five")], {3: ["crop"]})

    changes = revisions.photo_changes(before, _revision([(3, "three"), (1, "better"), (4, "")]))

    assert [(one.number, one.kind, one.alt or one.parts) for one in changes] == [
        (1, "edited", ("crop",)),
        (2, "described", "better"),
        (3, "added", ()),
        (2, "removed", "two"),
        (4, "removed", "five"),
        (0, "reordered", ()),
    ]
    assert [one.kind for one in revisions.photo_changes(None, before)] == ["added"] * 4
    assert revisions.photo_changes(before, replace(before, photos=before.photos[:2])) == [
        PhotoChange(3, "removed", "three"),
        PhotoChange(4, "removed", "five"),
    ]


def _revision(photos: list[tuple[int, str]], edits: dict[int, list[str]] | None = None) -> Revision:
    return Revision(0, "Lake", "", False, photos, 0, edits or {})
