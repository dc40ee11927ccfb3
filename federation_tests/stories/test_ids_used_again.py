"""Servers that use the id of an activity again after they took it back: whoever unfollows can follow again.

Each shape of id is that of a kind of software: `{pair}` stands for what does not change between two accounts or
an account and a post.
"""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from activitypub.signatures import sign_cavage
from federation_tests.fediverse import Fediverse, HandleOnly, Person
from federation_tests.remote_server import PUBLIC, RemoteServer
from federation_tests.security.scenes import alice_follows_rita, create
from node.accounts import accounts, relationships
from node.database import Writer
from node.interactions import blocks, follows
from node.models.account import Account
from node.models.post import Post
from node.posts import posts

ID_SHAPES = {
    "Pixelfed": ("/users/rita#follow/{pair}", "/users/rita#follow/{pair}/undo"),
    "Misskey": ("/follows/rita/{pair}", "/follows/rita/{pair}/undo"),
    "Takahe": ("/@rita@far/follow/{pair}/", "/@rita@far/follow/{pair}/#undo"),
    "GoToSocial": ("/users/rita/follow/01J5QVB9TFE0XHR6RPKZ1VN4{pair}", "/users/rita/undo/01J5QVB{pair}"),
    "Mastodon": ("/users/rita#follows/{pair}", "/users/rita#follows/{pair}/undo"),
}
shapes = pytest.mark.parametrize("shape", list(ID_SHAPES.values()), ids=list(ID_SHAPES))
VERBS = ["Follow", "Like", "EmojiReact", "Announce", "Block"]


class Scene:
    """Rita on a server that the test plays, and Alice and a post of hers that Rita's activities are about."""

    def __init__(self, fediverse: Fediverse, server: RemoteServer, alice: Person, post: Post) -> None:
        self.fediverse, self.server, self.alice, self.post = fediverse, server, alice, post
        self.rita_uri = server.person("rita")

    async def send(self, activity: dict[str, Any], *, now: float | None = None) -> None:
        assert await self.server.send(self.alice.node, "rita", activity, now=now) == 202
        await self.fediverse.settle()

    async def activity(self, verb: str, id_: str) -> dict[str, Any]:
        is_about_person = verb in ("Follow", "Block")
        object_ = (await self.alice.account()).uri if is_about_person else self.post.uri
        more: dict[str, Any] = {"to": [PUBLIC]} if verb == "Announce" else {}
        more |= {"content": "🎉"} if verb == "EmojiReact" else {}
        return self.server.activity("rita", verb, object_, **more) | {"id": self.server.base + id_}

    def undo(self, activity: dict[str, Any], id_: str, *, names: str = "whole") -> dict[str, Any]:
        undone = activity["id"] if names == "id" else activity
        if names == "object":
            undone = {name: value for name, value in activity.items() if name != "id"}
        return self.server.activity("rita", "Undo", undone) | {"id": self.server.base + id_}

    async def stands(self, verb: str) -> bool:
        node, alice = self.alice.node, await self.alice.account()
        rita = await node.db.read(accounts.by_uri, self.rita_uri)
        assert rita is not None
        if verb == "Follow":
            follow = await node.db.read(relationships.follow_between, rita, alice)
            assert alice.followers_count == int(follow is not None and follow.is_accepted)
            return follow is not None
        if verb == "Block":
            return await node.db.read(relationships.has_blocked, rita, alice)
        post = await node.db.read(posts.by_id, self.post.id)
        assert post is not None
        return bool(post.boosts_count if verb == "Announce" else post.likes_count)


@pytest.fixture
async def scene(fediverse: Fediverse, evil: RemoteServer) -> Scene:
    (alice,) = await fediverse.people("alice@a.test")
    return Scene(fediverse, evil, alice, await alice.posts("A lake", photo="A lake"))


@shapes
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("names", ["whole", "id", "object"])
async def test_what_was_undone_can_be_done_again_under_the_same_id(
    scene: Scene, verb: str, shape: tuple[str, str], names: str
) -> None:
    id_, undo_id = (one.format(pair="42") for one in shape)
    activity = await scene.activity(verb, id_)
    undo = scene.undo(activity, undo_id, names=names)
    start = time.time() - 600
    # Each Undo is followed within its second.
    for second in range(3):
        await scene.send(activity, now=start + second)
        assert await scene.stands(verb)
        await scene.send(undo, now=start + second + 1)
        assert not await scene.stands(verb)
    await scene.send(activity, now=start + 3)
    assert await scene.stands(verb)


@pytest.mark.parametrize("verb", VERBS)
async def test_a_recorded_request_does_nothing_once_it_was_undone(scene: Scene, verb: str) -> None:
    activity = await scene.activity(verb, "/follows/rita/42")
    undo = scene.undo(activity, "/follows/rita/42/undo")
    start = time.time() - 600
    done, undone, again = (_signed(scene, one, start + n) for n, one in enumerate((activity, undo, activity)))
    for request, stands in ((done, True), (undone, False), (done, False), (again, True)):
        await _replay(scene, *request)
        assert await scene.stands(verb) is stands
    # What was undone and done again stays, and what is undone last stays undone.
    for request in (undone, done):
        await _replay(scene, *request)
        assert await scene.stands(verb)
    last = _signed(scene, undo, start + 5)
    await _replay(scene, *last)
    for request in (done, again, undone, last):
        await _replay(scene, *request)
        assert not await scene.stands(verb)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("names", ["whole", "id"])
async def test_an_undo_of_what_never_arrived_leaves_the_id_free(scene: Scene, verb: str, names: str) -> None:
    activity = await scene.activity(verb, "/follows/rita/42")
    undo = scene.undo(activity, "/follows/rita/42/undo", names=names)
    start = time.time() - 600
    lost, undone, again = (_signed(scene, one, start + n) for n, one in enumerate((activity, undo, activity)))
    same_second = _signed(scene, activity, start + 1)

    # What the Undo overtook does nothing, at once or later.
    await _replay(scene, *undone)
    for request in (lost, same_second):
        await _replay(scene, *request)
        assert not await scene.stands(verb)

    await _replay(scene, *again)
    assert await scene.stands(verb)
    for request in (undone, lost, same_second):
        await _replay(scene, *request)
        assert await scene.stands(verb)


def _signed(scene: Scene, activity: dict[str, Any], at: float) -> tuple[dict[str, str], bytes]:
    body = json.dumps(activity).encode()
    url = scene.alice.node.site.uri("/inbox")
    headers = sign_cavage(scene.server.key("rita"), "POST", url, body, at)
    return headers | {"Content-Type": "application/activity+json"}, body


async def _replay(scene: Scene, headers: dict[str, str], body: bytes) -> None:
    url = scene.alice.node.site.uri("/inbox")
    assert (await scene.server.request("POST", url, headers, body))[0] == 202
    await scene.fediverse.settle()


@pytest.mark.parametrize("verb", VERBS)
async def test_a_recorded_request_does_nothing_in_the_second_in_which_it_was_undone(
    scene: Scene, verb: str
) -> None:
    activity = await scene.activity(verb, "/follows/rita/42")
    at = time.time() - 600
    done = _signed(scene, activity, at)
    undone = _signed(scene, scene.undo(activity, "/follows/rita/42/undo"), at)
    for request, stands in ((done, True), (done, True), (undone, False), (done, False), (undone, False)):
        await _replay(scene, *request)
        assert await scene.stands(verb) is stands

    await scene.send(activity, now=at + 1)
    assert await scene.stands(verb)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("second_id", ["/follows/rita/42", "/follows/rita/43"], ids=["same id", "another id"])
async def test_an_undo_that_arrives_late_does_not_end_what_was_done_again(
    scene: Scene, verb: str, second_id: str
) -> None:
    activity, again = await scene.activity(verb, "/follows/rita/42"), await scene.activity(verb, second_id)
    undo = scene.undo(activity, "/follows/rita/42/undo")
    start = time.time() - 600

    # Ends what was signed in the same second.
    await scene.send(activity, now=start)
    await scene.send(undo, now=start)
    assert not await scene.stands(verb)

    await scene.send(activity, now=start + 1)
    await scene.send(again, now=start + 3)
    for _ in range(2):
        await scene.send(undo, now=start + 2)
        assert await scene.stands(verb)

    await scene.send(scene.undo(again, "/follows/rita/44/undo"), now=start + 4)
    assert not await scene.stands(verb)


@pytest.mark.parametrize("ended_by", ["removal", "rejection", "block"])
@shapes
async def test_a_follow_that_ended_here_can_be_made_again_under_the_same_id(
    scene: Scene, ended_by: str, shape: tuple[str, str]
) -> None:
    alice = scene.alice
    follow = await scene.activity("Follow", shape[0].format(pair="42"))
    if ended_by == "rejection":
        await alice.locks()
    await scene.send(follow, now=time.time() - 60)
    rita = await alice.node.db.read(accounts.by_uri, scene.rita_uri)
    assert rita is not None
    await _end_follow(alice, rita, ended_by)
    await scene.fediverse.settle()
    assert not await scene.stands("Follow")

    await scene.send(follow)

    assert await scene.stands("Follow")


async def _end_follow(alice: Person, rita: Account, by: str) -> None:
    def unit(tx: Writer) -> None:
        account = accounts.get(tx, alice.id)
        if by == "block":
            blocks.block(tx, account, rita)
            blocks.unblock(tx, account, rita)
        else:
            follows.remove_follower(tx, account, rita)

    await alice.node.db.write(unit)


async def test_a_like_that_ended_with_its_post_frees_its_id(scene: Scene) -> None:
    like = await scene.activity("Like", "/users/rita#likes/42")
    await scene.send(like)
    await scene.alice.deletes(scene.post)
    await scene.fediverse.settle()
    scene.post = await scene.alice.posts("Another lake", photo="Another lake")

    await scene.send(like | {"object": scene.post.uri})

    assert await scene.stands("Like")


async def test_a_server_may_accept_and_reject_under_the_same_ids_again(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    rita = await alice.node.db.read(accounts.by_uri, f"{evil.base}/users/rita")
    assert rita is not None
    alice_uri = (await alice.account()).uri
    start = time.time() - 600
    for second in range(2):
        for verb, is_accepted in (("Accept", True), ("Reject", None)):
            await alice.node.db.write(_follow_again, alice, rita)
            found = await alice.node.db.read(relationships.follow_between, await alice.account(), rita)
            assert found is not None
            answer = evil.activity("rita", verb, {"id": found.uri, "type": "Follow", "actor": alice_uri})
            answer["id"] = f"{evil.base}/users/rita#{verb.lower()}s/follows/42"
            assert await evil.send(alice.node, "rita", answer, now=start + second) == 202
            await fediverse.settle()
            found = await alice.node.db.read(relationships.follow_between, await alice.account(), rita)
            assert (None if found is None else found.is_accepted) is is_accepted


def _follow_again(tx: Writer, alice: Person, rita: Account) -> None:
    account = accounts.get(tx, alice.id)
    follows.unfollow(tx, account, rita)
    follows.follow(tx, account, rita)


@pytest.mark.parametrize(
    "id_",
    ["/users/rita/statuses/1/activity#Update", "/@rita@far/posts/1/#update"],
    ids=["GoToSocial", "Takahe"],
)
async def test_every_edit_counts_where_all_edits_of_a_post_have_one_id(
    fediverse: Fediverse, evil: RemoteServer, id_: str
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    start = time.time() - 600
    note = create(evil, published=_at(start))
    assert await evil.send(alice.node, "rita", note, now=start) == 202
    await fediverse.settle()
    edits = []
    for number in (1, 2, 3):
        edited = note["object"] | {"content": f"<p>Edit {number}</p>", "updated": _at(start + number * 60)}
        edits.append(evil.activity("rita", "Update", edited, to=[PUBLIC]) | {"id": evil.base + id_})
        assert await evil.send(alice.node, "rita", edits[-1], now=start + number * 60) == 202
        await fediverse.settle()
        assert await alice.home() == [f"Edit {number}"]

    # A recorded edit changes nothing back, with a time of its own or without.
    edits[1]["object"].pop("updated")
    for number, old in enumerate(edits[:2], start=1):
        assert await evil.send(alice.node, "rita", old, now=start + number * 60) == 202
        await fediverse.settle()
    assert await alice.home() == ["Edit 3"]


@pytest.mark.parametrize("id_", ["/users/rita#update", "/@rita@far/#update"])
async def test_every_change_of_a_profile_counts_under_one_id(
    fediverse: Fediverse, evil: RemoteServer, id_: str
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    for number in (1, 2, 3):
        uri = evil.person("rita", name=f"Rita {number}")
        update = evil.activity("rita", "Update", uri, to=[PUBLIC]) | {"id": evil.base + id_}
        assert await evil.send(alice.node, "rita", update, now=time.time() - 60 + number) == 202
        await fediverse.settle()
        rita = await alice.node.db.read(accounts.by_uri, uri)
        assert rita is not None
        assert rita.display_name == f"Rita {number}"


async def test_a_move_that_failed_can_be_sent_again_under_its_id(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    old, new = f"{evil.base}/users/rita", other.person("new")
    move = evil.activity("rita", "Move", old, target=new) | {"id": f"{evil.base}/moves/rita/new"}
    evil.person("rita", movedTo=new)
    await evil.send(alice.node, "rita", move, now=time.time() - 60)
    await fediverse.settle()
    assert not await alice.is_following(HandleOnly(f"new@{other.domain}"))

    other.person("new", alsoKnownAs=[old])
    await evil.send(alice.node, "rita", move)
    await fediverse.settle()

    moved = await alice.node.db.read(accounts.by_uri, new)
    assert moved is not None
    found = await alice.node.db.read(relationships.follow_between, await alice.account(), moved)
    assert found is not None


def _at(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
