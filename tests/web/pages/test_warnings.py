"""A content warning covers the words of a post and its photos, wherever the post is shown."""

from __future__ import annotations

import pytest

from node.database import Writer
from node.interactions import follows
from node.models.account import Account
from node.node import Node
from node.posts.drafts import Draft
from node.publishing import publishing
from tests.support.visitors import Seen, Visitor
from tests.web.pages.conftest import Publish, SignedIn

SECRET = "The butler did it"


def _uncovered(seen: Seen) -> str:
    """The text of a page without what its content warnings cover."""
    text = seen.one("main").text
    for veil in seen.all("details", **{"class": "veil"}):
        text = text.replace(veil.text, "")
    return text


async def test_a_warning_covers_the_caption_until_it_is_opened(
    alice: Account, publish: Publish, anybody: Visitor
) -> None:
    post = await publish(alice, SECRET, warning="How it ends")

    for path in ("/@alice/all", f"/p/alice/{post.id}"):
        seen = await anybody.get(path)

        assert SECRET in seen.one("details", **{"class": "veil"}).text
        assert SECRET not in _uncovered(seen)
        assert SECRET not in seen.one("title").text


async def test_a_sensitive_photo_without_words_of_warning_keeps_its_caption(
    alice: Account, publish: Publish, anybody: Visitor
) -> None:
    post = await publish(alice, "At the beach", is_sensitive=True)

    seen = await anybody.get(f"/p/alice/{post.id}")

    assert "At the beach" in _uncovered(seen)
    assert "At the beach" in seen.one("title").text


async def test_earlier_versions_stay_behind_their_warning(
    node: Node, alice: Account, publish: Publish, anybody: Visitor
) -> None:
    post = await publish(alice, SECRET, warning="How it ends")
    await node.db.write(publishing.edit, alice, post, Draft(caption="Changed"))

    seen = await anybody.get(f"/posts/{post.id}/history")

    [covered] = [one for one in seen.all("details") if one.attributes.get("class") != "menu"]
    assert "How it ends" in covered.text
    assert SECRET in covered.text
    assert "Changed" not in covered.text


@pytest.mark.parametrize("warning", ["How it ends", ""])
async def test_a_notification_shows_neither_words_nor_photo_behind_a_warning(
    node: Node, alice: Account, bob: Account, publish: Publish, signed_in: SignedIn, warning: str
) -> None:
    def unit(tx: Writer) -> None:
        follows.follow(tx, bob, alice)

    await node.db.write(unit)
    await publish(bob, f"{SECRET} @alice", alt="A butler with a knife", warning=warning, is_sensitive=True)
    visitor = await signed_in(alice)

    seen = await visitor.get("/notifications")

    assert (SECRET in seen.text) is (not warning)
    assert (warning or SECRET) in seen.one("main").text
    assert "A butler with a knife" not in seen.text
    assert not seen.all("img", width="56")
