"""Composing a post with a plain form: photos are uploaded, refused with a message, ordered, described, edited."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

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


def _all(tx: Reader, who: Account) -> list[PostView]:
    return post_views.by_entries(tx, who, timelines.profile(tx, who, who, Page()))


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


async def test_a_form_that_is_sent_again_is_posted_once(
    node: Node, alice: Account, signed_in: SignedIn, photo: Photo
) -> None:
    visitor = await signed_in(alice)
    uploaded = await photos.upload(node, alice, photo(60, 40, "JPEG", seed=1))
    once = (await visitor.get("/compose")).one("input", type="hidden", name="once").attributes["value"]
    text = {"caption": "From a tunnel", "visibility": "public", "do": "post", "once": once}
    with_photo = {**text, "photo": str(uploaded.id)}
    for form in (text, text, with_photo, with_photo):
        seen = await visitor.post("/compose", form)
        assert (seen.status, "From a tunnel" in seen.main_text) == (200, True)
    # Another text is another post, also where Back led to the same form; and so is another form.
    await visitor.post("/compose", {**text, "caption": "From a train"})
    again = (await visitor.get("/compose")).one("input", type="hidden", name="once").attributes["value"]
    await visitor.post("/compose", {**text, "once": again})

    made = await node.db.read(_all, alice)
    assert [(len(one.photos), one.post.source) for one in made] == [
        (0, "From a tunnel"),
        (0, "From a train"),
        (1, "From a tunnel"),
        (0, "From a tunnel"),
    ]


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


@pytest.mark.parametrize(
    ("moved", "to", "expected"), [(1, "3", "231"), (3, "1", "312"), (2, "1", "213"), (2, "3", "132")]
)
async def test_one_changed_number_moves_that_photo_there(
    node: Node, alice: Account, signed_in: SignedIn, photo: Photo, moved: int, to: str, expected: str
) -> None:
    visitor = await signed_in(alice)
    await visitor.get("/compose")
    files = [("photos", f"{n}.jpg", photo(60, 40, "JPEG", seed=n)) for n in range(3)]
    kept = _kept(await visitor.post("/compose", {"do": "add", "caption": ""}, files=files))
    form = [("do", "post"), ("visibility", "public")]
    for n, id_ in enumerate(kept, 1):
        place = to if n == moved else str(n)
        form += [("photo", id_), (f"alt-{id_}", str(n)), (f"place-{id_}", place)]
    await visitor.post("/compose", form, files=[("photos", "", b"")])
    made = await node.db.read(_newest, alice)
    assert made is not None
    assert "".join(shot.alt for shot in made.photos) == expected


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
    history = await visitor.get(f"/posts/{post.id}/history")
    assert "Morning at the lak" in [one.text.strip() for one in history.all("div", class_="caption")]
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


NO_FILES = [("photos", "", b"")]
PDF = b"%PDF-1.4 nothing to see"


def _missing(seen: Seen) -> list[str]:
    return [one.attributes["value"] for one in seen.all("input", type="hidden", name="missing")]


async def test_a_photo_post_never_becomes_a_text_post_by_a_failed_photo(
    node: Node, alice: Account, signed_in: SignedIn
) -> None:
    visitor = await signed_in(alice)
    await visitor.get("/compose")
    form = {"caption": "Look at this", "visibility": "public", "do": "post"}
    seen = await visitor.post("/compose", form, files=[("photos", "notes.pdf", PDF)])
    assert seen.status == 422
    assert _missing(seen) == ["notes.pdf"]

    # Pressing Post again, without a decision, publishes nothing.
    seen = await visitor.post("/compose", {**form, "missing": "notes.pdf"}, files=NO_FILES)
    assert seen.status == 422
    assert "1 photo was not uploaded" in seen.main_text
    assert _missing(seen) == ["notes.pdf"]
    assert seen.one("textarea", name="caption").text == "Look at this"
    assert await node.db.read(_newest, alice) is None

    # Nor does leaving the photo out make a post of words alone: that is to be said in words.
    form = {**form, "missing": "notes.pdf", "skip": "notes.pdf"}
    for later in (form, {"caption": "Look at this", "do": "post", "had_photos": "1"}):
        seen = await visitor.post("/compose", later, files=NO_FILES)
        assert seen.status == 422
        assert seen.one("input", name="had_photos").attributes["value"] == "1"
        assert await node.db.read(_newest, alice) is None
    seen.one("input", type="checkbox", name="text_only")

    await visitor.post("/compose", {**form, "text_only": "1"}, files=NO_FILES)
    made = await node.db.read(_newest, alice)
    assert made is not None
    assert made.photos == []


async def test_post_waits_until_every_failed_photo_is_decided(
    node: Node, alice: Account, signed_in: SignedIn, photo: Photo
) -> None:
    visitor = await signed_in(alice)
    await visitor.get("/compose")
    form = [("caption", ""), ("visibility", "public"), ("do", "post")]
    files = [
        ("photos", "good.jpg", photo(60, 40, "JPEG", seed=1)),
        ("photos", "same.jpg", PDF),
        ("photos", "same.jpg", PDF),
    ]
    seen = await visitor.post("/compose", form, files=files)
    assert _missing(seen) == ["same.jpg", "same.jpg"]
    form += [
        ("photo", _kept(seen)[0]),
        ("missing", "same.jpg"),
        ("missing", "same.jpg"),
        ("skip", "same.jpg"),
    ]
    seen = await visitor.post("/compose", form, files=NO_FILES)
    assert seen.status == 422
    assert _missing(seen) == ["same.jpg"]
    form += [("skip", "same.jpg")]
    await visitor.post("/compose", form, files=NO_FILES)
    made = await node.db.read(_newest, alice)
    assert made is not None
    assert len(made.photos) == 1


async def test_selecting_the_failed_file_again_is_a_decision_too(
    node: Node, alice: Account, signed_in: SignedIn, photo: Photo
) -> None:
    visitor = await signed_in(alice)
    await visitor.get("/compose")
    form = {"caption": "", "visibility": "public", "do": "post", "missing": "a.jpg"}
    await visitor.post("/compose", form, files=[("photos", "a.jpg", photo(60, 40, "JPEG", seed=1))])
    made = await node.db.read(_newest, alice)
    assert made is not None
    assert len(made.photos) == 1


async def test_a_photo_that_no_longer_exists_is_not_left_out_silently(
    node: Node, alice: Account, signed_in: SignedIn, photo: Photo
) -> None:
    visitor = await signed_in(alice)
    kept = await photos.upload(node, alice, photo(60, 40, "JPEG", seed=1))
    lost = await photos.upload(node, alice, photo(60, 40, "JPEG", seed=2))
    await node.db.write(photos.delete_unattached, alice, lost.id)
    await visitor.get("/compose")
    form = [
        ("caption", "Two of them"),
        ("photo", str(kept.id)),
        ("photo", str(lost.id)),
        ("photo", "not-an-id"),
        ("visibility", "public"),
        ("do", "post"),
    ]
    seen = await visitor.post("/compose", form, files=NO_FILES)
    assert seen.status == 422
    assert _kept(seen) == [str(kept.id)]
    assert _missing(seen) == ["Photo 2", "Photo 3"]
    assert await node.db.read(_newest, alice) is None


async def test_an_edit_waits_for_a_decision_about_failed_photos_too(
    node: Node, alice: Account, publish: Publish, signed_in: SignedIn
) -> None:
    post = await publish(alice, "Morning")
    visitor = await signed_in(alice)
    seen = await visitor.get(f"/posts/{post.id}/edit")
    form = [("photo", _kept(seen)[0]), ("caption", "Later"), ("do", "post"), ("missing", "b.jpg")]
    seen = await visitor.post(f"/posts/{post.id}/edit", form, files=NO_FILES)
    assert seen.status == 422
    unchanged = await node.db.read(_post, post.id)
    assert unchanged is not None
    assert unchanged.source == "Morning"
    await visitor.post(f"/posts/{post.id}/edit", [*form, ("skip", "b.jpg")], files=NO_FILES)
    changed = await node.db.read(_post, post.id)
    assert changed is not None
    assert changed.source == "Later"


async def test_what_a_form_says_is_missing_is_bounded(alice: Account, signed_in: SignedIn) -> None:
    visitor = await signed_in(alice)
    await visitor.get("/compose")
    form = [("caption", "x"), ("do", "post"), *[("missing", "<b>" * 500)] * 300]
    seen = await visitor.post("/compose", form, files=NO_FILES)
    assert seen.status == 422
    assert len(_missing(seen)) <= 20
    assert max(len(name) for name in _missing(seen)) <= 100


async def test_a_post_is_deleted_and_edited_as_a_new_one_with_its_photos(
    node: Node, alice: Account, bob: Account, publish: Publish, signed_in: SignedIn
) -> None:
    post = await publish(alice, "Morning at teh lake", shots=2, warning="Fog", visibility="unlisted")
    visitor = await signed_in(alice)
    page = await visitor.get(f"/posts/{post.id}/delete")
    assert page.one("button", name="redraft")
    seen = await visitor.post(f"/posts/{post.id}/delete", {"redraft": "1"})
    assert seen.status == 200
    assert seen.one("textarea", name="caption").text == "Morning at teh lake"
    assert seen.one("input", name="warning").attributes["value"] == "Fog"
    assert "checked" in seen.one("input", name="visibility", value="unlisted").attributes
    assert len(_kept(seen)) == 2
    assert (await (await signed_in(bob)).get(f"/p/alice/{post.id}")).status in (404, 410)
    form = [("caption", "Morning at the lake"), ("visibility", "public"), ("do", "post")]
    form += [("photo", id_) for id_ in _kept(seen)]
    await visitor.post("/compose", form, files=NO_FILES)
    made = await node.db.read(_newest, alice)
    assert made is not None
    assert made.post.id != post.id
    assert [str(one.id) for one in made.photos] == _kept(seen)


async def test_a_comment_is_only_deleted(alice: Account, publish: Publish, signed_in: SignedIn) -> None:
    post = await publish(alice, "Morning")
    visitor = await signed_in(alice)
    await visitor.get(f"/p/alice/{post.id}")
    seen = await visitor.post(f"/posts/{post.id}/comment", {"caption": "A tipo"})
    comment = seen.one("article", class_="comment").attributes["id"].removeprefix("post-")
    assert not (await visitor.get(f"/posts/{comment}/delete")).all("button", name="redraft")


async def test_a_photo_whose_file_broke_off_is_posted_and_said_to_be_so(
    node: Node, alice: Account, signed_in: SignedIn, photo: Photo
) -> None:
    visitor, whole = await signed_in(alice), photo(800, 900, "JPEG")
    notice = "The end of this file is missing, so a part of the picture may be grey or less sharp."
    files = [("photos", "a.jpg", whole[: len(whole) * 98 // 100]), ("photos", "b.jpg", photo(80, 90, "JPEG"))]
    await visitor.get("/compose")

    form = await visitor.post("/compose", [("visibility", "public"), ("do", "add")], files=files)

    assert form.main_text.count(notice) == 1
    kept = [("photo", id_) for id_ in _kept(form)]
    assert len(kept) == 2
    seen = await visitor.post(
        "/compose", [*kept, ("visibility", "public"), ("comments", "everyone"), ("do", "post")]
    )
    assert seen.main_text.count(notice) == 1


async def test_a_quote_of_ones_own_post_for_few_people_begins_with_its_audience(
    node: Node, alice: Account, publish: Publish, signed_in: SignedIn
) -> None:
    quoted = await publish(alice, "Mine", visibility="followers")
    visitor = await signed_in(alice)
    page = await visitor.get(f"/compose?quote={quoted.id}")
    chosen = [
        one.attributes["value"] for one in page.all("input", name="visibility") if "checked" in one.attributes
    ]
    assert chosen == ["followers"]

    sent = {"caption": "Again", "comments": "everyone", "do": "post", "quote": str(quoted.id)}
    refused = await visitor.post("/compose", sent | {"visibility": "public"})
    assert "more people" in refused.main_text
    await visitor.post("/compose", sent | {"visibility": "followers"})
    newest = await node.db.read(_newest, alice)
    assert newest is not None
    assert (newest.post.visibility, newest.quote_id) == ("followers", quoted.id)


async def test_a_caption_with_a_long_link_can_be_edited(
    alice: Account, publish: Publish, signed_in: SignedIn
) -> None:
    """Of an app's post: no browser cuts it, since the field names its limit only to scripts, which count as the server does."""
    caption = "https://lake.test/".ljust(900, "x") + " " + "x" * 4_900
    post = await publish(alice, caption)

    field = (await (await signed_in(alice)).get(f"/posts/{post.id}/edit")).one("textarea", name="caption")

    assert field.text == caption
    assert field.attributes["data-most"] == "5000"
    assert "maxlength" not in field.attributes
