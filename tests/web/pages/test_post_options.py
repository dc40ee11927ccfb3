"""What a post says beside its words: camera and lens each by itself, a licence with a default, comments on or off."""

from __future__ import annotations

import json

from node.attachments import photo_rows, photos
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from node.posts import posts
from tests.media.test_exif import photo as camera_photo
from tests.web.pages.conftest import SignedIn


async def _current(node: Node, post: Post) -> Post:
    found = await node.db.read(posts.by_id, post.id)
    assert found is not None
    return found


async def test_the_lens_is_shared_without_the_camera(node: Node, alice: Account, signed_in: SignedIn) -> None:
    visitor, shown = await signed_in(alice), await photos.upload(node, alice, camera_photo())
    await visitor.get("/compose")

    await visitor.post("/compose", {"photo": str(shown.id), "visibility": "public", "share": "lens"})

    now = (await node.db.read(photo_rows.by_ids, [shown.id]))[shown.id]
    assert json.loads(now.extra) == {"exif": [["LensModel", "Fujinon 23/2"]], "groups": ["lens"]}


async def test_the_licence_of_new_posts_is_chosen_in_the_settings(
    node: Node, alice: Account, signed_in: SignedIn
) -> None:
    visitor, shown = await signed_in(alice), await photos.upload(node, alice, camera_photo())
    await visitor.get("/settings/profile")
    assert (await visitor.post("/settings/profile", {"default_licence": "MIT"})).status == 422
    await visitor.get("/settings/profile")
    seen = await visitor.post("/settings/profile", {"default_licence": "CC BY-SA"})
    assert [one.text for one in seen.all("option", selected="") if one.text.startswith("CC")] == ["CC BY-SA"]

    seen = await visitor.get("/compose")

    assert [one.text for one in seen.all("option", selected="") if one.text.startswith("CC")] == ["CC BY-SA"]
    seen = await visitor.post("/compose", {"caption": "Words", "visibility": "public", "licence": "CC BY-SA"})
    assert seen.path.startswith("/p/alice/")
    await visitor.get("/compose")
    await visitor.post("/compose", {"photo": str(shown.id), "visibility": "public", "licence": "CC BY-SA"})
    now = (await node.db.read(photo_rows.by_ids, [shown.id]))[shown.id]
    assert now.public_metadata["license"] == "CC BY-SA"
