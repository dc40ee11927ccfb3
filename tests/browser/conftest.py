"""A real headless Chromium, and whole nodes for it to visit over HTTPS."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, BrowserContext, async_playwright, expect

from federation_tests.conftest import fediverse, pair, ports, test_authority
from tests.support import missing_parts
from tests.support.parallel import ONE_AT_A_TIME

__all__ = ["fediverse", "pair", "ports", "test_authority"]

# What a busy machine may need. A page that is right shows it at once, so no test that passes waits for it.
TIMEOUT_MS = 40_000
expect.set_options(timeout=TIMEOUT_MS)

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Nodes are named a.test, b.test, …; all of them are this machine.
    "--host-resolver-rules=MAP *.test 127.0.0.1",
]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What a page does in a browser does not depend on the database: once is enough."""
    twice = [item for item in items if "tests/browser/" in item.nodeid and "[postgresql" in item.nodeid]
    if twice and len(twice) < len([item for item in items if "tests/browser/" in item.nodeid]):
        config.hook.pytest_deselected(items=twice)
        items[:] = [item for item in items if item not in twice]
    for item in items:
        if "tests/browser/" in item.nodeid:
            item.add_marker(pytest.mark.browser)
            item.add_marker(ONE_AT_A_TIME)


@pytest.fixture
async def browser(request: pytest.FixtureRequest) -> AsyncIterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        missing_parts.report(request.config, "in a browser", "apt install chromium")
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield running
        await running.close()


async def visitor(
    browser: Browser,
    *,
    width: int = 1280,
    scripts: bool = True,
    touch: bool = False,
    timezone: str = "UTC",
    locale: str = "en-US",
) -> BrowserContext:
    """A person with a browser of their own: no cookies yet, and the test's certificates accepted.

    With `touch` it is that of a phone, which has fingers and no mouse.
    """
    context = await browser.new_context(
        viewport={"width": width, "height": 900},
        ignore_https_errors=True,
        java_script_enabled=scripts,
        has_touch=touch,
        is_mobile=touch,
        timezone_id=timezone,
        locale=locale,
    )
    context.set_default_timeout(TIMEOUT_MS)
    return context
