"""Create: which posts are stored, which are fetched, and which are ignored."""

from __future__ import annotations

import pytest

from activitypub import vocab
from activitypub.handlers.received_activity import Ignored, NeedsFetch
from activitypub.vocab import PUBLIC
from node.database import Writer
from node.federation import tombstones
from node.models.account import Account
from node.node import Node
from node.posts import posts
from tests.support.people import remote
from tests.support.posting import follow, publish
from tests.support.received import handle, jobs, note


async def test_a_post_of_a_followed_account_is_stored(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        follow(tx, alice, rita)
        handle(tx, rita, "Create", note(rita))
        stored = posts.by_uri(tx, note(rita)["id"])
        assert stored is not None
        assert (stored.account_id, stored.visibility) == (rita.id, "public")
        with pytest.raises(Ignored, match="stored already"):
            handle(tx, rita, "Create", note(rita))

    await node.db.write(unit)


async def test_a_post_that_no_local_account_would_see_is_ignored(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        for object_ in (note(rita), note(rita)["id"]):
            with pytest.raises(Ignored, match="no local account"):
                handle(tx, rita, "Create", object_, to=[PUBLIC])

    await node.db.write(unit)


@pytest.mark.parametrize("reason", ["addressed", "mentioned", "a reply"])
async def test_a_post_is_relevant_to_whom_it_is_for(node: Node, alice: Account, reason: str) -> None:
    def unit(tx: Writer) -> None:
        rita, post = remote(tx), publish(tx, alice)
        doc = note(
            rita,
            **{
                "addressed": {"to": [PUBLIC, alice.uri]},
                "mentioned": {"tag": [{"type": "Mention", "href": alice.uri, "name": "@alice"}]},
                "a reply": {"inReplyTo": post.uri},
            }[reason],
        )
        handle(tx, rita, "Create", doc)
        assert posts.by_uri(tx, doc["id"]) is not None

    await node.db.write(unit)


async def test_the_unknown_parent_of_a_comment_is_fetched(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        follow(tx, alice, rita)
        handle(tx, rita, "Create", note(rita, inReplyTo="https://third.example/1"))
        stored = posts.by_uri(tx, note(rita)["id"])
        assert stored is not None
        assert jobs(tx, "climb") == [{"id": stored.id}]

    await node.db.write(unit)


async def test_a_post_that_the_actor_did_not_write_is_fetched(node: Node, alice: Account) -> None:
    """An embedded object proves nothing about another account, even one on the same server."""

    def unit(tx: Writer) -> None:
        rita, omar = remote(tx), remote(tx, "omar")
        follow(tx, alice, rita)
        forged = note(omar)
        with pytest.raises(NeedsFetch) as raised:
            handle(tx, rita, "Create", forged)
        assert raised.value.uri == forged["id"]
        for fetched in (None, (vocab.parse_note(forged), omar)):
            with pytest.raises(Ignored):
                handle(tx, rita, "Create", forged, fetched={forged["id"]: fetched})
        assert posts.by_uri(tx, forged["id"]) is None

    await node.db.write(unit)


async def test_a_post_deleted_before_its_create_stays_deleted(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        follow(tx, alice, rita)
        handle(tx, rita, "Delete", note(rita)["id"])
        assert tombstones.is_tombstoned(tx, rita, note(rita)["id"])
        handle(tx, rita, "Create", note(rita))
        assert posts.by_uri(tx, note(rita)["id"]) is None

    await node.db.write(unit)


async def test_a_poll_vote_is_no_post(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, post = remote(tx), publish(tx, alice)
        vote = note(rita, name="Yes", inReplyTo=post.uri, to=[alice.uri], cc=[])
        del vote["content"]
        with pytest.raises(Ignored, match="votes"):
            handle(tx, rita, "Create", vote)

    await node.db.write(unit)
