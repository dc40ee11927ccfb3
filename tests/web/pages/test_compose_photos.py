"""The form of a post: a photo is replaced by another, leads to its own pages, and a script that sends it gets JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from node.attachments import photo_rows, photos
from node.database import Reader
from node.models.account import Account
from node.node import Node
from node.paging import Page
from node.posts import posts
from node.publishing import saved_drafts
from node.timelines import timelines
from tests.support.visitors import Seen, Visitor
from tests.web.pages.conftest import Publish, SignedIn

Photo = Callable[..., bytes]
JSON = {"accept": "application/json"}
NO_FILES = [("photos", "", b"")]


def _photos(tx: Reader, who: Account) -> list[photo_rows.Photo]:
    """The photos of the newest post of an account."""
    entries = timelines.profile(tx, who, who, Page(limit=1))
    return photo_rows.by_posts(tx, [entries[0].post_id]).get(entries[0].post_id, []) if entries else []


def _kept(seen: Seen) -> list[str]:
    return [one.attributes["value"] for one in seen.all("input", type="hidden", name="photo")]


async def test_a_photo_of_any_size_says_that_nobody_is_signed_in(anybody: Visitor) -> None:
    """Which a script tries again once somebody is; that it were too large is final."""
    await anybody.get("/about")
    for size in (10_000, 500_000):
        file = ("photo", "a.jpg", b"x" * size)
        assert (await anybody.post("/compose/photo", {}, files=[file], headers=JSON)).status == 401


async def _answer(visitor: Visitor, path: str, form: Any) -> tuple[int, dict[str, Any]]:
    seen = await visitor.post(path, form, files=NO_FILES, headers=JSON)
    return seen.status, json.loads(seen.text)


async def test_a_photo_is_replaced_by_a_file_and_keeps_its_text_and_place(
    node: Node, alice: Account, publish: Publish, signed_in: SignedIn, photo: Photo
) -> None:
    post = await publish(alice, "Morning", shots=2)
    visitor = await signed_in(alice)
    first, second = _kept(await visitor.get(f"/posts/{post.id}/edit"))
    form = [("photo", first), ("photo", second), (f"alt-{first}", "One"), (f"alt-{second}", "Two")]
    form += [("caption", "Morning"), ("do", "post")]
    await visitor.post(
        f"/posts/{post.id}/edit", form, files=[(f"replace-{first}", "new.jpg", photo(60, 40, "JPEG", seed=9))]
    )

    new, kept = await node.db.read(_photos, alice)

    assert (new.alt, kept.alt, str(kept.id)) == ("One", "Two", second)
    assert str(new.id) != first
    assert (await node.db.read(photo_rows.by_ids, [int(first)]))[int(first)].post_id is None
    assert (await visitor.get(f"/posts/{post.id}/history")).status == 200


async def test_a_refused_replacement_leaves_the_photo_and_waits_for_a_decision(
    node: Node, alice: Account, signed_in: SignedIn, photo: Photo
) -> None:
    kept = await photos.upload(node, alice, photo(60, 40, "JPEG", seed=1))
    visitor = await signed_in(alice)
    await visitor.get("/compose")
    form = {"caption": "x", "photo": str(kept.id), f"alt-{kept.id}": "One", "do": "post"}

    seen = await visitor.post("/compose", form, files=[(f"replace-{kept.id}", "a.pdf", b"%PDF-1.4")])

    assert seen.status == 422
    assert _kept(seen) == [str(kept.id)]
    assert [one.attributes["value"] for one in seen.all("input", type="hidden", name="missing")] == ["a.pdf"]
    assert seen.one("textarea", name=f"alt-{kept.id}").text == "One"
    assert await node.db.read(_photos, alice) == []


@pytest.mark.parametrize("page", ["edit", "details"])
async def test_the_buttons_of_a_photo_keep_what_is_typed_and_lead_to_its_page(
    node: Node, alice: Account, publish: Publish, signed_in: SignedIn, photo: Photo, page: str
) -> None:
    made = await photos.upload(node, alice, photo(60, 40, "JPEG", seed=1))
    visitor = await signed_in(alice)
    await visitor.get("/compose")
    form = {"caption": "Half of it", "photo": str(made.id), "do": f"{page}-{made.id}"}

    status, answer = await _answer(visitor, "/compose", form)

    [saved] = await node.db.read(saved_drafts.by_author, alice)
    assert (status, saved.draft.caption) == (200, "Half of it")
    assert answer["path"] == f"/photos/{made.id}/{page}?back=%2Fcompose%3Fdraft%3D{saved.id}"

    post = await publish(alice, "Morning", shots=1)
    kept = _kept(await visitor.get(f"/posts/{post.id}/edit"))
    form = {"caption": "Later", "photo": kept[0], "do": f"{page}-{kept[0]}"}
    status, answer = await _answer(visitor, f"/posts/{post.id}/edit", form)
    changed = await node.db.read(posts.by_id, post.id)
    assert changed is not None
    assert changed.source == "Later"
    assert answer["path"] == f"/photos/{kept[0]}/{page}?back=%2Fposts%2F{post.id}%2Fedit"


async def test_a_photo_that_is_not_in_the_form_has_no_page_and_nothing_is_published(
    node: Node, alice: Account, signed_in: SignedIn
) -> None:
    visitor = await signed_in(alice)
    await visitor.get("/compose")
    seen = await visitor.post("/compose", {"caption": "x", "do": "details-7"}, files=NO_FILES)
    assert (seen.status, seen.one("textarea", name="caption").text) == (200, "x")
    assert await node.db.read(lambda tx: timelines.profile(tx, alice, alice, Page())) == []


async def test_a_script_is_told_where_the_post_is_or_why_there_is_none(
    node: Node, alice: Account, signed_in: SignedIn, photo: Photo
) -> None:
    made = await photos.upload(node, alice, photo(60, 40, "JPEG", seed=1))
    visitor = await signed_in(alice)
    await visitor.get("/compose")
    status, answer = await _answer(
        visitor, "/compose", {"caption": "x", "photo": str(made.id), "missing": "b.jpg", "do": "post"}
    )
    assert status == 422
    assert answer["error"].startswith("1 photo was not uploaded")
    assert answer["photos"] == [str(made.id)]

    status, answer = await _answer(visitor, "/compose", {"caption": "x", "do": "draft"})
    assert (status, answer) == (200, {"path": "/drafts"})

    status, answer = await _answer(visitor, "/compose", {"caption": "x", "photo": str(made.id), "do": "post"})
    assert status == 200
    assert answer["path"].startswith("/p/alice/")
    # Sent again, for example because the answer was lost, it does not post the photo a second time.
    status, answer = await _answer(visitor, "/compose", {"caption": "x", "photo": str(made.id), "do": "post"})
    assert (status, answer["photos"]) == (422, [])


async def test_an_edit_that_began_before_another_one_is_asked_about(
    node: Node, alice: Account, publish: Publish, signed_in: SignedIn
) -> None:
    post = await publish(alice, "Morning")
    visitor = await signed_in(alice)
    seen = await visitor.get(f"/posts/{post.id}/edit")
    version = seen.one("input", name="version").attributes["value"]
    form = {"photo": _kept(seen)[0], "do": "post", "version": version}
    await visitor.post(f"/posts/{post.id}/edit", {**form, "caption": "First"}, files=NO_FILES)

    status, answer = await _answer(visitor, f"/posts/{post.id}/edit", {**form, "caption": "Second"})

    changed = await node.db.read(posts.by_id, post.id)
    assert changed is not None
    assert (status, changed.source) == (422, "First")
    assert "changed in another tab" in answer["error"]
    form["version"] = answer["version"]
    await visitor.post(f"/posts/{post.id}/edit", {**form, "caption": "Second"}, files=NO_FILES)
    changed = await node.db.read(posts.by_id, post.id)
    assert changed is not None
    assert changed.source == "Second"


async def test_of_missing_photos_with_one_name_only_that_is_decided_which_was_chosen_again(
    alice: Account, signed_in: SignedIn, photo: Photo
) -> None:
    """A phone calls every photo by the same name."""
    visitor = await signed_in(alice)
    await visitor.get("/compose")
    bad, good = b"%PDF-1.7", photo(60, 40, "JPEG", seed=4)
    seen = await visitor.post(
        "/compose", {"do": "add"}, files=[("photos", "image.jpg", bad), ("photos", "image.jpg", bad)]
    )
    form = [
        (name, value)
        for one in seen.all("input", type="hidden")
        if (name := one.attributes["name"]).startswith("missing") and (value := one.attributes["value"])
    ]

    for name, data, missing in (
        ("image.jpg", bad, ["image.jpg", "image.jpg"]),
        ("other.pdf", bad, ["image.jpg", "other.pdf"]),
        ("other.jpg", good, ["image.jpg"]),
    ):
        seen = await visitor.post("/compose", [*form, ("do", "add")], files=[("again-1", name, data)])
        shown = [one.attributes["value"] for one in seen.all("input", type="hidden", name="missing")]
        assert (shown, len(_kept(seen))) == (missing, data == good)
