"""People are told when their server suspends another one and their follows end with it, until they come back."""

from __future__ import annotations

import pytest

from node.admin import domain_enforcement
from node.database import Writer
from node.interactions import follows
from node.jobs.queue import Job
from node.models.account import Account
from node.moderation import domain_rules
from node.node import Node
from tests.support.people import lock, notifications_of, remote
from tests.support.posting import follow
from tests.support.visitors import Visitor
from tests.web.pages.conftest import SignedIn


async def apply(node: Node) -> None:
    await domain_enforcement.apply_policy(node, Job(1, "apply_policy", "", {}, 1))


@pytest.fixture
async def her(alice: Account, signed_in: SignedIn) -> Visitor:
    return await signed_in(alice)


@pytest.fixture
async def ties(node: Node, alice: Account, bob: Account) -> None:
    """alice has two followers and a follow at far.example, and follows somebody at loud.example. bob has none there."""

    def given(tx: Writer) -> None:
        for name in ("rita", "rob"):
            follow(tx, remote(tx, name), alice)
        follow(tx, alice, remote(tx, "ron"))
        follow(tx, alice, remote(tx, "lou", "loud.example"))

    await node.db.write(given)


@pytest.mark.usefixtures("ties")
async def test_people_read_what_they_lost_and_it_goes_when_it_comes_back(
    node: Node, her: Visitor, bob: Account, signed_in: SignedIn
) -> None:
    await her.get("/notifications")
    await node.db.write(domain_rules.block, "far.example")
    await apply(node)

    seen = await her.get("/bookmarks")
    assert seen.one("span", **{"data-count": "unread_count"}).text.startswith("1")
    seen = await her.get("/notifications")
    assert "This server has suspended other servers." in seen.main_text
    assert "far.example: 2 followers and 1 followed account" in seen.main_text
    assert "loud.example" not in seen.main_text
    assert "suspended" not in (await (await signed_in(bob)).get("/notifications")).main_text

    # Another one is added to the same notification, which is new again.
    await node.db.write(domain_rules.block, "loud.example")
    await apply(node)
    seen = await her.get("/notifications/follows")
    assert seen.main_text.count("This server has suspended") == 1
    assert "loud.example: 1 followed account" in seen.main_text
    assert "far.example: 2 followers" in seen.main_text

    await node.db.write(domain_rules.unblock, "far.example")
    await apply(node)
    seen = await her.get("/notifications")
    assert "loud.example" in seen.main_text
    assert "far.example:" not in seen.main_text
    await node.db.write(domain_rules.unblock, "loud.example")
    await apply(node)
    assert "suspended" not in (await her.get("/notifications")).main_text


async def test_many_servers_are_one_notification_that_names_some(
    node: Node, alice: Account, her: Visitor
) -> None:
    def given(tx: Writer) -> None:
        for n in range(12):
            follow(tx, remote(tx, "rita", f"s{n}.example"), alice)
            domain_rules.block(tx, f"s{n}.example")

    await node.db.write(given)
    await apply(node)

    seen = await her.get("/notifications")

    assert seen.main_text.count("This server has suspended") == 1
    assert seen.main_text.count(".example: 1 follower") == 8
    assert "and other servers" in seen.main_text


async def test_a_request_that_nobody_has_answered_is_no_loss(node: Node, alice: Account) -> None:
    def given(tx: Writer) -> None:
        follows.follow(tx, remote(tx), lock(tx, alice))

    await node.db.write(given)
    await node.db.write(domain_rules.block, "far.example")
    await apply(node)

    assert "severed" not in [kind for kind, _ in await node.db.read(notifications_of, alice)]
