"""Follow, Accept and Reject: who may follow, and whose answers count."""

from __future__ import annotations

import pytest

from activitypub.handlers.received_activity import Ignored
from node.accounts import accounts, relationships
from node.database import Writer
from node.interactions import blocks, follows
from node.models.account import Account
from node.node import Node
from tests.support.people import remote, verbs_of
from tests.support.posting import publish
from tests.support.received import handle, jobs

FEATURED = "https://far.example/users/rita/featured"


async def test_a_follow_is_accepted_at_once(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        handle(tx, rita, "Follow", alice.uri, id=f"{rita.uri}#1")
        found = relationships.follow_between(tx, rita, alice)
        assert found is not None
        assert (found.uri, found.is_accepted) == (f"{rita.uri}#1", True)
        assert verbs_of(tx, alice) == ["Accept"]

    await node.db.write(unit)


async def test_a_duplicate_follow_is_answered_again(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        handle(tx, rita, "Follow", alice.uri, id=f"{rita.uri}#1", signed_at=1)
        handle(tx, rita, "Follow", alice.uri, id=f"{rita.uri}#1", signed_at=2)
        with pytest.raises(Ignored, match="duplicate"):
            handle(tx, rita, "Follow", alice.uri, id=f"{rita.uri}#1", signed_at=1)
        assert verbs_of(tx, alice) == ["Accept", "Accept"]

    await node.db.write(unit)


async def test_a_blocked_account_gets_a_reject(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        blocks.block(tx, alice, rita)
        handle(tx, rita, "Follow", alice.uri, id=f"{rita.uri}#1")
        assert relationships.follow_between(tx, rita, alice) is None
        assert verbs_of(tx, alice)[-1] == "Reject"

    await node.db.write(unit)


async def test_a_suspended_account_sends_no_reject(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        accounts.set_visible(tx, alice.id, is_visible=False)
        handle(tx, rita, "Follow", alice.uri, id=f"{rita.uri}#1")
        assert verbs_of(tx, alice) == []

    await node.db.write(unit)


async def test_only_local_accounts_are_followed(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, omar = remote(tx), remote(tx, "omar")
        for uri in (omar.uri, node.site.uri("/users/nobody")):
            with pytest.raises(Ignored):
                handle(tx, rita, "Follow", uri)

    await node.db.write(unit)


@pytest.mark.parametrize("answered", ["id", "the whole follow", "the follower alone", "another id"])
async def test_an_accept_may_name_the_follow_in_several_ways(
    node: Node, alice: Account, answered: str
) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx, featured_uri=FEATURED)
        uri = follows.follow(tx, alice, rita).uri
        follow = {"id": uri, "type": "Follow", "actor": alice.uri, "object": rita.uri}
        ways = {
            "id": uri,
            "the whole follow": follow,
            "the follower alone": alice.uri,
            "another id": {**follow, "id": f"{rita.uri}#mangled"},
        }
        handle(tx, rita, "Accept", ways[answered])
        found = relationships.follow_between(tx, alice, rita)
        assert found is not None
        assert found.is_accepted
        assert jobs(tx, "read_featured") == [{"id": rita.id}], "the pinned posts of a new followee"

    await node.db.write(unit)


@pytest.mark.parametrize("kind", ["Accept", "Reject"])
async def test_only_the_followed_account_answers(node: Node, alice: Account, kind: str) -> None:
    def unit(tx: Writer) -> None:
        rita, omar = remote(tx), remote(tx, "omar")
        uri = follows.follow(tx, alice, rita).uri
        with pytest.raises(Ignored):
            handle(tx, omar, kind, uri)
        found = relationships.follow_between(tx, alice, rita)
        assert found is not None
        assert not found.is_accepted

    await node.db.write(unit)


async def test_a_reject_also_ends_an_accepted_follow(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        follow = follows.accept(tx, follows.follow(tx, alice, rita))
        handle(tx, rita, "Reject", follow.uri)
        assert relationships.follow_between(tx, alice, rita) is None

    await node.db.write(unit)


@pytest.mark.parametrize("verb", ["Accept", "Reject"])
@pytest.mark.parametrize("kind", ["uri", "Note", "ReplyRequest", "LikeRequest", "AnnounceRequest"])
async def test_an_answer_to_a_reply_says_nothing_about_a_follow(
    node: Node, alice: Account, verb: str, kind: str
) -> None:
    def unit(tx: Writer) -> None:
        rita, sam = remote(tx), remote(tx, "sam")
        for person in (rita, sam):
            follows.follow(tx, alice, person)
        accepted = relationships.follow_between(tx, alice, sam)
        assert accepted is not None
        follows.accept(tx, accepted)
        reply = publish(tx, alice, "A reply")
        approved = {"type": kind, "id": reply.uri, "actor": alice.uri, "object": reply.uri}
        for person in (rita, sam):
            with pytest.raises(Ignored, match="something else than a follow"):
                handle(tx, person, verb, reply.uri if kind == "uri" else approved)
        states = [relationships.follow_between(tx, alice, person) for person in (rita, sam)]
        assert [follow is not None and follow.state for follow in states] == ["pending", "accepted"]

    await node.db.write(unit)
