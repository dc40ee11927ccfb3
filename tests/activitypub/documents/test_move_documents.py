"""How pins, reports and moves are rendered, and what another server may read from them."""

from __future__ import annotations

import json
from typing import Any

from activitypub import vocab
from activitypub.documents import activities
from node.accounts import accounts
from node.admin import reports
from node.database import Database, Reader, Writer
from node.federation import outbox
from node.interactions import pins
from node.lifecycle import migration
from node.models.account import Account
from tests.support.people import remote
from tests.support.posting import publish, receive_post

ALICE = "https://tintype.test/users/alice"


def sent(tx: Reader, actor: Account, *verbs: str) -> list[dict[str, Any]]:
    """The outgoing activities of an account with these verbs, rendered, oldest first."""
    rows = tx.all("SELECT id FROM outbox WHERE account_id = :id ORDER BY id", id=actor.id)
    found = [activity for row in rows if (activity := outbox.by_id(tx, row["id"])) is not None]
    rendered = [activities.render_activity(tx, one, actor) for one in found if one.verb in verbs]
    return [json.loads(json.dumps(document)) for document in rendered if document is not None]


async def test_a_pin_names_the_post_and_the_authors_own_collection(db: Database, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice)
        pins.pin(tx, alice, post)
        pins.unpin(tx, alice, post)
        for document, verb in zip(sent(tx, alice, "Add", "Remove"), ("Add", "Remove"), strict=True):
            read = vocab.parse_activity(document)
            assert (read.type, read.actor, read.object.uri) == (verb, ALICE, post.uri)
            assert read.target.uri == f"{ALICE}/collections/featured"
            assert (read.to, read.cc) == ([vocab.PUBLIC], [f"{ALICE}/followers"])

    await db.write(unit)


async def test_a_report_is_sent_by_the_node_and_names_only_the_reported(db: Database, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        author = remote(tx)
        post = receive_post(tx, author)
        comment = "Look <here>"
        reports.report(tx, alice, author, comment=comment, post_ids=[post.id], is_forwarded=True)
        (document,) = sent(tx, accounts.instance_actor(tx), "Flag")
        assert document["actor"] == "https://tintype.test/actor"
        assert document["id"].startswith("https://tintype.test/actor#reports/")
        assert document["object"] == [author.uri, post.uri]
        assert document["content"] == comment
        assert document["to"] == [author.uri]
        assert "alice" not in json.dumps(document)

    await db.write(unit)


async def test_a_move_names_both_accounts_and_so_does_the_actor(db: Database, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        new = remote(tx, "new", "new.example", also_known_as=[alice.uri])
        old = remote(tx, "old", "old.example")
        migration.add_alias(tx, alice, old)
        migration.move(tx, accounts.get(tx, alice.id), new)
        (document,) = sent(tx, accounts.get(tx, alice.id), "Move")
        read = vocab.parse_activity(document)
        assert (read.actor, read.object.uri, read.target.uri) == (ALICE, ALICE, new.uri)
        assert read.to == [f"{ALICE}/followers"]
        actor = activities.render_actor(tx, accounts.get(tx, alice.id))
        assert actor["movedTo"] == new.uri
        assert actor["alsoKnownAs"] == [old.uri]

    await db.write(unit)
