"""The page of bookmarks: the own ones, the latest first, and only what the account may still see."""

from __future__ import annotations

from node.interactions import blocks, bookmarks
from node.models.account import Account
from node.node import Node
from tests.support.visitors import Seen, Visitor
from tests.web.pages.conftest import Publish, SignedIn
from web.pages.bookmarks import CELLS_PER_PAGE


def cells(seen: Seen) -> list[str]:
    return [link.attributes["href"] for link in seen.all("a", class_="cell")]


async def test_bookmarks_are_listed_latest_first_to_their_owner_only(
    node: Node, alice: Account, bob: Account, publish: Publish, signed_in: SignedIn
) -> None:
    first, second = await publish(alice, "First"), await publish(alice, "Second")
    for post in (second, first):
        await node.db.write(bookmarks.add, bob, post)

    assert cells(await (await signed_in(bob)).get("/bookmarks")) == [
        f"/p/alice/{first.id}",
        f"/p/alice/{second.id}",
    ]
    assert cells(await (await signed_in(alice)).get("/bookmarks")) == []


async def test_a_bookmark_disappears_when_its_author_blocks_the_account(
    node: Node, alice: Account, bob: Account, publish: Publish, signed_in: SignedIn
) -> None:
    await node.db.write(bookmarks.add, bob, await publish(alice, "First"))
    await node.db.write(blocks.block, alice, bob)

    seen = await (await signed_in(bob)).get("/bookmarks")

    assert cells(seen) == []
    assert "No bookmarks yet" in seen.main_text


async def test_older_bookmarks_are_on_the_next_page(
    node: Node, alice: Account, bob: Account, publish: Publish, signed_in: SignedIn
) -> None:
    posts = [await publish(alice, f"Post {n}", shots=0) for n in range(CELLS_PER_PAGE + 1)]
    for post in posts:
        await node.db.write(bookmarks.add, bob, post)
    browser = await signed_in(bob)

    newest = await browser.get("/bookmarks")
    older = await browser.get(newest.one("a", rel="next").attributes["href"])

    assert len(cells(newest)) == CELLS_PER_PAGE
    assert cells(older) == [f"/p/alice/{posts[0].id}"]


async def test_a_visitor_is_sent_to_sign_in(anybody: Visitor) -> None:
    assert (await anybody.get("/bookmarks")).path.startswith("/sign-in")
