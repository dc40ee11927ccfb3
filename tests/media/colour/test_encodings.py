"""Colour that no ICC profile describes comes out as it was meant, in each way to say it and in their order."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from media.colour import encodings, icc
from media.colour.encodings import CodePoints
from media.colour.profiles import PROFILES
from media.images import Variant
from media.pixels import render
from tests.media import damaged, samples

Colour = tuple[float, float, float]

FILES = (
    Variant("federated", 4096, "jpeg", 98, "test"),
    Variant("page", 400, "webp", 100, "test"),
)
# H.273, table 2.
PRIMARIES = {
    "bt709": (1, ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06), (0.3127, 0.3290))),
    "bt2020": (9, ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), (0.3127, 0.3290))),
    "p3": (12, ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.3127, 0.3290))),
    "bt601": (6, ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), (0.3127, 0.3290))),
    "pal": (5, ((0.64, 0.33), (0.29, 0.60), (0.15, 0.06), (0.3127, 0.3290))),
}
ADOBE = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06), (0.3127, 0.3290))
COLOURS = (
    (255, 0, 0),
    (0, 255, 0),
    (0, 0, 255),
    (128, 201, 60),
    (200, 60, 60),
    (90, 90, 90),
    (250, 240, 180),
)


def light_of_srgb(level: float) -> float:
    return level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4


def srgb_of_light(light: float) -> float:
    return light * 12.92 if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055


def light_of_pq(level: float) -> float:
    """Of 203 cd/m²."""
    root = level ** (1 / 78.84375)
    return (max(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (1 / 0.1593017578125) * 10_000 / 203


def light_of_hlg(level: float) -> float:
    scene = level**2 / 3 if level <= 0.5 else (exp((level - 0.55991073) / 0.17883277) + 0.28466892) / 12
    return scene**1.2 * 1000 / 203


def solve(matrix: Sequence[Sequence[float]], wanted: Sequence[float]) -> list[float]:
    """Cramer's rule."""

    def determinant(m: Sequence[Sequence[float]]) -> float:
        (a, b, c), (d, e, f), (g, h, i) = m
        return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)

    whole = determinant(matrix)
    return [
        determinant(
            [[wanted[r] if k == column else row[k] for k in range(3)] for r, row in enumerate(matrix)]
        )
        / whole
        for column in range(3)
    ]


def xyz_matrix(primaries: Sequence[tuple[float, float]]) -> list[list[float]]:
    columns = [(x / y, 1.0, (1 - x - y) / y) for x, y in primaries]
    scales = solve([[columns[k][r] for k in range(3)] for r in range(3)], columns[3])
    return [[columns[k][r] * scales[k] for k in range(3)] for r in range(3)]


def expected(colour: Sequence[int], primaries, to_light, target) -> tuple[int, int, int]:
    """What a colour is in other primaries with the curve of sRGB, clipped. Both whites are D65."""
    light = [to_light(level / 255) for level in colour]
    xyz = [sum(row[k] * light[k] for k in range(3)) for row in xyz_matrix(primaries)]
    there = solve(xyz_matrix(target), xyz)
    red, green, blue = (round(255 * srgb_of_light(min(1.0, max(0.0, one)))) for one in there)
    return red, green, blue


def assert_shown_as(data: bytes, colour: Sequence[int], primaries, to_light, by: int = 3) -> None:
    """Both files have the colour: sRGB for other servers, P3 or sRGB for pages, and P3 if sRGB cannot hold it."""
    picture = render(data, FILES)
    plain, page = samples.opened(picture), samples.opened(picture, 1)
    target = PRIMARIES["p3"][1] if page.info.get("icc_profile") == PROFILES["p3"] else PRIMARIES["bt709"][1]
    found = [plain.getpixel((9, 9)), page.convert("RGB").getpixel((9, 9))]
    wanted = (
        expected(colour, primaries, to_light, PRIMARIES["bt709"][1]),
        expected(colour, primaries, to_light, target),
    )
    assert samples.alike(found[1:], wanted[1:], by)
    # Colours beyond sRGB are clipped after one more rounding.
    assert samples.alike(found[:1], wanted[:1], by + 4)
    assert not picture.is_incomplete


def flat(colour: Sequence[int], kind: str, **options: object) -> bytes:
    return samples.encoded(Image.new("RGB", (64, 64), tuple(colour)), kind, **options)


def avif(colour: Sequence[int], primaries: int, transfer: int) -> bytes:
    data = flat(colour, "AVIF", quality=100, subsampling="4:4:4")
    at = data.index(b"colrnclx") + 8
    return data[:at] + struct.pack(">HH", primaries, transfer) + data[at + 4 :]


def png(colour: Sequence[int], *chunks: tuple[bytes, bytes]) -> bytes:
    data = flat(colour, "PNG")
    for name, body in reversed(chunks):
        data = damaged.with_chunk(data, samples.chunk(name, body), before=b"IDAT")
    return data


def chrm(primaries: Sequence[tuple[float, float]]) -> bytes:
    red, green, blue, white = primaries
    return struct.pack(">8I", *(round(n * 100_000) for pair in (white, red, green, blue) for n in pair))


@pytest.mark.parametrize("name", PRIMARIES)
@pytest.mark.parametrize("colour", COLOURS)
def test_the_primaries_of_an_avif_and_a_png_are_honoured(name: str, colour: tuple[int, int, int]) -> None:
    code, primaries = PRIMARIES[name]

    assert_shown_as(avif(colour, code, 13), colour, primaries, light_of_srgb)
    assert_shown_as(png(colour, (b"cICP", bytes((code, 13, 0, 1)))), colour, primaries, light_of_srgb)
    assert_shown_as(png(colour, (b"cHRM", chrm(primaries))), colour, primaries, light_of_srgb)


@pytest.mark.parametrize("name", PRIMARIES)
def test_the_code_points_of_a_heic_are_honoured(name: str) -> None:
    code, primaries = PRIMARIES[name]
    at = samples.HEIC.index(b"colrprof")
    data = samples.HEIC[:at] + b"colrnclx" + struct.pack(">HHHB", code, 13, 6, 128) + samples.HEIC[at + 15 :]
    stored = (samples.BLUE, samples.RED, samples.WHITE, samples.GREEN)

    plain = samples.opened(render(data, FILES))

    wanted = tuple(expected(colour, primaries, light_of_srgb, PRIMARIES["bt709"][1]) for colour in stored)
    assert samples.alike(samples.corners(plain), wanted, by=12)


@pytest.mark.parametrize("name", PRIMARIES)
def test_an_avif_of_limited_range_is_widened_once(name: str) -> None:
    code, primaries = PRIMARIES[name]
    for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255), (90, 90, 90), (250, 240, 180)):
        data = flat(colour, "AVIF", quality=100, subsampling="4:4:4", range="limited")
        at = data.index(b"colrnclx") + 8
        data = data[:at] + struct.pack(">HH", code, 13) + data[at + 4 :]
        assert data[at + 6] & 128 == 0
        assert_shown_as(data, colour, primaries, light_of_srgb, by=5)


@pytest.mark.parametrize(
    ("transfer", "to_light"),
    [
        (1, light_of_srgb), (6, light_of_srgb), (14, light_of_srgb), (15, light_of_srgb), (2, light_of_srgb),
        (4, lambda level: level**2.2), (5, lambda level: level**2.8), (8, lambda level: level),
        (16, light_of_pq), (18, light_of_hlg),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["bt709", "bt2020", "p3"])
def test_the_curve_of_an_avif_and_a_png_is_honoured(transfer: int, to_light, name: str) -> None:
    code, primaries = PRIMARIES[name]

    for colour in ((100, 100, 100), (120, 110, 100), (60, 70, 80)):
        assert_shown_as(avif(colour, code, transfer), colour, primaries, to_light)
        assert_shown_as(png(colour, (b"cICP", bytes((code, transfer, 0, 1)))), colour, primaries, to_light)


@pytest.mark.parametrize(("transfer", "white"), [(16, 148), (18, 191)])
def test_the_reference_white_of_hdr_is_white_and_nothing_brighter_is_darker(
    transfer: int, white: int
) -> None:
    shown = []
    for level in (white, white + 10, 220, 255):
        picture = render(avif((level,) * 3, 9, transfer), FILES)
        shown.append(samples.opened(picture).getpixel((9, 9))[1])

    assert shown[0] >= 252
    assert shown == sorted(shown)


def test_hdr_that_names_no_primaries_is_of_bt2020() -> None:
    assert encodings.from_code_points(CodePoints(2, 16)) == encodings.from_code_points(CodePoints(9, 16))
    assert encodings.from_code_points(CodePoints(2, 2)) == b""


def test_a_narrow_range_of_a_png_is_widened() -> None:
    for level, wanted in ((16, 0), (235, 255), (126, 128)):
        picture = render(png((level,) * 3, (b"cICP", bytes((1, 13, 0, 0)))), FILES)
        assert samples.alike([samples.opened(picture).getpixel((9, 9))], ((wanted,) * 3,), by=3)


@pytest.mark.parametrize(("gamma", "level"), [(100_000, 55), (45_455, 128), (55_556, 100)])
@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "LA"])
def test_the_gamma_of_a_png_is_honoured_in_every_mode(gamma: int, level: int, mode: str) -> None:
    image = Image.new("RGB", (64, 64), (level,) * 3)
    image = image.quantize(4) if mode == "P" else image.convert(mode)
    data = samples.encoded(image, "PNG")

    picture = render(
        damaged.with_chunk(data, samples.chunk(b"gAMA", gamma.to_bytes(4, "big")), before=b"IDAT"), FILES
    )

    wanted = round(255 * srgb_of_light((level / 255) ** (100_000 / gamma)))
    assert samples.alike([samples.opened(picture).getpixel((9, 9))], ((wanted,) * 3,), by=3)


@pytest.mark.parametrize("colour", [(200, 100, 50), (30, 180, 90), (90, 60, 200)])
def test_a_gamma_beside_chromaticities_of_another_space_is_that_gamma(colour: tuple[int, int, int]) -> None:
    """It is how programs say Adobe RGB; beside those of sRGB it is how they say sRGB."""
    for primaries, to_light in (
        (ADOBE, lambda level: level**2.2),
        (PRIMARIES["bt709"][1], light_of_srgb),
    ):
        chunks = (b"gAMA", (45_455).to_bytes(4, "big")), (b"cHRM", chrm(primaries))
        assert_shown_as(png(colour, *chunks), colour, primaries, to_light)


def test_what_a_png_says_of_colour_counts_in_the_order_of_its_standard() -> None:
    colour, linear = (200, 60, 60), (b"gAMA", (100_000).to_bytes(4, "big"))
    cicp, srgb = (b"cICP", bytes((9, 13, 0, 1))), (b"sRGB", b"\0")
    profile = (b"iCCP", b"p\0\0" + zlib.compress(PROFILES["p3"]))
    wide = (b"cHRM", chrm(PRIMARIES["bt2020"][1]))
    table = [
        ([cicp, profile, srgb, linear, wide], PRIMARIES["bt2020"][1], light_of_srgb),
        ([profile, srgb, linear, wide], PRIMARIES["p3"][1], light_of_srgb),
        ([srgb, linear, wide], PRIMARIES["bt709"][1], light_of_srgb),
        ([linear, wide], PRIMARIES["bt2020"][1], lambda level: level),
        ([linear], PRIMARIES["bt709"][1], lambda level: level),
        ([(b"cICP", bytes((9, 13, 1, 1))), linear], PRIMARIES["bt709"][1], lambda level: level),
        ([(b"cICP", b"\x09\x0d"), linear], PRIMARIES["bt709"][1], lambda level: level),
        ([(b"iCCP", b"p\0\0broken"), linear], PRIMARIES["bt709"][1], lambda level: level),
        ([(b"sRGB", b""), linear], PRIMARIES["bt709"][1], lambda level: level),
        ([(b"gAMA", bytes(4)), (b"cHRM", bytes(32))], PRIMARIES["bt709"][1], light_of_srgb),
    ]

    for chunks, primaries, to_light in table:
        for ordered in (chunks, chunks[::-1]):
            assert_shown_as(png(colour, *ordered), colour, primaries, to_light)


@pytest.mark.parametrize("space", [0xFFFF, 2, None, 1])
@pytest.mark.parametrize("rule", ["R03", "R98", None])
@pytest.mark.parametrize("has_profile", [False, True])
def test_exif_says_adobe_rgb_where_no_profile_says_anything(
    space: int | None, rule: str | None, has_profile: bool
) -> None:
    exif = Image.Exif()
    if space is not None:
        exif.get_ifd(0x8769)[0xA001] = space
    if rule is not None:
        exif.get_ifd(0x8769)[0xA005] = {1: rule}
    options = {"icc_profile": PROFILES["p3"]} if has_profile else {}
    colour = (128, 201, 60)
    data = flat(colour, "JPEG", quality=100, exif=exif, **options)

    is_adobe = space == 2 or (rule == "R03" and space != 1)

    if has_profile:
        assert_shown_as(data, colour, PRIMARIES["p3"][1], light_of_srgb)
    elif is_adobe:
        assert_shown_as(data, colour, ADOBE, lambda level: level ** (563 / 256))
    else:
        assert_shown_as(data, colour, PRIMARIES["bt709"][1], light_of_srgb)


def test_a_profile_in_an_avif_counts_before_its_code_points() -> None:
    colour = (200, 60, 60)
    data = flat(colour, "AVIF", quality=100, subsampling="4:4:4", icc_profile=PROFILES["p3"])
    at = data.find(b"colrnclx")
    if at > 0:
        data = data[: at + 8] + struct.pack(">HH", 9, 13) + data[at + 12 :]

    assert_shown_as(data, colour, PRIMARIES["p3"][1], light_of_srgb)


def test_the_described_p3_is_the_p3_of_pages() -> None:
    picture = render(avif((255, 0, 0), 12, 13), FILES)

    page = samples.opened(picture, 1)
    assert page.info["icc_profile"] == PROFILES["p3"]
    assert samples.alike([page.getpixel((9, 9))], ((255, 0, 0),), by=3)


chromaticity = st.tuples(st.floats(-1, 50000), st.floats(-1, 50000)) | st.tuples(
    st.floats(0, 1), st.floats(0, 1)
)


@given(st.floats(0.05, 20) | st.none(), st.tuples(*[chromaticity] * 4) | st.none())
def test_any_gamma_and_chromaticities_are_a_profile_or_refused(gamma, chromaticities) -> None:
    try:
        profile = encodings.from_gamma(gamma, chromaticities)
    except ValueError:
        return
    assert profile == b"" or profile[36:40] == b"acsp"


@given(st.integers(0, 65535), st.integers(0, 65535), st.booleans())
def test_any_code_points_are_a_profile_or_srgb(primaries: int, transfer: int, is_full_range: bool) -> None:
    profile = encodings.from_code_points(CodePoints(primaries, transfer, is_full_range))

    assert profile == b"" or profile[36:40] == b"acsp"


def test_colorants_are_those_that_srgb_profiles_hold() -> None:
    red, green, blue = icc.colorants(*PRIMARIES["bt709"][1])

    for found, wanted in (
        (red, (0.4361, 0.2225, 0.0139)),
        (green, (0.3851, 0.7169, 0.0971)),
        (blue, (0.1431, 0.0606, 0.7141)),
    ):
        assert found == pytest.approx(wanted, abs=2e-4)
