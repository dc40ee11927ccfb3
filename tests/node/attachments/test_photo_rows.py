"""Reading photos: with their files, in the order of the post, in few statements."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.attachments import photo_rows, photos
from node.attachments.photo_rows import Photo
from node.attachments.stored_files import StoredFile
from node.database import Reader, Writer
from node.node import Node
from tests.support.people import remote
from tests.support.posting import picture, receive_post
from tests.support.statements import Recording


def a_photo(**changes: object) -> Photo:
    values: dict[str, object] = {
        "id": 1,
        "account_id": 1,
        "post_id": None,
        "position": 0,
        "alt": "",
        "mime": "image/jpeg",
        "width": 0,
        "height": 0,
        "blurhash": "",
        "focus_x": 0.0,
        "focus_y": 0.0,
        "remote_url": "",
        "original_file": "",
        "extra": "{}",
        "camera": "[]",
        "created_at": 0,
        "is_incomplete": False,
        "recipe": "",
        "place": "",
    }
    return Photo(**(values | changes))  # type: ignore[arg-type]


async def test_photos_come_with_their_files_and_unknown_ids_are_left_out(node: Node) -> None:
    def unit(tx: Writer) -> tuple[int, dict[int, Photo]]:
        post = receive_post(tx, remote(tx), photos=[picture("a")])
        [photo] = photo_rows.by_posts(tx, [post.id])[post.id]
        photos.add_files(tx, photo.id, {("medium", "webp"): StoredFile("aa/bb/c.webp", 30, 20, 5)})
        return photo.id, photo_rows.by_ids(tx, [photo.id, photo.id + 1])

    photo_id, by_id = await node.db.write(unit)

    assert list(by_id) == [photo_id]
    assert by_id[photo_id].files == {("medium", "webp"): StoredFile("aa/bb/c.webp", 30, 20, 5)}


async def test_the_photos_of_a_post_are_in_its_order(node: Node) -> None:
    def unit(tx: Writer) -> tuple[int, list[Photo]]:
        post = receive_post(tx, remote(tx), photos=[picture(name) for name in "abc"])
        first, *_ = photo_rows.by_posts(tx, [post.id])[post.id]
        tx.run("UPDATE photos SET position = 9 WHERE id = :id", id=first.id)
        return post.id, photo_rows.by_posts(tx, [post.id])[post.id]

    post_id, found = await node.db.write(unit)

    assert [photo.alt for photo in found] == ["photo b", "photo c", "photo a"]
    assert {photo.post_id for photo in found} == {post_id}


async def test_the_photos_of_many_posts_take_two_statements(node: Node) -> None:
    def unit(tx: Writer) -> list[int]:
        rita = remote(tx)
        return [receive_post(tx, rita, photos=[picture("a"), picture("b")]).id for _ in range(5)]

    post_ids = await node.db.write(unit)
    recording = Recording(node.db)

    def read(tx: Reader) -> dict[int, list[Photo]]:
        return photo_rows.by_posts(tx, [*post_ids, 12345])

    found = await recording.read(read)

    assert {post_id: len(rows) for post_id, rows in found.items()} == dict.fromkeys(post_ids, 2)
    assert len(recording.statements) == 2


@pytest.mark.parametrize(
    ("formats", "expected"),
    [
        (("avif", "webp"), "b.webp"),
        (("webp", "avif"), "b.webp"),
        (("jpeg", "webp"), "a.jpg"),
        (("avif",), None),
        ((), None),
    ],
)
def test_a_file_is_the_first_format_that_exists(formats: tuple[str, ...], expected: str | None) -> None:
    photo = a_photo(
        files={
            ("medium", "jpeg"): StoredFile("a.jpg", 1, 1, 1),
            ("medium", "webp"): StoredFile("b.webp", 1, 1, 1),
            ("small", "avif"): StoredFile("c.avif", 1, 1, 1),
        }
    )

    file = photo.file("medium", *formats)

    assert (file and file.key) == expected


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=5,
    )
)
def test_public_metadata_are_an_object_whatever_is_stored(value: object) -> None:
    found = a_photo(extra=json.dumps(value)).public_metadata

    assert found == (value if isinstance(value, dict) else {})
