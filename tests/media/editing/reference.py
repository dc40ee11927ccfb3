"""Reference implementation of the photo editor's colour pipeline.

Every pointwise tool and every look compiles into ONE float32 table of 33x33x33 RGB values in
gamma-encoded sRGB; spatial tools follow by explicit formula. Clarity of the formulas first: this file
is what an implementation is tested against, not the implementation.

All pixel arrays are float, shape (..., 3), values 0..1, gamma sRGB unless a name says `linear`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Curve = Callable[[Array], Array]
Recipe = dict[str, Any]

SIZE = 33
LUMA = np.array([0.2126, 0.7152, 0.0722])
HUES = {
    "red": 25,
    "orange": 55,
    "yellow": 100,
    "green": 140,  # OKLab hue angles, degrees
    "aqua": 195,
    "blue": 255,
    "purple": 300,
    "magenta": 345,
}
TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
FROM_LMS, FROM_LAB = np.linalg.inv(TO_LMS), np.linalg.inv(TO_LAB)


# ---------------------------------------------------------------- colour spaces and small helpers
def decode(v: Array) -> Array:
    return np.where(v <= 0.04045, v / 12.92, ((np.maximum(v, 0.04045) + 0.055) / 1.055) ** 2.4)


def encode(v: Array) -> Array:
    return np.where(v <= 0.0031308, v * 12.92, 1.055 * np.maximum(v, 0.0031308) ** (1 / 2.4) - 0.055)


def to_oklab(rgb: Array) -> Array:
    return np.cbrt(decode(rgb) @ TO_LMS.T) @ TO_LAB.T


def smoothstep(lo: float, hi: float, v: Array) -> Array:
    t = np.clip((v - lo) / (hi - lo), 0, 1)
    return t * t * (3 - 2 * t)


def colourful(c: Array, at: float) -> Array:
    """0 at the grey axis with no slope, half at `at`, towards 1 beyond."""
    return c * c / (c * c + at * at)


def luma(rgb: Array) -> Array:
    return (rgb @ LUMA)[..., None]


def into_gamut(linear: Array) -> Array:
    """Linear light, possibly outside 0..1, to gamma inside it: a channel far below the largest one follows
    an exponential toe instead of stopping at 0; a colour too bright is scaled down, keeping its hue."""
    hi = np.maximum(linear.max(-1, keepdims=True), 1e-6)
    q, toe = linear / hi, 0.02
    q = np.where(q < toe, toe * np.exp(np.minimum(q - toe, 0) / toe), q)
    return encode(q * np.minimum(hi, 1))


def monotone(points: list[list[float]]) -> Curve:
    """Monotone cubic through the points (Fritsch-Butland slopes): never overshoots, C1."""
    x, y = np.array(points, float).T
    h, s = np.diff(x), np.diff(y) / np.diff(x)
    m = np.empty_like(x)
    w1, w2 = 2 * h[1:] + h[:-1], h[1:] + 2 * h[:-1]
    flat = s[:-1] * s[1:] <= 0
    safe = np.where(flat[:, None], 1.0, np.stack([s[:-1], s[1:]], 1))
    m[1:-1] = np.where(flat, 0, (w1 + w2) / (w1 / safe[:, 0] + w2 / safe[:, 1]))
    for end, a, b in ((0, 0, 1), (-1, -1, -2)):
        if len(s) == 1:
            m[end] = s[0]
        else:
            m[end] = np.clip(((2 * h[a] + h[b]) * s[a] - h[a] * s[b]) / (h[a] + h[b]), 0, 3 * s[a])

    def curve(v: Array) -> Array:
        i = np.clip(np.searchsorted(x, v, side="right") - 1, 0, len(h) - 1)
        t = (np.clip(v, x[0], x[-1]) - x[i]) / h[i]
        return (
            (1 + 2 * t) * (1 - t) ** 2 * y[i]
            + t * (1 - t) ** 2 * h[i] * m[i]
            + t * t * (3 - 2 * t) * y[i + 1]
            + t * t * (t - 1) * h[i] * m[i + 1]
        )

    return curve


# ---------------------------------------------------------------- pointwise building blocks
def gains(rgb: Array, exposure: float, warmth: float, tint: float) -> Array:
    """Exposure and white balance as one gain per channel in linear light, through x*g / (1 + (g-1)*x):
    slope g at black, 0 and 1 stay where they are, the inverse of g is 1/g. Darkening also scales plainly
    by a part of the stops: white may turn grey, or the steep end at white would show bands in skies."""
    stops = np.array([0.5, 0.0, -0.8]) * warmth + np.array([0.22, -0.32, 0.22]) * tint
    g = 2.0**stops
    g = g / (g @ LUMA) * 2.0 ** (exposure * (2.2 if exposure > 0 else 1.3))
    lin = decode(rgb)
    return encode(lin * g / (1 + (g - 1) * lin) * 2.0 ** (0.9 * min(exposure, 0)))


def levels_curve(black: float, white: float) -> Curve:
    """Linear stretch of [black, white] to [0, 1] with parabolic ends: monotone, nothing clips."""
    span, top = white - black, 1 - white

    def curve(v: Array) -> Array:
        out = (v - black) / span
        if black > 0:
            out = np.where(v < 2 * black, v * v / (4 * black * span), out)
        if top > 0:
            out = np.where(v > 1 - 2 * top, 1 - (1 - v) ** 2 / (4 * top * span), out)
        return out

    return curve


def contrast_curve(v: Array, amount: float) -> Array:
    """Normalised logistic about 0.5 for more contrast; its exact inverse for less."""
    k = 5.6 * abs(amount)
    if k < 1e-6:
        return v
    lo = 1 / (1 + np.exp(k / 2))
    if amount > 0:
        return (1 / (1 + np.exp(-k * (v - 0.5))) - lo) / (1 - 2 * lo)
    p = lo + v * (1 - 2 * lo)
    return 0.5 + np.log(p / (1 - p)) / k


def tone_curve(r: Recipe) -> Curve:
    """levels, blacks, shadows, highlights, whites, contrast: one monotone curve with f(0)=0 and f(1)=1."""

    def scaled(name: str, up: float, down: float) -> float:
        v = r.get(name, 0) / 100
        return v * (up if v > 0 else down)

    blacks, shadows = scaled("blacks", 1.6, 0.9), scaled("shadows", 1.9, 0.9)
    highlights, whites = scaled("highlights", 0.9, 1.5), scaled("whites", 0.9, 1.6)
    levels = levels_curve(*r.get("levels", [0.0, 1.0]))

    def curve(v: Array) -> Array:
        v = levels(v)
        v = v + blacks * v * (1 - v) ** 6
        v = v + shadows * v * (1 - v) ** 3
        v = v + highlights * (1 - v) * v**3
        v = v + whites * (1 - v) * v**6
        return contrast_curve(v, r.get("contrast", 0) / 100)

    return curve


def apply_tone(rgb: Array, f: Curve, keep: float = 0.8) -> Array:
    """A tone curve without hue shift: the largest channel goes through f, the smallest mostly
    (`keep`) by the same ratio, so colours neither wash out nor overheat; the middle keeps its place.
    Near-neutrals go through f alone: a kink at the grey axis would ripple greys in the table."""
    hi, lo = rgb.max(-1, keepdims=True), rgb.min(-1, keepdims=True)
    new_hi = f(hi)
    part = keep * colourful(hi - lo, 0.08)
    black = f(np.zeros(1))
    new_lo = (1 - part) * f(lo) + part * (black + lo * (new_hi - black) / np.maximum(hi, 1e-6))
    place = (rgb - lo) / np.maximum(hi - lo, 1e-6)
    return np.where(hi - lo < 1e-6, f(rgb), new_lo + place * (new_hi - new_lo))


def skin_mask(lab: Array) -> Array:
    """1 inside the family of human skin colours, falling smoothly to 0 around it."""
    hue = np.degrees(np.arctan2(lab[..., 2:3], lab[..., 1:2]))
    chroma = np.hypot(lab[..., 1:2], lab[..., 2:3])
    return (
        smoothstep(15, 38, hue)
        * (1 - smoothstep(75, 105, hue))
        * smoothstep(0.008, 0.028, chroma)
        * (1 - smoothstep(0.13, 0.19, chroma))
    )


def saturate(rgb: Array, saturation: float, vibrance: float) -> Array:
    """Less: towards the colour's own grey. More: like denser dye, the largest channel stays and the others
    sink, q -> q*(1+s)/(1+s*q) with q = 1 - smallest/largest, which never leaves the cube; greys are spared.
    Vibrance favours weak colours and moves skin half as much."""
    for amount, vib in ((vibrance, True), (saturation, False)):
        if amount == 0:
            continue
        hi, lo = rgb.max(-1, keepdims=True), rgb.min(-1, keepdims=True)
        q = np.clip(1 - lo / np.maximum(hi, 1e-6), 0, 1)
        s = amount * np.ones_like(q)
        if amount > 0:
            s = 1.6 * amount * colourful(hi - lo, 0.06)
        if vib:
            s = s * (1.4 if amount > 0 else 1) * (1 - q) ** 1.5 * (1 - 0.55 * skin_mask(to_oklab(rgb)))
        if amount > 0:
            rgb = hi - (hi - rgb) * (1 + s) / (1 + s * q)
        else:
            rgb = luma(rgb) + (rgb - luma(rgb)) * (1 + np.maximum(s, -1))
    return rgb


def fade(rgb: Array, amount: float) -> Array:
    """Matte print: black rises to 0.16, white sinks to 0.96, colour weakens by a fifth."""
    rgb = rgb + amount * (0.16 * (1 - rgb) ** 2 - 0.04 * rgb**2)
    return saturate(rgb, -0.2 * amount, 0)


def shift_hues(rgb: Array, shifts: dict[str, list[float]]) -> Array:
    """Per hue family [hue degrees, saturation -1..1, lightness -1..1] in OKLab; neutrals untouched."""
    lab = to_oklab(rgb)
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    hue = np.degrees(np.arctan2(lab[..., 2], lab[..., 1])) % 360
    centres = list(HUES.values())
    total = np.zeros((*hue.shape, 3))
    for i, name in enumerate(HUES):
        gap_down, gap_up = (centres[i] - centres[i - 1]) % 360, (centres[(i + 1) % 8] - centres[i]) % 360
        d = (hue - centres[i] + 180) % 360 - 180
        weight = 1 - smoothstep(0, 1, np.where(d < 0, -d / gap_down, d / gap_up))
        total += weight[..., None] * np.array(shifts.get(name, [0, 0, 0]), float)
    gate = colourful(chroma, 0.03)
    turn, sat, light = np.radians(total[..., 0]) * gate, total[..., 1] * gate, total[..., 2] * gate
    a, b = lab[..., 1] * (1 + sat), lab[..., 2] * (1 + sat)
    out = np.stack(
        [
            lab[..., 0] + 0.12 * light * np.minimum(chroma / 0.15, 1) * 4 * lab[..., 0] * (1 - lab[..., 0]),
            a * np.cos(turn) - b * np.sin(turn),
            a * np.sin(turn) + b * np.cos(turn),
        ],
        -1,
    )
    linear = (out @ FROM_LAB.T) ** 3 @ FROM_LMS.T
    return into_gamut(linear)


def split_tone(rgb: Array, split: dict[str, list[float]]) -> Array:
    """Tint shadows, midtones, highlights by [hue degrees, amount] with one gain per channel through
    x*g / (1 + (g-1)*x): black and white stay neutral and nothing leaves 0..1."""
    y = luma(rgb)
    weight = {"shadows": (1 - y) ** 2, "midtones": 2 * y * (1 - y), "highlights": y * y}
    stops = np.zeros_like(rgb)
    for band, (hue, amount) in split.items():
        way = np.cos(np.radians(hue - np.array([0, 120, 240])))  # 0 red, 60 yellow, 120 green, 240 blue
        stops = stops + 1.6 * amount * weight[band] * (way - way @ LUMA)
    g = 2.0**stops
    return rgb * g / (1 + (g - 1) * rgb)


def apply_look(rgb: Array, look: Recipe) -> Array:
    """A look at full strength. Absent parts are neutral."""
    source = rgb
    rgb = gains(rgb, look.get("exposure", 0) / 100, look.get("warmth", 0) / 100, look.get("tint", 0) / 100)
    if "mono" in look:
        rgb = encode(decode(rgb) @ np.array(look["mono"]))[..., None] * np.ones(3)
    if "hues" in look:
        rgb = shift_hues(rgb, look["hues"])
    if "tone" in look:
        rgb = apply_tone(rgb, monotone(look["tone"]))
    rgb = saturate(rgb, look.get("saturation", 0) / 100, look.get("vibrance", 0) / 100)
    for c, name in enumerate(("red", "green", "blue")):
        if name in look:
            rgb = np.concatenate(
                [rgb[..., :c], monotone(look[name])(rgb[..., c : c + 1]), rgb[..., c + 1 :]], -1
            )
    rgb = split_tone(rgb, look.get("split", {}))
    rgb = fade(rgb, look.get("fade", 0) / 100)
    if look.get("skin", 0):  # give skin part of its own hue and colourfulness back
        before, after = to_oklab(source), to_oklab(rgb)
        part = look["skin"] * skin_mask(before)
        after[..., 1:] += part * (
            before[..., 1:] * (after[..., :1] / np.maximum(before[..., :1], 0.05)) - after[..., 1:]
        )
        rgb = into_gamut((after @ FROM_LAB.T) ** 3 @ FROM_LMS.T)
    return np.clip(rgb, 0, 1)


# ---------------------------------------------------------------- the table
def transform(rgb: Array, recipe: Recipe, looks: dict[str, Recipe]) -> Array:
    """The exact pointwise function of a recipe; the table is this, sampled."""
    a = recipe.get("adjust", {})
    rgb = gains(rgb, a.get("exposure", 0) / 100, a.get("warmth", 0) / 100, a.get("tint", 0) / 100)
    rgb = apply_tone(rgb, tone_curve(a))
    rgb = saturate(rgb, a.get("saturation", 0) / 100, a.get("vibrance", 0) / 100)
    if recipe.get("look"):
        rgb = rgb + recipe.get("strength", 100) / 100 * (apply_look(rgb, looks[recipe["look"]]) - rgb)
    return np.clip(fade(rgb, a.get("fade", 0) / 100), 0, 1)


def build_table(recipe: Recipe, looks: dict[str, Recipe]) -> NDArray[np.float32]:
    """Shape (33, 33, 33, 3), indexed [blue, green, red]: red varies fastest, as Pillow and WebGL both want."""
    axis = np.linspace(0, 1, SIZE)
    b, g, r = np.meshgrid(axis, axis, axis, indexing="ij")
    return transform(np.stack([r, g, b], -1), recipe, looks).astype(np.float32)


def apply_table(rgb: Array, table: NDArray[np.float32]) -> Array:
    """Trilinear interpolation."""
    p = np.clip(rgb, 0, 1) * (SIZE - 1)
    i = np.minimum(p.astype(int), SIZE - 2)
    f = p - i
    out = np.zeros_like(rgb)
    for corner in range(8):
        o = np.array([corner & 1, corner >> 1 & 1, corner >> 2 & 1])
        w = np.where(o == 1, f, 1 - f).prod(-1, keepdims=True)
        j = i + o
        out += w * table[j[..., 2], j[..., 1], j[..., 0]]
    return out


# ---------------------------------------------------------------- spatial tools, after the table
def gaussian(plane: Array, sigma: float) -> Array:
    """Separable, radius ceil(3 sigma), weights normalised, edge pixels repeated."""
    n = int(np.ceil(3 * sigma))
    k = np.exp(-0.5 * (np.arange(-n, n + 1) / sigma) ** 2)
    k /= k.sum()
    for axis in (0, 1):
        pad = np.pad(plane, [(n, n) if a == axis else (0, 0) for a in (0, 1)], mode="edge")
        plane = sum(w * np.take(pad, range(i, i + plane.shape[axis]), axis) for i, w in enumerate(k))
    return plane


def area_axis(n: int, m: int) -> Array:
    """Matrix (m, n) that averages n samples into m equal cells."""
    edge = np.arange(m + 1) * n / m
    lo, hi = np.arange(n), np.arange(n) + 1
    return np.clip(np.minimum(hi, edge[1:, None]) - np.maximum(lo, edge[:-1, None]), 0, None) * m / n


def linear_axis(n: int, m: int) -> Array:
    """Matrix (m, n) that reads n cells at m pixel centres by linear interpolation."""
    p = np.clip((np.arange(m) + 0.5) * n / m - 0.5, 0, n - 1)
    i = np.minimum(p.astype(int), n - 2)
    out = np.zeros((m, n))
    out[np.arange(m), i] = 1 - (p - i)
    out[np.arange(m), i + 1] += p - i
    return out


def clarity(rgb: Array, amount: float) -> Array:
    """Local contrast of luma against a blur of 2 % of the long side, made on a 256-cell copy."""
    h, w = rgb.shape[:2]
    y = rgb @ LUMA
    scale = min(1.0, 256 / max(h, w))
    sh, sw = max(2, round(h * scale)), max(2, round(w * scale))
    small = gaussian(area_axis(h, sh) @ y @ area_axis(w, sw).T, 0.02 * max(sh, sw))
    base = linear_axis(sh, h) @ small @ linear_axis(sw, w).T
    d = y - base
    d = d / (1 + np.abs(d) / 0.15)
    weight = 4 * y * (1 - y) if amount > 0 else 1.0
    return np.clip(rgb + ((0.9 if amount > 0 else 0.45) * amount * weight * d)[..., None], 0, 1)


def vignette(rgb: Array, amount: float) -> Array:
    h, w = rgb.shape[:2]
    x = (np.arange(w) + 0.5) / w * 2 - 1
    y = (np.arange(h) + 0.5) / h * 2 - 1
    m = smoothstep(0.3, 1.05, np.sqrt((x[None] ** 2 + y[:, None] ** 2) / 2))[..., None]
    return rgb * (1 - 0.65 * amount * m) if amount > 0 else 1 - (1 - rgb) * (1 + 0.65 * amount * m)


def sharpen(rgb: Array, amount: float) -> Array:
    y = rgb @ LUMA
    d = y - gaussian(y, max(0.5, 0.0006 * max(rgb.shape[:2])))
    d = d * d * d / (d * d + 0.012**2)
    d = d / (1 + np.abs(d) / 0.12)
    return np.clip(rgb + (1.6 * amount * d)[..., None], 0, 1)


def noise(ix: NDArray[np.uint32], iy: NDArray[np.uint32], seed: int) -> Array:
    """Integer hash of a lattice point; the two halves of the word add up to a triangular -1..1."""
    with np.errstate(over="ignore"):
        n = (
            ix * np.uint32(0x9E3779B9)
            + iy * np.uint32(0xC0356F07)
            + np.uint32(seed & 0xFFFFFFFF) * np.uint32(0xD6E48651)
        )
        for shift, factor in ((16, 0xE4E23BB1), (15, 0xA3056CDD)):
            n = (n ^ (n >> np.uint32(shift))) * np.uint32(factor)
        n = n ^ (n >> np.uint32(16))
    return ((n & np.uint32(0xFFFF)).astype(float) + (n >> np.uint32(16)).astype(float)) / 65535 - 1


def grain_field(h: int, w: int, cells: int, seed: int) -> Array:
    """Noise on a lattice of `cells` along the long side, read at pixel centres; equal variance everywhere."""
    long = max(h, w)
    x, y = (np.arange(w) + 0.5) * cells / long, (np.arange(h) + 0.5) * cells / long
    ix, iy = np.floor(x).astype(np.uint32), np.floor(y).astype(np.uint32)
    fx, fy = (x - ix)[None], (y - iy)[:, None]
    total, power = np.zeros((h, w)), np.zeros((h, w))
    for ox in (0, 1):
        for oy in (0, 1):
            weight = (fx if ox else 1 - fx) * (fy if oy else 1 - fy)
            total = total + weight * noise(ix[None] + np.uint32(ox), iy[:, None] + np.uint32(oy), seed)
            power = power + weight * weight
    return total / np.sqrt(power) * min(1.0, long / cells)


def grain(rgb: Array, amount: float, seed: int) -> Array:
    h, w = rgb.shape[:2]
    field = 0.8 * grain_field(h, w, 1600, seed) + 0.45 * grain_field(h, w, 700, seed + 1)
    y = rgb @ LUMA
    return np.clip(rgb + (0.13 * amount * (0.2 + 3.2 * y * (1 - y)) * field)[..., None], 0, 1)


def render(rgb: Array, recipe: Recipe, looks: dict[str, Recipe]) -> Array:
    """Everything after crop and resize, before encoding."""
    a, share = recipe.get("adjust", {}), recipe.get("strength", 100) / 100
    look = looks[recipe["look"]] if recipe.get("look") else {}

    def amount(name: str, low: float) -> float:
        return float(np.clip(a.get(name, 0) / 100 + share * look.get(name, 0) / 100, low, 1))

    rgb = apply_table(rgb, build_table(recipe, looks))
    for name, tool, low in (
        ("clarity", clarity, -1.0),
        ("vignette", vignette, -1.0),
        ("sharpen", sharpen, 0.0),
    ):
        if amount(name, low):
            rgb = tool(rgb, amount(name, low))
    return grain(rgb, amount("grain", 0.0), recipe.get("seed", 1)) if amount("grain", 0.0) else rgb


# ---------------------------------------------------------------- geometry, before everything
def source_point(
    x: Array, y: Array, w: int, h: int, degrees: float, vertical: float, horizontal: float
) -> tuple[Array, Array]:
    """Where in the picture (0..w, 0..h) the corrected frame's point (x, y) comes from. The frame keeps the
    picture's shape and is zoomed in just enough that every corner lies inside."""
    a = w / h
    kx, ky, t = 0.35 * horizontal / 100 / a, 0.35 * vertical / 100, np.radians(degrees)

    def turn(u: Array, v: Array) -> tuple[Array, Array]:
        return u * np.cos(t) + v * np.sin(t), v * np.cos(t) - u * np.sin(t)

    zoom = 1.0
    for cu, cv in ((-a, -1.0), (a, -1.0), (-a, 1.0), (a, 1.0)):
        tu, tv = turn(np.array(cu), np.array(cv))
        k = kx * cu + ky * cv
        for reached, limit in ((abs(tu), a), (abs(tv), 1.0)):
            if reached - limit * k > 0:
                zoom = min(zoom, limit / float(reached - limit * k))
    u, v = zoom * (2 * x / w - 1) * a, zoom * (2 * y / h - 1)
    tu, tv = turn(u, v)
    depth = 1 + kx * u + ky * v
    return (tu / depth / a + 1) * w / 2, (tv / depth + 1) * h / 2


# ---------------------------------------------------------------- auto
def auto(rgb: Array) -> dict[str, Any]:
    """Slider values for a picture, from a copy of at most 256 pixels on the long side. The result is plain
    numbers, stored in the recipe: the table never depends on the picture."""
    flat = rgb.reshape(-1, 3)
    y = flat @ LUMA
    black = float(np.clip(np.percentile(y, 0.5) - 0.01, 0, 0.16))
    white = float(np.clip(np.percentile(flat.max(-1), 99.5) + 0.02, 0.72, 1))
    levelled = levels_curve(black, white)(y)
    p10, p50, p90 = np.percentile(levelled, [10, 50, 90])
    night = 1 - float(smoothstep(0.25, 0.5, np.array(p90)))  # 1 for a picture meant to be dark
    middle = (p50 + levelled.mean()) / 2
    mean_q = float((1 - flat.min(-1) / np.maximum(flat.max(-1), 0.02)).mean())
    stops = float(
        np.clip(0.45 * np.log2(decode(np.array(0.44)) / decode(np.maximum(middle, 0.02))), -0.45, 0.7)
    ) * (1 - 0.7 * night)
    out: dict[str, Any] = {
        "levels": [round(black * (1 - night), 3), round(white, 3)],
        "exposure": round(100 * stops / 2.2),
        "shadows": round(float(np.clip(300 * (0.12 - p10), 0, 25)) * (1 - night)),
        "highlights": -round(float(np.clip(250 * (levelled > 0.95).mean() - 5, 0, 30))),
        "contrast": round(float(np.clip(70 * (0.55 - (p90 - p10)), -8, 20)) * (1 - night)),
        "vibrance": round(float(np.clip(60 * (0.35 - mean_q), 0, 15))) if mean_q > 0.02 else 0,
    }
    q = 1 - flat.min(-1) / np.maximum(flat.max(-1), 1e-6)
    usable = (y > 0.12) & (flat.max(-1) < 0.97)
    grey = flat[usable & (q < 0.2)]
    if len(grey) < 0.1 * len(flat):  # no greys: does the brightest part show the light?
        grey = flat[usable & (q < 0.35) & (y > np.percentile(y, 90))]
    if len(grey) > 0.03 * len(flat):
        r, g, b = np.log2(np.maximum(decode(grey), 1e-4)).mean(0)
        warmth = float(np.clip(-0.4 * (r - b) / 1.3, -0.18, 0.18))
        tint = float(np.clip((-0.4 * ((r + b) / 2 - g) + 0.15 * warmth) / 0.54, -0.1, 0.1))
        out |= {"warmth": round(100 * warmth), "tint": round(100 * tint)}
    return {k: v for k, v in out.items() if v not in (0, [0, 1])}
