"""Section C of the security table, what is told about collections: whose they are."""

from __future__ import annotations

from typing import Any

import pytest

from activitypub import actors
from federation_tests.fediverse import Fediverse
from federation_tests.security.scenes import alice_follows_rita, create
from federation_tests.strangers import Stranger


@pytest.mark.parametrize(
    "claim", ["the post of another", "the post of another server", "another's collection", "no collection"]
)
async def test_C7_only_the_owner_pins_their_own_posts_in_their_own_featured(
    fediverse: Fediverse, evil: Stranger, other: Stranger, claim: str
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    featured = f"{evil.base}/users/rita/featured"
    evil.person("rita", featured=featured)
    mark = evil.person("mark", featured=f"{evil.base}/users/mark/featured")
    await actors.find(alice.node, f"{evil.base}/users/rita", refresh=True)
    await actors.find(alice.node, mark)
    own = create(evil)
    assert await evil.send(alice.node, "rita", own) == 202
    await fediverse.settle()
    other.person("rita")
    others_note = other.note("rita", 5, content="<p>Mine</p>")
    marks_note = evil.note("mark", 6)
    objects: dict[str, tuple[Any, str]] = {
        "the post of another": (marks_note["id"], featured),
        "the post of another server": (others_note, featured),
        "another's collection": (own["object"]["id"], f"{evil.base}/users/mark/featured"),
        "no collection": (own["object"]["id"], f"{evil.base}/users/rita/followers"),
    }
    object_, target = objects[claim]
    assert await evil.send(alice.node, "rita", evil.activity("rita", "Add", object_, target=target)) == 202
    await fediverse.settle()
    assert await alice.node.db.read(lambda tx: tx.value("SELECT COUNT(*) FROM pins")) == 0

    # The same words about their own are heard; and nobody else may take them back.
    true = evil.activity("rita", "Add", own["object"]["id"], target=featured)
    await evil.send(alice.node, "rita", true)
    await fediverse.settle()
    assert await alice.node.db.read(lambda tx: tx.value("SELECT COUNT(*) FROM pins")) == 1
    for target in (featured, f"{evil.base}/users/mark/featured"):
        taken = evil.activity("mark", "Remove", own["object"]["id"], target=target)
        await evil.send(alice.node, "mark", taken)
    await fediverse.settle()
    assert await alice.node.db.read(lambda tx: tx.value("SELECT COUNT(*) FROM pins")) == 1
