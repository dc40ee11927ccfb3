"""Generates image files for tests."""

from __future__ import annotations

import io

from PIL import Image


def picture(width: int = 320, height: int = 240, kind: str = "JPEG", *, seed: int = 0) -> bytes:
    """Returns the bytes of a small photo; another `seed` gives another photo."""
    image = Image.linear_gradient("L").resize((width, height))
    colours = [(seed * step) % 256 for step in (37, 91, 53)]
    bands = [image.point(lambda value, by=by: (value + by) % 256) for by in colours]
    out = io.BytesIO()
    Image.merge("RGB", bands).save(out, kind)
    return out.getvalue()
