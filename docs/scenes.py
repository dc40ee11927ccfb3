"""Photos for the demo node, painted here: ridges, water, dunes, streets at night. Nothing is downloaded."""

from __future__ import annotations

import io
import itertools
import math
import random
from collections.abc import Callable, Sequence

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter

Colour = tuple[int, int, int]


def gradient(size: tuple[int, int], stops: Sequence[tuple[float, Colour]]) -> Image.Image:
    """Paint from top to bottom through the stops (position 0…1, colour)."""
    strip = Image.new("RGB", (1, 512))
    for y in range(512):
        at = y / 511
        below = max((stop for stop in stops if stop[0] <= at), key=lambda stop: stop[0])
        above = min((stop for stop in stops if stop[0] >= at), key=lambda stop: stop[0])
        part = 0.0 if above[0] == below[0] else (at - below[0]) / (above[0] - below[0])
        strip.putpixel((0, y), mix(below[1], above[1], part))
    return strip.resize(size, Image.Resampling.BICUBIC)


def mix(a: Colour, b: Colour, part: float) -> Colour:
    red, green, blue = (round(x + (y - x) * part) for x, y in zip(a, b, strict=True))
    return red, green, blue


def ridge(random_: random.Random, width: int, base: float, height: float, rough: float = 0.55) -> list[float]:
    """Return a skyline made by midpoint displacement: a height for each column."""
    line = [base + random_.uniform(-height, height) / 2, base + random_.uniform(-height, height) / 2]
    step = height
    while len(line) < width / 2:
        fresh = []
        for a, b in itertools.pairwise(line):
            fresh += [a, (a + b) / 2 + random_.uniform(-step, step) / 2]
        line = [*fresh, line[-1]]
        step *= rough
    return [line[round(x * (len(line) - 1) / (width - 1))] for x in range(width)]


def fill_below(image: Image.Image, line: Sequence[float], colour: Colour, fade: Colour | None = None) -> None:
    """Paint everything below a skyline in one colour, fading into another towards the bottom."""
    width, height = image.size
    mask = Image.new("L", image.size)
    ImageDraw.Draw(mask).polygon([(0, height), *enumerate(line), (width, height)], fill=255)
    top = min(line) / height
    paint = gradient(image.size, [(0, colour), (max(0.0, min(top, 0.98)), colour), (1, fade or colour)])
    image.paste(paint, mask=mask.filter(ImageFilter.GaussianBlur(0.8)))


def glow(
    image: Image.Image, x: float, y: float, radius: float, colour: Colour, strength: float = 1.0
) -> Image.Image:
    """Add light around a point."""
    width, height = image.size
    light = Image.new("RGB", (width // 4, height // 4))
    draw = ImageDraw.Draw(light)
    for n in range(24, 0, -1):
        r = radius * n / 24 / 4
        draw.ellipse(
            (x / 4 - r, y / 4 - r, x / 4 + r, y / 4 + r),
            fill=mix((0, 0, 0), colour, strength * (1 - n / 25) ** 2),
        )
    light = light.filter(ImageFilter.GaussianBlur(radius / 40)).resize(image.size, Image.Resampling.BICUBIC)
    return ImageChops.screen(image, light)


def finish(image: Image.Image, seed: int, warmth: float = 1.0) -> Image.Image:
    """Add grain, a vignette and a little contrast, so that a picture looks like a photo."""
    grain = Image.effect_noise(image.size, 16).filter(ImageFilter.GaussianBlur(0.6))
    image = Image.blend(image, ImageChops.overlay(image, Image.merge("RGB", (grain, grain, grain))), 0.35)
    edge = Image.radial_gradient("L").resize(image.size).point(lambda v: 255 - max(0, v - 90) // 2)
    image = ImageChops.multiply(image, Image.merge("RGB", (edge, edge, edge)))
    return ImageEnhance.Contrast(ImageEnhance.Color(image).enhance(1.05 * warmth)).enhance(1.06)


def mountains(
    size: tuple[int, int], seed: int, sky: Sequence[tuple[float, Colour]], far: Colour, near: Colour
) -> Image.Image:
    random_ = random.Random(seed)
    width, height = size
    image = gradient(size, sky)
    image = glow(image, width * random_.uniform(0.2, 0.8), height * 0.42, width * 0.6, sky[-1][1], 0.9)
    for n in range(6):
        part = n / 5
        line = ridge(random_, width, height * (0.42 + 0.1 * n), height * (0.2 - 0.012 * n), 0.52 + 0.015 * n)
        colour = mix(far, near, part)
        fill_below(image, line, colour, mix(colour, sky[-1][1], 0.45 * (1 - part)))
    return finish(image, seed)


def sea(size: tuple[int, int], seed: int, sky: Sequence[tuple[float, Colour]], water: Colour) -> Image.Image:
    random_ = random.Random(seed)
    width, height = size
    horizon = round(height * random_.uniform(0.5, 0.62))
    image = Image.new("RGB", size)
    above = gradient((width, horizon), sky)
    image.paste(above)
    mirrored = above.transpose(Image.Transpose.FLIP_TOP_BOTTOM).resize((width, height - horizon))
    image.paste(
        Image.blend(mirrored, gradient(mirrored.size, [(0, sky[-1][1]), (1, water)]), 0.7), (0, horizon)
    )
    sun = width * random_.uniform(0.3, 0.7)
    image = glow(image, sun, horizon - height * 0.05, width * 0.5, (255, 214, 160))
    draw = ImageDraw.Draw(image)
    draw.ellipse(
        (
            sun - width * 0.035,
            horizon - height * 0.05 - width * 0.035,
            sun + width * 0.035,
            horizon - height * 0.05 + width * 0.035,
        ),
        fill=(255, 244, 222),
    )
    for _ in range(2600):
        depth = random_.random() ** 1.6
        y = horizon + depth * (height - horizon)
        spread = width * (0.03 + 0.4 * depth)
        near = abs(random_.gauss(0, 1))
        x = sun + random_.choice((-1, 1)) * near * spread * 0.5
        length = 4 + 60 * depth * random_.random()
        bright = max(0.0, 0.75 - 0.3 * near)
        draw.line(
            (x - length, y, x + length, y),
            fill=mix(mix(water, sky[-1][1], 0.3), (255, 232, 196), bright),
            width=1 + round(2.5 * depth),
        )
    return finish(image.filter(ImageFilter.GaussianBlur(0.6)), seed)


def dunes(
    size: tuple[int, int], seed: int, sky: Sequence[tuple[float, Colour]], light: Colour, dark: Colour
) -> Image.Image:
    random_ = random.Random(seed)
    width, height = size
    image = gradient(size, sky)
    for n in range(5):
        a, b, c = random_.uniform(0.6, 1.5), random_.uniform(0, 6.3), random_.uniform(0.02, 0.09)
        base = height * (0.48 + 0.12 * n)
        line = [
            base
            + height * c * math.sin(a * 6.3 * x / width + b)
            + height * c * 0.4 * math.sin(2.3 * a * 6.3 * x / width)
            for x in range(width)
        ]
        fill_below(image, line, mix(light, dark, 0.15 * n), mix(light, dark, 0.35 + 0.12 * n))
        shade = [
            y + height * (0.02 + 0.05 * (0.5 + 0.5 * math.sin(a * 6.3 * x / width + b + 1.5)))
            for x, y in enumerate(line)
        ]
        layer = image.copy()
        fill_below(layer, shade, dark, mix(dark, light, 0.5))
        image = Image.blend(image, layer, 0.4)
    return finish(image, seed)


def night(size: tuple[int, int], seed: int) -> Image.Image:
    random_ = random.Random(seed)
    width, height = size
    image = gradient(size, [(0, (14, 18, 40)), (0.6, (58, 44, 84)), (1, (150, 84, 88))])
    draw = ImageDraw.Draw(image)
    for layer in range(3):
        x = -20.0
        while x < width:
            wide = random_.uniform(0.04, 0.1) * width
            top = height * random_.uniform(0.24 + 0.14 * layer, 0.52 + 0.12 * layer)
            wall = mix((64, 54, 92), (10, 12, 26), layer / 2)
            draw.rectangle((x, top, x + wide, height), fill=wall)
            step = width * 0.011
            for wx in range(round(x + step), round(x + wide - step), max(3, round(step))):
                for wy in range(round(top + step), height, max(4, round(step * 1.4))):
                    if random_.random() < 0.33:
                        tone = random_.choice(((255, 214, 140), (255, 190, 110), (200, 220, 255)))
                        draw.rectangle(
                            (wx, wy, wx + step * 0.45, wy + step * 0.7),
                            fill=mix(wall, tone, random_.uniform(0.4, 1)),
                        )
            x += wide + random_.uniform(0, width * 0.015)
    soft = image.filter(ImageFilter.GaussianBlur(width / 90))
    return finish(ImageChops.screen(image, ImageEnhance.Brightness(soft).enhance(0.55)), seed)


def lights(size: tuple[int, int], seed: int, colours: Sequence[Colour]) -> Image.Image:
    """Out of focus on purpose."""
    random_ = random.Random(seed)
    width, height = size
    image = gradient(size, [(0, mix(colours[0], (0, 0, 0), 0.86)), (1, mix(colours[1], (0, 0, 0), 0.7))])
    for _ in range(70):
        r = width * random_.uniform(0.012, 0.075)
        x, y = random_.uniform(0, width), random_.gauss(0.55, 0.22) * height
        disc = Image.new("RGB", size)
        tone = mix(random_.choice(list(colours)), (255, 255, 255), random_.uniform(0, 0.3))
        ImageDraw.Draw(disc).ellipse(
            (x - r, y - r, x + r, y + r), fill=mix((0, 0, 0), tone, random_.uniform(0.15, 0.6))
        )
        image = ImageChops.screen(image, disc)
    return finish(image.filter(ImageFilter.GaussianBlur(width / 400)), seed)


def petals(size: tuple[int, int], seed: int, colour: Colour, ground: Colour) -> Image.Image:
    random_ = random.Random(seed)
    width, height = size
    image = gradient(size, [(0, mix(ground, (255, 255, 255), 0.25)), (1, mix(ground, (0, 0, 0), 0.4))])
    image = glow(image, width * 0.3, height * 0.2, width * 0.7, mix(ground, (255, 255, 220), 0.5), 0.7)
    cx, cy, big = width * random_.uniform(0.42, 0.58), height * random_.uniform(0.42, 0.55), min(size) * 0.44
    for layer in range(5):
        count, reach = 13 - layer, big * (1 - 0.17 * layer)
        for n in range(count):
            turn = 360 * n / count + layer * 17 + random_.uniform(-4, 4)
            petal = Image.new("L", (round(reach * 1.04), round(reach * 0.42)))
            ImageDraw.Draw(petal).ellipse((reach * 0.08, 2, reach, reach * 0.4), fill=255)
            full = Image.new("L", (round(reach * 2.1), round(reach * 2.1)))
            full.paste(petal, (round(reach * 1.05), round(reach * 0.84)))
            full = full.rotate(turn, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(1.4))
            tone = mix(
                mix(colour, (255, 255, 255), 0.12 * layer),
                (40, 10, 30),
                random_.uniform(0.02, 0.3) - 0.03 * layer if layer < 3 else 0.05,
            )
            at = (round(cx - reach * 1.05), round(cy - reach * 1.05))
            shadow = full.filter(ImageFilter.GaussianBlur(reach / 22)).point(lambda v: v * 0.4)
            image.paste((20, 8, 20), (at[0] + 5, at[1] + 8), shadow)
            image.paste(tone, at, full)
    draw = ImageDraw.Draw(image)
    for _ in range(240):
        angle, far = random_.uniform(0, 6.3), abs(random_.gauss(0, big * 0.09))
        x, y, r = cx + far * math.cos(angle), cy + far * math.sin(angle), random_.uniform(2, 6) * width / 1400
        draw.ellipse((x - r, y - r, x + r, y + r), fill=mix((250, 196, 60), (140, 80, 10), random_.random()))
    return finish(image.filter(ImageFilter.GaussianBlur(0.7)), seed)


def forest(size: tuple[int, int], seed: int, mist: Colour, tree: Colour) -> Image.Image:
    random_ = random.Random(seed)
    width, height = size
    image = gradient(size, [(0, mix(mist, (255, 255, 255), 0.5)), (0.7, mist), (1, mix(mist, tree, 0.4))])
    image = glow(image, width * 0.65, height * 0.2, width * 0.55, (255, 244, 214), 0.8)
    for layer in range(5):
        tone = mix(mist, tree, 0.14 + 0.2 * layer)
        sheet = image.copy()
        draw = ImageDraw.Draw(sheet)
        ground = height * (0.62 + 0.09 * layer)
        for _ in range(20 - 2 * layer):
            x, tall = (
                random_.uniform(-40, width + 40),
                height * random_.uniform(0.2, 0.34) * (1 + 0.32 * layer),
            )
            wide = tall * 0.19
            for n in range(11):
                top = ground - tall + tall * n / 12
                w = wide * (0.16 + n / 11) * random_.uniform(0.8, 1.12)
                draw.polygon(
                    [(x, top - tall * 0.03), (x - w, top + tall * 0.16), (x + w, top + tall * 0.16)],
                    fill=tone,
                )
            draw.rectangle((x - wide * 0.06, ground - tall * 0.1, x + wide * 0.06, ground + 30), fill=tone)
        fill_below(sheet, ridge(random_, width, ground, height * 0.03), tone, mix(tone, mist, 0.35))
        image = sheet.filter(ImageFilter.GaussianBlur(2.2 - 0.4 * layer))
        veil = gradient(size, [(0, mist), (1, mist)])
        fog = (
            Image.linear_gradient("L")
            .resize(size)
            .point(lambda v, n=layer: max(0, v - 120) * (0.5 - 0.1 * n))
        )  # type: ignore[misc]
        image.paste(veil, mask=fog)
    return finish(image, seed)


DUSK = [(0, (38, 52, 98)), (0.45, (164, 112, 140)), (0.8, (246, 168, 120)), (1, (255, 214, 160))]
DAWN = [(0, (92, 130, 178)), (0.5, (178, 196, 212)), (1, (250, 222, 196))]
CLEAR = [(0, (48, 104, 168)), (0.6, (138, 184, 216)), (1, (218, 232, 236))]
ROSE = [(0, (88, 70, 120)), (0.5, (204, 128, 148)), (1, (252, 202, 176))]

WIDE, TALL, EVEN, LONG = (1500, 1000), (1080, 1350), (1200, 1200), (1600, 900)

SCENES: dict[str, tuple[Callable[[], Image.Image], str]] = {
    "ridges": (
        lambda: mountains(WIDE, 3, DUSK, (122, 104, 140), (24, 26, 44)),
        "Blue ridges one behind the other under an orange evening sky",
    ),
    "harbour": (
        lambda: sea(TALL, 8, DUSK, (28, 44, 78)),
        "The sun just above the sea, its path of light leading to the shore",
    ),
    "dunes": (
        lambda: dunes(WIDE, 5, CLEAR, (236, 186, 128), (142, 84, 52)),
        "Sand dunes with sharp crests under a clear sky",
    ),
    "dahlia": (
        lambda: petals(EVEN, 4, (206, 62, 96), (58, 84, 62)),
        "A red dahlia from very near, dew between its petals",
    ),
    "night": (lambda: night(TALL, 12), "Lit windows of a town at night"),
    "mist": (lambda: forest(TALL, 6, (176, 194, 194), (18, 42, 40)), "Fir trees fading into morning mist"),
    "fair": (
        lambda: lights(WIDE, 9, [(255, 150, 60), (220, 70, 90), (80, 130, 220)]),
        "Lights of a fair, out of focus",
    ),
    "alps": (
        lambda: mountains(TALL, 21, DAWN, (150, 170, 192), (34, 56, 66)),
        "A valley between steep mountains at dawn",
    ),
    "bay": (lambda: sea(LONG, 15, ROSE, (52, 52, 92)), "A rose sky over a quiet bay"),
    "iris": (lambda: petals(TALL, 17, (108, 92, 196), (86, 96, 64)), "A violet flower in the garden"),
    "pines": (lambda: forest(WIDE, 14, (214, 190, 164), (48, 40, 36)), "Pine trees in warm fog"),
    "rain": (
        lambda: lights(TALL, 31, [(90, 190, 220), (240, 200, 120), (70, 90, 180)]),
        "Street lamps through a wet window",
    ),
    "desert": (lambda: dunes(TALL, 11, ROSE, (214, 138, 108), (92, 48, 58)), "Red dunes in the last light"),
    "peaks": (
        lambda: mountains(LONG, 34, CLEAR, (142, 170, 198), (26, 46, 60)),
        "A chain of peaks on a clear day",
    ),
    "gold": (lambda: petals(EVEN, 23, (238, 176, 46), (52, 74, 96)), "A yellow flower against blue"),
    "quay": (
        lambda: sea(
            EVEN, 27, [(0, (30, 60, 90)), (0.6, (120, 160, 176)), (1, (240, 220, 190))], (18, 52, 68)
        ),
        "Evening at the quay",
    ),
}


def jpeg(name: str) -> bytes:
    """Return a scene as the JPEG of a camera, with Exif."""
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "FUJIFILM", "X100V"
    inner = exif.get_ifd(0x8769)
    inner[0x829A], inner[0x829D], inner[0x920A], inner[0x8827] = 0.004, 4.0, 23.0, 320
    inner[0x9003], inner[0xA434] = "2026:10:04 07:41:12", "Fujinon 23 mm"
    SCENES[name][0]().save(out, "JPEG", quality=90, exif=exif)
    return out.getvalue()
