"""The cookie that says who is signed in, and the token that proves a form is ours.

The cookie holds a random token; what it stands for is in the table `sessions`. The form token is a keyed
hash of it, so it needs no storage and ends with the session. Someone who is not signed in has a cookie of
their own for the same purpose, since signing in is a form too. Every request that may change something
is checked here, before any handler runs.
"""

from __future__ import annotations

import hmac
import secrets

from quart import Response, g, request

from node.errors import NotAllowed
from node.node import Node
from web.i18n.translations import _

COOKIE = "tintype_session"
VISIT = "tintype_visit"
THEME = "tintype_theme"
LANGUAGE = "tintype_language"
YEAR = 365 * 24 * 3600
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def token() -> str:
    """The session's token as the browser sent it; '' when there is none."""
    return request.cookies.get(COOKIE, "")


def csrf(node: Node) -> str:
    """The token for the forms of the page being made."""
    bound = token()
    if not bound:
        bound = request.cookies.get(VISIT, "") or getattr(g, "visit", "")
        if not bound:
            bound = g.visit = secrets.token_urlsafe(18)
    return _seal(node, bound)


def _seal(node: Node, bound: str) -> str:
    return hmac.digest(node.site.subkey("forms"), bound.encode(), "sha256").hex()[:40]


async def check(node: Node) -> None:
    """Raise NotAllowed unless the request comes from a page that we made for this browser."""
    if request.method in SAFE:
        return
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        raise NotAllowed(_("The form was sent from another site."), detail="cross-site request")
    given = request.headers.get("X-CSRF") or (await request.form).get("csrf", "")
    bound = token() or request.cookies.get(VISIT, "")
    if not bound or not hmac.compare_digest(_seal(node, bound).encode(), given.encode()):
        raise NotAllowed(
            _("This page has expired. Go back, reload it and try again."), detail="wrong form token"
        )


def _set(node: Node, response: Response, name: str, value: str, seconds: int | None) -> None:
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path="/",
        secure=node.site.scheme == "https",
        httponly=True,
        samesite="Lax",
    )


def begin(node: Node, response: Response, value: str) -> None:
    """Let the browser keep a new session."""
    _set(node, response, COOKIE, value, YEAR)
    response.delete_cookie(VISIT, path="/")


def forget(node: Node, response: Response) -> None:
    """Let the browser forget its session."""
    response.delete_cookie(
        COOKIE, path="/", secure=node.site.scheme == "https", httponly=True, samesite="Lax"
    )


def remember_theme(node: Node, response: Response, theme: str) -> None:
    _set(node, response, THEME, theme, YEAR)


def remember_language(node: Node, response: Response, language: str) -> None:
    """Kept in the browser too, since pages speak before the tables are asked who is looking."""
    _set(node, response, LANGUAGE, language, YEAR)


def keep_visit(node: Node, response: Response) -> None:
    """Send the cookie that a form made for someone who is not signed in relies on."""
    visit = getattr(g, "visit", "")
    if visit:
        _set(node, response, VISIT, visit, None)
