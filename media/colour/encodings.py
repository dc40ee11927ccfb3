"""Colour that a file describes without an ICC profile: by code points (ITU-T H.273), by gamma, by Exif.

Each description becomes a profile, so that one way leads from there to sRGB or Display P3. Curves are tables of the
256 levels that a decoded picture has. HDR (PQ and HLG, ITU-R BT.2100) is mapped to what a page can show: its
reference white, 203 cd/m², is white, and what is brighter is rolled off just below.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp

from media.colour import icc

Primaries = tuple[icc.Chromaticity, icc.Chromaticity, icc.Chromaticity, icc.Chromaticity]
Curve = Callable[[float], float]

_C_WHITE, _DCI_WHITE, _E_WHITE = (0.310, 0.316), (0.314, 0.351), (1 / 3, 1 / 3)
BT709, BT2020, UNSPECIFIED = 1, 9, 2
_PQ, _HLG = 16, 18
# Red, green, blue, white, by the code points of H.273, table 2.
_PRIMARIES: dict[int, Primaries] = {
    BT709: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), icc.D65),
    4: ((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), _C_WHITE),
    5: ((0.64, 0.33), (0.29, 0.60), (0.15, 0.06), icc.D65),
    6: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), icc.D65),
    7: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), icc.D65),
    8: ((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), _C_WHITE),
    BT2020: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), icc.D65),
    10: ((1.0, 0.0), (0.0, 1.0), (0.0, 0.0), _E_WHITE),
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _DCI_WHITE),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), icc.D65),
    22: ((0.630, 0.340), (0.295, 0.605), (0.155, 0.077), icc.D65),
}
_ADOBE_RGB: Primaries = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06), icc.D65)
_ADOBE_GAMMA = 563 / 256
_WHITE_NITS, _PQ_PEAK_NITS, _HLG_PEAK_NITS = 203, 10_000, 1000
# Up to here HDR is shown as it is: white stays within 2 of 255.
_KNEE = 0.97
# gAMA chunks of about 1/2.2 are how older programs say sRGB, unless beside them stand other primaries.
_SRGB_GAMMA, _GAMMA_TOLERANCE = 0.45455, 0.01


@dataclass(frozen=True)
class CodePoints:
    """Colour by the code points of H.273. Matrices are the decoder's matter."""

    primaries: int
    transfer: int
    is_full_range: bool = True


def from_code_points(colour: CodePoints) -> bytes:
    """Returns a profile; empty for sRGB, and for code points that say nothing."""
    primaries = colour.primaries
    if primaries not in _PRIMARIES:
        primaries = BT2020 if colour.transfer in (_PQ, _HLG) else BT709
    curve = _CURVES.get(colour.transfer)
    if primaries == BT709 and curve is None and colour.is_full_range:
        return b""
    return _profile(_PRIMARIES[primaries], curve, is_full_range=colour.is_full_range)


def from_gamma(gamma: float | None, chromaticities: Primaries | None) -> bytes:
    """Returns a profile of the gamma and the chromaticities that a PNG declares; empty where they say sRGB.

    Raises ValueError for chromaticities that span no colours.
    """
    primaries = _PRIMARIES[BT709]
    if chromaticities is not None and _distance(chromaticities, primaries) > 0.005:
        primaries = chromaticities
    is_srgb = primaries is _PRIMARIES[BT709] and (
        gamma is None or abs(gamma - _SRGB_GAMMA) <= _GAMMA_TOLERANCE
    )
    if is_srgb:
        return b""
    return _profile(primaries, _power(1 / gamma) if gamma is not None else None)


def adobe_rgb() -> bytes:
    """Returns a profile of Adobe RGB (1998)."""
    return _profile(_ADOBE_RGB, _power(_ADOBE_GAMMA))


def _profile(primaries: Primaries, curve: Curve | None, *, is_full_range: bool = True) -> bytes:
    colorants = icc.colorants(*primaries)
    if curve is None and is_full_range:
        return icc.profile("Described", *colorants)
    levels = [level / 255 if is_full_range else (level - 16) / 219 for level in range(256)]
    to_light = curve or _srgb
    return icc.profile(
        "Described", *colorants, icc.table_curve([to_light(min(1.0, max(0.0, level))) for level in levels])
    )


def _distance(one: Primaries, other: Primaries) -> float:
    return max(abs(a - b) for x, y in zip(one, other, strict=True) for a, b in zip(x, y, strict=True))


def _power(exponent: float) -> Curve:
    return lambda level: level**exponent


def _srgb(level: float) -> float:
    return level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4


def _pq(level: float) -> float:
    """Returns what the EOTF of SMPTE ST 2084 makes of a level, tone-mapped."""
    root = level ** (32 / 2523)
    light = max(0.0, root - 3424 / 4096) / (2413 / 128 - 2392 / 128 * root)
    return _roll_off(light ** (16384 / 2610) * _PQ_PEAK_NITS / _WHITE_NITS)


def _hlg(level: float) -> float:
    """Returns what a display of 1000 cd/m² makes of a level of ARIB STD-B67, tone-mapped."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = level * level / 3 if level <= 0.5 else (exp((level - c) / a) + b) / 12
    return _roll_off(scene**1.2 * _HLG_PEAK_NITS / _WHITE_NITS)


def _roll_off(light: float) -> float:
    """Keeps light up to the knee, and lets what is brighter near white without reaching it."""
    if light <= _KNEE:
        return light
    return _KNEE + (1 - _KNEE) * (1 - exp((_KNEE - light) / (1 - _KNEE)))


# By the code points of H.273, table 3. Those of television (1, 6, 14, 15) are shown as sRGB, as browsers do.
_CURVES: dict[int, Curve] = {
    4: _power(2.2),
    5: _power(2.8),
    8: _power(1.0),
    _PQ: _pq,
    17: lambda level: min(1.0, level**2.6 * 52.37 / 48),
    _HLG: _hlg,
}
