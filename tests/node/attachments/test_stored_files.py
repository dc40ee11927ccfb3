"""Stored files: keys made of the bytes, and deletion only when no row names a file any more."""

from __future__ import annotations

import pytest

from media.images import RenderedFile
from node.attachments import custom_emoji, photo_rows, photos, stored_files
from node.attachments.stored_files import StoredFile
from node.database import Writer
from node.jobs import queue
from node.models.remote_actor import RemoteEmoji
from node.node import Node
from tests.support.people import remote
from tests.support.posting import picture, receive_post


def rendered(data: bytes = b"bytes", variant: str = "medium") -> RenderedFile:
    return RenderedFile(variant, "webp", "image/webp", 30, 20, data)


async def delete_queued_files(node: Node) -> None:
    while jobs := await node.db.write(queue.claim, "delete_files", 1, 2**61):
        await stored_files.delete_files(node, jobs[0])
        await node.db.write(queue.finish, jobs[0])


async def test_equal_bytes_have_one_key_and_other_bytes_another(node: Node) -> None:
    files = [rendered(b"one", "medium"), rendered(b"one", "small"), rendered(b"two", "thumb")]

    stored = await stored_files.store(node, files)

    medium, small, thumb = (stored[name, "webp"] for name in ("medium", "small", "thumb"))
    assert medium.key == small.key != thumb.key
    assert (medium.width, medium.height, medium.bytes) == (30, 20, 3)
    assert await node.storage.get(thumb.key) == b"two"
    assert medium.key.endswith(".webp")


async def test_a_folder_shares_no_file_with_local_uploads(node: Node) -> None:
    [local] = (await stored_files.store(node, [rendered()])).values()
    [cached] = (await stored_files.store(node, [rendered()], folder="cache/")).values()

    assert cached.key == f"cache/{local.key}"
    await node.storage.delete(cached.key)
    assert await node.storage.get(local.key) == b"bytes"


async def test_a_file_deleted_before_its_row_was_written_is_stored_again(node: Node) -> None:
    files = [rendered(b"one", "medium"), rendered(b"two", "small")]
    stored = await stored_files.store(node, files)
    await node.storage.delete(stored["medium", "webp"].key)

    await stored_files.restore_missing(node, stored, files)

    assert await node.storage.get(stored["medium", "webp"].key) == b"one"
    assert await node.storage.get(stored["small", "webp"].key) == b"two"


async def test_a_deletion_is_queued_once_for_each_key_and_not_for_none(node: Node) -> None:
    def unit(tx: Writer) -> list[str]:
        stored_files.queue_deletion(tx, [])
        stored_files.queue_deletion(tx, ["", ""])
        assert tx.all("SELECT id FROM jobs WHERE kind = 'delete_files'") == []
        stored_files.queue_deletion(tx, ["b.webp", "", "a.webp", "b.webp"])
        [job] = queue.claim(tx, "delete_files", 10, 2**61)
        return list(job.payload["keys"])

    assert await node.db.write(unit) == ["a.webp", "b.webp"]


def name_in_photo(tx: Writer, key: str) -> None:
    post = receive_post(tx, remote(tx), photos=[picture()])
    [photo] = photo_rows.by_posts(tx, [post.id])[post.id]
    photos.add_files(tx, photo.id, {("medium", "webp"): StoredFile(key, 30, 20, 5)})


def name_in_avatar(tx: Writer, key: str) -> None:
    tx.run(
        """INSERT INTO avatar_files (account_id, variant, format, file, source_url, bytes)
           VALUES (:id, 'avatar', 'webp', :key, '', 5)""",
        id=remote(tx).id,
        key=key,
    )


def name_in_emoji(tx: Writer, key: str) -> None:
    custom_emoji.record_used(tx, "far.example", [RemoteEmoji("cat", "https://far.example/cat")], ":cat:")
    tx.run("UPDATE emoji SET file = :key", key=key)


@pytest.mark.parametrize(
    ("name_in_row", "forget"),
    [
        (name_in_photo, "DELETE FROM photo_files"),
        (name_in_avatar, "DELETE FROM avatar_files"),
        (name_in_emoji, "UPDATE emoji SET file = ''"),
    ],
    ids=["photo", "avatar", "emoji"],
)
async def test_a_file_that_a_row_names_is_not_deleted(node: Node, name_in_row: object, forget: str) -> None:
    [file] = (await stored_files.store(node, [rendered()])).values()
    await node.db.write(name_in_row, file.key)  # type: ignore[arg-type]

    await node.db.write(stored_files.queue_deletion, [file.key])
    await delete_queued_files(node)
    assert await node.storage.get(file.key) == b"bytes"

    await node.db.write(lambda tx: tx.run(forget))
    await node.db.write(stored_files.queue_deletion, [file.key])
    await delete_queued_files(node)
    with pytest.raises(KeyError):
        await node.storage.get(file.key)


async def test_deleting_a_file_that_is_gone_is_no_error(node: Node) -> None:
    [file] = (await stored_files.store(node, [rendered()])).values()
    await node.db.write(stored_files.queue_deletion, [file.key])
    await node.storage.delete(file.key)

    await delete_queued_files(node)

    assert await node.db.read(lambda tx: tx.all("SELECT id FROM jobs WHERE kind = 'delete_files'")) == []
