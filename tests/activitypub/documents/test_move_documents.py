"""How pins, reports and moves are worded, and what another server may conclude from them."""

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
from tests.support.posting import arrives, publish

ALICE = "https://tintype.test/users/alice"


def sent(tx: Reader, who: Account, *verbs: str) -> list[dict[str, Any]]:
    rows = tx.all("SELECT id FROM outbox WHERE account_id = :who ORDER BY id", who=who.id)
    said = [sentence for row in rows if (sentence := outbox.by_id(tx, row["id"])) is not None]
    made = [activities.render_activity(tx, one, who) for one in said if one.verb in verbs]
    return [json.loads(json.dumps(one)) for one in made if one is not None]


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


async def test_a_report_is_the_nodes_own_and_names_nobody_but_whom_it_is_about(
    db: Database, alice: Account
) -> None:
    def unit(tx: Writer) -> None:
        author = remote(tx)
        post = arrives(tx, author)
        words = "Look <here>"
        reports.report(tx, alice, author, comment=words, post_ids=[post.id], is_forwarded=True)
        (document,) = sent(tx, accounts.instance_actor(tx), "Flag")
        assert document["actor"] == "https://tintype.test/actor"
        assert document["id"].startswith("https://tintype.test/actor#reports/")
        assert document["object"] == [author.uri, post.uri]
        assert document["content"] == words
        assert document["to"] == [author.uri]
        assert "alice" not in json.dumps(document)

    await db.write(unit)


async def test_a_move_says_where_from_and_where_to_and_the_person_says_it_too(
    db: Database, alice: Account
) -> None:
    def unit(tx: Writer) -> None:
        new = remote(tx, "new", "new.example", also_known_as=[alice.uri])
        old = remote(tx, "old", "old.example")
        migration.add_alias(tx, alice, old)
        migration.move(tx, accounts.get(tx, alice.id), new)
        (document,) = sent(tx, accounts.get(tx, alice.id), "Move")
        read = vocab.parse_activity(document)
        assert (read.actor, read.object.uri, read.target.uri) == (ALICE, ALICE, new.uri)
        assert read.to == [f"{ALICE}/followers"]
        person = activities.render_actor(tx, accounts.get(tx, alice.id))
        assert person["movedTo"] == new.uri
        assert person["alsoKnownAs"] == [old.uri]

    await db.write(unit)
