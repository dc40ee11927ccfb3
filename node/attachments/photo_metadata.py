"""What the author of a photo shares about it: camera metadata by group, a licence, a place.

Nothing is shared that was not ticked; a photo's `extra` holds all that others see. A photo may have a place of its own
(`Photo.place`), with coordinates that were rounded as its author chose; else it has the name of the post's.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from node.attachments.photo_rows import Photo
from node.errors import Invalid
from node.models import places
from node.models.places import MAX_NAME_LENGTH as MAX_PLACE_LENGTH
from node.text.formatting import clean_text

MAX_ALT_LENGTH = 10_000
EXIF_GROUPS: dict[str, tuple[str, ...]] = {
    "camera": ("Make", "Model"),
    "lens": ("LensModel",),
    "settings": (
        "FocalLength",
        "FocalLengthIn35mmFilm",
        "FNumber",
        "ExposureTime",
        "PhotographicSensitivity",
    ),
    "time": ("DateTime",),
}
# By the names that Pixelfed uses, which is how it recognises them.
LICENCES: dict[str, str] = {
    "CC BY": "https://creativecommons.org/licenses/by/4.0/",
    "CC BY-SA": "https://creativecommons.org/licenses/by-sa/4.0/",
    "CC BY-NC": "https://creativecommons.org/licenses/by-nc/4.0/",
    "CC BY-NC-SA": "https://creativecommons.org/licenses/by-nc-sa/4.0/",
    "CC BY-ND": "https://creativecommons.org/licenses/by-nd/4.0/",
    "CC BY-NC-ND": "https://creativecommons.org/licenses/by-nc-nd/4.0/",
    "Public Domain (CC0)": "https://creativecommons.org/publicdomain/zero/1.0/",
    "Public Domain": "https://creativecommons.org/publicdomain/mark/1.0/",
}


@dataclass(frozen=True, slots=True)
class SharedMetadata:
    """What is shared about the photos of a post. `groups` are keys of `EXIF_GROUPS`; '' is no licence, no place."""

    groups: frozenset[str] = frozenset()
    licence: str = ""
    place: str = ""


def validate(shared: SharedMetadata) -> SharedMetadata:
    """Returns the metadata, cleaned.

    Raises Invalid for a licence that is not one of `LICENCES`, or a place too long.
    """
    place = validate_place_name(shared.place)
    if shared.licence and shared.licence not in LICENCES:
        raise Invalid("That licence is not available.", field="licence")
    return replace(shared, groups=shared.groups & set(EXIF_GROUPS), place=place)


def validate_place_name(name: str) -> str:
    """Returns the name of a place, cleaned. Raises Invalid for one that is too long."""
    name = " ".join(clean_text(name, MAX_PLACE_LENGTH * 2).split())
    if len(name) > MAX_PLACE_LENGTH:
        raise Invalid(f"A place has {MAX_PLACE_LENGTH} characters at most.", field="place")
    return name


def camera_metadata(photo: Photo) -> dict[str, str]:
    """Returns what the camera wrote into the file: for its owner only."""
    return dict(json.loads(photo.camera))


def public_metadata_json(photo: Photo, shared: SharedMetadata) -> str:
    """Returns the photo's `extra` as JSON: what is shared about it and nothing else."""
    camera = camera_metadata(photo)
    shared_names = [name for group, names in EXIF_GROUPS.items() if group in shared.groups for name in names]
    own_place = places.load(photo.place)
    extra: dict[str, Any] = {
        "exif": [[name, camera[name]] for name in shared_names if name in camera],
        "license": shared.licence,
        "place": places.to_json(own_place) if own_place else {"name": shared.place} if shared.place else None,
        "groups": sorted(shared.groups),
    }
    return json.dumps({name: value for name, value in extra.items() if value})


def from_photos(photos: Sequence[Photo]) -> SharedMetadata:
    """Returns what is shared about the photos of a local post now: the same for all, so the first tells it.

    The place of the post is told by the first photo that has none of its own.
    """
    if not photos:
        return SharedMetadata()
    extra = photos[0].public_metadata
    place = next((photo.public_metadata.get("place") or {} for photo in photos if not photo.place), {})
    return SharedMetadata(frozenset(extra.get("groups", ())), extra.get("license", ""), place.get("name", ""))


def validate_alt(alt: str) -> str:
    """Returns the description of a photo, cleaned. Raises Invalid when it is too long."""
    alt = clean_text(alt, MAX_ALT_LENGTH * 2)
    if len(alt) > MAX_ALT_LENGTH:
        raise Invalid(f"The description is too long: {MAX_ALT_LENGTH} characters at most.", field="alt")
    return alt
