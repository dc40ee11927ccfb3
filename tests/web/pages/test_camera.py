"""Camera metadata, place and licence: shared only when ticked, field by field, and only by the author."""

from __future__ import annotations

import json
from typing import Any

from activitypub.documents import notes
from node.attachments import photo_metadata, photo_rows, photos
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from node.posts import posts
from node.posts.drafts import Draft
from node.publishing import publishing
from tests.media.test_exif import photo
from tests.support.visitors import Visitor
from tests.web.pages.conftest import SignedIn


async def _document(node: Node, post_id: int) -> dict[str, Any]:
    def unit(tx: Any) -> dict[str, Any]:
        post = posts.by_id(tx, post_id)
        assert post is not None
        return notes.render_document(tx, post)

    return await node.db.read(unit)


async def _posted(node: Node, alice: Account) -> Post:
    (found,) = await node.db.read(
        lambda tx: [posts.by_id(tx, row["id"]) for row in tx.all("SELECT id FROM posts")]
    )
    assert found is not None
    return found


async def test_only_ticked_metadata_is_shared(
    node: Node, alice: Account, signed_in: SignedIn, anybody: Visitor
) -> None:
    hers = await signed_in(alice)
    seen = await hers.get("/compose")
    assert not [box for box in seen.all("input", name="share") if "checked" in box.attributes]
    seen = await hers.post("/compose", {"do": "add"}, files=[("photos", "a.jpg", photo())])
    assert (
        "In the file, shown only if you choose it: FUJIFILM X100V · Fujinon 23/2 · 23 mm · f/2.2 · 1/200 s · ISO 400"
        in seen.main_text
    )
    number = seen.one("input", name="photo").attributes["value"]
    await hers.post("/compose", {"caption": "Fog", "visibility": "public", "photo": number})
    post = await _posted(node, alice)
    document = await _document(node, post.id)
    assert not {"exifData", "license", "location"} & set(document["attachment"][0]) | (
        {"location"} & set(document)
    )
    page = await anybody.get(f"/p/alice/{post.id}")
    assert "X100V" not in page.text
    assert not page.all("dl", class_="facts metadata")

    seen = await hers.get(f"/posts/{post.id}/edit")
    form = {"caption": "Fog", "photo": number, "licence": "CC BY-SA", "place": " Lake  Tegel "}
    await hers.post(f"/posts/{post.id}/edit", [*form.items(), ("share", "settings"), ("share", "time")])
    document = await _document(node, post.id)
    (attachment,) = document["attachment"]
    assert attachment["license"] == "CC BY-SA"
    assert attachment["exifData"] == [
        {"@type": "PropertyValue", "name": "FocalLength", "value": "23 mm"},
        {"@type": "PropertyValue", "name": "FocalLengthIn35mmFilm", "value": "35"},
        {"@type": "PropertyValue", "name": "FNumber", "value": "f/2.2"},
        {"@type": "PropertyValue", "name": "ExposureTime", "value": "1/200"},
        {"@type": "PropertyValue", "name": "PhotographicSensitivity", "value": "400"},
        {"@type": "PropertyValue", "name": "DateTime", "value": "2026:09:01 05:58:11"},
    ]
    assert document["location"] == {"type": "Place", "name": "Lake Tegel"}
    assert "updated" in document
    page = await anybody.get(f"/p/alice/{post.id}")
    assert "23 mm · f/2.2 · 1/200 s · ISO 400" in page.main_text
    assert "Lake Tegel" in page.main_text
    assert (
        page.one("a", rel="license nofollow noopener noreferrer").attributes["href"].endswith("/by-sa/4.0/")
    )
    assert "X100V" not in page.text

    # Once unticked, it is shared no more.
    await hers.get(f"/posts/{post.id}/edit")
    await hers.post(f"/posts/{post.id}/edit", {"caption": "Fog", "photo": number})
    document = await _document(node, post.id)
    assert not {"exifData", "license"} & set(document["attachment"][0])
    assert "location" not in document


async def test_an_edit_by_an_app_keeps_the_shared_metadata(
    node: Node, alice: Account, signed_in: SignedIn
) -> None:
    made = await photos.upload(node, alice, photo(), alt="Fog")
    draft = Draft(
        photo_ids=[made.id],
        shared_metadata=photo_metadata.SharedMetadata(frozenset({"camera", "lens"}), "CC BY", "The sea"),
    )
    post = await node.db.write(publishing.publish, alice, draft)
    await node.db.write(publishing.edit, alice, post, Draft(caption="New words", photo_ids=[made.id]))
    (stored,) = (await node.db.read(photo_rows.by_posts, [post.id]))[post.id]
    assert photo_metadata.from_photos([stored]) == draft.shared_metadata
    assert json.loads(stored.extra)["exif"] == [
        ["Make", "FUJIFILM"],
        ["Model", "X100V"],
        ["LensModel", "Fujinon 23/2"],
    ]


async def test_an_unknown_licence_is_refused_in_the_form(
    node: Node, alice: Account, signed_in: SignedIn
) -> None:
    hers = await signed_in(alice)
    await hers.get("/compose")
    seen = await hers.post("/compose", {"caption": "x", "visibility": "public", "licence": "<b>Mine</b>"})
    assert seen.status == 422
    assert "licence is not available" in seen.main_text
    seen = await hers.post("/compose", {"caption": "x", "visibility": "public", "place": "x" * 101})
    assert seen.status == 422
    assert seen.one("input", name="place").attributes["value"] == "x" * 101


async def test_a_photo_added_by_an_app_shares_no_metadata(node: Node, alice: Account) -> None:
    one = await photos.upload(node, alice, photo(model="STUDIO"), alt="One")
    two = await photos.upload(node, alice, photo(model="AT-HOME"), alt="Two")
    shared = photo_metadata.SharedMetadata(frozenset({"camera", "time"}), "CC BY", "Studio")
    post = await node.db.write(publishing.publish, alice, Draft(photo_ids=[one.id], shared_metadata=shared))
    await node.db.write(publishing.edit, alice, post, Draft(caption="x", photo_ids=[one.id, two.id]))
    document = json.dumps(await _document(node, post.id))
    assert "STUDIO" in document
    assert "AT-HOME" not in document
    assert document.count("CC BY") == 2


async def test_a_place_without_a_photo_is_refused(node: Node, alice: Account, signed_in: SignedIn) -> None:
    hers = await signed_in(alice)
    await hers.get("/compose")
    seen = await hers.post("/compose", {"caption": "Words", "visibility": "public", "place": "Lofoten"})
    assert seen.status == 422
    assert "A location needs a photo" in seen.main_text
    assert seen.one("input", name="place").attributes["value"] == "Lofoten"
