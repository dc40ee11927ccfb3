"""Colours become sRGB or Display P3, whatever profile a file has."""

from __future__ import annotations

import pytest
from PIL import Image, ImageCms

from media.colour import icc
from media.colour import profiles as colour_profiles
from media.images import Variant
from media.pixels import render
from tests.media import samples

JPEG = (Variant("federated", 4096, "jpeg", 95, "test"),)
ALL_FORMATS = (*JPEG, Variant("page", 200, "webp", 95, "test"), Variant("page", 200, "avif", 95, "test"))


def test_display_p3_is_kept_and_becomes_srgb_for_other_servers():
    p3_red = (234, 51, 35)  # what sRGB's pure red is in P3
    data = samples.encoded(
        Image.new("RGB", (64, 64), p3_red), "PNG", icc_profile=colour_profiles.PROFILES["p3"]
    )

    picture = render(data, ALL_FORMATS)

    assert samples.alike([samples.opened(picture, 0).getpixel((9, 9))], ((255, 0, 0),), by=6)
    for place in (1, 2):
        assert samples.alike([samples.opened(picture, place).getpixel((9, 9))[:3]], (p3_red,), by=6)
        assert samples.opened(picture, place).info["icc_profile"] == colour_profiles.PROFILES["p3"]


def test_one_variant_does_not_change_the_colours_of_the_next():
    p3_red = (234, 51, 35)
    data = samples.encoded(
        Image.new("RGB", (800, 600), p3_red), "PNG", icc_profile=colour_profiles.PROFILES["p3"]
    )
    variants = tuple(
        Variant(f"{edge} {quality}", edge, kind, quality, "test", ratio=ratio)
        for edge in (900, 300)
        for kind, quality in (("jpeg", 95), ("jpeg", 94), ("webp", 95))
        for ratio in (None, 1)
    )

    picture = render(data, variants)

    for place, variant in enumerate(variants):
        red = (255, 0, 0) if variant.format == "jpeg" else p3_red
        assert samples.alike([samples.opened(picture, place).getpixel((9, 9))], (red,), by=6)


def test_srgb_pixels_stay_and_need_no_profile():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    plain, tagged = (
        render(samples.encoded(samples.quarters(), "PNG", **options), ALL_FORMATS)
        for options in ({}, {"icc_profile": profile})
    )

    assert [file.data for file in plain.files] == [file.data for file in tagged.files]
    assert "icc_profile" not in samples.opened(plain, 1).info
    assert "icc_profile" not in samples.opened(plain, 2).info


def test_a_space_wider_than_p3_becomes_p3_and_a_narrow_one_srgb():
    # Adobe RGB's primaries, adapted to D50, and primaries half-way between sRGB's and grey.
    wide = icc.profile(
        "w", (0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)
    )
    narrow = icc.profile("n", (0.38, 0.29, 0.14), (0.35, 0.51, 0.18), (0.2342, 0.2, 0.5049))
    spaces = []
    for profile in (wide, narrow):
        picture = render(samples.encoded(samples.quarters(), "PNG", icc_profile=profile), ALL_FORMATS)
        spaces.append(samples.opened(picture, 1).info.get("icc_profile"))

    assert spaces == [colour_profiles.PROFILES["p3"], None]


@pytest.mark.parametrize(
    "profile", [b"nonsense", bytes(200), colour_profiles.PROFILES["p3"][:300], bytes(5_000_000)]
)
def test_a_malformed_profile_is_ignored(profile):
    picture = render(samples.encoded(samples.quarters(), "JPEG", icc_profile=profile), ALL_FORMATS)

    assert samples.alike(samples.corners(samples.opened(picture)), samples.QUARTERS)
    assert samples.opened(picture).info["icc_profile"] == colour_profiles.PROFILES["srgb"]
