"""Who may be tagged, how many, and that a person who removes a tag is not tagged again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from node.accounts import accounts
from node.attachments import photos
from node.attachments.photo_rows import Photo
from node.database import Reader, Writer
from node.errors import Invalid, NotFound
from node.interactions import blocks
from node.models.account import Account
from node.node import Node
from node.posts import tagged_people
from tests.support.people import remote

Picture = Callable[..., bytes]


async def upload(node: Node, who: Account, photo: Picture) -> Photo:
    return await photos.upload(node, who, photo())


def names(tx: Reader, photo_id: int) -> list[str]:
    return [one.account.name for one in tagged_people.by_photos(tx, [photo_id]).get(photo_id, [])]


async def test_a_tag_is_at_a_point_and_can_be_moved_and_removed(
    node: Node, alice: Account, bob: Account, photo: Picture
) -> None:
    shown = await upload(node, alice, photo)

    def unit(tx: Writer) -> None:
        assert tagged_people.tag(tx, alice, shown.id, bob, 0.25, 7)
        assert tagged_people.tag(tx, alice, shown.id, bob, 0.5, 0.12345)
        assert not tagged_people.tag(tx, alice, shown.id, bob, 0.5, 0.12345)
        [one] = tagged_people.by_photos(tx, [shown.id])[shown.id]
        assert (one.account.id, one.x, one.y) == (bob.id, 0.5, 0.123)
        assert [person.id for person in tagged_people.accounts_in(tx, alice, [shown.id])] == [bob.id]

        assert tagged_people.untag(tx, alice, shown.id, bob.id)
        assert not tagged_people.untag(tx, alice, shown.id, bob.id)
        assert names(tx, shown.id) == []

    await node.db.write(unit)


async def test_only_its_owner_tags_people_in_a_photo(
    node: Node, alice: Account, bob: Account, mallory: Account, photo: Picture
) -> None:
    shown = await upload(node, alice, photo)

    def unit(tx: Writer) -> None:
        with pytest.raises(NotFound):
            tagged_people.tag(tx, mallory, shown.id, bob, 0, 0)
        tagged_people.tag(tx, alice, shown.id, bob, 0, 0)
        with pytest.raises(NotFound):
            tagged_people.untag(tx, mallory, shown.id, bob.id)
        assert names(tx, shown.id) == ["bob"]

    await node.db.write(unit)


async def test_whoever_removed_a_tag_is_not_tagged_again(
    node: Node, alice: Account, bob: Account, photo: Picture
) -> None:
    shown = await upload(node, alice, photo)

    def unit(tx: Writer) -> None:
        tagged_people.tag(tx, alice, shown.id, bob, 0, 0)
        tagged_people.remove_own(tx, bob, [shown.id])
        assert names(tx, shown.id) == []
        with pytest.raises(NotFound):
            tagged_people.remove_own(tx, bob, [shown.id])
        with pytest.raises(Invalid, match="has removed the tag"):
            tagged_people.tag(tx, alice, shown.id, bob, 0, 0)
        assert not tagged_people.untag(tx, alice, shown.id, bob.id)
        with pytest.raises(Invalid, match="has removed the tag"):
            tagged_people.tag(tx, alice, shown.id, bob, 0.5, 0)

    await node.db.write(unit)


async def test_a_block_in_either_direction_forbids_and_ends_tags(
    node: Node, alice: Account, bob: Account, mallory: Account, photo: Picture
) -> None:
    hers, his = await upload(node, alice, photo), await upload(node, bob, photo)

    def unit(tx: Writer) -> None:
        tagged_people.tag(tx, alice, hers.id, bob, 0, 0)
        tagged_people.tag(tx, alice, hers.id, mallory, 0, 0)
        tagged_people.tag(tx, bob, his.id, alice, 0, 0)

        blocks.block(tx, bob, alice)

        assert (names(tx, hers.id), names(tx, his.id)) == (["mallory"], [])
        for author, shown, person in ((alice, hers, bob), (bob, his, alice)):
            with pytest.raises(Invalid, match="cannot be tagged"):
                tagged_people.tag(tx, author, shown.id, person, 0, 0)

    await node.db.write(unit)


async def test_so_many_people_are_tagged_in_a_photo_and_no_more(
    node: Node, alice: Account, photo: Picture
) -> None:
    shown = await upload(node, alice, photo)

    def unit(tx: Writer) -> None:
        people = [remote(tx, f"p{n}") for n in range(tagged_people.MAX_PER_PHOTO + 1)]
        for person in people[:-1]:
            tagged_people.tag(tx, alice, shown.id, person, 0, 0)
        with pytest.raises(Invalid, match="Up to 20"):
            tagged_people.tag(tx, alice, shown.id, people[-1], 0, 0)
        assert tagged_people.tag(tx, alice, shown.id, people[0], 1, 1)
        assert len(names(tx, shown.id)) == tagged_people.MAX_PER_PHOTO

    await node.db.write(unit)


async def test_a_deleted_account_is_tagged_nowhere(
    node: Node, alice: Account, bob: Account, photo: Picture
) -> None:
    shown = await upload(node, alice, photo)

    def unit(tx: Writer) -> None:
        tagged_people.tag(tx, alice, shown.id, bob, 0, 0)
        accounts.mark_deleted(tx, bob.id)
        assert names(tx, shown.id) == []
        with pytest.raises(Invalid):
            tagged_people.tag(tx, alice, shown.id, accounts.get(tx, bob.id), 0, 0)
        tagged_people.delete_by_account(tx, bob)
        assert tx.value("SELECT COUNT(*) FROM tagged_people") == 0

    await node.db.write(unit)


async def test_tags_end_with_their_photo(node: Node, alice: Account, bob: Account, photo: Picture) -> None:
    shown = await upload(node, alice, photo)

    def unit(tx: Writer) -> None:
        tagged_people.tag(tx, alice, shown.id, bob, 0, 0)
        photos.delete_unattached(tx, alice, shown.id)
        assert tx.value("SELECT COUNT(*) FROM tagged_people") == 0

    await node.db.write(unit)
