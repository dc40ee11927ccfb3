"""Compares every document that a node sends or serves with the reviewed one in `documents/emitted`.

A changed document is a changed file: `pytest federation_tests/test_emitted_documents.py --write-documents`
rewrites them, and the difference is reviewed before it is committed. Times, ids, keys, file names and the ports
of the test are replaced by constants.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from activitypub.documents import contexts
from activitypub.remote import actors
from federation_tests.fediverse import Fediverse, HandleOnly, Person
from federation_tests.remote_server import PUBLIC, RemoteServer
from federation_tests.stories.test_moves import add_alias, move
from node.accounts import accounts
from node.admin import reports
from node.attachments import avatars, photos
from node.attachments.photo_metadata import SharedMetadata
from node.database import Writer
from node.interactions import blocks, pins
from node.models.interaction_policy import EVERYONE, InteractionPolicy, rule_for
from node.models.post import Post
from node.posts import posts
from node.posts.drafts import Draft
from node.publishing import photo_details, publishing
from tests.media.test_exif import photo as camera_photo
from tests.support import people
from tests.support.pictures import picture

EMITTED = Path(__file__).parent / "documents" / "emitted"

CONTEXTS = {
    "ACTOR": contexts.ACTOR,
    "NOTE": contexts.NOTE,
    "QUOTE": contexts.QUOTE,
    "ACTIVITY": contexts.ACTIVITY,
}
HEAD = "-----BEGIN PUBLIC KEY-----"


class Normalizer:
    """Replaces what differs between runs: hosts, ids, times, keys and file names."""

    def __init__(self, *hosts: tuple[str, str]) -> None:
        self._hosts = hosts
        self._ids: dict[str, str] = {}

    def __call__(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self(one) for one in value]
        if isinstance(value, dict):
            return {name: self._property(name, one) for name, one in value.items()}
        return self._text(value) if isinstance(value, str) else value

    def _property(self, name: str, value: Any) -> Any:
        if name == "@context":
            known = [label for label, one in CONTEXTS.items() if one == value]
            return f"contexts.{known[0]}" if known else value
        if name == "publicKeyMultibase":
            return value[:4] + "…"
        return self(value)

    def _text(self, text: str) -> str:
        if text.startswith(HEAD):
            return HEAD + "…"
        for host, constant in self._hosts:
            text = text.replace(host, constant)
        text = re.sub(r"/media/(p/)?([\w.]+~)?[\w/-]+\.jpg", r"/media/\1\2….jpg", text)
        text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "2026-11-20T12:00:00Z", text)
        return re.sub(r"(?<![\w.])\d{15,19}(?!\w)", self._id, text)

    def _id(self, found: re.Match[str]) -> str:
        return self._ids.setdefault(found[0], f"{len(self._ids) + 1:03}")


@pytest.fixture
def compare(request: pytest.FixtureRequest) -> Callable[[str, Any], None]:
    """`compare(name, document)`: asserts that it is the reviewed one, or rewrites that with `--write-documents`."""

    def compare(name: str, document: Any) -> None:
        path = EMITTED / f"{name}.json"
        text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
        if request.config.getoption("--write-documents"):
            path.write_text(text)
        assert path.exists(), f"{name}.json does not exist"
        assert json.loads(path.read_text()) == document, f"{name} differs from the reviewed document"

    return compare


async def _get(server: RemoteServer, url: str, accept: str = "application/activity+json") -> Any:
    status, body, _ = await server.get(url, author="rita", accept=accept)
    assert status == 200, url
    return json.loads(body)


async def _follow_from(alice: Person, server: RemoteServer, name: str) -> None:
    server.person(name)
    follow = server.activity(name, "Follow", (await alice.account()).uri)
    follow["id"] = f"{server.base}/follows/1"
    assert await server.send(alice.node, name, follow) == 202
    await alice.fediverse.settle()


async def _album(alice: Person, caption: str, shots: int, **more: Any) -> Post:
    ids = []
    for n in range(shots):
        made = await photos.upload(
            alice.node, await alice.account(), picture(64, 48, seed=n + 1), alt=f"Morning {n + 1}"
        )
        ids.append(made.id)
    post: Post = await alice._do(publishing.publish, Draft(caption=caption, photo_ids=ids, **more))
    return post


def _normalizer(alice: Person, *servers: RemoteServer) -> Normalizer:
    name = alice.node.site.domain
    return Normalizer(
        (name, "tintype.example"), *((one.domain, one.domain.partition(":")[0]) for one in servers)
    )


async def test_documents_that_are_fetched(
    fediverse: Fediverse, other: RemoteServer, compare: Callable[[str, Any], None]
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    await _follow_from(alice, other, "rita")

    def profile(tx: Writer) -> None:
        people.profile(
            tx,
            accounts.get(tx, alice.id),
            display_name="Alice Varga",
            bio="Mostly #fog.",
            fields=[("Home", "https://alice.example")],
            is_indexable=False,
            attribution_domains=["alice.example"],
        )

    await alice.node.db.write(profile)
    await avatars.upload(alice.node, await alice.account(), picture(seed=5), alt="A portrait")
    header = picture(1500, 500, seed=6)
    await avatars.upload(alice.node, await alice.account(), header, alt="A shore", kind=avatars.HEADER)
    normalize, uri = _normalizer(alice, other), alice.node.site.uri

    one = await photos.upload(alice.node, await alice.account(), camera_photo(), alt="Fog on a lake")
    shared = SharedMetadata(frozenset({"camera", "lens", "settings", "time"}), "CC BY-SA", "Lake Tegel")
    first: Post = await alice._do(
        publishing.publish,
        Draft(
            caption=f"Dawn #Fog @rita@{other.domain}",
            photo_ids=[one.id],
            language="en",
            shared_metadata=shared,
        ),
    )
    notes = {
        "one-photo": first,
        "four-photos": await _album(alice, "Four mornings", 4, visibility="unlisted"),
        "ten-photos": await _album(alice, "Ten mornings", 10, warning="Early"),
        "for-followers": await _album(
            alice,
            "For you",
            1,
            visibility="followers",
            policy=InteractionPolicy(comment=rule_for("mentioned"), quote=EVERYONE),
        ),
        "direct": await alice.posts(f"Only @rita@{other.domain}", visibility="direct"),
        "comment": await alice.comments(first, "And the day after"),
    }
    await alice._do(pins.pin, first)
    await fediverse.settle()
    for name, post in notes.items():
        compare(f"note-{name}", normalize(await _get(other, post.uri)))
    fetched = {
        "actor": "/users/alice",
        "actor-of-the-node": "/actor",
        "outbox": "/users/alice/outbox",
        "outbox-page": "/users/alice/outbox?page=true",
        "followers": "/users/alice/followers",
        "following": "/users/alice/following",
        "featured": "/users/alice/collections/featured",
        "replies": first.uri.removeprefix(uri("")) + "/replies",
        "context": first.uri.removeprefix(uri("")) + "/context",
        "likes": first.uri.removeprefix(uri("")) + "/likes",
        "shares": first.uri.removeprefix(uri("")) + "/shares",
        "followers-synchronization": "/users/alice/followers_synchronization",
    }
    for name, path in fetched.items():
        compare(name, normalize(await _get(other, uri(path))))
    account = f"resource=acct:alice@{alice.node.site.domain}"
    jrd = await _get(other, uri(f"/.well-known/webfinger?{account}"), "application/jrd+json")
    compare("webfinger", normalize(jrd))
    compare("host-meta", normalize(await _get(other, uri("/.well-known/host-meta.json"), "application/json")))
    compare("nodeinfo-index", normalize(await _get(other, uri("/.well-known/nodeinfo"), "application/json")))
    info = await _get(other, uri("/nodeinfo/2.1"), "application/json")
    assert info["software"].pop("version")
    compare("nodeinfo-2.1", normalize(info))
    await alice.deletes(first)
    status, body, _ = await other.get(first.uri)
    assert status == 410
    compare("tombstone", normalize(json.loads(body)))


async def test_a_photo_with_a_focal_point_a_place_and_people(
    fediverse: Fediverse, other: RemoteServer, compare: Callable[[str, Any], None]
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    await _follow_from(alice, other, "rita")
    rita = await actors.find(alice.node, f"{other.base}/users/rita")
    account = await alice.account()
    one = await photos.upload(alice.node, account, camera_photo(), alt="Rita on the shore")
    await photo_details.use_photo_place(alice.node, account, one.id, "Berlin", "town")
    await alice._do(photo_details.set_focus, one.id, 0.5, -0.25)
    await alice._do(photo_details.tag, one.id, rita, 0.75, 0.25)

    post: Post = await alice._do(publishing.publish, Draft(caption="Evening", photo_ids=[one.id]))

    compare("note-photo-details", _normalizer(alice, other)(await _get(other, post.uri)))


async def test_activities_that_are_sent(
    fediverse: Fediverse, other: RemoteServer, compare: Callable[[str, Any], None]
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    await _follow_from(alice, other, "rita")
    normalize = _normalizer(alice, other)
    rita = await actors.find(alice.node, f"{other.base}/users/rita")

    async def sent(name: str) -> Any:
        """Compares the one activity that has arrived since the last call, and returns it."""
        await fediverse.settle()
        (activity,) = other.received
        other.received.clear()
        compare(f"activity-{name}", normalize(activity))
        return activity

    await sent("accept-follow")
    post = await alice.posts("Morning", photo="A lake")
    await sent("create")
    await alice.edits(post, "Morning at the lake", alts=["A lake in fog"])
    await sent("update-post")
    await alice.boosts(post)
    await sent("announce")
    await alice.unboosts(post)
    await sent("undo-announce")
    await alice._do(pins.pin, post)
    await sent("add")
    await alice._do(pins.unpin, post)
    await sent("remove")

    addressed = [PUBLIC, (await alice.account()).uri]
    note = other.note("rita", 1, published="2026-11-20T12:00:00Z", to=addressed)
    await other.send(alice.node, "rita", other.activity("rita", "Create", note, to=addressed))
    await fediverse.settle()
    remote = await alice.node.db.read(posts.by_uri, note["id"])
    assert remote is not None
    await alice.likes(remote)
    await sent("like")
    await alice.unlikes(remote)
    await sent("undo-like")
    await alice._do(reports.report, rita, comment="Not nice", post_ids=[remote.id], is_forwarded=True)
    await sent("flag")

    quotable_by_all = {"canQuote": {"automaticApproval": [PUBLIC]}}
    note = other.note(
        "rita", 2, published="2026-11-20T12:00:00Z", to=addressed, interactionPolicy=quotable_by_all
    )
    await other.send(alice.node, "rita", other.activity("rita", "Create", note, to=addressed))
    await fediverse.settle()
    quotable = await alice.node.db.read(posts.by_uri, note["id"])
    assert quotable is not None
    await alice._do(publishing.publish, Draft(caption="How true", quote_id=quotable.id))
    await fediverse.settle()
    create, request = sorted(other.received, key=lambda activity: str(activity["type"]))
    compare("activity-create-quoting", normalize(create))
    compare("activity-quote-request", normalize(request))

    for allowed, verb in ((EVERYONE, "accept"), (InteractionPolicy().quote, "reject")):
        quoted = await alice._do(
            publishing.publish, Draft(caption="Quote me", policy=InteractionPolicy(quote=allowed))
        )
        await fediverse.settle()
        other.received.clear()
        quote = other.note("rita", f"q-{verb}", quote=quoted.uri)
        request = other.activity("rita", "QuoteRequest", quoted.uri, instrument=quote)
        request["id"] = f"{other.base}/requests/{verb}"
        await other.send(alice.node, "rita", request)
        answer = await sent(f"{verb}-quote-request")
        if verb == "accept":
            compare("quote-authorization", normalize(await _get(other, answer["result"])))

    await alice.deletes(post)
    await sent("delete-post")

    def renamed(tx: Writer) -> None:
        people.profile(
            tx, accounts.get(tx, alice.id), display_name="Alice", is_locked=True, is_indexable=True
        )

    await alice.node.db.write(renamed)
    await sent("update-person")
    mark = await actors.find(alice.node, other.person("mark"))
    await other.send(
        alice.node,
        "mark",
        {**other.activity("mark", "Follow", (await alice.account()).uri), "id": f"{other.base}/follows/2"},
    )
    await fediverse.settle()
    await alice.rejects(HandleOnly(mark.full_handle))
    await sent("reject-follow")
    await alice.follows(HandleOnly(mark.full_handle))
    await sent("follow")
    await alice.unfollows(HandleOnly(mark.full_handle))
    await sent("undo-follow")

    await alice._do(blocks.block, mark)
    await sent("block")
    await alice._do(blocks.unblock, mark)
    await sent("undo-block")

    (new,) = await fediverse.people("new@b.test")
    await add_alias(new, alice)
    other.received.clear()
    await move(alice, new)
    await fediverse.settle()
    update, moved = sorted(other.received, key=lambda activity: activity["type"] == "Move")
    normalize = Normalizer(
        (alice.node.site.domain, "tintype.example"),
        (new.node.site.domain, "new.example"),
        (other.domain, "other.test"),
    )
    compare("activity-move", normalize(moved))
    assert update["object"]["movedTo"] == (await new.account()).uri
    other.received.clear()
    await alice.leaves()
    await sent("delete-person")


def test_every_reviewed_document_is_still_compared() -> None:
    source = Path(__file__).read_text()
    for path in EMITTED.glob("*.json"):
        name = path.stem.removeprefix("note-").removeprefix("activity-")
        name = re.sub(r"^(accept|reject)-(?=quote)", "", name)
        assert name in source, f"{path.name} is compared with nothing"
