"""What our own documents say, held against what others need of them."""

from __future__ import annotations

import json
from typing import Any

from activitypub.documents import notes
from activitypub.remote import actors, profile_preview
from federation_tests.fediverse import Fediverse
from federation_tests.remote_server import RemoteServer
from federation_tests.security.scenes import alice_follows_rita, create
from node.models.interaction_policy import EVERYONE, InteractionPolicy
from node.posts import posts
from node.posts.drafts import Draft
from node.publishing import publishing
from tests.support import people
from tests.support.asgi import Client
from web.api import Api


async def test_every_tag_of_a_quote_has_a_name(fediverse: Fediverse) -> None:
    """Vernissage reads no post that has a tag without one."""
    alice, bob = await fediverse.people("alice@a.test", "bob@a.test")
    target = await bob._do(
        publishing.publish, Draft(caption="Words", policy=InteractionPolicy(quote=EVERYONE))
    )
    made = await alice._do(publishing.publish, Draft(caption="How true", quote_id=target.id))
    tags = (await alice.node.db.read(notes.render_document, made))["tag"]
    assert tags
    assert [tag for tag in tags if not isinstance(tag.get("name"), str)] == []


async def test_the_address_of_a_tag_is_that_of_its_collection(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    made = await alice.posts("Morning #größe")
    (tag,) = (await alice.node.db.read(notes.render_document, made))["tag"]
    _, body, _ = await evil.get(tag["href"])
    assert json.loads(body)["id"] == tag["href"]


async def test_an_undo_holds_the_whole_original(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    said = create(evil)
    assert await evil.send(alice.node, "rita", said) == 202
    await fediverse.settle()
    mine = await alice.node.db.read(posts.by_uri, said["object"]["id"])
    assert mine is not None
    evil.received.clear()
    for do, undo in ((alice.likes, alice.unlikes), (alice.boosts, alice.unboosts)):
        for deed in (do, undo):
            await deed(mine)
            await fediverse.settle()
    originals: dict[str, Any] = {}
    for one in evil.received:
        if one["type"] == "Undo":
            assert one["object"] == originals[one["object"]["id"]]
        originals[one["id"]] = {name: value for name, value in one.items() if name != "@context"}
    assert [one["type"] for one in evil.received] == ["Like", "Undo", "Announce", "Undo"]


async def test_the_number_of_replies_is_that_of_those_listed(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    await actors.find(alice.node, evil.person("rita", hidesToPublicFromUnauthedWeb=True))
    post = await alice.posts("Fog")
    note = evil.note("rita", 1, inReplyTo=post.uri, cc=[post.uri, (await alice.account()).uri])
    said = evil.activity("rita", "Create", note, to=note["to"], cc=note["cc"])
    assert await evil.send(alice.node, "rita", said) == 202
    await fediverse.settle()
    _, front, _ = await evil.get(post.uri + "/replies")
    _, page, _ = await evil.get(post.uri + "/replies?page=true")
    assert json.loads(front)["totalItems"] == len(json.loads(page).get("orderedItems", [])) == 0


async def test_follows_that_somebody_keeps_to_themselves_elsewhere_are_not_listed_here(
    fediverse: Fediverse,
) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    await alice.follows(bob)
    await fediverse.settle()
    await bob._do(lambda tx, who: people.profile(tx, who, hides_follows=True))
    await fediverse.settle()
    known = await alice.finds(bob)
    await profile_preview.queue_refresh(alice.node, known)
    await fediverse.settle()
    client = Client(Api(alice.node))
    assert (await client.get(f"/api/v1/accounts/{known.id}/followers")).json == []
    shown = (await client.get(f"/api/v1/accounts/{known.id}")).json
    assert (shown["hide_collections"], shown["followers_count"]) == (True, 1)
