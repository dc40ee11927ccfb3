"""Inbox forwarding: replies to local posts go on to followers, and forwarded activities are only hints."""

from __future__ import annotations

import json
from typing import Any

import pytest

from activitypub import vocab
from activitypub.inbox import forwarding
from activitypub.vocab import PUBLIC
from node.database import Writer
from node.federation import outbox
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from tests.support.people import remote
from tests.support.posting import publish, receive_post
from tests.support.received import handle, note
from tests.support.signed import signer


def _reply(rita: Account, post: Post, *to: str, **properties: Any) -> dict[str, Any]:
    addressed = [PUBLIC, *to]
    reply = note(rita, inReplyTo=post.uri, to=addressed, **properties)
    return {"id": f"{rita.uri}#1", "type": "Create", "actor": rita.uri, "object": reply, "to": addressed}


def _forward(tx: Writer, actor: Account, doc: dict[str, Any]) -> None:
    forwarding.forward_to_followers(tx, vocab.parse_activity(doc), actor)


@pytest.mark.parametrize("is_addressed", [True, False])
async def test_a_reply_addressed_to_the_followers_is_forwarded_to_them(
    node: Node, alice: Account, is_addressed: bool
) -> None:
    def unit(tx: Writer) -> None:
        rita, post = remote(tx), publish(tx, alice)
        doc = _reply(rita, post, alice.followers_uri if is_addressed else rita.followers_uri)
        handle(tx, rita, "Create", doc["object"])
        _forward(tx, rita, doc)
        assert outbox.has_forwarded(tx, alice, doc["object"]["id"]) is is_addressed

    await node.db.write(unit)


async def test_a_forwarded_activity_names_no_hidden_recipients(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, post = remote(tx), publish(tx, alice)
        doc = _reply(rita, post, alice.followers_uri, bto=["https://x.example/secret"]) | {
            "bcc": ["https://x.example/secret"]
        }
        handle(tx, rita, "Create", doc["object"])
        _forward(tx, rita, doc)
        stored = tx.value("SELECT document FROM outbox WHERE verb = 'Forward'")
        assert "secret" not in stored
        assert json.loads(stored)["object"]["id"] == doc["object"]["id"]

    await node.db.write(unit)


async def test_a_deletion_goes_where_the_reply_went(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, post = remote(tx), publish(tx, alice)
        forwarded, kept = _reply(rita, post, alice.followers_uri), _reply(rita, post)
        kept["object"]["id"] += "9"
        for number, doc in enumerate((forwarded, kept)):
            uri = doc["object"]["id"]
            handle(tx, rita, "Create", doc["object"])
            _forward(tx, rita, doc)
            handle(tx, rita, "Delete", uri)
            _forward(tx, rita, {"id": f"{uri}#delete", "type": "Delete", "actor": rita.uri, "object": uri})
            sent = tx.value(
                "SELECT COUNT(*) FROM outbox WHERE verb = 'Forward' AND object_uri = :uri", uri=uri
            )
            assert sent == (0 if number else 2)

    await node.db.write(unit)


async def test_only_the_author_of_a_reply_has_it_forwarded(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, omar, post = remote(tx), remote(tx, "omar"), publish(tx, alice)
        doc = _reply(rita, post, alice.followers_uri)
        handle(tx, rita, "Create", doc["object"])
        _forward(tx, omar, doc | {"actor": omar.uri})
        assert not outbox.has_forwarded(tx, alice, doc["object"]["id"])

    await node.db.write(unit)


@pytest.mark.parametrize(
    ("parent_host", "object_host", "is_hint"),
    [
        ("far.example", "third.example", True),
        ("other.example", "third.example", False),
        ("far.example", "other.example", False),
    ],
)
async def test_a_hint_is_about_a_conversation_on_the_senders_server(
    node: Node, parent_host: str, object_host: str, is_hint: bool
) -> None:
    """And its object is on the server of the actor, as the sender claims it."""

    def unit(tx: Writer) -> None:
        sender = signer(tx)
        parent = receive_post(tx, remote(tx, "nina", parent_host))
        actor = "https://third.example/users/omar"
        uri = f"https://{object_host}/1"
        doc = {
            "type": "Create",
            "actor": actor,
            "object": {"id": uri, "type": "Note", "inReplyTo": parent.uri},
        }
        payload = forwarding.lookup_payload(tx, f"{sender.uri}#main-key", vocab.parse_activity(doc))
        assert payload == ({"uri": uri} if is_hint else None)

    await node.db.write(unit)


@pytest.mark.parametrize(("visibility", "is_hint"), [("public", True), ("followers", False)])
async def test_a_deletion_is_a_hint_only_for_a_public_post(
    node: Node, visibility: str, is_hint: bool
) -> None:
    def unit(tx: Writer) -> None:
        sender, omar = signer(tx), remote(tx, "omar", "third.example")
        parent = receive_post(tx, sender)
        comment = receive_post(tx, omar, visibility=visibility, parent_uri=parent.uri)
        doc = {"type": "Delete", "actor": omar.uri, "object": comment.uri}
        payload = forwarding.lookup_payload(tx, f"{sender.uri}#main-key", vocab.parse_activity(doc))
        assert payload == ({"uri": comment.uri, "id": comment.id} if is_hint else None)

    await node.db.write(unit)
