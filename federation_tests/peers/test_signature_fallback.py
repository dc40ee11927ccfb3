"""Signature fallback ("double-knocking"): a refused request is repeated in the other style, which is remembered."""

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
    """An inbox that refuses one signature style (the first few `times`), and records (style, status) of every request."""

    def __init__(self, app: Any, style: str, requests: list[tuple[str, int]], times: int = 99) -> None:
        self._app = app
        self._style = style
        self._requests = requests
        self._times = times

    async def __call__(self, scope: Any, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        names = {name for name, _ in scope["headers"]}
        style = "rfc9421" if b"signature-input" in names else "cavage"

        async def keep(message: Any) -> None:
            if message["type"] == "http.response.start":
                self._requests.append((style, message["status"]))
            await send(message)

        if style == self._style and self._times > 0:
            self._times -= 1
            while (await receive()).get("more_body"):
                pass
            await keep({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b"another style, please"})
        else:
            await self._app(scope, receive, keep)


async def test_where_cavage_is_refused_rfc_9421_is_used(world: Fediverse, fedify: Fedify) -> None:
    await fedify.begin(refuses="cavage")
    alice = await world.person("alice@a.test")
    fred = await fedify.person("fred")

    await fred.follows(alice)
    await alice.posts("Fog", photo="Fog")
    await alice.posts("More fog", photo="Fog")
    await world.settle()

    # It was learned when Fred was fetched, and holds for deliveries.
    assert (await fedify.requests("GET", "/people/fred"))[:2] == [("cavage", 401), ("rfc9421", 200)]
    # The Accept went to Fred's own inbox, the posts to the shared one.
    assert await fedify.requests("POST", "/people/fred/inbox") == [("rfc9421", 202)]
    assert await fedify.requests("POST", "/inbox") == [("rfc9421", 202), ("rfc9421", 202)]
    assert list((await fred.knows())["following"].values()) == ["accepted"]
    assert sorted(one["content"] for one in (await fedify.state())["seen"].values()) == [
        "<p>Fog</p>",
        "<p>More fog</p>",
    ]
    assert await alice.node.db.read(server_availability.signature_style, fedify.domain) == "rfc9421"


async def test_one_refused_delivery_is_remembered(world: Fediverse, fedify: Fedify) -> None:
    """Fetching Fred works in both styles. The first delivery to him is refused once, and never again."""
    await fedify.begin(refuses="cavage", refusesOf="POST", refusals=1)
    alice = await world.person("alice@a.test")
    fred = await fedify.person("fred")

    await fred.follows(alice)
    await alice.posts("Fog", photo="Fog")
    await world.settle()

    assert await fedify.requests("GET", "/people/fred") == [("cavage", 200)]
    assert await fedify.requests("POST", "/people/fred/inbox") == [("cavage", 401), ("rfc9421", 202)]
    assert await fedify.requests("POST", "/inbox") == [("rfc9421", 202)]
    assert list((await fred.knows())["following"].values()) == ["accepted"]
    assert [one["content"] for one in (await fedify.state())["seen"].values()] == ["<p>Fog</p>"]


async def test_a_server_may_change_the_style_it_accepts(world: Fediverse, fedify: Fedify) -> None:
    await fedify.begin(refuses="cavage")
    alice = await world.person("alice@a.test")
    fred = await fedify.person("fred")
    await fred.follows(alice)

    await fedify.refuses("rfc9421")
    for caption in ("Fog", "More fog"):
        await alice.posts(caption, photo="Fog")
        await world.settle()

    assert await fedify.requests("POST", "/inbox") == [("rfc9421", 401), ("cavage", 202), ("cavage", 202)]
    assert len((await fedify.state())["seen"]) == 2
    assert await alice.node.db.read(server_availability.signature_style, fedify.domain) == "cavage"


async def test_a_url_with_a_query_is_fetched_with_the_second_style(world: Fediverse, fedify: Fedify) -> None:
    """Fedify leaves the query out of draft-cavage, so in secure mode it refuses the first request."""
    await fedify.begin(secure=True)
    alice = await world.person("alice@a.test")
    fred = await fedify.person("fred")
    post_uri = await fred.posts("<p>Fog</p>", ["Fog"])

    found = await lookup.resolve(alice.node, f"{post_uri}?from=feed", await alice.account())

    assert isinstance(found, Post)
    assert found.uri == post_uri
    requests = await fedify.requests("GET", post_uri.partition(fedify.domain)[2])
    assert requests[:2] == [("cavage", 401), ("rfc9421", 200)]
    assert all(one == ("rfc9421", 200) for one in requests[2:])


async def test_where_rfc_9421_is_refused_cavage_stays(world: Fediverse, fedify: Fedify) -> None:
    await fedify.begin(refuses="rfc9421")
    alice = await world.person("alice@a.test")
    fred = await fedify.person("fred")

    await alice.follows(fred)
    await world.settle()

    assert await fedify.requests("POST", "/people/fred/inbox") == [("cavage", 202)]
    assert await alice.is_following(fred)


@pytest.mark.parametrize(
    ("refused", "requests"),
    [
        ("rfc9421", [("rfc9421", 401), ("cavage", 202), ("cavage", 202)]),
        ("cavage", [("rfc9421", 202), ("rfc9421", 202)]),
    ],
)
async def test_fedify_repeats_a_refused_request_in_the_other_style(
    world: Fediverse, fedify: Fedify, refused: str, requests: list[tuple[str, int]]
) -> None:
    kept: list[tuple[str, int]] = []
    world.front = lambda app: Refusing(app, refused, kept)
    alice = await world.person("alice@a.test")
    fred = await fedify.person("fred")
    post = await alice.posts("Fog", photo="Fog")

    await fred.follows(alice)
    await fred.likes(post)

    assert kept == requests
    assert list((await fred.knows())["following"].values()) == ["accepted"]
    seen = await alice.node.db.read(posts.by_uri, post.uri)
    assert seen is not None
    assert seen.likes_count == 1


@pytest.mark.parametrize(("refused", "taken"), [("rfc9421", "cavage"), ("cavage", "rfc9421")])
async def test_fedify_remembers_one_refusal(
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
async def test_both_signature_styles_of_fedify_are_accepted_at_once(
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
async def test_two_servers_in_secure_mode_federate(world: Fediverse, fedify: Fedify) -> None:
    await fedify.begin(secure=True)
    alice = await world.person("alice@a.test")
    fred = await fedify.person("fred")

    await fred.follows(alice)
    await alice.follows(fred)
    await world.settle()
    local_post = await alice.posts("Local", photo="A gate")
    await world.settle()
    remote_uri = await fred.posts("<p>Remote</p>", ["A wall"])

    assert list((await fred.knows())["following"].values()) == ["accepted"]
    assert await alice.is_following(fred)
    assert await fedify.sees(local_post) is not None
    assert await alice.node.db.read(posts.by_uri, remote_uri) is not None
    fetched = await fred.fetches(local_post.uri)
    assert [one["name"] for one in fetched["attachments"]] == ["A gate"]
    requests = await fedify.requests("GET", "/people/fred")
    assert all(status == (401 if style == "none" else 200) for style, status in requests)
