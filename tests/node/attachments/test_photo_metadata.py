"""What an author shares about photos: only what was ticked, checked and cleaned."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.images import CAMERA_FIELDS
from node.attachments import photo_metadata
from node.attachments.photo_metadata import (
    EXIF_GROUPS,
    LICENCES,
    MAX_ALT_LENGTH,
    MAX_PLACE_LENGTH,
    SharedMetadata,
)
from node.errors import Invalid
from tests.node.attachments.test_photo_rows import a_photo

GROUPS = st.frozensets(st.sampled_from(sorted(EXIF_GROUPS)))
CAMERA = st.dictionaries(st.sampled_from(CAMERA_FIELDS), st.text(min_size=1, max_size=20))
PLACES = st.text(alphabet="abc äö", max_size=20).map(lambda text: " ".join(text.split()))
SHARED = st.builds(
    SharedMetadata, groups=GROUPS, licence=st.sampled_from(["", *sorted(LICENCES)]), place=PLACES
)


def test_every_exif_field_is_in_exactly_one_group() -> None:
    names = [name for group in EXIF_GROUPS.values() for name in group]

    assert sorted(names) == sorted(CAMERA_FIELDS)


def test_validation_cleans_the_place_and_drops_unknown_groups() -> None:
    shared = SharedMetadata(frozenset({"camera", "gps"}), "CC BY", "  Lake\n\tTegel ")

    assert photo_metadata.validate(shared) == SharedMetadata(frozenset({"camera"}), "CC BY", "Lake Tegel")


def test_a_place_has_a_bounded_length() -> None:
    longest = "x" * MAX_PLACE_LENGTH
    assert photo_metadata.validate(SharedMetadata(place=longest)).place == longest

    with pytest.raises(Invalid) as refused:
        photo_metadata.validate(SharedMetadata(place=longest + "x"))

    assert refused.value.field == "place"


@pytest.mark.parametrize("licence", ["cc by", "MIT", "https://creativecommons.org/licenses/by/4.0/"])
def test_an_unknown_licence_is_refused(licence: str) -> None:
    with pytest.raises(Invalid) as refused:
        photo_metadata.validate(SharedMetadata(licence=licence))

    assert refused.value.field == "licence"


@given(camera=CAMERA, shared=SHARED)
def test_no_camera_metadata_are_shared_but_the_ticked_groups(
    camera: dict[str, str], shared: SharedMetadata
) -> None:
    photo = a_photo(camera=json.dumps(list(camera.items())))

    extra = json.loads(photo_metadata.public_metadata_json(photo, shared))

    ticked = {name for group in shared.groups for name in EXIF_GROUPS[group]}
    assert dict(extra.get("exif", [])) == {name: text for name, text in camera.items() if name in ticked}
    assert extra.get("license", "") == shared.licence
    assert extra.get("place", {}).get("name", "") == shared.place


@given(shared=SHARED)
def test_what_is_shared_is_read_back_from_the_photos(shared: SharedMetadata) -> None:
    photo = a_photo(extra=photo_metadata.public_metadata_json(a_photo(), shared))

    assert photo_metadata.from_photos([photo, a_photo()]) == shared


def test_nothing_is_shared_without_photos_or_ticks() -> None:
    camera = json.dumps([["Make", "FUJIFILM"]])

    assert photo_metadata.from_photos([]) == SharedMetadata()
    assert photo_metadata.public_metadata_json(a_photo(camera=camera), SharedMetadata()) == "{}"
    assert photo_metadata.camera_metadata(a_photo(camera=camera)) == {"Make": "FUJIFILM"}


def test_a_description_is_cleaned_and_has_a_bounded_length() -> None:
    assert photo_metadata.validate_alt("  a lake\x00\r\nat dawn ") == "a lake\nat dawn"
    longest = "é" * MAX_ALT_LENGTH
    assert photo_metadata.validate_alt(longest) == longest

    with pytest.raises(Invalid) as refused:
        photo_metadata.validate_alt(longest + "é")

    assert refused.value.field == "alt"
