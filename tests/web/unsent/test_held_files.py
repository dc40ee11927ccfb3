"""The files of a form that nobody was signed in for are held for a while, in bounds, and come with it when it is sent."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

import pytest

from node.models.account import Account
from node.node import Node
from node.publishing import saved_drafts
from tests.abuse.half_sent import until
from tests.support.pictures import picture
from tests.support.visitors import Visitor, multipart
from tests.web.pages.conftest import SignedIn
from tests.web.unsent.conftest import OWN, SignInAs, hidden
from tests.web.unsent.test_pages import captions, end_session, send_now
from web.request.session import SESSION_COOKIE
from web.unsent import held_files
from web.unsent.held_files import HeldFiles

Picture = Callable[..., bytes]
SHARED = {"title": "", "text": "A lake", "url": "https://lake.example/"}
FROM_PHONE = {"sec-fetch-site": "none"}
WAYS = pytest.mark.parametrize("cookie", ["", "a session that was ended"], ids=["no cookie", "an old cookie"])


async def share(visitor: Visitor, *photos: bytes, **headers: str) -> Any:
    files = [("photos", f"{n}.jpg", one) for n, one in enumerate(photos)]
    return await visitor.post("/compose/share", SHARED, files=files, csrf="", headers=FROM_PHONE | headers)


def held(node: Node) -> HeldFiles:
    return node.component(HeldFiles)


@WAYS
async def test_what_a_phone_shares_while_signed_out_is_in_the_draft(
    node: Node, bob: Account, app: Any, photo: Picture, sign_in_as: SignInAs, cookie: str
) -> None:
    visitor = Visitor(app)
    if cookie:
        visitor.cookies[SESSION_COOKIE] = cookie

    large = picture(1600, 1200) + bytes(3_000_000)  # what a phone takes; its end is no part of the picture
    page = await share(visitor, photo(90, 60), large)
    assert page.one("h1").text == "Sign in to go on"
    asked = await sign_in_as(visitor, bob)
    assert "0.jpg" in asked.main_text
    assert not asked.all("input", type="file")
    made = await send_now(visitor)

    assert made.path.startswith("/compose?draft=")
    [draft] = await node.db.read(saved_drafts.by_author, bob)
    assert draft.draft.caption == "A lake\nhttps://lake.example/"
    assert [one.width for one in draft.photos] == [90, 1600]
    assert list(draft.missing) == []
    assert held(node)._holdings == {}


async def test_a_wrong_password_keeps_the_photos(
    node: Node, bob: Account, app: Any, photo: Picture, sign_in_as: SignInAs
) -> None:
    visitor = Visitor(app)
    page = await share(visitor, photo(90, 60))

    await visitor.post("/sign-in", [*hidden(page), ("login", "bob"), ("password", "a guess")], files=[])
    await sign_in_as(visitor, bob)
    await send_now(visitor)

    [draft] = await node.db.read(saved_drafts.by_author, bob)
    assert len(draft.photos) == 1


async def test_photos_that_are_no_longer_held_are_named_as_missing(
    node: Node,
    bob: Account,
    app: Any,
    photo: Picture,
    sign_in_as: SignInAs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(held_files, "HELD_SECONDS", 0)
    visitor = Visitor(app)
    await share(visitor, photo(90, 60))

    asked = await sign_in_as(visitor, bob)

    assert "Please choose these files again:" in asked.main_text
    assert asked.one("input", type="file", name="photos")
    assert held(node)._holdings == {}
    await send_now(visitor)
    [draft] = await node.db.read(saved_drafts.by_author, bob)
    assert list(draft.missing) == ["0.jpg"]


@WAYS
async def test_a_post_with_photos_is_posted_whole_or_not_at_all(
    node: Node, bob: Account, signed_in: SignedIn, photo: Picture, sign_in_as: SignInAs, cookie: str
) -> None:
    for is_held in (True, False):
        visitor = await signed_in(bob)
        await visitor.get("/compose")
        await end_session(node, visitor, cookie or "no cookie")
        form = {"caption": "Morning", "do": "post", "visibility": "public"}
        await visitor.post("/compose", form, files=[("photos", "a.jpg", photo(90, 60))], headers=OWN)
        await sign_in_as(visitor, bob)
        if not is_held:  # it grew too old on the page that asks
            await held(node)._close()

        sent = await send_now(visitor)

        assert sent.status == 200 if is_held else sent.status == 422
        assert await captions(node, bob) == ["Morning"]
    assert "was not uploaded" in sent.main_text


async def test_who_signed_in_in_another_tab_sends_the_photos_too(
    node: Node, bob: Account, signed_in: SignedIn, photo: Picture
) -> None:
    visitor, again = await signed_in(bob), await signed_in(bob)
    await visitor.get("/compose")
    visitor.cookies[SESSION_COOKIE] = again.cookies[SESSION_COOKIE]
    form = {"caption": "Morning", "do": "post", "visibility": "public"}

    asked = await visitor.post("/compose", form, files=[("photos", "a.jpg", photo(90, 60))], headers=OWN)

    assert asked.one("h1").text == "Not sent yet"
    await send_now(visitor)
    assert await captions(node, bob) == ["Morning"]


async def test_files_are_held_in_bounds_by_address_and_in_all(
    node: Node, app: Any, photo: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = photo(900, 600)
    assert len(data) > 10_000
    size = len(data) + 2000
    for name, most in {
        "MAX_FORM_BYTES": size,
        "MAX_BYTES_PER_ADDRESS": 2 * size,
        "MAX_BYTES": 3 * size,
    }.items():
        monkeypatch.setattr(held_files, name, most)

    async def is_held(visitor: Visitor, *photos: bytes) -> bool:
        before = len(held(node)._holdings)
        page = await share(visitor, *photos)
        assert page.one("h1").text == "Sign in to go on"
        assert "0.jpg" in dict(hidden(page))["unsent"]
        return len(held(node)._holdings) > before

    assert not await is_held(Visitor(app), data + bytes(2000))
    assert [await is_held(Visitor(app), data) for _ in range(3)] == [True, True, False]
    server = held(node)
    assert server.reserve("another", size) is not None
    assert server.reserve("a third", size) is None
    files = [file.stream for one in server._holdings.values() for _name, file in one.files]
    assert len(files) == 2

    await server._close()

    assert all(file.closed for file in files)
    assert server.reserve("a third", size) is not None


async def test_a_session_that_ends_once_more_on_the_page_that_asks_loses_nothing(
    node: Node, bob: Account, signed_in: SignedIn, photo: Picture, sign_in_as: SignInAs
) -> None:
    visitor = await signed_in(bob)
    await visitor.get("/compose")
    form = {"caption": "Morning", "do": "post", "visibility": "public"}
    await end_session(node, visitor, "no cookie")
    await visitor.post("/compose", form, files=[("photos", "a.jpg", photo(90, 60))], headers=OWN)
    await sign_in_as(visitor, bob)
    await end_session(node, visitor, "a session that was ended")

    page = await send_now(visitor)

    assert page.one("h1").text == "Sign in to go on"
    asked = await sign_in_as(visitor, bob)
    assert "a.jpg" in asked.main_text
    assert not asked.all("input", type="file")
    await send_now(visitor)
    assert await captions(node, bob) == ["Morning"]


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}])
async def test_nothing_of_another_site_is_held(
    node: Node, app: Any, photo: Picture, headers: dict[str, str]
) -> None:
    page = await share(Visitor(app), photo(90, 60), **headers)

    assert page.one("h1").text == "Sign in"
    assert held(node)._holdings == {}


async def test_a_form_without_files_holds_nothing(node: Node, app: Any) -> None:
    page = await share(Visitor(app))

    assert "A lake" in dict(hidden(page))["unsent"]
    assert held(node)._holdings == {}


async def test_no_file_of_a_visitor_has_a_name_on_the_disk(node: Node, app: Any, photo: Picture) -> None:
    folder = node.config.media.url.removeprefix("file:")
    before = sorted(os.walk(folder))

    await share(Visitor(app), photo(90, 60))

    assert len(held(node)._holdings) == 1
    assert sorted(os.walk(folder)) == before


async def test_a_form_that_ends_half_way_holds_nothing(node: Node, app: Any, photo: Picture) -> None:
    body, kind = multipart(list(SHARED.items()), [("photos", "a.jpg", photo(900, 600))])
    headers = {"host": "tintype.test", "content-type": kind, "content-length": str(len(body)), **FROM_PHONE}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "scheme": "https",
        "method": "POST",
        "path": "/compose/share",
        "raw_path": b"/compose/share",
        "root_path": "",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("203.0.113.7", 40000),
        "server": ("127.0.0.1", 8080),
        "extensions": {},
    }
    arrived = asyncio.Event()
    messages = [{"type": "http.request", "body": body[:5000], "more_body": True}]

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        await arrived.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        pass

    sending = asyncio.create_task(app(scope, receive, send))
    async with asyncio.timeout(10):
        await until(lambda: bool(held(node)._holdings))  # counted before its files have arrived
        arrived.set()
        await sending

    assert held(node)._holdings == {}
