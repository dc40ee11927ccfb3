"""The variants for which nobody waits: made from the original by a job, or left out."""

from __future__ import annotations

from collections.abc import Callable

from node.attachments import photos
from node.models.account import Account
from node.node import Node
from node.posts.drafts import Draft
from node.publishing import post_deletion, publishing
from tests.node.attachments.test_photos import current, run_jobs, stored


async def test_a_photo_deleted_before_its_deferred_variants_leaves_nothing(
    node: Node, alice: Account, photo: Callable[..., bytes]
) -> None:
    uploaded = await photos.upload(node, alice, photo())
    post = await node.db.write(publishing.publish, alice, Draft(photo_ids=[uploaded.id]))
    await node.db.write(post_deletion.delete, alice, post)
    await run_jobs(node)
    assert stored(node) == set()


async def test_without_its_original_a_photo_lacks_only_deferred_variants(
    node: Node, alice: Account, photo: Callable[..., bytes]
) -> None:
    uploaded = await photos.upload(node, alice, photo())
    await node.storage.delete(uploaded.original_file)
    await run_jobs(node)
    kept = await current(node, uploaded.id)
    assert set(kept.files) == set(uploaded.files)
