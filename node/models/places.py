"""Places of photos: a name in the author's words, and coordinates that are rounded before anything keeps them. Owns no table.

How far coordinates are rounded is the author's choice (`PRECISIONS`). What was rounded cannot become finer again: that
needs the photo's file, and a new choice.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import Any

MAX_NAME_LENGTH = 100

PRECISIONS: dict[str, int | None] = {"exact": 5, "km": 2, "town": 1, "region": 0, "country": None}
"""The decimals of a degree that are kept, from fine to coarse; None keeps no coordinates. A hundredth is about 1 km."""

DEFAULT_PRECISION = "town"
RADIUS_KM: dict[str, int] = {"km": 1, "town": 10, "region": 100}
"""How far from the coordinates the photo may have been taken, in whole kilometres; nothing is said of `exact`."""


@dataclass(frozen=True, slots=True)
class PhotoPlace:
    """Where a photo was taken. `precision` is a key of `PRECISIONS`; without coordinates both are None."""

    name: str = ""
    precision: str = DEFAULT_PRECISION
    latitude: float | None = None
    longitude: float | None = None

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise ValueError(f"no such precision: {self.precision!r}")
        point = _rounded(self.latitude, self.longitude, PRECISIONS[self.precision])
        object.__setattr__(self, "latitude", point[0])
        object.__setattr__(self, "longitude", point[1])

    def __bool__(self) -> bool:
        return bool(self.name) or self.has_coordinates

    @property
    def has_coordinates(self) -> bool:
        return self.latitude is not None and self.longitude is not None

    @property
    def label(self) -> str:
        """The name or, without one, the coordinates as text: `51.1° N, 17° E`."""
        if self.name or self.latitude is None or self.longitude is None:
            return self.name
        return f"{_degrees(self.latitude, 'N', 'S')}, {_degrees(self.longitude, 'E', 'W')}"


def coarsened(place: PhotoPlace, precision: str) -> PhotoPlace:
    """Returns the place with a coarser precision. A finer one changes nothing while there are coordinates."""
    order = list(PRECISIONS)
    if place.has_coordinates and order.index(precision) < order.index(place.precision):
        return place
    return replace(place, precision=precision)


def dump(place: PhotoPlace) -> str:
    """Serializes a place for a column; "" for none."""
    return json.dumps(to_json(place)) if place else ""


def to_json(place: PhotoPlace) -> dict[str, Any]:
    """Returns what is kept of a place, and shown to all who may see the photo."""
    found: dict[str, Any] = {"name": place.label, "precision": place.precision}
    if place.has_coordinates:
        found |= {"latitude": place.latitude, "longitude": place.longitude}
    return found if place.name else found | {"is_unnamed": True}


def load(text: str) -> PhotoPlace:
    """Parses what `dump` wrote."""
    if not text:
        return NOWHERE
    found = json.loads(text)
    name = "" if found.get("is_unnamed") else found["name"]
    return PhotoPlace(name, found["precision"], found.get("latitude"), found.get("longitude"))


def _rounded(
    latitude: float | None, longitude: float | None, decimals: int | None
) -> tuple[float | None, float | None]:
    if latitude is None or longitude is None or decimals is None:
        return None, None
    if not (math.isfinite(latitude) and math.isfinite(longitude)):
        return None, None
    if abs(latitude) > 90 or abs(longitude) > 180:
        return None, None
    # Without a minus zero, which would be a trace of the side that was rounded away.
    return round(latitude, decimals) + 0.0, round(longitude, decimals) + 0.0


def _degrees(value: float, positive: str, negative: str) -> str:
    return f"{abs(value):.5f}".rstrip("0").rstrip(".") + f"° {negative if value < 0 else positive}"


NOWHERE = PhotoPlace()
