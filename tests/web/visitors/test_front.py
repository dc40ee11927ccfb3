"""How each request is passed on: members at once, visitors and other servers in turn, public pages kept for a moment."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from activitypub.asgi import header
from node.auth import access_tokens, sessions
from node.database import Reader, Writer
from node.database.reader_class import ReaderClass, reader_class, reading_as
from node.models.account import Account
from node.node import Node
from node.posts import posts
from node.posts.drafts import Draft
from node.publishing import post_deletion, publishing
from tests.support.asgi import Client, Reply
from tests.support.posting import publish
from tests.support.visitors import Visitor, sign_in
from web.app import App, create_app
from web.i18n import translations
from web.request.session import LANGUAGE_COOKIE, SESSION_COOKIE, THEME_COOKIE, VISITOR_COOKIE
from web.visitors import clients, front

AP = {"accept": "application/activity+json"}


@pytest.fixture
def app(node: Node) -> App:
    return create_app(node)


class Reads:
    """Counts the reads of a database by class, in the place of `node.db`."""

    def __init__(self, db: Any) -> None:
        self._db = db
        self.classes: list[ReaderClass] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    async def read(self, unit: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        self.classes.append(reader_class.get())
        return await self._db.read(unit, *args, **kwargs)


@pytest.fixture
def reads(node: Node) -> Reads:
    node.db = reads = Reads(node.db)  # type: ignore[assignment]
    return reads


async def text(app: App, path: str, **headers: str) -> str:
    reply = await Client(app).get(path, headers={"accept": "text/html", **headers})
    assert reply.status == 200, (path, reply.status)
    return reply.body.decode()


PAGES = ["/", "/@alice", "/@alice/all", "/tags/lake", "/explore", "/about", "/p/alice/{id}"]
LISTS = [
    "/api/v1/timelines/public",
    "/api/v1/timelines/tag/lake",
    "/api/v1/accounts/{account}/statuses",
    "/api/v1/statuses/{id}",
    "/api/v1/instance",
]


@pytest.mark.parametrize("path", [*PAGES, *LISTS])
async def test_many_visitors_cost_one_read_until_something_changes(
    node: Node, alice: Account, path: str, reads: Reads, app: App
) -> None:
    post = await node.db.write(publish, alice, "Fog over the #lake")
    path = path.format(id=post.id, account=alice.id)
    await Client(app).get(path)
    first = len(reads.classes)

    replies = await asyncio.gather(*(Client(app).get(path) for _ in range(20)))

    assert {reply.status for reply in replies} == {200}
    assert len(reads.classes) == first
    await node.db.write(publish, alice, "Another of the #lake")
    await Client(app).get(path)
    assert (len(reads.classes) > first) or path in ("/about", "/api/v1/instance")


@pytest.mark.parametrize("path", ["/@alice/all", "/p/alice/{id}", *LISTS[1:4]])
@pytest.mark.parametrize("change", ["deleted", "followers", "edited"])
async def test_what_is_deleted_private_or_edited_is_not_shown_any_more(
    node: Node, alice: Account, path: str, change: str, app: App
) -> None:
    post = await node.db.write(publishing.publish, alice, Draft(caption="A secret of the #lake"))
    path = path.format(id=post.id, account=alice.id)
    assert "A secret" in await text(app, path)

    def unit(tx: Writer) -> None:
        if change == "deleted":
            post_deletion.delete(tx, alice, post)
        elif change == "followers":
            tx.run("UPDATE posts SET visibility = 'followers' WHERE id = :id", id=post.id)
        else:
            publishing.edit(tx, alice, posts.visible_by_id(tx, alice, post.id), Draft(caption="Of the #lake"))

    await node.db.write(unit)

    reply = await Client(app).get(path, headers={"accept": "text/html"})
    assert "A secret" not in reply.body.decode()


async def test_members_never_get_what_is_kept_and_nothing_of_theirs_is_kept(
    node: Node, alice: Account, bob: Account, app: App
) -> None:
    await node.db.write(publishing.publish, alice, Draft(caption="Just for me", visibility="followers"))
    assert "Just for me" not in await text(app, "/@alice/all")

    own = await sign_in(node, alice, app=app)
    assert "Just for me" in (await own.get("/@alice/all")).text
    other = await sign_in(node, bob, app=app)
    assert "/@bob" in (await other.get("/@alice/all")).text

    page = await text(app, "/@alice/all")
    assert "Just for me" not in page
    assert "/@bob" not in page


def _comment_at_length(tx: Writer, account: Account, post_id: int) -> None:
    for n in range(250):
        publishing.publish(tx, account, Draft(caption=f"{n} " + "so " * 1600, parent_id=post_id))


async def test_the_largest_page_is_kept_and_sent_whole_to_each(
    node: Node, alice: Account, reads: Reads, app: App
) -> None:
    """It takes most time of all to make: a post with all the comments that are shown."""
    post = await node.db.write(publish, alice, "Fog over the #lake")
    await node.db.write(_comment_at_length, alice, post.id)
    path, html = f"/p/alice/{post.id}", {"accept": "text/html"}
    first = await Client(app, html).get(path)
    assert len(first.body) > 1024 * 1024
    reads.classes.clear()

    plain = await Client(app, html).get(path)
    packed = await Client(app, {**html, "accept-encoding": "gzip"}).get(path)

    assert not reads.classes
    assert int(plain.headers["content-length"]) == len(plain.body) == len(first.body)
    unpacked = gzip.decompress(packed.body)
    for body in (plain.body, unpacked):
        assert body.partition(b"<form id=")[0] == first.body.partition(b"<form id=")[0]
        assert body.endswith(first.body[-1000:])
    tokens = {one.split(b'name="csrf" value="')[1][:80] for one in (first.body, plain.body, unpacked)}
    assert len(tokens) == 3


async def test_those_who_want_a_page_that_is_being_made_wait_for_no_turn(
    node: Node, alice: Account, reads: Reads, app: App
) -> None:
    app._front._visitor_turns._max_turn = 600.0
    async with _visitor_at_work(node):
        waiting = [asyncio.create_task(text(app, "/@alice")) for _ in range(2)]
        await asyncio.sleep(0.05)
        other = asyncio.create_task(text(app, "/about"))
        await asyncio.sleep(0)
        waiting += [asyncio.create_task(text(app, "/@alice")) for _ in range(400)]
        await asyncio.sleep(0.05)
    pages = await asyncio.gather(*waiting, other)

    assert {page.count("</html>") for page in pages} == {1}
    once = list(reads.classes)
    await node.db.write(publish, alice, "Fog")
    reads.classes.clear()
    await text(app, "/@alice")
    await text(app, "/about")
    assert len(once) == len(reads.classes) + 1, "one for each page, and the one that did not end"


async def test_a_kept_page_waits_for_no_other_page(node: Node, alice: Account, app: App) -> None:
    kept = await text(app, "/@alice")
    turns = app._front._visitor_turns
    turns._max_turn = 600.0

    async with turns.turn("other"):
        assert len(await asyncio.wait_for(text(app, "/@alice"), 10)) == len(kept)


ODD_COOKIES = [
    ["a[b]=1; {session}"],
    ['x={{"a":1}}; {session}'],
    ['x="a; {session}'],
    ["a b=1; {session}"],
    ["tintype_session=; {session}"],
    ["{session}; tintype_session="],
    ["; ;=;{session}"],
    ["x=\xe4; {session}"],
    ["x=\u20ac; {session}"],
    ["theme=1", "{session}"],
    ["{session}", "tintype_theme=dark"],
    ["tintype_session=", "{session}"],
]


def _scope(path: str) -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": "2",
        "scheme": "https",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "client": ("203.0.113.7", 40000),
        "server": ("127.0.0.1", 8080),
    }


def _once() -> Callable[[], Any]:
    """What an app receives that is asked without a body."""
    messages = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if not messages:
            await asyncio.Event().wait()
        return messages.pop()

    return receive


async def _ignore(message: Any) -> None:
    return None


async def _page_with(app: App, path: str, headers: list[tuple[bytes, bytes]]) -> str:
    parts: list[bytes] = []

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            assert message["status"] == 200, message
        parts.append(message.get("body", b""))

    scope = _scope(path)
    scope["headers"] = [(b"host", b"tintype.test"), (b"accept", b"text/html"), *headers]
    await app(scope, _once(), send)
    return b"".join(parts).decode()


@pytest.mark.parametrize("sent", ODD_COOKIES, ids=repr)
async def test_what_a_member_with_odd_cookies_gets_is_shown_to_nobody_else(
    node: Node, alice: Account, sent: list[str], app: App
) -> None:
    """Browsers send the cookies of everything on the domain, and over HTTP/2 each in a header of its own."""
    await node.db.write(publishing.publish, alice, Draft(caption="Just for me", visibility="followers"))
    own = await sign_in(node, alice, app=app)
    session = f"{SESSION_COOKIE}={own.cookies[SESSION_COOKIE]}"
    cookies = [
        (b"cookie", one.format(session=session).encode("utf-8" if "\u20ac" in one else "latin-1"))
        for one in sent
    ]

    mine = await _page_with(app, "/@alice/all", cookies)
    shown = await _page_with(app, "/@alice/all", [])

    assert "Just for me" not in shown
    assert "Just for me" in mine or "tintype_session=;" in sent[0] or sent[0] == "tintype_session="


@pytest.mark.parametrize("others", [(b"Basic YWxpY2U6c2VjcmV0",), (b"",), (b"Bearer",)], ids=repr)
async def test_a_list_of_an_app_that_sends_two_tokens_is_shown_to_nobody_else(
    node: Node, alice: Account, others: tuple[bytes, ...], app: App
) -> None:
    await node.db.write(publishing.publish, alice, Draft(caption="Just for me", visibility="followers"))
    await sign_in(node, alice, app=app)
    bearer = await node.db.write(access_tokens.create, alice, ["read"], "An app")
    path = f"/api/v1/accounts/{alice.id}/statuses"
    tokens = [(b"authorization", one) for one in (*others, f"Bearer {bearer}".encode())]

    assert "Just for me" in await _page_with(app, path, tokens)

    assert "Just for me" not in await _page_with(app, path, [])


async def test_what_is_kept_is_made_of_nothing_that_only_one_visitor_sent(
    node: Node, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    async def page(scope: Any, receive: Any, send: Any) -> None:
        asked.append(scope)
        await app.quart(scope, receive, send)

    monkeypatch.setattr(translations, "available_languages", lambda: ("en", "fr"))
    await front.Front(node).serve(
        front.Part.PAGE,
        page,
        {
            **_scope("/about"),
            "headers": [
                (b"host", b"another.test"),
                (b"accept", b"text/html;q=0.9, application/json"),
                (b"accept-language", b"xx," * 90 + b"fr"),
                (b"cookie", b"tintype_theme=dark"),
                (b"cookie", b"tintype_visit=mine; tintype_known=mine"),
                (b"x-forwarded-for", b"198.51.100.1"),
                (b"referer", b"https://tintype.test/mine"),
                (b"authorization", b"Bearer mine"),
            ],
        },
        _once(),
        _ignore,
    )

    (scope,) = asked
    assert dict(scope["headers"]) == {
        b"host": b"tintype.test",
        b"accept": b"application/json",
        b"cookie": b"tintype_language=fr; tintype_theme=dark",
    }
    assert "mine" not in repr(scope)
    assert "203.0.113.7" not in repr(scope)


async def test_each_visitor_gets_a_form_token_of_their_own_that_works(
    node: Node, alice: Account, app: App
) -> None:
    first, second = Visitor(app), Visitor(app)
    for visitor in (first, second):
        await visitor.get("/@alice")
    assert first.page is not None
    assert second.page is not None
    assert first.cookies[VISITOR_COOKIE] != second.cookies[VISITOR_COOKIE]
    assert first.page.csrf != second.page.csrf

    assert (await first.post("/theme", {"theme": "dark"}, csrf=second.page.csrf)).status == 403
    assert (
        await first.post("/theme", {"theme": "dark"}, csrf=(await first.get("/@alice")).csrf)
    ).status == 200
    kept = dict(first.cookies)
    await first.get("/@alice")
    assert first.cookies == kept, "a browser that has a token keeps it"


async def test_what_is_kept_depends_on_the_theme_and_the_query(node: Node, alice: Account, app: App) -> None:
    def without_token(page: str) -> str:
        return page.partition("<form id=")[0]

    plain = await text(app, "/@alice")
    dark = await text(app, "/@alice", cookie=f"{THEME_COOKIE}=dark")
    odd = await text(app, "/@alice", cookie=f'{THEME_COOKIE}=od"d; {LANGUAGE_COOKIE}=xx')

    assert 'data-theme="dark"' in dark
    assert "data-theme" not in plain
    assert without_token(odd) == without_token(plain)
    assert await text(app, "/@alice?max_id=1") != plain


@asynccontextmanager
async def _visitor_at_work(node: Node, path: str = "/") -> AsyncIterator[None]:
    """A visitor's read that does not end."""
    go = threading.Event()

    def blocked(tx: Reader) -> None:
        assert go.wait(30)

    with reading_as(ReaderClass.VISITOR):
        blocking = asyncio.create_task(node.db.read(blocked))
    await asyncio.sleep(0.05)
    try:
        yield
    finally:
        go.set()
        await blocking


async def test_a_member_and_an_app_are_answered_while_all_visitors_wait(
    node: Node, alice: Account, app: App
) -> None:
    member = await sign_in(node, alice, app=app)
    bearer = await node.db.write(access_tokens.create, alice, ["read"], "An app")
    phone = Client(app, {"authorization": f"Bearer {bearer}"})
    assert (await phone.get("/api/v1/timelines/home")).status == 200

    async with _visitor_at_work(node):
        visitors = [asyncio.create_task(Client(app).get(f"/tags/t{n}")) for n in range(16)]
        await asyncio.sleep(0.05)
        assert (await asyncio.wait_for(member.get("/"), 10)).status == 200
        assert (await asyncio.wait_for(phone.get("/api/v1/timelines/home"), 10)).status == 200
        assert (await asyncio.wait_for(Client(app).get("/users/alice", headers=AP), 10)).status == 200
        assert not any(one.done() for one in visitors)
    assert {reply.status for reply in await asyncio.gather(*visitors)} == {200}


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes the network of a client from a header."""
    monkeypatch.setattr(clients, "network", lambda node, scope: header(scope, b"x-from") or "")


@pytest.mark.usefixtures("networks")
async def test_a_member_whose_token_is_not_known_yet_does_not_wait_for_visitors(
    node: Node, alice: Account, app: App
) -> None:
    """As after a start, and when a minute has passed."""
    member = await sign_in(node, alice, app=app)
    bearer = await node.db.write(access_tokens.create, alice, ["read"], "An app")
    phone = Client(app, {"authorization": f"Bearer {bearer}"})

    async with _visitor_at_work(node):
        visitors = [
            asyncio.create_task(Client(app, {"x-from": f"{n}"}).get(f"/tags/t{n}")) for n in range(250)
        ]
        await asyncio.sleep(0.05)
        assert (await asyncio.wait_for(member.get("/"), 5)).status == 200
        assert (await asyncio.wait_for(phone.get("/api/v1/timelines/home"), 5)).status == 200
        assert not any(one.done() for one in visitors)
    await asyncio.gather(*visitors)


async def _classes(reads: Reads, request: Any) -> set[ReaderClass]:
    reads.classes.clear()
    await request
    return set(reads.classes)


async def test_each_request_reads_in_the_class_of_who_sent_it(
    node: Node, alice: Account, reads: Reads, app: App
) -> None:
    member = await sign_in(node, alice, app=app)
    bearer = await node.db.write(access_tokens.create, alice, ["read"], "An app")
    phone = Client(app, {"authorization": f"Bearer {bearer}"})
    await phone.get("/api/v1/timelines/home")
    made_up = {"cookie": f"{SESSION_COOKIE}=made-up"}

    assert await _classes(reads, member.get("/")) == {ReaderClass.MEMBER}
    assert await _classes(reads, phone.get("/api/v1/timelines/home")) == {ReaderClass.MEMBER}
    assert await _classes(reads, Client(app).get("/@alice")) == {ReaderClass.VISITOR}
    assert await _classes(reads, Client(app, made_up).get("/@alice")) == {ReaderClass.VISITOR}
    bad = {"authorization": "Bearer made-up"}
    assert await _classes(reads, Client(app, bad).get("/api/v1/timelines/home")) == {ReaderClass.VISITOR}
    assert await _classes(reads, Client(app).get("/users/alice", headers=AP)) == {ReaderClass.SERVER}
    assert reader_class.get() == ReaderClass.WORK


async def test_a_session_that_has_ended_gets_what_visitors_get(node: Node, alice: Account, app: App) -> None:
    member = await sign_in(node, alice, app=app)
    await node.db.write(sessions.end, member.cookies[SESSION_COOKIE])

    page = await member.get("/@alice")

    assert page.status == 200
    assert page.all("a", href="/sign-in") or "sign-in" in page.text
    assert (await member.post("/theme", {"theme": "dark"})).status == 200, "its form token works"


async def _full(
    app: App, monkeypatch: pytest.MonkeyPatch, path: str, number: int, **headers: str
) -> list[Reply]:
    monkeypatch.setattr(front, "BUSY_DELAY_SECONDS", 0.0)
    client = Client(app, headers)
    return await asyncio.gather(*(client.get(path.format(n=n)) for n in range(number)))


@pytest.mark.parametrize(
    ("path", "kind", "headers"),
    [
        ("/tags/t{n}", "text/html; charset=utf-8", {}),
        ("/api/v1/timelines/tag/t{n}", "application/json; charset=utf-8", {}),
        ("/users/u{n}", "text/html; charset=utf-8", AP),
    ],
)
async def test_more_than_can_wait_are_told_to_come_back(
    node: Node, path: str, kind: str, headers: dict[str, str], app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    replies = await _full(app, monkeypatch, path, 300, **headers)

    busy = [reply for reply in replies if reply.status == 503]
    assert 20 < len(busy) < 60
    for reply in busy:
        assert reply.headers["content-type"] == kind
        assert int(reply.headers["retry-after"]) > 0
        assert b"This server is busy" in reply.body
        if kind.startswith("text/html"):
            assert b'<a href="">Try again</a>' in reply.body
            assert b"color-scheme:light dark" in reply.body
    assert {reply.status for reply in replies} <= {200, 404, 503}


ENDLESS = """WITH RECURSIVE counter (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counter)
             SELECT COUNT(*) FROM counter WHERE n < 0"""


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/tags/lake", {}),
        ("/search?q=lake", {}),
        ("/api/v1/timelines/tag/lake", {}),
        ("/users/alice/outbox?page=true", AP),
        ("/users/alice", AP),
    ],
)
async def test_a_query_that_takes_too_long_is_answered_503_with_a_text(
    node: Node, alice: Account, path: str, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ReaderClass, "limit", property(lambda kind: 0.1 if kind.value else 0.0))
    monkeypatch.setattr(front, "BUSY_DELAY_SECONDS", 0.0)
    read = node.db.read

    async def slow(unit: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        def endless(tx: Reader) -> Any:
            tx.value(ENDLESS)
            return unit(tx, *args, **kwargs)

        return await read(endless)

    monkeypatch.setattr(node.db, "read", slow)
    reply = await Client(create_app(node)).get(path, headers=headers)

    assert reply.status == 503
    assert b"took too long" in reply.body
    assert int(reply.headers["retry-after"]) > 0


async def test_a_visitor_can_sign_in_with_a_form(node: Node, app: App) -> None:
    visitor = Visitor(app)
    await visitor.get("/sign-in")

    refused = await visitor.post("/sign-in", {"login": "nobody", "password": "wrong"})

    assert refused.status in (401, 403, 422)
    assert refused.one("input", name="password")


async def test_a_body_without_end_takes_no_turn(node: Node, app: App) -> None:
    never = asyncio.Event()

    async def receive() -> dict[str, Any]:
        await never.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        raise AssertionError(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "scheme": "https",
        "method": "POST",
        "path": "/sign-in",
        "raw_path": b"/sign-in",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"tintype.test"), (b"content-length", b"1000")],
        "client": ("203.0.113.7", 40000),
        "server": ("127.0.0.1", 8080),
    }
    stuck = [asyncio.create_task(app(scope, receive, send)) for _ in range(5)]
    await asyncio.sleep(0)

    assert (await asyncio.wait_for(Client(app).get("/about"), 10)).status == 200
    never.set()
    await asyncio.gather(*stuck)


@pytest.mark.parametrize("path", ["/tags/lake", "/about", "/api/v1/timelines/tag/lake"])
async def test_the_body_of_a_get_is_not_read(path: str, node: Node, app: App) -> None:
    received = 0
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        nonlocal received
        received += 1
        return {"type": "http.request", "body": b"a", "more_body": received < 200}

    async def send(message: Any) -> None:
        statuses.append(message.get("status", 0))

    scope = {**_scope(path), "headers": [(b"host", b"tintype.test"), (b"transfer-encoding", b"chunked")]}
    await app(scope, receive, send)

    assert statuses[0] == 200
    assert received == 0
