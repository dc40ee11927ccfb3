"""Documents of this node, compared with what other servers need in them."""

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


async def test_the_uri_of_a_hashtag_is_that_of_its_collection(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    made = await alice.posts("Morning #größe")
    (tag,) = (await alice.node.db.read(notes.render_document, made))["tag"]
    _, body, _ = await evil.get(tag["href"])
    assert json.loads(body)["id"] == tag["href"]


async def test_an_undo_holds_the_whole_original(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    create_ = create(evil)
    assert await evil.send(alice.node, "rita", create_) == 202
    await fediverse.settle()
    post = await alice.node.db.read(posts.by_uri, create_["object"]["id"])
    assert post is not None
    evil.received.clear()
    for do, undo in ((alice.likes, alice.unlikes), (alice.boosts, alice.unboosts)):
        for action in (do, undo):
            await action(post)
            await fediverse.settle()
    originals: dict[str, Any] = {}
    for activity in evil.received:
        if activity["type"] == "Undo":
            assert activity["object"] == originals[activity["object"]["id"]]
        originals[activity["id"]] = {name: value for name, value in activity.items() if name != "@context"}
    assert [activity["type"] for activity in evil.received] == ["Like", "Undo", "Announce", "Undo"]


async def test_the_total_of_replies_is_that_of_those_listed(fediverse: Fediverse, evil: RemoteServer) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    await actors.find(alice.node, evil.person("rita", hidesToPublicFromUnauthedWeb=True))
    post = await alice.posts("Fog")
    note = evil.note("rita", 1, inReplyTo=post.uri, cc=[post.uri, (await alice.account()).uri])
    create_ = evil.activity("rita", "Create", note, to=note["to"], cc=note["cc"])
    assert await evil.send(alice.node, "rita", create_) == 202
    await fediverse.settle()
    _, collection, _ = await evil.get(post.uri + "/replies")
    _, page, _ = await evil.get(post.uri + "/replies?page=true")
    assert json.loads(collection)["totalItems"] == len(json.loads(page).get("orderedItems", [])) == 0


async def test_follows_that_a_remote_account_hides_are_not_listed(
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
    entity = (await client.get(f"/api/v1/accounts/{known.id}")).json
    assert (entity["hide_collections"], entity["followers_count"]) == (True, 1)
