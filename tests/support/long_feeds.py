"""A long Home of local posts with photos, made of a few uploads: rendering hundreds of pictures would take minutes."""

from __future__ import annotations

from collections.abc import Sequence

from node.attachments import photos
from node.attachments.photo_rows import Photo
from node.database import Writer
from node.ids import new_id
from node.models.account import Account
from node.node import Node
from node.posts.drafts import Draft
from node.publishing import publishing
from tests.support.pictures import picture

SIZES = ((900, 600), (600, 900), (1600, 400), (800, 800))


async def fill(node: Node, author: Account, posts: int) -> None:
    """Publishes so many posts of an account. Each has one to three photos, of the same few files."""
    shots = [
        await photos.upload(node, author, picture(*size, seed=n), alt=f"Shot {n}")
        for n, size in enumerate(SIZES)
    ]
    await node.db.write(publishing.publish, author, Draft(photo_ids=[shot.id for shot in shots]))
    for start in range(0, posts, 20):
        await node.db.write(_publish_some, author, range(start, min(posts, start + 20)), shots)


def _publish_some(tx: Writer, author: Account, numbers: Sequence[int], shots: Sequence[Photo]) -> None:
    for number in numbers:
        post = publishing.publish(tx, author, Draft(caption=f"Evening number {number} over the lake. " * 4))
        album = 1 + number % 3
        for position in range(album):
            _copy(tx, shots[(number + position) % len(shots)].id, post.id, position)
        tx.run("UPDATE posts SET photos_count = :n WHERE id = :post", n=album, post=post.id)


def _copy(tx: Writer, photo_id: int, post_id: int, position: int) -> None:
    row = dict(tx.all("SELECT * FROM photos WHERE id = :id", id=photo_id)[0])
    row |= {"id": new_id(), "post_id": post_id, "position": position}
    tx.run(f"INSERT INTO photos ({', '.join(row)}) VALUES ({', '.join(':' + name for name in row)})", **row)
    for file in tx.all("SELECT * FROM photo_files WHERE photo_id = :id", id=photo_id):
        values = dict(file) | {"photo_id": row["id"]}
        tx.run(
            f"INSERT INTO photo_files ({', '.join(values)}) VALUES ({', '.join(':' + name for name in values)})",
            **values,
        )
