"""What it takes from a slider of the photo editor to the pixels of a 2048 px preview, in a real Chromium.

The table of the tools is built by the processor everywhere. The drawing is done by whatever Chromium finds: a machine
without a graphics processor draws in software, which says nothing about one that has one, so the row names what drew.
"""

from __future__ import annotations

import shutil
from typing import Any

from playwright.async_api import Page, Route, async_playwright

from tests.browser.conftest import FLAGS
from web.files.asset_urls import STATIC_FOLDER

ORIGIN = "https://bench.test"
ROUNDS = 15
MEASURE = """async ([width, height, adjust, effects, rounds]) => {
  const [{Renderer}, {build}, recipes] = await Promise.all(
    ["renderer", "tools_table", "recipe"].map((name) => import(`/static/js/editor/${name}.js`)));
  const data = new Uint8Array(width * height * 4).map((_, n) => (n * 2654435761) >>> 24);
  const renderer = new Renderer(document.createElement("canvas"));
  renderer.setSource({data, width, height});
  const {gl} = renderer, pixel = new Uint8Array(4), tables = [], frames = [];
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  for (let n = 0; n < rounds; n++) {
    const start = performance.now();
    const first = build({...adjust, exposure: n - 7 || 1});
    tables.push(performance.now() - start);
    renderer.draw(recipes.neutral(), {colours: {first}, effects});
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
    frames.push(performance.now() - start);
  }
  const middle = (list) => list.sort((a, b) => a - b)[list.length >> 1];
  return [middle(tables), middle(frames), info ? gl.getParameter(info.UNMASKED_RENDERER_WEBGL) : "?"];
}"""
NO_EFFECTS = {"clarity": 0, "vignette": 0, "sharpen": 0, "grain": 0}
CASES: dict[str, tuple[dict[str, int], dict[str, float]]] = {
    "exposure": ({}, NO_EFFECTS),
    "every tool of colour": (
        {"contrast": 20, "shadows": 30, "warmth": 20, "saturation": 10, "vibrance": 30, "fade": 10},
        NO_EFFECTS,
    ),
    "every tool": (
        {"contrast": 20, "shadows": 30, "warmth": 20, "saturation": 10, "vibrance": 30, "fade": 10},
        {"clarity": 0.3, "vignette": 0.3, "sharpen": 0.3, "grain": 0.2},
    ),
}


async def _serve(route: Route) -> None:
    path = route.request.url.removeprefix(ORIGIN)
    if path.startswith("/static/"):
        await route.fulfill(path=STATIC_FOLDER / path.removeprefix("/static/"))
    else:
        await route.fulfill(content_type="text/html", body="<!doctype html><title>bench</title>")


async def _measured(page: Page, adjust: dict[str, int], effects: dict[str, float]) -> tuple[Any, Any, Any]:
    table, frame, drawn_by = await page.evaluate(MEASURE, [2048, 1365, adjust, effects, ROUNDS])
    return table, frame, drawn_by


async def rows() -> list[tuple[str, str, str]]:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    found = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=FLAGS)
        page = await browser.new_page()
        await page.route("**/*", _serve)
        await page.goto(ORIGIN)
        for name, (adjust, effects) in CASES.items():
            table, frame, drawn_by = await _measured(page, adjust, effects)
            found += [
                (
                    f"editor: table while a slider moves, {name}",
                    f"{table:.1f} ms",
                    "target 16 ms with drawing",
                ),
                (f"editor: slider to pixel, 2048 px, {name}", f"{frame:.0f} ms", f"drawn by {drawn_by}"),
            ]
        await browser.close()
    return found
