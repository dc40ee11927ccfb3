"""The checks before every handler: once per id, and little from suspended accounts."""

from __future__ import annotations

import pytest

from activitypub.handlers.received_activity import Ignored, NeedsFetch
from activitypub.handlers.registry import HANDLERS
from activitypub.vocab import activities
from node.accounts import accounts
from node.database import Writer
from node.models.account import Account
from node.node import Node
from node.posts import posts
from tests.support.people import remote
from tests.support.posting import follow, publish, receive_post
from tests.support.received import handle, jobs, note, seen_count


def test_every_handled_type_is_one_that_is_parsed() -> None:
    assert set(HANDLERS) <= set(activities.TYPES)


async def test_an_activity_is_handled_once(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, post = remote(tx), publish(tx, alice)
        handle(tx, rita, "Like", post.uri, id=f"{rita.uri}#1", signed_at=2)
        handle(tx, rita, "Undo", {"type": "Like", "object": post.uri}, signed_at=3)
        with pytest.raises(Ignored, match="duplicate"):
            handle(tx, rita, "Like", post.uri, id=f"{rita.uri}#1", signed_at=1)
        found = posts.by_uri(tx, post.uri)
        assert found is not None
        assert found.likes_count == 0

    await node.db.write(unit)


async def test_an_activity_that_waits_for_a_fetch_is_not_a_duplicate_afterwards(
    node: Node, alice: Account
) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        follow(tx, alice, rita)
        for _ in range(2):
            with pytest.raises(NeedsFetch):
                handle(tx, rita, "Create", note(rita)["id"], id=f"{rita.uri}#1")
        assert seen_count(tx) == 0

    await node.db.write(unit)


async def test_an_unknown_type_is_ignored(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        with pytest.raises(Ignored, match="not supported"):
            handle(tx, remote(tx), "Listen", alice.uri)

    await node.db.write(unit)


async def test_a_suspended_account_can_only_take_back(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, post = remote(tx), publish(tx, alice)
        own = receive_post(tx, rita)
        handle(tx, rita, "Like", post.uri, id=f"{rita.uri}#1")
        accounts.set_visible(tx, rita.id, is_visible=False)
        suspended = accounts.get(tx, rita.id)
        with pytest.raises(Ignored, match="suspended"):
            handle(tx, suspended, "Follow", alice.uri)
        handle(tx, suspended, "Undo", f"{rita.uri}#1")
        handle(tx, suspended, "Delete", own.uri)
        deleted = posts.by_uri(tx, own.uri)
        assert deleted is not None
        assert deleted.deleted_at is not None

    await node.db.write(unit)


async def test_an_account_suspended_by_its_own_server_may_update_itself(node: Node) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx, is_suspended=True)
        suspended = accounts.get(tx, rita.id)
        assert suspended.suspended_there
        with pytest.raises(Ignored, match="suspended"):
            handle(tx, suspended, "Update", note(rita))
        handle(tx, suspended, "Update", rita.uri)
        assert jobs(tx, "refresh_actor") == [{"id": rita.id}]

    await node.db.write(unit)
