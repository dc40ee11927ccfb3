"""Odd pictures by other software, where they lie beside the project: each is shown as it was meant, or refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from media.colour.profiles import PROFILES
from media.images import VARIANTS, BadImage, Picture
from media.sandbox import Sandbox
from tests.media import samples
from tests.support.parallel import ONE_AT_A_TIME

pytestmark = ONE_AT_A_TIME

FOLDER = Path(__file__).parents[3] / "shared" / "fixtures" / "pictures"
FILES = sorted(path for path in FOLDER.glob("*") if path.is_file())

WHITE = (255, 255, 255)
# What is behind something else is no picture, as everywhere on the web.
REFUSED = {"zero.jpg", "png_bom.png", "jpeg_lead_newline.jpg", "webp_trunc_10.webp"}
SIZES = {
    "jpeg_cut_100": (800, 600), "jpeg_fill_ff": (1600, 400), "jpeg_ultrahdr_like": (1600, 400), "one": (1, 1),
    "jpeg_app14_trunc": (400, 300), "jpeg_dup_jfif": (400, 300), "jpeg_icc_partial": (400, 300),
    "jpeg_samsung_bad_sos": (400, 300), "png_bad_idat_crc": (400, 300), "png_cut_30": (400, 300), "webp_odd_riffsize": (400, 300),
    "webp_16383": (16383, 20), "wide_10000x1": (10000, 1),
    # Turned by their container.
    "heic_xmp6_no_irot": (64, 96),
    "avif_irot_exif1": (64, 96),
    # Not turned: the first Exif counts, in the type and under the name that its standard has, as in browsers.
    "exif_byte_type": (64, 96), "exif_nulls_prefix": (64, 96), "exif_two_first1": (64, 96),
    "png_raw_profile_app1": (64, 96),
}  # fmt: skip
# sRGB in the middle of the left half and of the right one, of the files that do not show the four quarters.
COLOURS: dict[str, tuple[tuple[int, int, int], tuple[int, int, int]]] = {
    "avif_alpha": (WHITE, WHITE), "heic_rgba": (WHITE, WHITE), "png_la": (WHITE, WHITE), "png_1bit_trns": (WHITE, WHITE),
    "png_gray2_trns": (WHITE, WHITE), "png_gray4_trns": (WHITE, (170, 170, 170)),
    "png_gray16_trns": (WHITE, (240, 240, 240)), "png_rgb16_trns": (WHITE, (17, 238, 34)),
    "avif_p3_nclx": ((255, 0, 0),) * 2, "avif_bt2020_pq": ((255, 0, 0),) * 2,
    "heic_pq_white203": (WHITE, WHITE), "heic_bt2020_srgbtrc": ((247, 0, 52),) * 2,
    "png_gama_linear": ((128, 128, 128),) * 2, "png_gama_srgb": ((128, 128, 128),) * 2,
    "jpeg_adobergb_exif_r03": ((77, 202, 35),) * 2,
    "jpeg_cmyk_adobe": ((255, 0, 0),) * 2, "jpeg_cmyk_noadobe": ((255, 0, 0),) * 2,
    "one": ((10, 8, 6),) * 2, "tall_1x10000": ((200, 0, 0),) * 2, "wide_10000x1": ((200, 0, 0),) * 2,
}  # fmt: skip
TURNED = {name for name, size in SIZES.items() if size == (64, 96)}
WIDE = {"avif_p3_nclx", "avif_bt2020_pq", "heic_bt2020_srgbtrc", "jpeg_adobergb_exif_r03"}
# Too flat for their four colours to be seen, or with one of them transparent.
NARROW = {"webp_16383", "gif_partial_frame"}


def wanted_size(name: str) -> tuple[int, int]:
    if name in SIZES:
        return SIZES[name]
    if "x" in (last := name.rpartition("_")[2]) and last.replace("x", "").isdecimal():
        width, height = last.split("x")
        return int(width), int(height)
    return (64, 64) if name in COLOURS else (96, 64)


@pytest.mark.skipif(not FILES, reason="they are kept beside the project")
async def test_every_picture_by_other_software_is_shown_as_it_was_meant() -> None:
    sandbox, wrong = Sandbox(workers=2), {}
    for path in FILES:
        try:
            picture = await sandbox.render(path.read_bytes(), VARIANTS)
        except BadImage as error:
            found = [] if path.name in REFUSED and error.message.endswith("accepted.") else [error.detail]
        else:
            found = ["accepted"] if path.name in REFUSED else list(differences(path.stem, picture))
        if found:
            wrong[path.name] = found
    await sandbox.close()

    assert wrong == {}


def differences(name: str, picture: Picture) -> Iterator[str]:
    """How a picture differs from what it should be."""
    if (picture.width, picture.height) != wanted_size(name):
        yield f"{picture.width} × {picture.height}"
    if picture.is_incomplete != (name in ("jpeg_cut_100", "png_cut_30")):
        yield "taken for incomplete or not"
    shown = samples.opened(picture)
    corners = samples.corners(shown)
    if name in COLOURS and not samples.alike(corners[:2], COLOURS[name], by=4):
        yield f"{corners}"
    if name not in COLOURS and name not in NARROW | TURNED and not samples.alike(corners, samples.QUARTERS):
        yield f"{corners}"
    is_wide = samples.opened(picture, 1).info.get("icc_profile") == PROFILES["p3"]
    if is_wide != (name in WIDE) and "pq" not in name:
        yield "in another space"
