"""Coordinates of a place are never finer than was chosen, whichever way it went through."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as some

from node.models import places
from node.models.places import PRECISIONS, PhotoPlace

LATITUDES, LONGITUDES = some.floats(-90, 90), some.floats(-180, 180)
PRECISION = some.sampled_from(list(PRECISIONS))


def is_no_finer(place: PhotoPlace, decimals: int | None) -> bool:
    """Whether each coordinate is a whole number of steps of that many decimals; without decimals, whether there is none."""
    if decimals is None:
        return place.latitude is None and place.longitude is None
    # The shortest decimals that a float is written with are all that a reader can learn from it.
    found = [Fraction(str(value)) * 10**decimals for value in (place.latitude, place.longitude)]
    return all(one.denominator == 1 for one in found)


@given(LATITUDES, LONGITUDES, PRECISION)
def test_a_place_holds_nothing_finer_than_its_precision(
    latitude: float, longitude: float, precision: str
) -> None:
    place = PhotoPlace("Berlin", precision, latitude, longitude)

    assert is_no_finer(place, PRECISIONS[precision])
    assert is_no_finer(places.load(places.dump(place)), PRECISIONS[precision])
    kept = json.loads(places.dump(place))
    assert ("latitude" in kept) == (PRECISIONS[precision] is not None)
    if place.latitude is not None and place.longitude is not None:
        step = 10 ** -(PRECISIONS[precision] or 0)
        assert abs(place.latitude - latitude) <= 0.51 * step
        assert abs(place.longitude - longitude) <= 0.51 * step


@given(LATITUDES, LONGITUDES, PRECISION, some.lists(PRECISION, max_size=5))
def test_what_was_rounded_never_becomes_finer_again(
    latitude: float, longitude: float, precision: str, changes: list[str]
) -> None:
    place = PhotoPlace("", precision, latitude, longitude)
    coarsest = PRECISIONS[precision]
    for change in changes:
        place = places.load(places.dump(places.coarsened(place, change)))
        decimals = PRECISIONS[change]
        coarsest = None if coarsest is None or decimals is None else min(coarsest, decimals)
        assert is_no_finer(place, coarsest)


@pytest.mark.parametrize(
    ("latitude", "longitude"), [(float("nan"), 1), (1, float("inf")), (90.1, 0), (0, -180.5), (None, 4)]
)
def test_what_is_no_place_has_no_coordinates(latitude: float, longitude: float) -> None:
    assert not PhotoPlace("", "exact", latitude, longitude).has_coordinates


def test_a_place_without_a_name_is_read_by_its_coordinates() -> None:
    place = PhotoPlace("", "town", -33.8688, 151.2093)

    assert (place.label, PhotoPlace("Sydney", "town").label) == ("33.9° S, 151.2° E", "Sydney")
    assert places.load(places.dump(place)) == place


def test_a_place_of_nothing_is_nothing() -> None:
    assert (places.dump(PhotoPlace()), places.load(""), bool(PhotoPlace("", "country", 1, 2))) == (
        "",
        PhotoPlace(),
        False,
    )


def test_rounding_leaves_no_trace_of_the_side() -> None:
    assert json.loads(places.dump(PhotoPlace("x", "region", -0.3, -0.4)))["latitude"] == 0
    assert "-0" not in places.dump(PhotoPlace("x", "region", -0.3, -0.4))


def test_an_unknown_precision_is_refused() -> None:
    with pytest.raises(ValueError, match="precision"):
        PhotoPlace("", "street")
