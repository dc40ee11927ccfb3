"""Home of somebody who is new: what to do first, for as long as there is nothing to see."""

from __future__ import annotations

from node.attachments import avatars
from node.models.account import Account
from node.node import Node
from tests.support.pictures import picture
from tests.web.pages.conftest import Publish, SignedIn


async def test_an_empty_home_says_what_to_do_first_until_there_is_something(
    node: Node, alice: Account, signed_in: SignedIn, publish: Publish
) -> None:
    visitor = await signed_in(alice)
    seen = await visitor.get("/")
    for words in ("Add a profile picture", "Post a photo", "Find people to follow", "Explore"):
        assert words in seen.main_text

    await avatars.upload(node, alice, picture(80, 80))
    seen = await visitor.get("/")
    assert "Add a profile picture" not in seen.main_text
    assert "Post a photo" in seen.main_text

    await publish(alice, "Morning")
    seen = await visitor.get("/")
    assert "Morning" in seen.main_text
    assert "Post a photo" not in seen.main_text
