"""What an upload costs: through the sandbox to the files answered at once, then to all files, beside a plain decode.

Then what an edit adds to that, as the files answered at once are made again.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from io import BytesIO

from PIL import Image, ImageChops

from media.editing import recipes
from media.editing.recipes import Adjustments, Recipe
from media.images import BYTES_PER_MB, VARIANTS, Variant
from media.render_queue import Source
from media.sandbox import NO_EDIT, EditRequest, Sandbox
from tests.abuse.bombs import jpeg_of_scans, noise

NOW = tuple(variant for variant in VARIANTS if not variant.is_deferred)
LATER = tuple(variant for variant in VARIANTS if variant.is_deferred)
ROUNDS = 7
EVERY_TOOL = Adjustments(
    exposure=10, contrast=10, highlights=-10, shadows=10, whites=5, blacks=-5, warmth=10, tint=5, saturation=5,
    vibrance=10, clarity=30, vignette=20, sharpen=30, fade=10, grain=20,
)  # fmt: skip
EDITS = {
    "a look": Recipe(look="linen"),
    "a look with vignette and grain": Recipe(look="postcard"),
    "a crop": Recipe(crop=(0.0, 0.0, 0.8, 1.0)),
    "straightening": Recipe(straighten=2.5),
    "every tool, and a look": Recipe(look="plate", adjust=EVERY_TOOL),
    "straightening, every tool, and a look": Recipe(look="plate", adjust=EVERY_TOOL, straighten=2.5),
}


def photo(width: int, height: int, quality: int = 88, grain: float = 6.0) -> bytes:
    """A photograph-like JPEG: noise of many sizes with the grain of a sensor; 12 MP are about 4 MB."""
    image = Image.new("RGB", (width, height), "grey")
    for size in (4, 8, 16, 32, 64, 128, 256, 512):
        layer = [Image.effect_noise((size, max(2, size * height // width)), 90) for _ in range(3)]
        image = Image.blend(
            image, Image.merge("RGB", layer).resize((width, height), Image.Resampling.BICUBIC), 0.3
        )
    sensor = Image.merge("RGB", [Image.effect_noise((width, height), grain) for _ in range(3)])
    out = BytesIO()
    ImageChops.add(image, sensor, 1, -128).save(out, "JPEG", quality=quality)
    return out.getvalue()


def decode_seconds(data: bytes) -> float:
    """CPU time of nothing but decoding the JPEG, the best of a few."""
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        Image.open(BytesIO(data)).load()
        times.append(time.process_time() - start)
    return min(times)


async def measured(
    sandbox: Sandbox, data: bytes, variants: tuple[Variant, ...], edit: EditRequest = NO_EDIT
) -> tuple[float, float, int]:
    """Median wall seconds, median CPU seconds, and the peak memory in bytes."""
    walls, cpus, peak = [], [], 0
    for _ in range(ROUNDS):
        start = time.perf_counter()
        await sandbox.render(data, variants, edit=edit)
        walls.append(time.perf_counter() - start)
        assert sandbox.last_cost is not None
        cpus.append(sandbox.last_cost.cpu_seconds)
        peak = max(peak, sandbox.last_cost.memory_bytes)
    return statistics.median(walls), statistics.median(cpus), peak


async def upload_seconds(data: bytes, slow: bytes, sources: list[Source]) -> float:
    """Median wall seconds of an upload that comes a second after slow pictures of others."""
    walls, alice = [], Source("alice", is_local=True)
    for _ in range(ROUNDS):
        sandbox = Sandbox()
        await sandbox.warm_up()
        others = [asyncio.ensure_future(sandbox.render(slow, NOW, source)) for source in sources]
        await asyncio.sleep(1)
        start = time.perf_counter()
        await sandbox.render(data, NOW, alice)
        walls.append(time.perf_counter() - start)
        for other in others:
            other.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await sandbox.close()
    return statistics.median(walls)


async def start_seconds(start: Callable[[], Awaitable[None]]) -> float:
    begun = time.perf_counter()
    await start()
    return time.perf_counter() - begun


async def rows() -> list[tuple[str, str, str]]:
    middle, large = photo(4000, 3000), photo(8064, 6048, quality=80)
    decode = decode_seconds(middle)
    size = f"12 MP, {len(middle) / BYTES_PER_MB:.1f} MB JPEG"
    sandbox = Sandbox(workers=1)
    started = await start_seconds(sandbox.warm_up)
    now_wall, now_cpu, _ = await measured(sandbox, middle, NOW)
    _, later_cpu, _ = await measured(sandbox, middle, LATER)
    _, large_cpu, peak = await measured(sandbox, large, NOW)
    _, large_later_cpu, later_peak = await measured(sandbox, large, LATER)
    edited = {
        name: await measured(sandbox, middle, NOW, EditRequest(recipes.canonical(recipe)))
        for name, recipe in EDITS.items()
    }
    await sandbox.close()
    against = f"plain decode {decode * 1000:.0f} ms"
    return [
        (
            f"upload to the files answered at once, {size}",
            _wall(now_wall, now_cpu),
            _ratio(now_cpu, decode, against),
        ),
        ("the files made later", f"{later_cpu:.2f} s CPU", _ratio(later_cpu, decode, against)),
        (
            "all files",
            f"{now_cpu + later_cpu:.2f} s CPU",
            f"target 1.2 s; {_ratio(now_cpu + later_cpu, decode, against)}",
        ),
        ("48 MP JPEG, all files", f"{large_cpu + large_later_cpu:.2f} s CPU", ""),
        ("48 MP JPEG, peak memory", f"{max(peak, later_peak) / BYTES_PER_MB:.0f} MB", "target 130 MB"),
        *await _beside_slow_pictures(),
        ("a sandbox worker starts", f"{started * 1000:.0f} ms", ""),
        *(
            (
                f"12 MP, edited: {name}",
                f"{cpu - now_cpu:+.2f} s CPU",
                f"target +0.6 s; {peak / BYTES_PER_MB:.0f} MB",
            )
            for name, (_, cpu, peak) in edited.items()
        ),
    ]


async def _beside_slow_pictures() -> list[tuple[str, str, str]]:
    data = noise(4032, 3024, "JPEG", quality=90)
    slow = jpeg_of_scans(90, 9500)
    alone = await upload_seconds(data, slow, [])
    return [
        (
            f"12 MP upload beside 8 slow pictures of {name}",
            f"{seconds * 1000:.0f} ms",
            f"target 1.5 times alone; {_ratio(seconds, alone, f'alone {alone * 1000:.0f} ms')}",
        )
        for name, sources in (
            ("one person", [Source("mallory", is_local=True)] * 8),
            ("eight servers", [Source(f"{n}.test", is_local=False) for n in range(8)]),
        )
        for seconds in [await upload_seconds(data, slow, sources)]
    ]


def _wall(wall: float, cpu: float) -> str:
    return f"{wall * 1000:.0f} ms, {cpu:.2f} s CPU"


def _ratio(measured: float, limit: float, name: str) -> str:
    return f"{measured / limit:.1f} × {name}"
