"""What signing in is told of a browser, and what the browser gets once somebody is signed in."""

from __future__ import annotations

from typing import TypedDict
from urllib.parse import quote

from quart import Response, request

from node.auth import sessions, signing_in
from web.request import context, session
from web.request.redirects import see_other


class BrowserArguments(TypedDict):
    """Arguments of the functions that sign in."""

    address: str
    user_agent: str
    known_browser: str


def user_agent() -> str:
    return request.headers.get("User-Agent", "")


def browser() -> BrowserArguments:
    """Returns what is known of the browser of this request."""
    return BrowserArguments(
        address=context.client_address(),
        user_agent=user_agent(),
        known_browser=request.cookies.get(session.KNOWN_BROWSER_COOKIE, ""),
    )


async def start_session(path: str, token: str, *, can_have_passkey: bool = False) -> Response:
    """Returns the redirect to a path that signs this browser in.

    Where the browser could keep a passkey, it leads by way of an offer to add one: once in a while.
    """
    if can_have_passkey and not request.cookies.get(session.OFFERED_COOKIE):
        path = f"/settings/passkeys/offer?next={quote(path, safe='/')}"
    response = see_other(path)
    await set_cookies(response, token)
    return response


async def set_cookies(response: Response, token: str) -> None:
    """Sets the cookie of a session, and the one by which its browser is known from now on."""
    node = context.current_node()
    session.set_session_cookie(node, response, token)
    found = await node.db.read(sessions.by_token, token)
    if found is not None:
        mark = signing_in.known_browser_mark(node.site, found[0])
        session.set_known_browser_cookie(node, response, mark)
