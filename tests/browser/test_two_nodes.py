"""The main use in a browser: two people post, follow, comment and like across servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from federation_tests.fediverse import Fediverse
from node.accounts import keys
from node.auth import passwords
from node.lifecycle import registration
from node.node import Node
from tests.browser.conftest import visitor
from tests.support.pictures import picture
from web import wiring

PASSWORD = "a short sentence is good"


@asynccontextmanager
async def working(*nodes: Node) -> AsyncIterator[None]:
    """The nodes do their jobs by themselves, as they would when served."""
    workers = [wiring.create_worker(node) for node in nodes]
    for worker in workers:
        await worker.start(is_only_process=True)
    try:
        yield
    finally:
        await asyncio.gather(*(worker.stop() for worker in workers))


async def with_admin(fediverse: Fediverse, name: str) -> Node:
    """A node that has been set up: before it has an admin, nobody else can join."""
    node = await fediverse.node(name)
    await node.db.write(
        registration.create_user,
        name="keeper",
        email=f"keeper@{name}",
        password_hash=await passwords.hash(PASSWORD),
        pair=keys.generate(),
        role="admin",
    )
    return node


async def sign_up(page: Page, node: Node, name: str) -> None:
    await page.goto(node.site.base_url + "/")
    await page.get_by_role("link", name="Sign up").first.click()
    await page.get_by_label("Username").fill(name)
    await page.get_by_label("E-mail").fill(f"{name}@mail.example")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign up").click()
    await expect(page.get_by_role("link", name="New post").first).to_be_visible()


async def seen(page: Page, text: str, *, tries: int = 20) -> None:
    """Waits for a delivery of another server as a person does: by reloading."""
    for _ in range(tries):
        if await page.get_by_text(text).count():
            return
        await asyncio.sleep(0.5)
        await page.reload()
    await expect(page.get_by_text(text).first).to_be_visible()


async def loaded(page: Page, alt: str, *, tries: int = 20) -> None:
    """Waits for a photo of another server, which is fetched when it is first asked for, and later where much is to do."""
    image = page.get_by_alt_text(alt, exact=True).first
    for _ in range(tries):
        await image.scroll_into_view_if_needed()
        await expect(image).to_have_js_property("complete", True)
        if await image.evaluate("one => one.naturalWidth") > 100:
            return
        await asyncio.sleep(0.5)
        await page.reload()
    raise AssertionError(f"{alt} is not shown")


async def describe(page: Page, *alts: str) -> None:
    """Describes the photos of a new post, one after the other."""
    for n, alt in enumerate(alts):
        await page.locator(".thumbnail button").nth(n).click()
        await page.locator(".upload.chosen textarea").fill(alt)


async def test_a_photo_travels_from_one_browser_to_another(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    a, b = await with_admin(fediverse, "a.test"), await with_admin(fediverse, "b.test")
    files = []
    for n in (1, 2):
        file = tmp_path / f"lake{n}.jpg"
        file.write_bytes(picture(1200, 800, seed=n))
        files.append(file)

    async with working(a, b):
        # Alice joins node A, and posts two photos with words for those who cannot see them.
        alice = await (await visitor(browser, width=390)).new_page()
        await sign_up(alice, a, "alice")
        await alice.get_by_role("link", name="New post").first.click()
        await alice.set_input_files("input[type=file]", [str(file) for file in files])
        await expect(alice.locator(".upload[data-photo]")).to_have_count(2)
        await describe(alice, "Fog over a lake", "The same lake, an hour later")
        await alice.get_by_label("Caption").fill("Morning at the #lake")
        await alice.get_by_role("button", name="Post", exact=True).last.click()
        await expect(alice.get_by_text("Morning at the").first).to_be_visible()

        # Bob joins node B, looks for her by her whole address, and follows her.
        bob = await (await visitor(browser)).new_page()
        await sign_up(bob, b, "bob")
        await bob.goto(b.site.base_url + "/search")
        await bob.get_by_role("searchbox").last.fill(f"@alice@{a.site.domain}")
        await bob.get_by_role("searchbox").last.press("Enter")
        await bob.get_by_role("button", name="Follow", exact=True).first.click()
        await seen(bob, "Following")

        # What she posts from now on is on his home page, photos and words.
        await alice.goto(a.site.base_url + "/compose")
        await alice.set_input_files("input[type=file]", [str(file) for file in files])
        await expect(alice.locator(".upload[data-photo]")).to_have_count(2)
        await describe(alice, "A boat", "The boat has left")
        await alice.get_by_label("Caption").fill("Evening at the lake")
        await alice.get_by_role("button", name="Post", exact=True).last.click()
        await expect(alice.get_by_text("Evening at the lake").first).to_be_visible()
        await bob.goto(b.site.base_url + "/")
        await seen(bob, "Evening at the lake")
        for alt in ("A boat", "The boat has left"):
            await loaded(bob, alt)

        # He likes it, and says so.
        await bob.get_by_role("button", name="Like").first.click()
        await expect(bob.get_by_role("button", name="Like").first).to_have_attribute("aria-pressed", "true")
        await bob.get_by_role("link", name="Comment").first.click()
        await bob.get_by_label("Your comment").fill("I can hear the water")
        await bob.get_by_role("button", name="Post", exact=True).last.click()
        await expect(bob.locator("#comments").get_by_text("I can hear the water")).to_be_visible()

        # Both reach her.
        await alice.goto(a.site.base_url + "/notifications")
        await seen(alice, "I can hear the water")
        await expect(alice.get_by_text("bob").first).to_be_visible()
        await alice.goto(a.site.base_url + "/")
        await alice.get_by_role("link", name="Comment").first.click()
        await seen(alice, "I can hear the water")
        await expect(alice.get_by_role("button", name="Like").first).to_contain_text("1")
