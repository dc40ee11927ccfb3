"""Pages are made in slices, so that a long one holds up nobody."""

from __future__ import annotations

import asyncio

import pytest
from quart import g

from node.database import Writer
from node.models.account import Account
from node.node import Node
from node.posts.drafts import Draft
from node.publishing import publishing
from node.timelines import post_views
from node.timelines.post_views import PostView
from tests.support.posting import publish
from web.app import create_app
from web.html import templates
from web.html.lists import CommentLine

PAGE = {
    "ancestors": [],
    "delivery_report": None,
    "card_image": None,
    "reactions": [],
    "quote": None,
    "quoted_by": [],
    "can_quote": False,
    "draft": "",
    "problem": "",
    "here": "/p/alice/1",
    "reply_to": None,
}


async def _pauses(node: Node, view: PostView, comment: PostView, comments: int) -> int:
    """Returns how often others had a turn while the page of a post was rendered."""
    turns, is_over = 0, False

    async def others() -> None:
        nonlocal turns
        while not is_over:
            turns += 1
            await asyncio.sleep(0)

    async with create_app(node).quart.test_request_context("/"):
        g.signed_in_user = None
        waiting = asyncio.create_task(others())
        page = await templates.render_html(
            "posts/post.html", view=view, entries=[CommentLine(comment, 0, 0)] * comments, **PAGE
        )
        is_over = True
        await waiting
    assert page.count("Quite foggy") == comments
    return turns


async def test_others_have_a_turn_between_the_comments_of_a_page(
    node: Node, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(templates, "SLICE_SECONDS", 0.0)

    def unit(tx: Writer) -> list[PostView]:
        post = publish(tx, alice)
        comment = publishing.publish(tx, alice, Draft(caption="Quite foggy", parent_id=post.id))
        return post_views.by_entries(tx, None, [post.id, comment.id])

    view, comment = await node.db.write(unit)

    none, many = await _pauses(node, view, comment, 0), await _pauses(node, view, comment, 30)

    assert many - none >= 30
