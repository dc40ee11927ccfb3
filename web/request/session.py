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

SESSION_COOKIE = "tintype_session"
VISITOR_COOKIE = "tintype_visit"
THEME_COOKIE = "tintype_theme"
LANGUAGE_COOKIE = "tintype_language"
YEAR_SECONDS = 365 * 24 * 3600
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def session_token() -> str:
    """The session's token as the browser sent it; '' when there is none."""
    return request.cookies.get(SESSION_COOKIE, "")


def csrf_token(node: Node) -> str:
    """The token for the forms of the page being made."""
    bound = session_token()
    if not bound:
        bound = request.cookies.get(VISITOR_COOKIE, "") or getattr(g, "visit", "")
        if not bound:
            bound = g.visit = secrets.token_urlsafe(18)
    return _csrf_digest(node, bound)


def _csrf_digest(node: Node, bound: str) -> str:
    return hmac.digest(node.site.subkey("forms"), bound.encode(), "sha256").hex()[:40]


async def check_csrf(node: Node) -> None:
    """Raise NotAllowed unless the request comes from a page that we made for this browser."""
    if request.method in SAFE_METHODS:
        return
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        raise NotAllowed(_("The form was sent from another site."), detail="cross-site request")
    given = request.headers.get("X-CSRF") or (await request.form).get("csrf", "")
    bound = session_token() or request.cookies.get(VISITOR_COOKIE, "")
    if not bound or not hmac.compare_digest(_csrf_digest(node, bound).encode(), given.encode()):
        raise NotAllowed(
            _("This page has expired. Go back, reload it and try again."), detail="wrong form token"
        )


def _set_cookie(node: Node, response: Response, name: str, value: str, seconds: int | None) -> None:
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path="/",
        secure=node.site.scheme == "https",
        httponly=True,
        samesite="Lax",
    )


def set_session_cookie(node: Node, response: Response, value: str) -> None:
    """Let the browser keep a new session."""
    _set_cookie(node, response, SESSION_COOKIE, value, YEAR_SECONDS)
    response.delete_cookie(VISITOR_COOKIE, path="/")


def delete_session_cookie(node: Node, response: Response) -> None:
    """Let the browser forget its session."""
    response.delete_cookie(
        SESSION_COOKIE, path="/", secure=node.site.scheme == "https", httponly=True, samesite="Lax"
    )


def set_theme_cookie(node: Node, response: Response, theme: str) -> None:
    _set_cookie(node, response, THEME_COOKIE, theme, YEAR_SECONDS)


def set_language_cookie(node: Node, response: Response, language: str) -> None:
    """Kept in the browser too, since pages speak before the tables are asked who is looking."""
    _set_cookie(node, response, LANGUAGE_COOKIE, language, YEAR_SECONDS)


def set_visitor_cookie(node: Node, response: Response) -> None:
    """Send the cookie that a form made for someone who is not signed in relies on."""
    visit = getattr(g, "visit", "")
    if visit:
        _set_cookie(node, response, VISITOR_COOKIE, visit, None)
