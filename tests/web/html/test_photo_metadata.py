"""The metadata of photos on the page of a post, and which part of them a grid shows."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from node.attachments.photo_rows import Photo
from web.html import helpers, photo_metadata

BARE = Photo(
    id=5,
    account_id=1,
    post_id=1,
    position=0,
    alt="",
    mime="image/jpeg",
    width=900,
    height=600,
    blurhash="",
    focus_x=0.0,
    focus_y=0.0,
    remote_url="https://far.example/a.jpg",
    original_file="",
    extra="{}",
    camera="[]",
    created_at=1,
    is_incomplete=False,
    recipe="",
    place="",
)
SONY = [
    ["Make", "SONY"],
    ["Model", "ILCE-7M4"],
    ["LensModel", "Zeiss Batis 1.8/85"],
    ["FocalLength", "85"],
    ["FNumber", "f/2.2"],
    ["ExposureTime", "0.005"],
    ["PhotographicSensitivity", "3200"],
    ["DateTime", "2026:09:01 05:58:11"],
]


def rendered(**extra: Any) -> str:
    return str(photo_metadata.render_metadata([dataclasses.replace(BARE, extra=json.dumps(extra))]))


def test_a_photo_without_metadata_shows_none() -> None:
    assert photo_metadata.render_metadata([BARE, BARE]) == ""
    assert photo_metadata.render_metadata([]) == ""


def test_camera_settings_are_written_as_photographers_do() -> None:
    html = rendered(exif=SONY)

    assert "SONY ILCE-7M4 · Zeiss Batis 1.8/85 · 85 mm · f/2.2 · 1/200 s · ISO 3200" in html
    assert "Sep 1, 2026, 5:58\u202fAM" in html


def test_of_a_place_only_the_name_is_shown() -> None:
    html = rendered(place={"name": "Wrocław", "latitude": 51.123456, "longitude": 17.03, "country": "PL"})

    assert "Wrocław, PL" in html
    assert "51." not in html


@pytest.mark.parametrize(
    ("licence", "shown"),
    [
        ("CC BY-SA", '/licenses/by-sa/4.0/" rel="license nofollow noopener noreferrer">CC BY-SA</a>'),
        ("My own", "<bdi>My own</bdi>"),
        ("https://creativecommons.org/licenses/by-nc/4.0/", ">CC BY-NC 4.0</a>"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", ">CC0 1.0</a>"),
        (
            "https://far.example/terms?a=1&b=2",
            'href="https://far.example/terms?a=1&amp;b=2" rel="license nofollow',
        ),
        ("javascript:alert(1)", "<bdi>javascript:alert(1)</bdi>"),
    ],
)
def test_a_licence_is_a_name_or_a_link(licence: str, shown: str) -> None:
    assert shown in rendered(license=licence)


def test_metadata_of_other_servers_is_escaped_text() -> None:
    html = rendered(
        exif=[["Make", "<script>"], ["Model", "x\u202ey" * 200], "odd", ["Film", 3]],
        place={"name": "<b>"},
        license="<i>",
    )

    assert "<script>" not in html
    assert "<b>" not in html
    assert "<i>" not in html
    assert "\u202e" not in html
    assert len(html) < 1000
    assert rendered(exif="x", place=3, license=[1]) == ""


def test_metadata_of_an_album_is_numbered_only_where_it_differs() -> None:
    one = {"exif": [["Model", "X100"]], "license": "CC0"}
    two = {"exif": [["Model", "Ricoh"]], "license": "CC0"}
    html = str(
        photo_metadata.render_metadata(
            [dataclasses.replace(BARE, extra=json.dumps(extra)) for extra in (one, {}, two)]
        )
    )

    assert "1: X100" in html
    assert "3: Ricoh" in html
    assert "1: CC0" in html
    same = str(photo_metadata.render_metadata([dataclasses.replace(BARE, extra=json.dumps(one))] * 2))
    assert "<bdi>CC0</bdi>" in same


@pytest.mark.parametrize(
    ("size", "focus", "classes"),
    [
        ((900, 600), (0.0, 0.0), ""),
        ((900, 600), (-1.0, 0.0), "fx0 fy2"),
        ((900, 600), (1.0, 1.0), "fx4 fy2"),
        ((600, 900), (0.5, 1.0), "fx2 fy0"),
        ((600, 900), (0.0, -0.9), "fx2 fy4"),
        ((900, 600), (0.0, 0.9), ""),
        ((2000, 500), (0.4, 0.0), "fx3 fy2"),
        ((0, 0), (1.0, 1.0), ""),
    ],
)
def test_a_square_shows_the_focal_point(
    size: tuple[int, int], focus: tuple[float, float], classes: str
) -> None:
    photo = dataclasses.replace(BARE, width=size[0], height=size[1], focus_x=focus[0], focus_y=focus[1])
    html = str(helpers.render_thumb(photo, "a photo"))

    assert helpers.focus_class(photo) == (f' class="{classes}"' if classes else "")
    assert ("/medium.webp" in html) == bool(classes)
    assert ("/thumb.webp" in html) == (not classes)
