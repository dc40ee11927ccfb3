"""Composing a post with a plain form: photos are uploaded, refused with a message, ordered, described, edited."""

from __future__ import annotations

import json
from collections.abc import Callable

from node.attachments import photos
from node.database import Reader
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from node.paging import Page
from node.posts import posts
from node.timelines import post_views, timelines
from node.timelines.post_views import PostView
from tests.support.visitors import Seen
from tests.web.pages.conftest import Publish, SignedIn

Photo = Callable[..., bytes]


def _newest(tx: Reader, who: Account) -> PostView | None:
    entries = timelines.profile(tx, who, who, Page(limit=1))
    found = post_views.by_entries(tx, who, entries)
    return found[0] if found else None


def _kept(seen: Seen) -> list[str]:
    return [one.attributes["value"] for one in seen.all("input", type="hidden", name="photo")]


async def test_one_form_posts_photos_with_descriptions(
    node: Node, alice: Account, signed_in: SignedIn, photo: Photo
) -> None:
    visitor = await signed_in(alice)
    await visitor.get("/compose")
    form = [
        ("caption", "Two of them #lake"),
        ("visibility", "public"),
        ("comments", "everyone"),
        ("do", "post"),
        ("alt", "A lake"),
        ("alt", "A boat"),
    ]
    files = [
        ("photos", "a.jpg", photo(60, 40, "JPEG", seed=1)),
        ("photos", "b.png", photo(40, 60, "PNG", seed=2)),
    ]
    seen = await visitor.post("/compose", form, files=files)
    assert "Two of them" in seen.main_text
    made = await node.db.read(_newest, alice)
    assert made is not None
    assert [one.alt for one in made.photos] == ["A lake", "A boat"]
    assert made.post.comments_enabled


async def test_a_refused_photo_shows_a_message_and_loses_nothing(
    node: Node, alice: Account, signed_in: SignedIn, photo: Photo
) -> None:
    visitor = await signed_in(alice)
    await visitor.get("/compose")
    form = {"caption": "Half of it", "visibility": "followers", "do": "post"}
    files = [
        ("photos", "good.jpg", photo(60, 40, "JPEG", seed=1)),
        ("photos", "notes.pdf", b"%PDF-1.4 nothing to see"),
    ]
    seen = await visitor.post("/compose", form, files=files)
    assert seen.status == 422
    problem = next(one.text for one in seen.all("p") if one.attributes.get("role") == "alert")
    assert problem.startswith("notes.pdf: ")
    assert len(_kept(seen)) == 1
    assert seen.one("textarea", name="caption").text == "Half of it"
    assert "checked" in seen.one("input", name="visibility", value="followers").attributes
    assert await node.db.read(_newest, alice) is None
    form = [*form.items(), ("photo", _kept(seen)[0]), (f"alt-{_kept(seen)[0]}", "The good one")]
    await visitor.post("/compose", form, files=[("photos", "", b"")])
    made = await node.db.read(_newest, alice)
    assert made is not None
    assert [one.alt for one in made.photos] == ["The good one"]
    assert made.post.visibility == "followers"


async def test_photos_are_described_ordered_and_removed_before_posting(
    node: Node, alice: Account, signed_in: SignedIn, photo: Photo
) -> None:
    visitor = await signed_in(alice)
    await visitor.get("/compose")
    files = [("photos", f"{n}.jpg", photo(60, 40, "JPEG", seed=n)) for n in range(3)]
    seen = await visitor.post("/compose", {"do": "add", "caption": ""}, files=files)
    assert seen.status == 200
    one, two, three = _kept(seen)
    form = [
        ("photo", one),
        ("photo", two),
        ("photo", three),
        (f"place-{one}", "3"),
        (f"place-{three}", "1"),
        ("without", two),
    ]
    form += [
        (f"alt-{one}", "First taken"),
        (f"alt-{three}", "Last taken"),
        ("do", "post"),
        ("visibility", "public"),
    ]
    await visitor.post("/compose", form, files=[("photos", "", b"")])
    made = await node.db.read(_newest, alice)
    assert made is not None
    assert [shot.alt for shot in made.photos] == ["Last taken", "First taken"]


async def test_the_photo_of_another_account_cannot_be_posted(
    node: Node, alice: Account, mallory: Account, signed_in: SignedIn, photo: Photo
) -> None:
    hers = await photos.upload(node, alice, photo(60, 40, "JPEG", seed=1), alt="Private still")
    visitor = await signed_in(mallory)
    await visitor.get("/compose")
    form = {"do": "post", "photo": str(hers.id), "visibility": "public", "caption": "Mine now"}
    seen = await visitor.post("/compose", form, files=[("photos", "", b"")])
    assert seen.status == 422
    assert "Private still" not in seen.text
    assert await node.db.read(_newest, mallory) is None


async def test_a_script_uploads_one_photo_and_gets_the_reason_of_a_refusal(
    alice: Account, signed_in: SignedIn, photo: Photo
) -> None:
    visitor = await signed_in(alice)
    json_headers = {"accept": "application/json"}
    answer = await visitor.post(
        "/compose/photo", files=[("photo", "a.jpg", photo(60, 40, "JPEG", seed=1))], headers=json_headers
    )
    assert json.loads(answer.text)["id"].isdecimal()
    assert json.loads(answer.text)["thumb"].startswith("/media/")
    answer = await visitor.post(
        "/compose/photo", files=[("photo", "a.svg", b"<svg onload=alert(1)>")], headers=json_headers
    )
    assert answer.status == 422
    assert json.loads(answer.text)["error"]


async def test_an_empty_post_is_refused_with_a_message(alice: Account, signed_in: SignedIn) -> None:
    visitor = await signed_in(alice)
    await visitor.get("/compose")
    seen = await visitor.post("/compose", {"do": "post", "visibility": "public"}, files=[("photos", "", b"")])
    assert seen.status == 422
    assert "needs a photo or text" in seen.main_text


async def test_a_post_is_edited_and_its_history_stays_readable(
    node: Node, alice: Account, bob: Account, publish: Publish, signed_in: SignedIn
) -> None:
    post = await publish(alice, "Morning at the lak", shots=2)
    visitor = await signed_in(alice)
    seen = await visitor.get(f"/posts/{post.id}/edit")
    first, second = _kept(seen)
    form = [
        ("photo", second),
        ("photo", first),
        (f"alt-{first}", "Better words"),
        ("caption", "Morning at the lake"),
        ("do", "post"),
        ("comments", "everyone"),
    ]
    seen = await visitor.post(f"/posts/{post.id}/edit", form, files=[("photos", "", b"")])
    assert "Morning at the lake" in seen.main_text
    made = await node.db.read(_newest, alice)
    assert made is not None
    assert [str(shot.id) for shot in made.photos] == [second, first]
    assert "Morning at the lak " in (await visitor.get(f"/posts/{post.id}/history")).main_text + " "
    his = await signed_in(bob)
    assert (await his.get(f"/posts/{post.id}/edit")).status == 403
    assert (
        await his.post(f"/posts/{post.id}/edit", {"caption": "x"}, files=[("photos", "", b"")])
    ).status == 403


def _post(tx: Reader, post_id: int) -> Post | None:
    return posts.by_id(tx, post_id)


async def test_a_comment_can_be_edited(
    node: Node, alice: Account, publish: Publish, signed_in: SignedIn
) -> None:
    post = await publish(alice, "Morning")
    visitor = await signed_in(alice)
    await visitor.get(f"/p/alice/{post.id}")
    seen = await visitor.post(f"/posts/{post.id}/comment", {"caption": "A tipo"})
    comment = seen.one("article", class_="comment").attributes["id"].removeprefix("post-")
    await visitor.get(f"/posts/{comment}/edit")
    await visitor.post(
        f"/posts/{comment}/edit", {"caption": "A typo", "do": "post", "comments": "everyone"}, files=[]
    )
    changed = await node.db.read(_post, int(comment))
    assert changed is not None
    assert changed.source == "A typo"
    assert changed.parent_id == post.id
