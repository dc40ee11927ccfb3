"""The frames of photos: within limits, one for an album, and surroundings that tint no photo."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import blurhash
from node.attachments.photo_rows import Photo
from node.attachments.stored_files import StoredFile
from web.files.asset_urls import stylesheet
from web.html import helpers, photo_frames


def _photo(width: int, height: int, hash_: str = "") -> Any:
    return SimpleNamespace(width=width, height=height, blurhash=hash_)


def _stored(width: int, height: int) -> Photo:
    file = StoredFile("a.jpg", width, height, 1)
    facts: Any = {"alt": "", "mime": "image/jpeg", "blurhash": "", "remote_url": "", "original_file": ""}
    return Photo(
        **facts,
        id=1,
        account_id=1,
        post_id=7,
        position=0,
        width=width,
        height=height,
        focus_x=0,
        focus_y=0,
        extra="{}",
        camera="[]",
        recipe="",
        place="",
        created_at=0,
        is_incomplete=False,
        files={("federated", "jpeg"): file},
    )


@pytest.mark.parametrize(
    ("sizes", "frame"),
    [
        ([(3000, 2000), (3000, 2000)], 1.5),
        ([(1080, 1920), (1080, 1920)], 0.8),  # taller than the tallest
        ([(6000, 1500), (6000, 1500)], 1.91),  # panoramas
        ([(1000, 1000), (3000, 2000), (3000, 2000)], 1.5),  # most of it, whatever comes first
        ([(2000, 3000), (3000, 2000)], 1.5),
        ([(1000, 1000), (1500, 1000)], 1.0),  # neither is better: that of the first
        ([(1500, 1000), (1000, 1000)], 1.5),
        ([(0, 0), (0, 0)], 4 / 3),  # another server said nothing
    ],
)
def test_an_album_has_the_frame_that_leaves_least_empty(sizes: list[tuple[int, int]], frame: float) -> None:
    assert photo_frames.album_ratio([_photo(*size) for size in sizes]) == pytest.approx(frame)


@given(st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 20_000)), min_size=1, max_size=20))
def test_no_frame_is_taller_or_wider_than_allowed(sizes: list[tuple[int, int]]) -> None:
    frame = photo_frames.album_ratio([_photo(*size) for size in sizes])

    assert photo_frames.TALLEST <= frame <= photo_frames.WIDEST


def test_only_a_photo_near_to_its_frame_is_cropped() -> None:
    assert photo_frames.fills(_photo(1400, 1000), 1.5)
    assert not photo_frames.fills(_photo(1333, 1000), 1.5)
    assert not photo_frames.fills(_photo(1000, 1500), 1.5)


@pytest.mark.parametrize(
    ("size", "frame", "scrubs"),
    [
        ((3000, 2000), None, False),
        ((1080, 1350), None, False),
        ((1080, 1920), 800, False),
        ((2000, 1000), 1910, False),
        ((4000, 1000), 1910, True),
    ],
)
def test_a_single_photo_keeps_its_own_ratio_within_the_limits(
    size: tuple[int, int], frame: int | None, scrubs: bool
) -> None:
    shown = str(helpers.render_single_photo(_stored(*size), "A photo", "/posts/7/photos/1"))

    assert (f'viewBox="0 0 {frame} 1000"' in shown) == (frame is not None)
    assert ('class="scrub"' in shown) == scrubs
    # Alone on its page it is shown whole, but for what would be a line there.
    alone = str(helpers.render_single_photo(_stored(*size), "A photo", "/posts/7/photos/1", is_alone=True))
    assert ("viewBox" in alone) == scrubs


def test_a_photo_is_a_link_to_its_page_and_named_by_its_description() -> None:
    shown = str(helpers.render_photo(_stored(3000, 2000), '"A" photo', "/posts/7/photos/2"))

    assert '<a class="shot" href="/posts/7/photos/2" data-shots="7">' in shown
    assert 'alt="&#34;A&#34; photo"' in shown


@pytest.mark.parametrize(
    ("colour", "name"),
    [
        ((128, 128, 128), ""),
        ((0, 0, 0), ""),
        ((255, 255, 255), ""),
        ((200, 60, 40), "hue1"),
        ((40, 160, 60), "hue5"),
        ((40, 80, 200), "hue9"),
    ],
)
def test_the_surround_has_the_hue_of_the_average_colour(colour: tuple[int, int, int], name: str) -> None:
    hash_ = blurhash.encode(bytes(colour) * 64, 8, 8, 4, 3)

    assert photo_frames.surround_class(_photo(8, 8, hash_)) == name


@given(st.text(max_size=12))
def test_a_damaged_blurhash_leaves_the_surround_grey(hash_: str) -> None:
    assert re.fullmatch(r"(hue([0-9]|1[01]))?", photo_frames.surround_class(_photo(3, 2, hash_)))


def test_every_hue_stands_in_the_style_sheet_and_none_of_them_tints() -> None:
    styles = stylesheet().decode()

    assert all(f".hue{n} {{" in styles for n in range(photo_frames.HUES))
    assert {float(value) for value in re.findall(r"--chroma: ([0-9.]+);", styles)} == {0, 0.004}


def test_a_photo_that_fills_a_frame_of_another_shape_keeps_its_focal_point_in_view() -> None:
    photo = replace(_stored(1000, 1080), focus_x=0.5, focus_y=1.0)

    assert '<img class="fx2 fy0" src=' in helpers.render_photo(photo, "", "/posts/7/photos/1", frame=1.0)
    assert "<img src=" in helpers.render_photo(photo, "", "/posts/7/photos/1", frame=0.8)
    assert "<img src=" in helpers.render_photo(photo, "", "/posts/7/photos/1")
    assert "<img src=" in helpers.render_photo(
        replace(photo, focus_x=0, focus_y=0), "", "/posts/7/photos/1", frame=1.0
    )


def test_a_small_square_keeps_the_focal_point_in_view() -> None:
    photo = replace(_stored(2000, 1000), focus_x=-1.0, focus_y=0.0)

    assert helpers.render_square(photo, "<a>", 56, "thumb") == (
        '<img class="square thumb fx0 fy2" src="/media/a.jpg" alt="&lt;a&gt;" width="56" height="56" loading="lazy">'
    )
    assert 'class="square"' in helpers.render_square(replace(photo, focus_x=0.0), "", 56)
