"""What was posted while the connection broke, so that its answer was lost, is not posted twice by trying again."""

from __future__ import annotations

import asyncio

from playwright.async_api import Browser, expect

from federation_tests.fediverse import Fediverse
from node.database import Reader
from node.posts.drafts import Draft
from node.publishing import publishing, saved_drafts
from tests.browser.composing import bad_connection, post_button
from tests.browser.seen import Place, place
from tests.support.bad_connection import BadConnection


def _texts(tx: Reader) -> list[str]:
    return [row["source"] for row in tx.all("SELECT source FROM posts WHERE deleted_at IS NULL ORDER BY id")]


async def _lose_answer(here: Place, connection: BadConnection, text: str) -> None:
    """Cuts the connection once the text is posted, before the browser knows."""
    async with asyncio.timeout(60):
        while True:
            if text in await here.node.db.read(_texts):
                return connection.refuse()
            await asyncio.sleep(0.02)


async def test_a_post_is_there_once_also_after_a_reload(fediverse: Fediverse, browser: Browser) -> None:
    here = await place(fediverse)
    async with bad_connection(here, browser) as (page, connection):
        await page.get_by_label("Caption").fill("Into a tunnel")
        await expect(page.locator("#draft-state")).to_have_text("Draft saved")
        connection.hold_answers()
        await post_button(page).click()
        await _lose_answer(here, connection, "Into a tunnel")
        await expect(page.locator("#undecided")).to_contain_text("There is no connection")
        await connection.accept()
        await page.reload()
        await expect(page.get_by_label("Caption")).to_have_value("Into a tunnel")

        await post_button(page).click()

        await expect(page.locator(".post")).to_contain_text("Into a tunnel")
    assert (await here.node.db.read(_texts)).count("Into a tunnel") == 1
    assert list(await here.node.db.read(saved_drafts.by_author, here.bob)) == []


async def test_a_comment_stands_once(fediverse: Fediverse, browser: Browser) -> None:
    here = await place(fediverse)
    post = await here.node.db.write(publishing.publish, here.alice, Draft(caption="A question"))
    async with bad_connection(here, browser, f"/posts/{post.id}") as (page, connection):
        await page.get_by_label("Your comment").fill("An answer")
        connection.hold_answers()
        await page.get_by_label("Your comment").press("Control+Enter")
        await _lose_answer(here, connection, "An answer")
        again = page.get_by_role("button", name="Try again")
        await expect(again).to_be_visible()
        await connection.accept()

        await again.click()

        await expect(page.locator(".comment.pending")).to_have_count(0)
    assert (await here.node.db.read(_texts)).count("An answer") == 1
