"""The session cookie of a signed-in user, and the form token (CSRF) that proves a form is ours.

The cookie holds a random token; the table `sessions` says whose it is. The form token is a keyed hash of it, so it
needs no storage and ends with the session. A visitor has a cookie of their own for the same purpose, since signing in
is a form too. Every request that may change something is checked here, before any handler runs.
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
    """Returns the session token as the browser sent it; '' when there is none."""
    return request.cookies.get(SESSION_COOKIE, "")


def csrf_token(node: Node) -> str:
    """Returns the form token for the page being rendered. Makes a visitor token where no cookie was sent."""
    token = session_token()
    if not token:
        token = request.cookies.get(VISITOR_COOKIE, "") or getattr(g, "visitor_token", "")
        if not token:
            token = g.visitor_token = secrets.token_urlsafe(18)
    return _csrf_digest(node, token)


def _csrf_digest(node: Node, token: str) -> str:
    return hmac.digest(node.site.subkey("forms"), token.encode(), "sha256").hex()[:40]


async def check_csrf(node: Node) -> None:
    """Raises NotAllowed unless the request comes from a page that this node rendered for this browser.

    The form token is compared in constant time. Safe methods are not checked.
    """
    if request.method in SAFE_METHODS:
        return
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        raise NotAllowed(_("The form was sent from another site."), detail="cross-site request")
    given = request.headers.get("X-CSRF") or (await request.form).get("csrf", "")
    token = session_token() or request.cookies.get(VISITOR_COOKIE, "")
    if not token or not hmac.compare_digest(_csrf_digest(node, token).encode(), given.encode()):
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
    """Sets the cookie of a new session, and deletes that of the visitor."""
    _set_cookie(node, response, SESSION_COOKIE, value, YEAR_SECONDS)
    response.delete_cookie(VISITOR_COOKIE, path="/")


def delete_session_cookie(node: Node, response: Response) -> None:
    """Deletes the session cookie."""
    response.delete_cookie(
        SESSION_COOKIE, path="/", secure=node.site.scheme == "https", httponly=True, samesite="Lax"
    )


def set_theme_cookie(node: Node, response: Response, theme: str) -> None:
    """Sets the theme cookie."""
    _set_cookie(node, response, THEME_COOKIE, theme, YEAR_SECONDS)


def set_language_cookie(node: Node, response: Response, language: str) -> None:
    """Sets the language cookie: a page needs the language before the database says who is signed in."""
    _set_cookie(node, response, LANGUAGE_COOKIE, language, YEAR_SECONDS)


def set_visitor_cookie(node: Node, response: Response) -> None:
    """Sets the visitor cookie that the forms of this response rely on, if `csrf_token` made one."""
    token = getattr(g, "visitor_token", "")
    if token:
        _set_cookie(node, response, VISITOR_COOKIE, token, None)
