"""An open editor: how tests get there, and what they ask of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from federation_tests.fediverse import Fediverse
from media.editing.recipes import Recipe, parse
from node.accounts import accounts
from node.attachments import photo_rows, photos
from node.auth import sessions, users
from node.models.account import Account
from node.node import Node
from node.posts.drafts import Draft
from node.publishing import publishing, saved_drafts
from tests.browser.conftest import visitor
from tests.support.pictures import picture
from web.request.session import SESSION_COOKIE

NO_WEBGL = """
const get = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
  return kind.startsWith("webgl") ? null : get.call(this, kind, ...more);
};
"""


@dataclass
class Studio:
    """One node, and Bob, who edits his photos there."""

    node: Node
    bob: Account

    def url(self, path: str) -> str:
        return self.node.site.base_url + path


async def studio(fediverse: Fediverse) -> Studio:
    [person] = await fediverse.people("bob@a.test")
    bob = await person.node.db.read(accounts.get, person.id)
    await person.node.db.write(users.create, bob, email="bob@mail.example", password_hash="-")
    return Studio(person.node, bob)


async def sign_in(context: BrowserContext, here: Studio) -> None:
    token = await here.node.db.write(sessions.start, here.bob, "Chromium")
    await context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": here.node.site.base_url}])


async def recipe_of(here: Studio, photo_id: int) -> Recipe:
    """The recipe that is saved with a photo."""
    found = (await here.node.db.read(photo_rows.by_ids, [photo_id]))[photo_id]
    return parse(found.recipe) if found.recipe else Recipe()


async def draft(here: Studio, *, count: int = 1) -> tuple[list[int], str]:
    """A draft of Bob with photos; their ids, and the path to which the editor leads back."""
    ids = [
        (await photos.upload(here.node, here.bob, picture(900, 600, seed=n), alt=f"Shot {n + 1}")).id
        for n in range(count)
    ]
    saved = await here.node.db.write(
        saved_drafts.save, here.bob, Draft(caption="Half a thought", photo_ids=ids)
    )
    return ids, f"/compose?draft={saved.id}"


async def album(here: Studio, *, count: int) -> tuple[list[int], int]:
    """A post of Bob with photos, on a node that keeps originals; their ids, and that of the post."""
    node = here.node
    node.config = replace(node.config, media=replace(node.config.media, keep_originals=True))
    ids = [(await photos.upload(node, here.bob, picture(900, 600, seed=n))).id for n in range(count)]
    post = await node.db.write(publishing.publish, here.bob, Draft(caption="An album", photo_ids=ids))
    return ids, post.id


async def page_of(
    fediverse: Fediverse, browser: Browser, *, has_webgl: bool = True, **options: Any
) -> tuple[Studio, Page]:
    """A node, and a page of Bob's browser."""
    expect.set_options(timeout=30_000)  # previews and saving take the processor, which tests share
    here = await studio(fediverse)
    context = await visitor(browser, **options)
    await sign_in(context, here)
    context.set_default_timeout(30_000)
    if not has_webgl:
        await context.add_init_script(NO_WEBGL)
    return here, await context.new_page()


async def enter(page: Page, here: Studio, photo_id: int, back: str) -> None:
    await page.goto(here.url(f"/photos/{photo_id}/edit?back={back}"))
    await drawn(page)


async def drawn(page: Page, **wanted: object) -> dict[str, Any]:
    """Waits until the photo is drawn by a recipe with these parts, and returns it."""
    shown = page.locator(".e-canvas")
    for _ in range(1200):
        text = await shown.get_attribute("data-shown")
        recipe: dict[str, Any] = json.loads(text) if text else {}
        if text and all(recipe.get(name) == value for name, value in wanted.items()):
            return recipe
        await page.wait_for_timeout(50)
    raise AssertionError(f"{wanted} is not shown: {recipe}")


async def pixel(page: Page, x: float, y: float) -> Sequence[int]:
    """The colour of the photo at a place (0…1) as it is on the screen."""
    from io import BytesIO

    from PIL import Image

    data = await page.locator(".e-photo").screenshot()
    image = Image.open(BytesIO(data)).convert("RGB")
    found = image.getpixel((int(x * (image.width - 1)), int(y * (image.height - 1))))
    assert isinstance(found, tuple)
    return found


def tool(page: Page, name: str) -> Locator:
    return page.get_by_role("slider", name=name, exact=True)


async def drag(page: Page, slider: Locator, to: float) -> None:
    """Drags a slider to a part (0…1) of its length."""
    box = await slider.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    value = await slider.evaluate("one => (one.value - one.min) / (one.max - one.min)")
    thumb = 24 if box["height"] > 40 else 16
    length = box["width"] - thumb
    await page.mouse.move(box["x"] + thumb / 2 + length * value, y)
    await page.mouse.down()
    await page.mouse.move(box["x"] + thumb / 2 + length * to, y, steps=4)
    await page.mouse.up()


async def done(page: Page, here: Studio, path: str) -> None:
    await page.get_by_role("button", name="Done", exact=True).click()
    await expect(page).to_have_url(here.url(path))
