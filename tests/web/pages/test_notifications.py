"""The page of notifications: who did what, where it leads, and the numbers in the navigation."""

from __future__ import annotations

import pytest

from node.accounts import accounts, keys
from node.database import Writer
from node.interactions import follows, likes
from node.models.account import Account
from node.node import Node
from node.posts.drafts import Draft
from node.publishing import publishing
from tests.web.pages.conftest import Publish, SignedIn
from web.pages import notifications as page
from web.pages.notifications import NotificationGroup


def _people(tx: Writer, *names: str) -> list[Account]:
    return [accounts.create_local(tx, name, pair=keys.generate()) for name in names]


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (1, "carol followed you"),
        (2, "carol and dave followed you"),
        (3, "carol, dave and 1 other followed you"),
        (4, "carol, dave and 2 others followed you"),
    ],
)
async def test_the_second_of_several_people_is_named_too(
    node: Node, alice: Account, signed_in: SignedIn, count: int, text: str
) -> None:
    def unit(tx: Writer) -> None:
        for who in reversed(_people(tx, "carol", "dave", "erin", "frank")[:count]):
            follows.follow(tx, who, alice)

    await node.db.write(unit)

    seen = await (await signed_in(alice)).get("/notifications")

    assert text in seen.main_text


def test_names_of_people_are_text_and_not_html(alice: Account, bob: Account) -> None:
    group = NotificationGroup(1, "follow", [alice, bob], None, 0, True)

    assert group.text.count("<a ") == 2
    assert group.text.striptags() == "alice and bob followed you"
    assert "%" not in page._linked_names([alice, bob, alice])


async def test_a_comment_shows_the_photo_it_is_about_and_leads_to_itself(
    node: Node, alice: Account, bob: Account, signed_in: SignedIn, publish: Publish
) -> None:
    post = await publish(alice, "Morning")
    comment = await node.db.write(publishing.publish, bob, Draft(caption="So quiet", parent_id=post.id))
    path = f"/p/bob/{comment.id}#post-{comment.id}"

    seen = await (await signed_in(alice)).get("/notifications")

    shot = seen.one("a", class_="shot")
    assert shot.attributes["href"] == path
    assert shot.attributes["aria-label"] == "View comment"
    assert [one.attributes["alt"] for one in seen.all("img", width="56")] == ["A lake"]
    assert [one.text.strip() for one in seen.all("a", class_="caption", href=path)] == ["So quiet"]
    assert (await (await signed_in(alice)).get(path.partition("#")[0])).all(
        "article", id=f"post-{comment.id}"
    )


async def test_a_photo_behind_a_warning_is_not_shown_beside_a_comment(
    node: Node, alice: Account, bob: Account, signed_in: SignedIn, publish: Publish
) -> None:
    post = await publish(alice, "Morning", warning="Blood")
    await node.db.write(publishing.publish, bob, Draft(caption="Oh", parent_id=post.id))

    seen = await (await signed_in(alice)).get("/notifications")

    assert not seen.all("img", width="56")
    assert seen.all("a", class_="small")


async def test_who_likes_a_comment_did_not_like_a_photo(
    node: Node, alice: Account, bob: Account, signed_in: SignedIn, publish: Publish
) -> None:
    post = await publish(bob, "Morning")
    comment = await node.db.write(publishing.publish, alice, Draft(caption="So quiet", parent_id=post.id))
    await node.db.write(likes.like, bob, comment)

    assert "bob liked your comment" in (await (await signed_in(alice)).get("/notifications")).main_text


async def test_the_page_that_shows_the_new_ones_counts_none_any_more(
    node: Node, alice: Account, bob: Account, signed_in: SignedIn
) -> None:
    visitor = await signed_in(alice)
    await node.db.write(follows.follow, bob, alice)

    def badge() -> tuple[bool, str]:
        assert visitor.page is not None
        one = visitor.page.all("span", data_count="unread_count") or [
            one for one in visitor.page.all("span") if one.attributes.get("data-count") == "unread_count"
        ]
        return "hidden" in one[0].attributes, " ".join(one[0].text.split())

    await visitor.get("/explore")
    assert badge() == (False, "1 new")
    await visitor.get("/notifications/likes")
    assert badge() == (False, "1 new")

    seen = await visitor.get("/notifications")

    assert seen.all("li", class_="note new")
    assert badge()[0]


async def test_a_page_that_stays_open_can_ask_for_its_numbers(
    node: Node, alice: Account, bob: Account, signed_in: SignedIn, anybody: object
) -> None:
    visitor = await signed_in(alice)
    await node.db.write(follows.follow, bob, alice)

    reply = await visitor.client.get(
        "/notifications/counts", headers={"cookie": f"tintype_session={visitor.cookies['tintype_session']}"}
    )
    nobody = await visitor.client.get("/notifications/counts")

    assert reply.body.strip() == b'{"follow_requests_count":0,"staff_count":0,"unread_count":1}'
    assert nobody.body.strip() == b"{}"
