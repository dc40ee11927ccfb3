"""Our own documents, whole: each is compared with the reviewed one in `documents/emitted`.

A change of a document is seen as a change of a file: `pytest federation_tests/test_emitted_documents.py --write-documents`
writes them anew, and the difference is read before it is committed. Times, ids, keys, names of files and the
ports of the test are made the same every time.
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
from federation_tests.stories.test_moves import goes, names
from node.accounts import accounts
from node.admin import reports
from node.attachments import avatars, photos
from node.attachments.photo_metadata import SharedMetadata
from node.database import Writer
from node.interactions import pins
from node.models.interaction_policy import EVERYONE, InteractionPolicy, rule_for
from node.models.post import Post
from node.posts import posts
from node.posts.drafts import Draft
from node.publishing import publishing
from tests.media.test_exif import photo as camera_photo
from tests.support import people
from tests.support.pictures import picture

OURS = Path(__file__).parent / "documents" / "emitted"

CONTEXTS = {
    "ACTOR": contexts.ACTOR,
    "NOTE": contexts.NOTE,
    "QUOTE": contexts.QUOTE,
    "ACTIVITY": contexts.ACTIVITY,
}
HEAD = "-----BEGIN PUBLIC KEY-----"


class Plain:
    """Makes one run's documents those of every run."""

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
            known = [called for called, one in CONTEXTS.items() if one == value]
            return f"contexts.{known[0]}" if known else value
        if name == "publicKeyMultibase":
            return value[:4] + "…"
        return self(value)

    def _text(self, text: str) -> str:
        if text.startswith(HEAD):
            return HEAD + "…"
        for host, called in self._hosts:
            text = text.replace(host, called)
        text = re.sub(r"/media/(p/)?[\w/-]+\.jpg", r"/media/\1….jpg", text)
        text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "2026-11-20T12:00:00Z", text)
        return re.sub(r"(?<![\w.])\d{15,19}(?!\w)", self._id, text)

    def _id(self, found: re.Match[str]) -> str:
        return self._ids.setdefault(found[0], f"{len(self._ids) + 1:03}")


@pytest.fixture
def compare(request: pytest.FixtureRequest) -> Callable[[str, Any], None]:
    """`compare(name, document)`: it is the one that was reviewed, or `--write-documents` was said."""

    def compare(name: str, document: Any) -> None:
        path = OURS / f"{name}.json"
        text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
        if request.config.getoption("--write-documents"):
            path.write_text(text)
        assert path.exists(), f"{name} was never reviewed"
        assert json.loads(path.read_text()) == document, f"{name} is not what was reviewed"

    return compare


async def _get(server: RemoteServer, url: str, accept: str = "application/activity+json") -> Any:
    status, body, _ = await server.get(url, author="rita", accept=accept)
    assert status == 200, url
    return json.loads(body)


async def _followed(alice: Person, server: RemoteServer, name: str) -> None:
    server.person(name)
    follow = server.activity(name, "Follow", (await alice.account()).uri)
    follow["id"] = f"{server.base}/follows/1"
    assert await server.send(alice.node, name, follow) == 202
    await alice.world.settle()


async def _album(alice: Person, caption: str, shots: int, **more: Any) -> Post:
    ids = []
    for n in range(shots):
        made = await photos.upload(
            alice.node, await alice.account(), picture(64, 48, seed=n + 1), alt=f"Morning {n + 1}"
        )
        ids.append(made.id)
    post: Post = await alice._do(publishing.publish, Draft(caption=caption, photo_ids=ids, **more))
    return post


def _plain(alice: Person, *servers: RemoteServer) -> Plain:
    name = alice.node.site.domain
    return Plain((name, "tintype.example"), *((one.domain, one.domain.partition(":")[0]) for one in servers))


async def test_documents_that_are_fetched(
    fediverse: Fediverse, other: RemoteServer, compare: Callable[[str, Any], None]
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    await _followed(alice, other, "rita")

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
    await avatars.upload(alice.node, await alice.account(), picture(seed=5), alt="A face")
    wide = picture(1500, 500, seed=6)
    await avatars.upload(alice.node, await alice.account(), wide, alt="A shore", kind=avatars.HEADER)
    plain, uri = _plain(alice, other), alice.node.site.uri

    one = await photos.upload(alice.node, await alice.account(), camera_photo(), alt="Fog on a lake")
    shared = SharedMetadata(frozenset({"camera", "settings", "time"}), "CC BY-SA", "Lake Tegel")
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
        compare(f"note-{name}", plain(await _get(other, post.uri)))
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
        compare(name, plain(await _get(other, uri(path))))
    account = f"resource=acct:alice@{alice.node.site.domain}"
    jrd = await _get(other, uri(f"/.well-known/webfinger?{account}"), "application/jrd+json")
    compare("webfinger", plain(jrd))
    compare("host-meta", plain(await _get(other, uri("/.well-known/host-meta.json"), "application/json")))
    compare("nodeinfo-index", plain(await _get(other, uri("/.well-known/nodeinfo"), "application/json")))
    info = await _get(other, uri("/nodeinfo/2.1"), "application/json")
    assert info["software"].pop("version")
    compare("nodeinfo-2.1", plain(info))
    await alice.deletes(first)
    status, body, _ = await other.get(first.uri)
    assert status == 410
    compare("tombstone", plain(json.loads(body)))


async def test_activities_that_are_sent(
    fediverse: Fediverse, other: RemoteServer, compare: Callable[[str, Any], None]
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    await _followed(alice, other, "rita")
    plain = _plain(alice, other)
    rita = await actors.find(alice.node, f"{other.base}/users/rita")

    async def sent(name: str) -> Any:
        """The one letter that has come since."""
        await fediverse.settle()
        (said,) = other.received
        other.received.clear()
        compare(f"activity-{name}", plain(said))
        return said

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

    named = [PUBLIC, (await alice.account()).uri]
    note = other.note("rita", 1, published="2026-11-20T12:00:00Z", to=named)
    await other.send(alice.node, "rita", other.activity("rita", "Create", note, to=named))
    await fediverse.settle()
    theirs = await alice.node.db.read(posts.by_uri, note["id"])
    assert theirs is not None
    await alice.likes(theirs)
    await sent("like")
    await alice.unlikes(theirs)
    await sent("undo-like")
    await alice._do(reports.report, rita, words="Not nice", post_ids=[theirs.id], is_forwarded=True)
    await sent("flag")

    free = {"canQuote": {"automaticApproval": [PUBLIC]}}
    note = other.note("rita", 2, published="2026-11-20T12:00:00Z", to=named, interactionPolicy=free)
    await other.send(alice.node, "rita", other.activity("rita", "Create", note, to=named))
    await fediverse.settle()
    quotable = await alice.node.db.read(posts.by_uri, note["id"])
    assert quotable is not None
    await alice._do(publishing.publish, Draft(caption="How true", quote_id=quotable.id))
    await fediverse.settle()
    create, request = sorted(other.received, key=lambda said: str(said["type"]))
    compare("activity-create-quoting", plain(create))
    compare("activity-quote-request", plain(request))

    for allowed, verb in ((EVERYONE, "accept"), (InteractionPolicy().quote, "reject")):
        quoted = await alice._do(
            publishing.publish, Draft(caption="Quote me", policy=InteractionPolicy(quote=allowed))
        )
        await fediverse.settle()
        other.received.clear()
        quote = other.note("rita", f"q-{verb}", quote=quoted.uri)
        asks = other.activity("rita", "QuoteRequest", quoted.uri, instrument=quote)
        asks["id"] = f"{other.base}/requests/{verb}"
        await other.send(alice.node, "rita", asks)
        said = await sent(f"{verb}-quote-request")
        if verb == "accept":
            compare("quote-authorization", plain(await _get(other, said["result"])))

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

    (new,) = await fediverse.people("new@b.test")
    await names(new, alice)
    other.received.clear()
    await goes(alice, new)
    await fediverse.settle()
    update, move = sorted(other.received, key=lambda said: said["type"] == "Move")
    plain = Plain(
        (alice.node.site.domain, "tintype.example"),
        (new.node.site.domain, "new.example"),
        (other.domain, "other.test"),
    )
    compare("activity-move", plain(move))
    assert update["object"]["movedTo"] == (await new.account()).uri
    other.received.clear()
    await alice.leaves()
    await sent("delete-person")


def test_every_reviewed_letter_is_still_written() -> None:
    source = Path(__file__).read_text()
    for path in OURS.glob("*.json"):
        name = path.stem.removeprefix("note-").removeprefix("activity-")
        name = re.sub(r"^(accept|reject)-(?=quote)", "", name)
        assert name in source, f"{path.name} is compared with nothing"
