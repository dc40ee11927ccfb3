"""Takes screenshots of every page, on a phone and on a desktop, light and dark, into `docs/screenshots/`.

`python docs/screenshots.py [OUT] [PAGE …]` makes a demo node in a temporary folder, serves it, and opens its pages
with the system's Chromium; `--node FOLDER` keeps the node in a folder. Each screenshot is a WebP of less than 60 KB.
"""

from __future__ import annotations

import asyncio
import io
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

import demo
import scenes
from PIL import Image
from playwright.async_api import Browser, Page, async_playwright

from node.accounts import accounts
from node.auth import sessions
from node.database import Reader, Writer
from node.node import Node
from node.paging import Page as TimelinePage
from node.timelines import timelines
from web.request.session import SESSION_COOKIE
from web.server import serve

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--headless=new",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
]
SIZES = {"phone": (390, 844), "desktop": (1280, 860)}
MAX_BYTES = 60_000
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"

# Name, path, viewer ('' for a visitor). What stands in braces is filled in from the demo node.
PAGES = [
    ("welcome", "/", ""),
    ("sign-in", "/sign-in", ""),
    ("sign-up", "/sign-up", ""),
    ("about", "/about", ""),
    ("interact", "/interact?uri={uri}", ""),
    ("home", "/", "alice"),
    ("explore", "/explore", "alice"),
    ("trends", "/explore/tags", "alice"),
    ("post", "{album}", "alice"),
    ("profile", "/@alice", "bob"),
    ("own-profile", "/@alice", "alice"),
    ("followers", "/@alice/followers", "bob"),
    ("tag", "/tags/landscape", "alice"),
    ("compose", "/compose", "alice"),
    ("quote", "/compose?quote={other}", "alice"),
    ("edit", "{album_edit}", "alice"),
    ("ledger", "{album_ledger}", "alice"),
    ("report", "/report?post={other}", "alice"),
    ("moving", "/settings/moving", "alice"),
    ("deleted", "/settings/deleted", "alice"),
    ("admin-reports", "/admin/reports", "alice"),
    ("notifications", "/notifications", "alice"),
    ("follow-requests", "/follow-requests", "alice"),
    ("search", "/search?q=landscape", "alice"),
    ("bookmarks", "/bookmarks", "alice"),
    ("drafts", "/drafts", "alice"),
    ("history", "{album_history}", "alice"),
    ("photo", "{album_photo}", "alice"),
    ("settings", "/settings/profile", "alice"),
    ("settings-list", "/settings", "alice"),
    ("preferences", "/settings/preferences", "alice"),
    ("password", "/settings/password", "alice"),
    ("passkeys", "/settings/passkeys", "alice"),
    ("two-step", "/settings/two-step", "alice"),
    ("sessions", "/settings/sessions", "alice"),
    ("deletion", "/settings/deletion", "bob"),
    ("admin-people", "/admin/people", "alice"),
    ("admin-sign-ups", "/admin/sign-ups", "alice"),
    ("admin-jobs", "/admin/jobs", "alice"),
    ("admin-deliveries", "/admin/deliveries", "alice"),
    ("admin-servers", "/admin/servers", "alice"),
    ("admin-lists", "/admin/lists", "alice"),
    ("admin-log", "/admin/log", "alice"),
    ("error", "/p/alice/1", "alice"),
]


def _token(tx: Writer, name: str) -> str:
    account = accounts.by_handle(tx, name)
    assert account is not None
    return sessions.start(tx, account, BROWSER)


def _path_values(tx: Reader) -> dict[str, str]:
    alice = accounts.by_handle(tx, "alice")
    assert alice is not None
    newest = timelines.profile(tx, None, alice, TimelinePage(limit=1))[0].post_id
    bob = accounts.by_handle(tx, "bob")
    assert bob is not None
    return {
        "album": f"/p/alice/{newest}",
        "album_edit": f"/posts/{newest}/edit",
        "album_history": f"/posts/{newest}/history",
        "album_photo": f"/posts/{newest}/photos/1",
        "album_ledger": f"/posts/{newest}/ledger",
        "other": str(timelines.profile(tx, None, bob, TimelinePage(limit=1))[0].post_id),
        "uri": alice.uri,
    }


async def take_all(node: Node, browser: Browser, out: Path, wanted: set[str]) -> None:
    tokens = {name: await node.db.write(_token, name) for name in ("alice", "bob")}
    values = await node.db.read(_path_values)
    for size, (width, height) in SIZES.items():
        for theme in ("light", "dark"):
            for viewer in ("", "alice", "bob"):
                context = await browser.new_context(
                    viewport={"width": width, "height": height},
                    color_scheme="dark" if theme == "dark" else "light",
                    base_url=node.site.base_url,
                    reduced_motion="reduce",
                )
                if viewer:
                    await context.add_cookies(
                        [{"name": SESSION_COOKIE, "value": tokens[viewer], "url": node.site.base_url}]
                    )
                page = await context.new_page()
                for name, path, page_viewer in PAGES:
                    if page_viewer == viewer and (not wanted or name in wanted):
                        await _take(page, path.format(**values), out / f"{name}-{size}-{theme}")
                await context.close()


async def _take(page: Page, path: str, target: Path) -> None:
    await page.goto(path, wait_until="networkidle")
    if target.name.startswith("compose"):
        await _fill_in_post(page)
    await page.wait_for_timeout(150)
    picture = Image.open(io.BytesIO(await page.screenshot())).convert("RGB")
    for quality in range(82, 10, -6):
        data = io.BytesIO()
        picture.save(data, "WEBP", quality=quality, method=6)
        if data.tell() < MAX_BYTES:
            break
    target.with_suffix(".webp").write_bytes(data.getvalue())


async def _fill_in_post(page: Page) -> None:
    """Fill in a new post, so that its page shows more than empty fields. Drops the draft of the last screenshot."""
    shots = ("gold", "quay")
    await page.evaluate("localStorage.clear()")
    await page.reload(wait_until="networkidle")
    await page.set_input_files(
        "input[type=file]",
        [{"name": f"{name}.jpg", "mimeType": "image/jpeg", "buffer": scenes.jpeg(name)} for name in shots],
    )
    await page.locator(".upload[data-photo]").nth(1).wait_for(state="attached")
    for n, name in reversed(list(enumerate(shots))):
        await page.locator(".thumbnail button").nth(n).click()
        await page.locator(".upload.chosen textarea").fill(scenes.SCENES[name][1])
    await page.get_by_label("Caption").fill("Gold, and an evening at the quay. #flowers #sea")
    await page.evaluate("scrollTo(0, 0)")


async def main(out: Path, wanted: set[str], node_folder: Path | None) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = node_folder or Path(temporary)
        node = await demo.open_demo(folder)
        stopping, ready = asyncio.Event(), asyncio.Event()
        try:
            serving = asyncio.create_task(serve.serve(node, stopping, ready=ready))
            started = asyncio.create_task(ready.wait())
            await asyncio.wait((serving, started), return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                started.cancel()
                await serving
                raise SystemExit("The demo node could not be served.")
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
                await take_all(node, browser, out, wanted)
                await browser.close()
            stopping.set()
            await serving
        finally:
            await node.close()


if __name__ == "__main__":
    arguments = sys.argv[1:]
    node_folder = Path(arguments.pop(arguments.index("--node") + 1)) if "--node" in arguments else None
    arguments = [argument for argument in arguments if argument != "--node"]
    folder = Path(arguments[0]) if arguments else Path(__file__).parent / "screenshots"
    asyncio.run(main(folder, set(arguments[1:]), node_folder))
