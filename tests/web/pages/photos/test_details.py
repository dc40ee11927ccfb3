"""The details of a photo are set with plain forms: a click on the photo, or two numbers, says where."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as some

from node.attachments import photo_rows, photos
from node.attachments.photo_rows import Photo
from node.models import places
from node.models.account import Account
from node.models.places import PhotoPlace
from node.node import Node
from node.posts import tagged_people
from node.publishing import photo_details
from tests.media.test_exif import photo as camera_photo
from tests.support.visitors import Seen
from tests.web.pages.conftest import Publish, SignedIn
from web.pages.photos import details

Picture = Callable[..., bytes]


async def _upload(node: Node, who: Account, data: bytes) -> Photo:
    return await photos.upload(node, who, data, alt="A lake")


async def _current(node: Node, photo_id: int) -> Photo:
    return (await node.db.read(photo_rows.by_ids, [photo_id]))[photo_id]


def _form(seen: Seen, **more: str) -> dict[str, str]:
    """Returns the fields of the open page as a browser would send them."""
    fields = {}
    for one in seen.all("input"):
        name, kind = one.attributes.get("name", ""), one.attributes.get("type")
        if name in ("", "csrf", "q") or kind == "image":
            continue
        if kind == "radio" and "checked" not in one.attributes:
            continue
        fields[name] = one.attributes.get("value", "")
    return fields | more


async def test_a_click_sets_the_focal_point_and_numbers_do_too(
    node: Node, alice: Account, signed_in: SignedIn, photo: Picture
) -> None:
    visitor, shown = await signed_in(alice), await _upload(node, alice, photo(600, 400))
    path = f"/photos/{shown.id}/details"
    page = await visitor.get(f"{path}?back=/compose?draft=7")
    image = page.one("input", type="image").attributes
    assert (image["width"], image["height"]) == ("280", "187")

    page = await visitor.post(path, _form(page, **{"at.x": "209", "at.y": "46"}))

    now = await _current(node, shown.id)
    assert (now.focus_x, now.focus_y) == pytest.approx((0.496, 0.503), abs=0.002)
    assert (page.status, page.all("input", name="back")[-1].attributes["value"]) == (200, "/compose?draft=7")
    page = await visitor.post(path, _form(page, x="0", y="100", **{"at.x": "0", "at.y": "0"}))
    now = await _current(node, shown.id)
    assert (now.focus_x, now.focus_y) == (-1, -1)
    assert page.one("circle", class_="point").attributes["cx"] == "0.0%"
    await visitor.post(path, _form(page, do="reset"))
    now = await _current(node, shown.id)
    assert (now.focus_x, now.focus_y) == (0, 0)


async def test_a_person_is_tagged_where_the_photo_is_clicked_and_untagged(
    node: Node, alice: Account, bob: Account, signed_in: SignedIn, photo: Picture
) -> None:
    visitor, shown = await signed_in(alice), await _upload(node, alice, photo(400, 400))
    path = f"/photos/{shown.id}/details"
    page = await visitor.get(f"{path}?part=people")

    page = await visitor.post(path, _form(page, person="@bob", **{"at.x": "69", "at.y": "139"}))

    [one] = (await node.db.read(tagged_people.by_photos, [shown.id]))[shown.id]
    assert (one.account.id, one.x, one.y) == (bob.id, 0.248, 0.498)
    assert "@bob" in page.main_text
    page = await visitor.post(path, _form(page, person="@bob", x="10", y="20", do="tag"))
    [one] = (await node.db.read(tagged_people.by_photos, [shown.id]))[shown.id]
    assert (one.x, one.y) == (0.1, 0.2)
    await visitor.post(path, _form(page, do=f"untag-{bob.id}"))
    assert await node.db.read(tagged_people.by_photos, [shown.id]) == {}


async def test_a_name_that_is_nobodys_stays_in_the_form(
    node: Node, alice: Account, signed_in: SignedIn, photo: Picture
) -> None:
    visitor, shown = await signed_in(alice), await _upload(node, alice, photo())
    path = f"/photos/{shown.id}/details"
    page = await visitor.get(f"{path}?part=people")

    page = await visitor.post(path, _form(page, person="@nobody-here", x="33", y="44"))

    assert (page.status, page.one("div", role="alert").text.strip()) == (422, "There is nobody by that name.")
    assert page.one("input", name="person").attributes["value"] == "@nobody-here"
    assert page.one("input", name="x").attributes["value"] == "33.0"
    page = await visitor.post(path, _form(page, person=" "))
    assert "Please type the name" in page.main_text


async def test_the_place_in_the_file_is_used_when_the_button_is_pressed(
    node: Node, alice: Account, signed_in: SignedIn
) -> None:
    visitor, shown = await signed_in(alice), await _upload(node, alice, camera_photo())
    path = f"/photos/{shown.id}/details"
    page = await visitor.get(f"{path}?part=place")
    assert "52" not in page.main_text
    assert page.one("input", name="precision", checked="").attributes["value"] == "town"

    page = await visitor.post(path, _form(page, name="Berlin", do="read"))

    assert places.load((await _current(node, shown.id)).place) == PhotoPlace("Berlin", "town", 52.5, 13.4)
    assert "Kept with it: 52.5, 13.4" in page.main_text
    page = await visitor.post(path, _form(page, precision="region", do="place"))
    assert places.load((await _current(node, shown.id)).place) == PhotoPlace("Berlin", "region", 52, 13)
    await visitor.post(path, _form(page, do="remove"))
    assert (await _current(node, shown.id)).place == ""


async def test_what_cannot_be_read_says_so_and_keeps_what_was_typed(
    node: Node, alice: Account, signed_in: SignedIn, photo: Picture
) -> None:
    visitor, shown = await signed_in(alice), await _upload(node, alice, photo())
    path = f"/photos/{shown.id}/details"
    page = await visitor.get(f"{path}?part=place")

    page = await visitor.post(path, _form(page, name="A lake", precision="km", do="read"))

    assert page.status == 422
    assert "no location in the file" in page.main_text
    assert page.one("input", name="name").attributes["value"] == "A lake"
    assert page.one("input", name="precision", checked="").attributes["value"] == "km"
    page = await visitor.post(path, _form(page, name="x" * 101, do="place"))
    assert page.status == 422


async def test_a_country_without_a_name_asks_for_it_where_it_is_typed(
    node: Node, alice: Account, signed_in: SignedIn
) -> None:
    visitor, shown = await signed_in(alice), await _upload(node, alice, camera_photo())
    path = f"/photos/{shown.id}/details"
    page = await visitor.get(f"{path}?part=place")

    page = await visitor.post(path, _form(page, precision="country", do="read"))

    assert (page.status, "Type the country." in page.main_text) == (422, True)
    assert "autofocus" in page.one("input", name="name").attributes
    assert page.one("input", name="precision", checked="").attributes["value"] == "country"
    page = await visitor.post(path, _form(page, name="Germany", do="read"))
    assert places.load((await _current(node, shown.id)).place) == PhotoPlace("Germany", "country")
    assert "autofocus" not in page.one("input", name="name").attributes


@pytest.mark.parametrize(("precision", "asked"), [("town", "Type the town."), ("region", "Type the region.")])
async def test_coordinates_without_a_name_ask_for_it_and_stay_until_it_is_typed(
    node: Node, alice: Account, signed_in: SignedIn, precision: str, asked: str
) -> None:
    visitor, shown = await signed_in(alice), await _upload(node, alice, camera_photo())
    path = f"/photos/{shown.id}/details"
    page = await visitor.get(f"{path}?part=place")

    page = await visitor.post(path, _form(page, precision=precision, do="read"))

    assert f"People see only numbers. {asked}" in page.main_text
    assert "autofocus" in page.one("input", name="name").attributes
    assert places.load((await _current(node, shown.id)).place).has_coordinates
    # They would be gone with nothing in their place.
    page = await visitor.post(path, _form(page, precision="country", do="place"))
    assert (page.status, "Type the country." in page.main_text) == (422, True)
    assert places.load((await _current(node, shown.id)).place).precision == precision
    page = await visitor.post(path, _form(page, name="Germany", do="place"))
    assert "only numbers" not in page.main_text


async def test_a_location_that_is_saved_without_a_name_asks_for_it(
    node: Node, alice: Account, signed_in: SignedIn, photo: Picture
) -> None:
    visitor, shown = await signed_in(alice), await _upload(node, alice, photo())
    path = f"/photos/{shown.id}/details"
    page = await visitor.get(f"{path}?part=place")

    page = await visitor.post(path, _form(page, do="place"))

    assert (page.status, "Type the name of the location." in page.main_text) == (422, True)
    assert "autofocus" in page.one("input", name="name").attributes
    assert (await visitor.post(path, _form(page, do="done", back="/drafts"))).path == "/drafts"


async def test_only_the_owner_sees_the_page_and_one_goes_back_to_this_node_only(
    node: Node, alice: Account, mallory: Account, anybody: object, signed_in: SignedIn, photo: Picture
) -> None:
    shown = await _upload(node, alice, photo())
    hers, others = await signed_in(alice), await signed_in(mallory)
    path = f"/photos/{shown.id}/details"

    page = await hers.get(f"{path}?back=//far.example/")
    assert page.all("input", name="back")[-1].attributes["value"] == "/drafts"
    assert (await hers.post(path, {"do": "done", "back": "//far.example/"})).path == "/drafts"
    assert (await others.get(path)).status == 404
    assert (await others.post(path, {"part": "focus", "x": "0", "y": "0"})).status == 404
    await others.post(path, {"part": "people", "person": "@mallory"})
    assert (await _current(node, shown.id)).focus_x == 0
    assert await node.db.read(tagged_people.by_photos, [shown.id]) == {}


async def test_the_page_of_the_post_names_them_and_the_tagged_person_can_remove_the_tag(
    node: Node, alice: Account, bob: Account, signed_in: SignedIn, publish: Publish
) -> None:
    post = await publish(alice, "Two of us")
    [shown] = (await node.db.read(photo_rows.by_posts, [post.id]))[post.id]
    await node.db.write(photo_details.tag, alice, shown.id, bob, 0.25, 0.5)
    hers, his = await signed_in(alice), await signed_in(bob)
    seen = await hers.get(f"/p/alice/{post.id}")
    assert seen.one("details", class_="alt people").text == "1 person In this photobob"
    assert seen.one("li", **{"data-x": "0.25"}).attributes["data-y"] == "0.5"
    assert not seen.all("button", formaction=f"/posts/{post.id}/untag")
    assert "In this photo" in json.dumps((await hers.get(f"/posts/{post.id}/photos")).text)

    seen = await his.get(f"/p/alice/{post.id}")
    assert seen.one("button", formaction=f"/posts/{post.id}/untag")
    seen = await his.post(f"/posts/{post.id}/untag", {})

    assert (seen.status, seen.path) == (200, f"/p/alice/{post.id}")
    assert not seen.all("details", class_="alt people")
    assert (await his.post(f"/posts/{post.id}/untag", {})).status == 404


@given(
    some.dictionaries(
        some.sampled_from(["at.x", "at.y", "x", "y"]), some.text(max_size=8) | some.floats().map(str)
    )
)
def test_a_point_is_on_the_photo_whatever_was_sent(form: dict[str, str]) -> None:
    x, y = details.read_point(form, (280, 187))

    assert 0 <= x <= 1
    assert 0 <= y <= 1


def test_a_photo_is_shown_in_a_size_that_no_screen_makes_smaller(photo_of_size: Callable[..., Photo]) -> None:
    assert details.shown_size(photo_of_size(4000, 3000)) == (280, 210)
    assert details.shown_size(photo_of_size(1000, 4000)) == (88, 350)
    assert details.shown_size(photo_of_size(9000, 10)) == (280, 1)


@pytest.fixture
def photo_of_size() -> Callable[..., Photo]:
    from tests.node.attachments.test_photo_rows import a_photo

    return lambda width, height: a_photo(width=width, height=height)
