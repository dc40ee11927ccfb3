"""A photo is edited with a plain form: previews for its owner alone, and nothing typed around it is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote

from media.editing.looks import LOOKS
from media.editing.recipes import parse
from node.attachments import photo_rows, photos
from node.attachments.photo_rows import Photo
from node.ids import now_ms
from node.models.account import Account
from node.node import Node
from node.posts.drafts import Draft
from node.publishing import saved_drafts
from tests.support.visitors import Seen, Visitor
from tests.web.pages.conftest import Publish, SignedIn

Picture = Callable[..., bytes]
LOOK = quote('{"look":"juniper","version":1}')


async def _upload(node: Node, who: Account, photo: Picture) -> Photo:
    return await photos.upload(node, who, photo(300, 200, "JPEG"), alt="A lake")


async def _current(node: Node, photo_id: int) -> Photo:
    return (await node.db.read(photo_rows.by_ids, [photo_id]))[photo_id]


def _form(seen: Seen) -> dict[str, str]:
    """Returns the fields of the open editor as a browser would send them."""
    fields = {}
    for one in seen.all("input"):
        name, kind = one.attributes.get("name", ""), one.attributes.get("type")
        if name in ("", "csrf") or (kind in ("radio", "checkbox") and "checked" not in one.attributes):
            continue
        fields[name] = one.attributes["value"]
    return fields


async def test_an_edit_is_previewed_then_applied_and_leads_back(
    node: Node, alice: Account, signed_in: SignedIn, photo: Picture
) -> None:
    visitor, uploaded = await signed_in(alice), await _upload(node, alice, photo)
    page = await visitor.get(f"/photos/{uploaded.id}/edit?back=/compose?draft=7")
    assert len(page.all("input", type="radio", name="look")) == len(LOOKS) + 1
    assert len(page.all("input", type="radio", name="shape")) == 6
    form = {
        **_form(page),
        "look": "juniper",
        "strength": "80",
        "shape": "1:1",
        "turn": "90",
        "exposure": "20",
    }

    page = await visitor.post(f"/photos/{uploaded.id}/edit", {**form, "do": "preview"})

    assert page.status == 200
    assert (await _current(node, uploaded.id)).recipe == ""
    again = _form(page)
    assert {name: again[name] for name in form} == form | {
        "left": "0.0",
        "top": again["top"],
        "bottom": again["bottom"],
    }
    found = page.one("img", class_="preview").attributes
    assert found["alt"] == "A lake"

    await visitor.post(f"/photos/{uploaded.id}/edit", {**again, "do": "apply"})

    recipe = parse((await _current(node, uploaded.id)).recipe)
    assert (recipe.look, recipe.strength, recipe.turn, recipe.adjust.exposure) == ("juniper", 80, 90, 20)
    now = await _current(node, uploaded.id)
    assert (now.width, now.height) == (200, 200)


async def test_one_goes_back_to_this_node_only(
    node: Node, alice: Account, signed_in: SignedIn, photo: Picture
) -> None:
    visitor, uploaded = await signed_in(alice), await _upload(node, alice, photo)

    page = await visitor.get(f"/photos/{uploaded.id}/edit?back=//far.example/")

    assert _form(page)["back"] == "/drafts"
    after = await visitor.post(
        f"/photos/{uploaded.id}/edit", {**_form(page), "back": "https://far.example/", "do": "apply"}
    )
    assert after.path == "/drafts"


async def test_reset_and_auto_level_fill_the_form(
    node: Node, alice: Account, signed_in: SignedIn, photo: Picture
) -> None:
    visitor, uploaded = await signed_in(alice), await _upload(node, alice, photo)
    page = await visitor.get(f"/photos/{uploaded.id}/edit?recipe={LOOK}")
    assert _form(page)["look"] == "juniper"

    page = await visitor.post(
        f"/photos/{uploaded.id}/edit", {**_form(page), "exposure": "-100", "do": "auto"}
    )
    assert (_form(page)["look"], _form(page)["exposure"] == "-100") == ("juniper", False)
    page = await visitor.post(f"/photos/{uploaded.id}/edit", {**_form(page), "do": "reset"})

    assert (_form(page)["look"], _form(page)["exposure"], "levels" in _form(page)) == ("", "0", False)


async def test_odd_numbers_become_the_nearest_and_an_unknown_look_is_refused(
    node: Node, alice: Account, signed_in: SignedIn, photo: Picture
) -> None:
    visitor, uploaded = await signed_in(alice), await _upload(node, alice, photo)
    page = await visitor.get(f"/photos/{uploaded.id}/edit")
    odd = {"exposure": "9e99", "fade": "-3", "straighten": "nan", "turn": "45", "vertical": "x", "left": "98"}
    form = {**_form(page), **odd, "right": "98", "shape": "free", "do": "preview"}

    page = await visitor.post(f"/photos/{uploaded.id}/edit", form)

    again = _form(page)
    assert [again[name] for name in ("exposure", "fade", "straighten", "turn", "vertical", "left", "right")] == [
        "100", "0", "0.0", "0", "0", "98.0", "0.0",
    ]  # fmt: skip
    page = await visitor.post(f"/photos/{uploaded.id}/edit", {**form, "look": "unknown"})
    assert page.status == 422
    assert "can't be made" in page.main_text


async def test_the_editor_and_its_previews_are_for_the_owner_alone(
    node: Node, alice: Account, bob: Account, anybody: Visitor, signed_in: SignedIn, photo: Picture
) -> None:
    mine, other, uploaded = await signed_in(alice), await signed_in(bob), await _upload(node, alice, photo)
    paths = [f"/photos/{uploaded.id}/{what}?recipe={LOOK}" for what in ("edit", "preview", "swatches")]

    for path in paths:
        assert (await other.get(path)).status == 404
        assert (await anybody.get(path)).path.startswith("/sign-in") or (
            await anybody.get(path)
        ).status == 401
    for path in paths[1:]:
        reply = await mine.client.call("GET", path, headers={"cookie": _cookies(mine)})
        assert (reply.status, reply.headers["content-type"]) == (200, "image/webp")
        assert reply.headers["cache-control"].startswith("private")
    bad = await mine.get(f"/photos/{uploaded.id}/preview?recipe=no")
    assert bad.status == 422


def _cookies(visitor: Visitor) -> str:
    return "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())


async def test_the_table_is_for_who_is_signed_in(
    alice: Account, anybody: Visitor, signed_in: SignedIn
) -> None:
    mine = await signed_in(alice)

    reply = await mine.client.call("GET", f"/photos/table?recipe={LOOK}", headers={"cookie": _cookies(mine)})

    assert (reply.status, len(reply.body)) == (200, 33**3 * 12)
    assert reply.headers["content-type"] == "application/octet-stream"
    assert reply.headers["cache-control"] == "private, max-age=31536000, immutable"
    refused = await anybody.client.call("GET", f"/photos/table?recipe={LOOK}")
    assert refused.status in (303, 401)


async def test_without_its_original_a_photo_says_why_it_cannot_be_edited(
    node: Node, alice: Account, signed_in: SignedIn, photo: Picture
) -> None:
    visitor, uploaded = await signed_in(alice), await _upload(node, alice, photo)
    page = await visitor.get(f"/photos/{uploaded.id}/edit")
    form = _form(page)
    await node.db.write(photos.clean_up_originals, now_ms() + 8 * 24 * 3_600_000)

    for page in (
        await visitor.get(f"/photos/{uploaded.id}/edit"),
        await visitor.post(f"/photos/{uploaded.id}/edit", {**form, "do": "apply"}),
    ):
        assert page.status == 422
        assert "no longer kept here" in page.main_text
        assert not page.all("form", class_="editor")


async def test_what_is_typed_is_saved_before_a_photo_is_edited(
    node: Node, alice: Account, signed_in: SignedIn, photo: Picture
) -> None:
    visitor, uploaded = await signed_in(alice), await _upload(node, alice, photo)
    await visitor.get("/compose")
    form = {
        "caption": "Half a thought",
        "photo": str(uploaded.id),
        f"alt-{uploaded.id}": "A boat",
        "do": f"edit-{uploaded.id}",
    }

    page = await visitor.post("/compose", form)

    [saved] = await node.db.read(saved_drafts.by_author, alice)
    back = f"/compose?draft={saved.id}"
    assert page.path.startswith(f"/photos/{uploaded.id}/edit")
    assert (_form(page)["back"], saved.draft.caption) == (
        back,
        "Half a thought",
    )
    page = await visitor.post(
        f"/photos/{uploaded.id}/edit", {**_form(page), "look": "juniper", "do": "apply"}
    )
    assert page.path == back
    assert page.one("textarea", name="caption").text == "Half a thought"
    assert page.one("textarea", name=f"alt-{uploaded.id}").text == "A boat"
    assert page.one("button", value=f"edit-{uploaded.id}").text.strip() == "Edit photo"


async def test_to_edit_a_photo_never_publishes_and_leaves_a_post_scheduled(
    node: Node, alice: Account, signed_in: SignedIn, photo: Picture
) -> None:
    visitor, uploaded = await signed_in(alice), await _upload(node, alice, photo)
    await visitor.get("/compose")
    form = {"caption": "Later", "photo": str(uploaded.id), "do": f"edit-{uploaded.id}"}

    page = await visitor.post("/compose", {**form, "without": str(uploaded.id)})
    assert page.one("textarea", name="caption").text == "Later"
    assert await node.db.read(lambda tx: tx.value("SELECT COUNT(*) FROM posts")) == 0
    page = await visitor.post("/compose", {**form, "publish_at": "2020-01-01T10:00"})
    assert page.status == 422
    assert page.one("textarea", name="caption").text == "Later"
    at = datetime.now(UTC) + timedelta(days=2)
    page = await visitor.post("/compose", {**form, "publish_at": f"{at:%Y-%m-%dT%H:%M}"})

    assert page.path.startswith(f"/photos/{uploaded.id}/edit")
    saved = await node.db.read(saved_drafts.by_author, alice)
    assert [one.publish_at is not None for one in saved] == [True, False]


async def test_a_post_offers_it_where_the_original_is_kept(
    node: Node, alice: Account, signed_in: SignedIn, publish: Publish
) -> None:
    visitor = await signed_in(alice)
    gone = await publish(alice, "One")
    node.config = replace(node.config, media=replace(node.config.media, keep_originals=True))
    kept = await publish(alice, "Two")
    [photo] = (await node.db.read(photo_rows.by_posts, [kept.id]))[kept.id]
    await node.db.write(
        lambda tx: tx.run("UPDATE photos SET original_file = '' WHERE post_id = :id", id=gone.id)
    )

    assert not (await visitor.get(f"/posts/{gone.id}/edit")).all("button", class_="button s edit")
    page = await visitor.get(f"/posts/{kept.id}/edit")
    button = page.one("button", class_="button s edit")
    form = {
        "caption": "Three",
        "photo": str(photo.id),
        f"alt-{photo.id}": "A lake",
        "do": button.attributes["value"],
    }
    page = await visitor.post(f"/posts/{kept.id}/edit", form)

    assert page.path.startswith(f"/photos/{photo.id}/edit")
    page = await visitor.post(f"/photos/{photo.id}/edit", {**_form(page), "look": "chalk", "do": "apply"})
    assert page.path == f"/posts/{kept.id}/edit"
    assert page.one("textarea", name="caption").text == "Three"
    assert parse((await _current(node, photo.id)).recipe).look == "chalk"


async def test_scripts_get_the_photo_its_levels_and_the_photos_beside_it(
    node: Node, alice: Account, bob: Account, signed_in: SignedIn, photo: Picture
) -> None:
    visitor, stranger = await signed_in(alice), await signed_in(bob)
    photos_of_draft = [await _upload(node, alice, photo) for _ in range(2)]
    await node.db.write(saved_drafts.save, alice, Draft(photo_ids=[one.id for one in photos_of_draft]))
    [first, second] = photos_of_draft

    page = await visitor.get(f"/photos/{first.id}/edit?back=/compose")
    data = json.loads(page.one("script", id="photo-editor").text)
    assert [one["id"] for one in data["photos"]] == [str(first.id), str(second.id)]
    assert (data["size"], data["back"], data["recipe"]) == ([300, 200], "/compose", {"version": 1})
    assert sum(len(group["looks"]) for group in data["groups"]) == len(LOOKS)
    assert len({one["seed"] for one in data["photos"]}) == 2

    copy = await visitor.client.call("GET", f"/photos/{first.id}/copy", headers={"cookie": _cookies(visitor)})
    assert (copy.status, copy.headers["content-type"]) == (200, "image/jpeg")
    assert copy.headers["cache-control"].startswith("private")
    levels = await visitor.get(f"/photos/{first.id}/levels?recipe={LOOK}")
    assert json.loads(levels.text)["recipe"]["look"] == "juniper"
    for path in ("copy", f"levels?recipe={LOOK}"):
        assert (await stranger.get(f"/photos/{first.id}/{path}")).status == 404


async def test_scripts_save_several_photos_at_once(
    node: Node, alice: Account, bob: Account, signed_in: SignedIn, photo: Picture
) -> None:
    visitor, stranger = await signed_in(alice), await signed_in(bob)
    mine = [await _upload(node, alice, photo) for _ in range(2)]
    await visitor.get(f"/photos/{mine[0].id}/edit")
    await stranger.get("/compose")
    form = {f"recipe-{one.id}": unquote(LOOK) for one in mine}
    headers = {"accept": "application/json"}

    refused = await stranger.post("/photos/edits", form, headers=headers)
    wrong = await visitor.post("/photos/edits", {**form, f"recipe-{mine[0].id}": "{}"}, headers=headers)
    assert (refused.status, wrong.status) == (404, 422)
    assert [(await _current(node, one.id)).recipe for one in mine] == ["", ""]

    saved = await visitor.post("/photos/edits", form, headers=headers)
    assert json.loads(saved.text) == {"saved": [str(one.id) for one in mine]}
    assert [parse((await _current(node, one.id)).recipe).look for one in mine] == ["juniper"] * 2
