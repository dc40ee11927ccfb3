"""What an upload costs: through the sandbox to the files answered at once, then to all files, beside a plain decode."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable
from io import BytesIO

from PIL import Image, ImageChops

from media.images import BYTES_PER_MB, VARIANTS, Variant
from media.sandbox import Sandbox

NOW = tuple(variant for variant in VARIANTS if not variant.is_deferred)
LATER = tuple(variant for variant in VARIANTS if variant.is_deferred)
ROUNDS = 7


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


async def measured(sandbox: Sandbox, data: bytes, variants: tuple[Variant, ...]) -> tuple[float, float, int]:
    """Median wall seconds, median CPU seconds, and the peak memory in bytes."""
    walls, cpus, peak = [], [], 0
    for _ in range(ROUNDS):
        start = time.perf_counter()
        await sandbox.render(data, variants)
        walls.append(time.perf_counter() - start)
        assert sandbox.last_cost is not None
        cpus.append(sandbox.last_cost.cpu_seconds)
        peak = max(peak, sandbox.last_cost.memory_bytes)
    return statistics.median(walls), statistics.median(cpus), peak


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
        ("a sandbox worker starts", f"{started * 1000:.0f} ms", ""),
    ]


def _wall(wall: float, cpu: float) -> str:
    return f"{wall * 1000:.0f} ms, {cpu:.2f} s CPU"


def _ratio(measured: float, limit: float, name: str) -> str:
    return f"{measured / limit:.1f} × {name}"
