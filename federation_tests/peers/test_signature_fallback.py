"""The second knock: whoever does not take the first kind of signature is asked in the other, and it is remembered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from activitypub.remote import lookup
from federation_tests.fediverse import Fediverse
from federation_tests.peers.fedify_server import Fedify
from node.federation import server_availability
from node.models.post import Post
from node.posts import posts


class Refusing:
    """An inbox that does not take one dialect (the first few `times`), and keeps a list of who knocked how."""

    def __init__(self, app: Any, dialect: str, knocks: list[tuple[str, int]], times: int = 99) -> None:
        self._app = app
        self._dialect = dialect
        self._knocks = knocks
        self._times = times

    async def __call__(self, scope: Any, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        names = {name for name, _ in scope["headers"]}
        dialect = "rfc9421" if b"signature-input" in names else "cavage"

        async def keep(message: Any) -> None:
            if message["type"] == "http.response.start":
                self._knocks.append((dialect, message["status"]))
            await send(message)

        if dialect == self._dialect and self._times > 0:
            self._times -= 1
            while (await receive()).get("more_body"):
                pass
            await keep({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b"another one, please"})
        else:
            await self._app(scope, receive, keep)


async def test_where_cavage_is_refused_we_knock_with_rfc_9421(world: Fediverse, fedify: Fedify) -> None:
    await fedify.begin(refuses="cavage")
    alice = await world.person("alice@a.test")
    fred = await fedify.person("fred")

    await fred.follows(alice)
    await alice.posts("Fog", photo="Fog")
    await alice.posts("More fog", photo="Fog")
    await world.settle()

    # It was learned when Fred himself was looked at, and holds for what is sent.
    assert (await fedify.knocks("GET", "/people/fred"))[:2] == [("cavage", 401), ("rfc9421", 200)]
    # The answer to the follow went to Fred's own inbox, the posts to that of his server.
    assert await fedify.knocks("POST", "/people/fred/inbox") == [("rfc9421", 202)]
    assert await fedify.knocks("POST", "/inbox") == [("rfc9421", 202), ("rfc9421", 202)]
    assert list((await fred.knows())["following"].values()) == ["accepted"]
    assert sorted(one["content"] for one in (await fedify.state())["seen"].values()) == [
        "<p>Fog</p>",
        "<p>More fog</p>",
    ]
    assert await alice.node.db.read(server_availability.signature_style, fedify.domain) == "rfc9421"


async def test_one_refusal_of_a_message_is_remembered(world: Fediverse, fedify: Fedify) -> None:
    """Looking at Fred is fine in both kinds. The first thing sent to him is refused once, and never again."""
    await fedify.begin(refuses="cavage", refusesOf="POST", refusals=1)
    alice = await world.person("alice@a.test")
    fred = await fedify.person("fred")

    await fred.follows(alice)
    await alice.posts("Fog", photo="Fog")
    await world.settle()

    assert await fedify.knocks("GET", "/people/fred") == [("cavage", 200)]
    assert await fedify.knocks("POST", "/people/fred/inbox") == [("cavage", 401), ("rfc9421", 202)]
    assert await fedify.knocks("POST", "/inbox") == [("rfc9421", 202)]
    assert list((await fred.knows())["following"].values()) == ["accepted"]
    assert [one["content"] for one in (await fedify.state())["seen"].values()] == ["<p>Fog</p>"]


async def test_a_server_that_changes_its_mind_is_followed(world: Fediverse, fedify: Fedify) -> None:
    await fedify.begin(refuses="cavage")
    alice = await world.person("alice@a.test")
    fred = await fedify.person("fred")
    await fred.follows(alice)

    await fedify.refuses("rfc9421")
    for words in ("Fog", "More fog"):
        await alice.posts(words, photo="Fog")
        await world.settle()

    assert await fedify.knocks("POST", "/inbox") == [("rfc9421", 401), ("cavage", 202), ("cavage", 202)]
    assert len((await fedify.state())["seen"]) == 2
    assert await alice.node.db.read(server_availability.signature_style, fedify.domain) == "cavage"


async def test_an_address_with_a_query_is_had_at_the_second_knock(world: Fediverse, fedify: Fedify) -> None:
    """Fedify leaves the query out of draft-cavage, so where every request must be signed it refuses ours once."""
    await fedify.begin(secure=True)
    alice = await world.person("alice@a.test")
    fred = await fedify.person("fred")
    post_uri = await fred.posts("<p>Fog</p>", ["Fog"])

    found = await lookup.resolve(alice.node, f"{post_uri}?from=feed", await alice.account())

    assert isinstance(found, Post)
    assert found.uri == post_uri
    asked = await fedify.knocks("GET", post_uri.partition(fedify.domain)[2])
    assert asked[:2] == [("cavage", 401), ("rfc9421", 200)]
    assert all(one == ("rfc9421", 200) for one in asked[2:])


async def test_where_rfc_9421_is_refused_we_stay_with_cavage(world: Fediverse, fedify: Fedify) -> None:
    await fedify.begin(refuses="rfc9421")
    alice = await world.person("alice@a.test")
    fred = await fedify.person("fred")

    await alice.follows(fred)
    await world.settle()

    assert await fedify.knocks("POST", "/people/fred/inbox") == [("cavage", 202)]
    assert await alice.is_following(fred)


@pytest.mark.parametrize(
    ("refused", "knocks"),
    [
        ("rfc9421", [("rfc9421", 401), ("cavage", 202), ("cavage", 202)]),
        ("cavage", [("rfc9421", 202), ("rfc9421", 202)]),
    ],
)
async def test_fedify_knocks_a_second_time(
    world: Fediverse, fedify: Fedify, refused: str, knocks: list[tuple[str, int]]
) -> None:
    kept: list[tuple[str, int]] = []
    world.front = lambda app: Refusing(app, refused, kept)
    alice = await world.person("alice@a.test")
    fred = await fedify.person("fred")
    post = await alice.posts("Fog", photo="Fog")

    await fred.follows(alice)
    await fred.likes(post)

    assert kept == knocks
    assert list((await fred.knows())["following"].values()) == ["accepted"]
    seen = await alice.node.db.read(posts.by_uri, post.uri)
    assert seen is not None
    assert seen.likes_count == 1


@pytest.mark.parametrize(("refused", "taken"), [("rfc9421", "cavage"), ("cavage", "rfc9421")])
async def test_fedify_too_remembers_one_refusal(
    world: Fediverse, fedify: Fedify, refused: str, taken: str
) -> None:
    await fedify.begin(firstKnock="rfc9421" if refused == "rfc9421" else "draft-cavage-http-signatures-12")
    kept: list[tuple[str, int]] = []
    world.front = lambda app: Refusing(app, refused, kept, times=1)
    alice = await world.person("alice@a.test")
    fred = await fedify.person("fred")
    post = await alice.posts("Fog", photo="Fog")

    await fred.follows(alice)
    await fred.likes(post)

    assert kept == [(refused, 401), (taken, 202), (taken, 202)]
    seen = await alice.node.db.read(posts.by_uri, post.uri)
    assert seen is not None
    assert seen.likes_count == 1


@pytest.mark.parametrize("first", ["rfc9421", "draft-cavage-http-signatures-12"])
async def test_both_kinds_of_fedifys_signatures_are_taken_at_once(
    world: Fediverse, fedify: Fedify, first: str
) -> None:
    await fedify.begin(firstKnock=first)
    kept: list[tuple[str, int]] = []
    world.front = lambda app: Refusing(app, "none", kept)
    alice = await world.person("alice@a.test")
    fred = await fedify.person("fred")

    await fred.follows(alice)

    assert [status for _, status in kept] == [202]
    assert [one == "rfc9421" for one, _ in kept] == [first == "rfc9421"]
    assert list((await fred.knows())["following"].values()) == ["accepted"]


@pytest.mark.parametrize("is_secure", [True])
async def test_two_servers_that_want_every_request_signed(world: Fediverse, fedify: Fedify) -> None:
    await fedify.begin(secure=True)
    alice = await world.person("alice@a.test")
    fred = await fedify.person("fred")

    await fred.follows(alice)
    await alice.follows(fred)
    await world.settle()
    ours = await alice.posts("Ours", photo="A gate")
    await world.settle()
    theirs = await fred.posts("<p>Theirs</p>", ["A wall"])

    assert list((await fred.knows())["following"].values()) == ["accepted"]
    assert await alice.is_following(fred)
    assert await fedify.sees(ours) is not None
    assert await alice.node.db.read(posts.by_uri, theirs) is not None
    looked = await fred.looks_at(ours.uri)
    assert [one["name"] for one in looked["attachments"]] == ["A gate"]
    asked = await fedify.knocks("GET", "/people/fred")
    assert all(status == (401 if dialect == "none" else 200) for dialect, status in asked)
