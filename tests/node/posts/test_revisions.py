from __future__ import annotations

from collections.abc import Callable

from node.attachments import photos
from node.database import Database, Writer
from node.models.account import Account
from node.node import Node
from node.posts import revisions
from node.posts.drafts import Draft
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
