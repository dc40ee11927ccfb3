"""Photos to look at, fingers that move over them, and what the viewer shows."""

from __future__ import annotations

from collections.abc import Sequence

from playwright.async_api import Locator, Page

from node.attachments import photos
from node.posts.drafts import Draft
from node.publishing import publishing
from tests.browser.seen import Place
from tests.support.pictures import picture

LARGE = (2400, 1600)


async def post_photos(here: Place, *sizes: tuple[int, int], caption: str = "A post") -> int:
    ids = [
        (await photos.upload(here.node, here.alice, picture(*size, seed=n), alt=f"Shot {n + 1}")).id
        for n, size in enumerate(sizes)
    ]
    return (
        await here.node.db.write(publishing.publish, here.alice, Draft(caption=caption, photo_ids=ids))
    ).id


async def swipe(page: Page, fingers: Sequence[tuple[tuple[float, float], tuple[float, float]]]) -> None:
    """Moves fingers from one place to another and lifts them. They rest before that, so that distance counts."""
    client = await page.context.new_cdp_session(page)
    for part in (0, 0.25, 0.5, 0.75, 1, 1):
        points = [
            {"x": a[0] + (b[0] - a[0]) * part, "y": a[1] + (b[1] - a[1]) * part, "id": n}
            for n, (a, b) in enumerate(fingers)
        ]
        kind = "touchStart" if part == 0 else "touchMove"
        await client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        await page.wait_for_timeout(40)
    await client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    await client.detach()


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Full-screen photo")


def counter(page: Page) -> Locator:
    return page.locator(".viewer-counter")


async def scale(page: Page) -> float:
    """How large the photo in the middle is shown, against how it was at first."""
    image = page.locator(".viewer-frame:not([inert]) img")
    return float(await image.evaluate("one => Number(one.style.scale)"))
