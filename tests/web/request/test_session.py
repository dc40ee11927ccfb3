"""Form tokens are bound to one session or visitor, and cookies are out of reach of scripts and other sites."""

from __future__ import annotations

import hmac
from http.cookies import SimpleCookie
from typing import Any

import pytest
from quart import Response

from node.errors import NotAllowed
from node.models.account import Account
from node.node import Node
from tests.web.request.conftest import MakeRequest, SignIn
from web.request import session
from web.request.session import SESSION_COOKIE, VISITOR_COOKIE

FORGED = "0" * 80


def cookies(response: Response) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for line in response.headers.getlist("Set-Cookie"):
        found |= SimpleCookie(line)
    return found


async def form_token(node: Node, make_request: MakeRequest, **request: Any) -> str:
    async with make_request(**request):
        return session.csrf_token(node)


async def is_accepted(node: Node, make_request: MakeRequest, method: str = "POST", **request: Any) -> bool:
    async with make_request(method, **request):
        try:
            await session.check_csrf(node)
        except NotAllowed:
            return False
    return True


async def test_a_form_token_is_accepted_in_the_form_or_the_header(
    node: Node, make_request: MakeRequest, sign_in: SignIn, alice: Account
) -> None:
    token = await sign_in(alice)
    csrf = await form_token(node, make_request, session=token)

    assert await is_accepted(node, make_request, session=token, form={"csrf": csrf})
    assert await is_accepted(node, make_request, session=token, headers={"X-CSRF": csrf})


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("csrf", ["", FORGED, "0" * 40, "é" * 80, "0" * 79, "0" * 82])
async def test_a_change_without_the_right_token_is_refused(
    node: Node, make_request: MakeRequest, sign_in: SignIn, alice: Account, method: str, csrf: str
) -> None:
    token = await sign_in(alice)

    assert not await is_accepted(node, make_request, method, session=token, form={"csrf": csrf})


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_safe_methods_need_no_token(node: Node, make_request: MakeRequest, method: str) -> None:
    assert await is_accepted(node, make_request, method)


async def test_a_form_token_is_of_one_session_only(
    node: Node, make_request: MakeRequest, sign_in: SignIn, alice: Account
) -> None:
    first, second = await sign_in(alice), await sign_in(alice)
    csrf = await form_token(node, make_request, session=first)

    again = await form_token(node, make_request, session=first)
    assert csrf != again
    assert await is_accepted(node, make_request, session=first, form={"csrf": csrf})
    assert await is_accepted(node, make_request, session=first, form={"csrf": again})
    assert not await is_accepted(node, make_request, session=second, form={"csrf": csrf})


async def test_a_visitor_has_a_token_that_ends_when_they_sign_in(
    node: Node, make_request: MakeRequest, sign_in: SignIn, alice: Account
) -> None:
    async with make_request():
        csrf = session.csrf_token(node)
        again = session.csrf_token(node)
        response = Response()
        session.set_visitor_cookie(node, response)
    visitor = {VISITOR_COOKIE: cookies(response)[VISITOR_COOKIE].value}

    assert await is_accepted(node, make_request, cookies=visitor, form={"csrf": csrf})
    assert await is_accepted(node, make_request, cookies=visitor, form={"csrf": again})
    token = await sign_in(alice)
    assert not await is_accepted(node, make_request, cookies=visitor, session=token, form={"csrf": csrf})


async def test_no_token_is_right_without_a_cookie(node: Node, make_request: MakeRequest) -> None:
    of_nothing = session._mask(session._csrf_digest(node, ""))

    assert not await is_accepted(node, make_request, form={"csrf": of_nothing})


@pytest.mark.parametrize(
    ("site", "accepted"), [("cross-site", False), ("same-origin", True), ("same-site", True), ("none", True)]
)
async def test_a_form_from_another_site_is_refused_even_with_its_token(
    node: Node, make_request: MakeRequest, sign_in: SignIn, alice: Account, site: str, accepted: bool
) -> None:
    token = await sign_in(alice)
    csrf = await form_token(node, make_request, session=token)
    headers = {"Sec-Fetch-Site": site}

    assert (
        await is_accepted(node, make_request, session=token, headers=headers, form={"csrf": csrf}) is accepted
    )


async def test_form_tokens_are_compared_in_constant_time(
    node: Node, make_request: MakeRequest, sign_in: SignIn, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[bytes, bytes]] = []
    compare = hmac.compare_digest

    def recording(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return compare(one, other)

    token = await sign_in(alice)
    csrf = await form_token(node, make_request, session=token)
    monkeypatch.setattr(hmac, "compare_digest", recording)

    assert not await is_accepted(node, make_request, session=token, form={"csrf": FORGED})

    assert (session._unmask(csrf), session._unmask(FORGED)) in compared


async def test_a_session_cookie_is_for_this_site_alone_and_replaces_the_visitor(node: Node) -> None:
    response = Response()
    session.set_session_cookie(node, response, "a token")

    sent = cookies(response)

    assert sent[SESSION_COOKIE].value == "a token"
    assert sent[SESSION_COOKIE]["httponly"]
    assert sent[SESSION_COOKIE]["secure"]
    assert sent[SESSION_COOKIE]["samesite"] == "Lax"
    assert sent[SESSION_COOKIE]["path"] == "/"
    assert not sent[SESSION_COOKIE]["domain"]
    assert int(sent[SESSION_COOKIE]["max-age"]) == session.YEAR_SECONDS
    assert sent[VISITOR_COOKIE]["max-age"] == "0"


async def test_signing_out_deletes_the_session_cookie(node: Node) -> None:
    response = Response()
    session.delete_session_cookie(node, response)

    sent = cookies(response)[SESSION_COOKIE]

    assert (sent.value, sent["max-age"], sent["path"]) == ("", "0", "/")


async def test_no_visitor_cookie_is_sent_where_no_form_needs_it(
    node: Node, make_request: MakeRequest, sign_in: SignIn, alice: Account
) -> None:
    token = await sign_in(alice)
    for request in ({}, {"session": token}, {"cookies": {VISITOR_COOKIE: "x"}}):
        async with make_request(**request):
            if request:
                session.csrf_token(node)
            response = Response()
            session.set_visitor_cookie(node, response)
        assert not response.headers.getlist("Set-Cookie")
