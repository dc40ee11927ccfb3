"""What the author of a photo shares about it: camera facts by group, a licence, a place in words.

Nothing is shared that was not ticked; what a photo's `extra` holds is all that anyone is told. Coordinates
are never read from a file, so there are none to share.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from node.attachments.photo_rows import Photo
from node.errors import Invalid
from node.text.formatting import clean_text

LONGEST_PLACE = 100
GROUPS: dict[str, tuple[str, ...]] = {
    "camera": ("Make", "Model", "LensModel"),
    "settings": (
        "FocalLength",
        "FocalLengthIn35mmFilm",
        "FNumber",
        "ExposureTime",
        "PhotographicSensitivity",
    ),
    "time": ("DateTime",),
}
# By the names that Pixelfed knows them by, which is how it finds them.
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
class Shared:
    """What is told about the photos of a post. `groups` are keys of `GROUPS`; '' is no licence, no place."""

    groups: frozenset[str] = frozenset()
    licence: str = ""
    place: str = ""


def checked(shared: Shared) -> Shared:
    """Made clean; raises Invalid for a licence that is not one of `LICENCES`, or a place too long."""
    place = " ".join(clean_text(shared.place, LONGEST_PLACE * 2).split())
    if len(place) > LONGEST_PLACE:
        raise Invalid(f"A place has {LONGEST_PLACE} characters at most.", field="place")
    if shared.licence and shared.licence not in LICENCES:
        raise Invalid("That licence is not available.", field="licence")
    return replace(shared, groups=shared.groups & set(GROUPS), place=place)


def written(photo: Photo) -> dict[str, str]:
    """What its camera wrote into the file: for its owner alone."""
    return dict(json.loads(photo.camera))


def told(photo: Photo, shared: Shared) -> str:
    """The photo's `extra`: what is shared about it and nothing else."""
    facts = written(photo)
    names = [name for group, of_it in GROUPS.items() if group in shared.groups for name in of_it]
    extra: dict[str, Any] = {
        "exif": [[name, facts[name]] for name in names if name in facts],
        "license": shared.licence,
        "place": {"name": shared.place} if shared.place else None,
        "groups": sorted(shared.groups),
    }
    return json.dumps({name: value for name, value in extra.items() if value})


def of(photos: Sequence[Photo]) -> Shared:
    """What is shared about the photos of a post of ours now."""
    for photo in photos[:1]:
        extra = photo.told
        place = extra.get("place") or {}
        return Shared(frozenset(extra.get("groups", ())), extra.get("license", ""), place.get("name", ""))
    return Shared()


MOST_ALT = 10_000


def checked_alt(alt: str) -> str:
    """The description of a photo, clean; raises Invalid when it is too long."""
    alt = clean_text(alt, MOST_ALT * 2)
    if len(alt) > MOST_ALT:
        raise Invalid(f"The description is too long: {MOST_ALT} characters at most.", field="alt")
    return alt
