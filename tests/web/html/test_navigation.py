"""The navigation: every entry leads to a page, and the current one is marked, however it is cached."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.lifecycle import profiles
from node.models.account import Account
from node.node import Node
from tests.support.visitors import Seen, Visitor, sign_in
from web.app import create_app
from web.html.navigation import BAR, BAR_PATHS, MENU, VISITOR_BAR, NavigationEntry

STATIC_FOLDER = Path(__file__).parents[3] / "web" / "static"


def current(seen: Seen) -> list[str]:
    return [link.attributes["href"] for link in seen.all("a", **{"aria-current": "page"})]


def links(seen: Seen) -> set[str]:
    return {link.attributes["href"] for link in seen.all("a")}


async def test_every_entry_leads_to_a_page(node: Node, alice: Account) -> None:
    app = create_app(node)
    browsers = [(await sign_in(node, alice, "user", app), (*BAR, *MENU)), (Visitor(app), VISITOR_BAR)]

    for browser, entries in browsers:
        for entry in entries:
            seen = await browser.get(entry.path)
            assert (seen.status, seen.path) == (200, entry.path)


async def test_the_current_page_is_marked_and_no_other(node: Node, alice: Account) -> None:
    browser = await sign_in(node, alice, "user", create_app(node))

    for path in ("/bookmarks", "/search", "/bookmarks"):
        assert current(await browser.get(path)) == [path]
    assert "/@alice" in current(await browser.get("/@alice"))
    assert not BAR_PATHS & set(current(await browser.get("/settings/profile")))


async def test_only_locked_accounts_have_follow_requests_in_the_bar(node: Node, alice: Account) -> None:
    browser = await sign_in(node, alice, "user", create_app(node))
    assert current(await browser.get("/follow-requests")) == []

    await node.db.write(
        profiles.update_profile,
        alice,
        display_name="Alice",
        bio="",
        fields=[],
        is_locked=True,
        is_discoverable=True,
        is_indexable=True,
    )

    assert current(await browser.get("/follow-requests")) == ["/follow-requests"]


async def test_a_visitor_gets_no_entry_of_an_account(node: Node) -> None:
    seen = await Visitor(create_app(node)).get("/about")

    assert not links(seen) & ({entry.path for entry in (*BAR, *MENU)} - {entry.path for entry in VISITOR_BAR})


def test_every_path_of_the_bar_has_its_own_cached_navigation() -> None:
    assert {entry.path for entry in (*BAR, *VISITOR_BAR)} == BAR_PATHS
    assert len({entry.path for entry in BAR}) == len(BAR)


@pytest.mark.parametrize("entry", [*BAR, *MENU, *VISITOR_BAR], ids=lambda entry: entry.path)
def test_every_icon_is_in_the_sprite(entry: NavigationEntry) -> None:
    assert f'id="{entry.icon}"' in (STATIC_FOLDER / "icons.svg").read_text()
