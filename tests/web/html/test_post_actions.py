"""The row of actions under a post: one button for each action of the table, links for visitors."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from node.models.account import Account
from node.node import Node
from node.timelines import viewer_marks
from node.timelines.viewer_marks import ViewerMarks
from tests.support.visitors import Element, _Parser
from web.html.post_actions import POST_ACTIONS, ActionRow, CardData, PostAction, PostCounts
from web.html.templates import Templates

SPRITE = Path(__file__).parents[3] / "web" / "static" / "icons.svg"
COUNTS = PostCounts(likes=3, comments=20, boosts=1200)
BUTTONS = [action for action in POST_ACTIONS if action.button is not None]


@pytest.fixture
def row(node: Node) -> ActionRow:
    return ActionRow(node.component(Templates).environment("en"))


def card(author: Account, *, is_open: bool = True, allows_boosts: bool = True) -> CardData:
    return CardData(
        5,
        author.id,
        "/p/alice/5",
        "https://a.test/?x=1&y=2",
        "https://a.test/5",
        1,
        is_open,
        False,
        allows_boosts,
    )


def elements(html: str, tag: str) -> list[Element]:
    parser = _Parser()
    parser.feed(html)
    return [element for element in parser.elements if element.tag == tag]


def button(html: str, action: PostAction) -> Element | None:
    found = [one for one in elements(html, "button") if one.attributes.get("data-action") == action.name]
    return found[0] if found else None


@pytest.mark.parametrize("action", BUTTONS, ids=lambda action: action.name)
def test_a_button_does_the_action_or_undoes_it_by_its_mark(
    row: ActionRow, alice: Account, bob: Account, action: PostAction
) -> None:
    assert action.button is not None
    for is_set, path in ((False, f"/posts/5/{action.name}"), (True, f"/posts/5/un{action.name}")):
        marks = ViewerMarks()._replace(**{action.button.mark: is_set})

        shown = button(row(card(alice), bob, COUNTS, marks), action)

        assert shown is not None
        assert shown.attributes["formaction"] == path
        assert shown.attributes["aria-pressed"] == str(is_set).lower()


def test_counts_stand_in_their_buttons_and_zero_is_left_out(
    row: ActionRow, alice: Account, bob: Account
) -> None:
    html = row(card(alice), bob, COUNTS, ViewerMarks())
    empty = row(card(alice), bob, PostCounts(0, 0, 0), ViewerMarks())

    texts = {one.attributes["data-action"]: one.text.split()[1:] for one in elements(html, "button")[:2]}
    assert texts == {"like": ["3"], "boost": ["1.2K"]}
    assert "0" not in "".join(one.text for one in elements(empty, "button"))


@pytest.mark.parametrize("action", BUTTONS, ids=lambda action: action.name)
def test_only_a_button_with_a_count_has_the_element_that_the_script_counts_in(
    row: ActionRow, alice: Account, bob: Account, action: PostAction
) -> None:
    """A bookmark is private: pressing it must not put a 1 beside it."""
    assert action.button is not None
    html = row(card(alice), bob, COUNTS, ViewerMarks())
    [shown] = re.findall(rf'<button[^>]*data-action="{action.name}".*?</button>', html)

    assert ('class="n"' in shown) == bool(action.button.count)


def test_boosting_is_offered_only_where_the_author_allows_it(
    row: ActionRow, alice: Account, bob: Account
) -> None:
    boost = next(action for action in POST_ACTIONS if action.name == "boost")
    closed = card(alice, allows_boosts=False)

    assert button(row(closed, bob, COUNTS, ViewerMarks()), boost) is None
    assert button(row(closed, alice, COUNTS, ViewerMarks()), boost) is not None
    assert button(row(closed, bob, COUNTS, ViewerMarks(boosted=True)), boost) is not None


def test_a_visitor_gets_links_to_remote_interaction_and_no_form(row: ActionRow, alice: Account) -> None:
    html = row(card(alice), None, COUNTS, ViewerMarks())

    assert {link.attributes["href"] for link in elements(html, "a")} == {
        "/interact?uri=https%3A%2F%2Fa.test%2F5",
        "/p/alice/5#share",
    }
    assert not [one for one in elements(html, "button") if "formaction" in one.attributes]


def test_what_other_servers_wrote_is_escaped(row: ActionRow, alice: Account, bob: Account) -> None:
    hostile = dataclasses.replace(card(alice), url='"><script>', uri='"><script>', path='"><script>')

    for viewer in (None, bob):
        assert "<script" not in row(hostile, viewer, COUNTS, ViewerMarks())


@pytest.mark.parametrize("action", BUTTONS, ids=lambda action: action.name)
def test_a_button_names_a_mark_a_count_and_an_icon_that_exist(action: PostAction) -> None:
    assert action.button is not None
    assert action.button.mark in viewer_marks.ViewerMarks._fields
    assert action.button.count in ("", *PostCounts._fields)
    assert f'id="{action.button.icon}"' in SPRITE.read_text()
