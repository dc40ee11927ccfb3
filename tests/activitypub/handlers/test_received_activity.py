"""The checks that handlers share: ids that an actor may give, and objects that count as its own."""

from __future__ import annotations

from typing import Any

import pytest

from activitypub import vocab
from activitypub.handlers.received_activity import (
    Ignored,
    NeedsFetch,
    ReceivedActivity,
    dedup_key,
    fetch_or_ignore,
    local_account,
    parse_own_note,
    visible_local_post,
)
from activitypub.vocab import Ref
from node.database import Writer
from node.federation import seen_activities
from node.models.account import Account
from node.node import Node
from tests.support.people import remote
from tests.support.posting import publish
from tests.support.received import note


def _received(
    tx: Writer, actor: Account, object_: Any, id_: str | None = None, **fetched: Any
) -> ReceivedActivity:
    doc = {"type": "Create", "actor": actor.uri, "object": object_, **({"id": id_} if id_ else {})}
    with seen_activities.unseen_activities(tx, {}) as unseen:
        return ReceivedActivity(vocab.parse_activity(doc), actor, unseen, **fetched)


@pytest.mark.parametrize(
    ("id_", "expected"),
    [
        ("https://far.example/1", "https://far.example/1"),
        ("https://other.example/1", None),
        ("http://far.example/1", None),
        (None, None),
    ],
)
async def test_an_id_counts_only_on_the_server_of_the_actor(
    node: Node, id_: str | None, expected: str | None
) -> None:
    def unit(tx: Writer) -> None:
        assert _received(tx, remote(tx), "https://far.example/2", id_).uri == expected

    await node.db.write(unit)


async def test_two_actors_never_share_the_key_of_an_activity(node: Node) -> None:
    def unit(tx: Writer) -> None:
        rita, omar = remote(tx), remote(tx, "omar")
        assert dedup_key(rita, "https://far.example/1") != dedup_key(omar, "https://far.example/1")

    await node.db.write(unit)


async def test_an_embedded_post_counts_only_as_the_actors_own(node: Node) -> None:
    def unit(tx: Writer) -> None:
        rita, omar = remote(tx), remote(tx, "omar", "third.example")
        own = parse_own_note(tx, _received(tx, rita, note(rita)))
        assert own is not None
        assert own.id == note(rita)["id"]
        for object_ in (
            note(rita)["id"],  # only named
            {"id": note(rita)["id"], "type": "Note"},  # a part of it
            note(omar),
            note(rita) | {"attributedTo": omar.uri},
            note(omar) | {"attributedTo": rita.uri},
        ):
            assert parse_own_note(tx, _received(tx, rita, object_)) is None

    await node.db.write(unit)


async def test_a_post_with_a_local_id_or_without_one_never_counts(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, post = remote(tx), publish(tx, alice)
        for object_ in (note(rita) | {"id": post.uri}, {"type": "Note", "attributedTo": rita.uri}):
            with pytest.raises(Ignored):
                parse_own_note(tx, _received(tx, rita, object_))

    await node.db.write(unit)


async def test_an_object_is_fetched_once(node: Node) -> None:
    def unit(tx: Writer) -> None:
        rita, uri = remote(tx), "https://far.example/1"
        assert isinstance(fetch_or_ignore(_received(tx, rita, uri), Ref(uri=uri)), NeedsFetch)
        again = _received(tx, rita, uri, fetched={uri: None})
        assert isinstance(fetch_or_ignore(again, Ref(uri=uri)), Ignored)

    await node.db.write(unit)


async def test_local_objects_are_found_only_under_local_uris(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        assert local_account(tx, alice.uri).id == alice.id
        for uri in (rita.uri, None, node.site.uri("/users/nobody")):
            with pytest.raises(Ignored):
                local_account(tx, uri)

    await node.db.write(unit)


async def test_a_hidden_post_looks_like_none(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        post, hidden = publish(tx, alice), publish(tx, alice, visibility="followers")
        assert visible_local_post(tx, Ref(uri=post.uri), rita).id == post.id
        messages = set()
        for uri in (hidden.uri, post.uri + "0"):
            with pytest.raises(Ignored) as raised:
                visible_local_post(tx, Ref(uri=uri), rita)
            messages.add(str(raised.value))
        assert len(messages) == 1

    await node.db.write(unit)
