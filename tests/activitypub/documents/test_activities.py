"""Rendered documents by the rules of their readers: what Pixelfed and Vernissage would otherwise drop."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest

from activitypub import vocab
from activitypub.documents import activities, notes
from node.accounts import accounts, keys
from node.attachments import photos
from node.database import Reader, Writer
from node.federation import outbox
from node.interactions import blocks, boosts, follows, likes
from node.models.account import Account
from node.models.interaction_policy import NOBODY, InteractionPolicy
from node.models.post import Post
from node.node import Node
from node.posts.drafts import Draft
from node.publishing import post_deletion, publishing
from tests.support import people

Photo = Callable[..., bytes]


def sent(tx: Reader, actor: Account) -> list[dict[str, Any]]:
    """Every outgoing activity of an account, rendered, oldest first."""
    rows = tx.all("SELECT id FROM outbox WHERE account_id = :id ORDER BY id", id=actor.id)
    found = [outbox.by_id(tx, row["id"]) for row in rows]
    rendered = [activities.render_activity(tx, activity, actor) for activity in found if activity is not None]
    # As they go over the wire.
    return [json.loads(json.dumps(document)) for document in rendered if document is not None]


@pytest.fixture
async def post(node: Node, alice: Account, photo: Photo) -> Post:
    """A local post of two photos with everything on it."""
    await node.db.write(people.remote)
    uploaded = [
        await photos.upload(node, alice, photo(6000, 300, seed=1), alt="A long wall"),
        await photos.upload(node, alice, photo(300, 200, seed=2)),
    ]
    draft = Draft(
        caption="Dawn #Fog with @rita@far.example",
        photo_ids=[one.id for one in uploaded],
        language="en",
    )
    return await node.db.write(publishing.publish, alice, draft)


@pytest.fixture
async def note(node: Node, post: Post) -> dict[str, Any]:
    return await node.db.read(notes.render_document, post)


def depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max((depth(member) for member in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max((depth(member) for member in value), default=0)
    return 0


async def test_a_post_holds_every_property_once(node: Node, note: dict[str, Any], post: Post) -> None:
    assert note["type"] == "Note"
    assert note["id"] == note["url"] == post.uri
    assert note["attributedTo"] == "https://tintype.test/users/alice"
    assert note["to"] == [vocab.PUBLIC]
    assert note["cc"] == ["https://tintype.test/users/alice/followers", "https://far.example/users/rita"]
    assert note["contentMap"] == {"en": note["content"]}
    assert {tag["type"]: tag["name"] for tag in note["tag"]} == {
        "Mention": "@rita@far.example",
        "Hashtag": "#Fog",
    }
    assert note["replies"]["id"] == f"{post.uri}/replies"
    assert note["likes"] == {"id": f"{post.uri}/likes", "type": "Collection", "totalItems": 0}
    read = vocab.parse_note(note)
    assert [media.alt for media in read.attachments] == ["A long wall", ""]
    assert read.hashtags == [("Fog", "https://tintype.test/tags/fog")]


class TestPixelfed:
    """PHOTO-OBJECT section 2: the rules of Pixelfed's inbox."""

    async def test_every_attachment_is_one_it_accepts(self, note: dict[str, Any]) -> None:
        assert isinstance(note["attachment"], list)
        assert len(note["attachment"]) == 2
        for media in note["attachment"]:
            assert media["type"] in ("Document", "Image")
            assert isinstance(media["url"], str)
            assert media["url"].startswith("https://")
            assert media["mediaType"] in ("image/jpeg", "image/png", "image/gif")
            assert 6 <= len(media["blurhash"]) <= 164
            for side in ("width", "height"):
                assert type(media[side]) is int
                assert 1 <= media[side] <= 5000

    async def test_what_it_decodes_is_at_most_eight_deep(
        self, node: Node, alice: Account, post: Post
    ) -> None:
        for activity in await node.db.read(sent, alice):
            assert depth(activity) <= 8

    async def test_the_hosts_of_key_activity_and_author_are_one(
        self, node: Node, alice: Account, post: Post
    ) -> None:
        (create,) = await node.db.read(sent, alice)
        key_id, _ = await node.db.read(keys.private_pem, alice)
        uris = {create["id"], create["object"]["id"], create["object"]["attributedTo"], key_id}
        assert {urlsplit(uri).netloc for uri in uris} == {"tintype.test"}

    async def test_an_accept_embeds_the_whole_follow(self, node: Node, alice: Account) -> None:
        def unit(tx: Writer) -> Account:
            rita = people.remote(tx)
            follows.follow(tx, rita, alice, uri="https://far.example/follows/1")
            return rita

        rita = await node.db.write(unit)
        (accept,) = await node.db.read(sent, alice)
        assert accept["type"] == "Accept"
        assert accept["object"] == {
            "id": "https://far.example/follows/1",
            "type": "Follow",
            "actor": rita.uri,
            "object": alice.uri,
        }
        assert accept["object"]["object"] == accept["actor"]

    async def test_likes_boosts_and_follows_name_their_object_by_a_string(
        self, node: Node, alice: Account
    ) -> None:
        reactions = await node.db.write(_reacts, alice)
        assert [activity["type"] for activity in reactions] == [
            "Follow",
            "Like",
            "Announce",
            "Undo",
            "Undo",
            "Undo",
        ]
        for activity in reactions[:3]:
            assert isinstance(activity["object"], str)
            assert activity["id"].startswith("https://tintype.test/users/alice")

    async def test_an_undo_embeds_what_it_undoes(self, node: Node, alice: Account) -> None:
        follow, like, announce, *undone = await node.db.write(_reacts, alice)
        for earlier, undo in zip((like, announce, follow), undone, strict=True):
            assert undo["object"]["id"] == earlier["id"]
            for part in ("type", "actor", "object"):
                assert undo["object"][part] == earlier[part]

    async def test_a_deletion_is_of_a_tombstone(self, node: Node, alice: Account, post: Post) -> None:
        await node.db.write(post_deletion.delete, alice, post)
        _, delete = [one for one in await node.db.read(sent, alice) if one["type"] != "Create"] * 2
        assert delete["object"]["id"] == post.uri
        assert delete["object"]["type"] == "Tombstone"
        assert delete["to"] == [vocab.PUBLIC]

    async def test_times_are_whole_seconds_in_utc(self, note: dict[str, Any]) -> None:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", note["published"])
        assert datetime.fromisoformat(note["published"]) <= datetime.now(UTC)

    async def test_a_direct_post_has_two_lists_and_one_recipient(self, node: Node, alice: Account) -> None:
        await node.db.write(people.remote)
        draft = Draft(caption="Psst @rita@far.example", visibility="direct")
        await node.db.write(publishing.publish, alice, draft)
        (create,) = await node.db.read(sent, alice)
        for one in (create, create["object"]):
            assert one["to"] == ["https://far.example/users/rita"]
            assert one["cc"] == []

    async def test_an_actor_is_open_unless_locked(self, node: Node, alice: Account) -> None:
        actor = await node.db.read(activities.render_actor, alice)
        assert actor["manuallyApprovesFollowers"] is False
        assert re.fullmatch(r"[A-Za-z0-9_.-]+", actor["preferredUsername"])

    async def test_an_update_of_an_actor_has_all_it_requires(self, node: Node, alice: Account) -> None:
        await node.db.write(people.lock, alice)
        update = (await node.db.read(sent, alice))[-1]
        actor = update["object"]
        assert actor["name"]
        assert actor["summary"]
        uris = [actor[part] for part in ("url", "outbox", "following", "followers")]
        assert {urlsplit(uri).netloc for uri in [*uris, actor["publicKey"]["owner"]]} == {"tintype.test"}

    async def test_tags_have_a_uri_and_a_name(self, note: dict[str, Any]) -> None:
        for tag in note["tag"]:
            assert tag["href"].startswith("https://")
            assert tag["name"]

    async def test_closed_comments_are_declared(self, node: Node, alice: Account) -> None:
        draft = Draft(caption="No comment", policy=InteractionPolicy(comment=NOBODY))
        post = await node.db.write(publishing.publish, alice, draft)
        note = await node.db.read(notes.render_document, post)
        assert note["commentsEnabled"] is False
        assert note["capabilities"]["reply"] == []
        assert note["interactionPolicy"]["canReply"]["automaticApproval"] == [alice.uri]

    async def test_a_warning_is_sensitive_and_plain(self, node: Node, alice: Account) -> None:
        post = await node.db.write(
            publishing.publish, alice, Draft(caption="Boo", warning="Spiders & <more>")
        )
        note = await node.db.read(notes.render_document, post)
        assert (note["sensitive"], note["summary"]) == (True, "Spiders & < more>")

    async def test_without_a_warning_the_summary_is_null(self, note: dict[str, Any]) -> None:
        assert note["summary"] is None
        assert note["sensitive"] is False


class TestVernissage:
    """PHOTO-OBJECT section 4: its decoder is strict, and a type error loses the whole post."""

    async def test_the_author_is_a_string_and_attachments_are_objects(self, note: dict[str, Any]) -> None:
        assert isinstance(note["attributedTo"], str)
        for media in note["attachment"]:
            assert isinstance(media, dict)
            assert isinstance(media["url"], str)
            assert type(media["width"]) is int

    async def test_every_tag_has_a_type_and_a_name(self, note: dict[str, Any]) -> None:
        for tag in note["tag"]:
            assert isinstance(tag["type"], str)
            assert isinstance(tag["name"], str)

    async def test_there_is_a_photo_it_can_decode(self, note: dict[str, Any]) -> None:
        assert all(media["mediaType"] == "image/jpeg" for media in note["attachment"])

    async def test_an_actor_has_what_it_requires(self, node: Node, alice: Account) -> None:
        actor = activities.add_context(await node.db.read(activities.render_actor, alice))
        assert isinstance(actor["alsoKnownAs"], list)
        assert {"id", "owner", "publicKeyPem"} == set(actor["publicKey"])
        assert actor["@context"]
        assert actor["inbox"]
        assert actor["outbox"]
        assert all(field["name"] for field in actor["attachment"])

    async def test_flags_are_booleans(self, note: dict[str, Any]) -> None:
        assert isinstance(note["sensitive"], bool)


async def test_lists_stay_lists_with_one_member(node: Node, alice: Account, photo: Photo) -> None:
    one = await photos.upload(node, alice, photo())
    post = await node.db.write(publishing.publish, alice, Draft(caption="#one", photo_ids=[one.id]))
    note = await node.db.read(notes.render_document, post)
    for name in ("to", "cc", "attachment", "tag"):
        assert isinstance(note[name], list)
        assert len(note[name]) == 1


async def test_files_of_a_private_post_have_urls_only_recipients_know(
    node: Node, alice: Account, photo: Photo
) -> None:
    one = await photos.upload(node, alice, photo())
    draft = Draft(caption="Private", photo_ids=[one.id], visibility="followers")
    note = await node.db.read(notes.render_document, await node.db.write(publishing.publish, alice, draft))
    key = one.files["federated", "jpeg"].key
    url = note["attachment"][0]["url"]
    assert url == f"https://tintype.test/media/p/{node.site.media_capability(key)}/{key}"
    assert note["to"] == [alice.followers_uri]
    assert note["cc"] == []


async def test_an_edit_is_newer_than_the_post(node: Node, alice: Account) -> None:
    post = await node.db.write(publishing.publish, alice, Draft(caption="Hreon"))
    await node.db.write(publishing.edit, alice, post, Draft(caption="Heron"))
    create, update = await node.db.read(sent, alice)
    assert update["type"] == "Update"
    assert update["id"] != create["id"]
    assert update["object"]["updated"] > update["object"]["published"]


async def test_another_policy_is_sent_and_is_no_edit(node: Node, alice: Account) -> None:
    post = await node.db.write(publishing.publish, alice, Draft(caption="Heron"))
    await node.db.write(publishing.change_comment_rule, alice, post, NOBODY)
    create, update = await node.db.read(sent, alice)
    assert (update["type"], update["object"]["commentsEnabled"]) == ("Update", False)
    assert "updated" not in update["object"]
    assert update["published"] >= create["published"]


async def test_an_actor_lists_both_kinds_of_keys(node: Node, alice: Account) -> None:
    actor = await node.db.read(activities.render_actor, alice)
    listed = vocab.parse_keys(actor)
    assert [key.id for key in listed] == [f"{alice.uri}#main-key", f"{alice.uri}#ed25519-key"]
    assert {key.owner for key in listed} == {alice.uri}
    assert actor["assertionMethod"][0]["publicKeyMultibase"].startswith("z6Mk")
    assert actor["webfinger"] == "alice@tintype.test"


async def test_a_block_and_its_undo_name_both_and_nobody_else(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> str:
        rita = people.remote(tx)
        blocks.block(tx, alice, rita)
        blocks.unblock(tx, alice, rita)
        return rita.uri

    rita = await node.db.write(unit)
    block, undo = await node.db.read(sent, alice)
    assert (block["type"], block["actor"], block["object"], block["to"]) == ("Block", alice.uri, rita, [rita])
    assert undo["object"] == {name: block[name] for name in ("id", "type", "actor", "object", "to")}


def _reacts(tx: Writer, alice: Account) -> list[dict[str, Any]]:
    """Alice follows rita, likes and boosts a post of hers, and undoes everything."""
    from activitypub.remote.notes import import_note

    rita = people.remote(tx)
    follows.follow(tx, alice, rita)
    post = import_note(
        tx,
        vocab.parse_note(
            {
                "id": f"{rita.uri}/1",
                "type": "Note",
                "attributedTo": rita.uri,
                "content": "Hello",
                "to": [vocab.PUBLIC],
            }
        ),
        rita,
    )
    assert post is not None
    likes.like(tx, alice, post)
    boosts.boost(tx, alice, post)
    reactions = sent(tx, accounts.get(tx, alice.id))
    likes.unlike(tx, alice, post)
    boosts.unboost(tx, alice, post)
    follows.unfollow(tx, alice, rita)
    return reactions + sent(tx, alice)[-3:]
