"""What scrolling through Home costs a browser: how long it is busy at a stretch, against the 100 ms that are noticed.

A phone's Home of 200 posts, as `tests/browser/test_scrolling.py` scrolls through it. What the browser did for longer
than 50 ms without a break is what it calls a long task.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from node.accounts import accounts, keys
from node.auth import sessions, users
from node.config import Config, DatabaseOptions, MediaOptions, NodeOptions, ServerOptions
from node.database import Writer
from node.models.account import Account
from node.node import Node
from tests.support import long_feeds
from tests.support.ports import free_port
from web import wiring
from web.request.session import SESSION_COOKIE
from web.server import serve

POSTS = 200
NOTICED_MS = 100
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
WATCH = """
  window.busy = [];
  new PerformanceObserver((list) => busy.push(...list.getEntries().map((one) => one.duration)))
    .observe({type: "longtask", buffered: true});
"""


def _alice(tx: Writer) -> tuple[Account, str]:
    alice = accounts.create_local(tx, "alice", pair=keys.generate())
    users.create(tx, alice, email="alice@bench.example", password_hash="-", role="admin")
    return alice, sessions.start(tx, alice, "bench")


async def rows() -> list[tuple[str, str, str]]:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        return [("scrolling through 200 posts", "not measured", "Chromium is missing")]
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        node = await wiring.open_node(
            Config(
                node=NodeOptions(domain=f"localhost:{port}", secret="only for measuring, never for serving"),
                server=ServerOptions(bind=(f"127.0.0.1:{port}",), scheme="http"),
                database=DatabaseOptions(url=f"sqlite:{Path(folder) / 'tintype.db'}"),
                media=MediaOptions(url=f"file:{Path(folder) / 'media'}"),
            )
        )
        alice, token = await node.db.write(_alice)
        await long_feeds.fill(node, alice, POSTS)
        stopping, ready = asyncio.Event(), asyncio.Event()
        serving = asyncio.create_task(serve.serve(node, stopping, ready=ready))
        await ready.wait()
        try:
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=program, args=FLAGS)
                busy = await _scroll(browser, node, token)
                await browser.close()
        finally:
            stopping.set()
            await serving
            await node.close()
    longest = max(busy, default=0.0)
    return [
        (
            f"scrolling through {POSTS} posts, the longest task of the browser",
            f"{longest:.0f} ms" if busy else "under 50 ms",
            f"{NOTICED_MS} ms are noticed; {sum(one > NOTICED_MS for one in busy)} longer, {len(busy)} over 50 ms",
        )
    ]


async def _scroll(browser: Browser, node: Node, token: str) -> list[float]:
    """Scrolls to the end as a thumb does; returns the long tasks since the page was loaded, in milliseconds."""
    context = await browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    await context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": node.site.base_url}])
    page = await context.new_page()
    await page.add_init_script(WATCH)
    await page.goto(node.site.base_url + "/", wait_until="networkidle")
    await page.evaluate("busy.length = 0")
    posts = page.locator("#stream .post")
    while await posts.count() < POSTS:
        await page.evaluate("scrollBy(0, innerHeight * 0.3)")
        await page.wait_for_timeout(50)
    found: list[float] = await page.evaluate("busy")
    return found
