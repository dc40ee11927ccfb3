"""The session cookie of a signed-in user, and the form token (CSRF) that proves a form is ours.

The cookie holds a random token; the table `sessions` says whose it is. The form token is a keyed hash of it, so it
needs no storage and ends with the session. Each page has it under another mask, so that how well a page can be
compressed tells nothing about it. A visitor has a cookie of their own for the same purpose, since signing in
is a form too. Every request that may change something is checked here, before any handler runs.
"""

from __future__ import annotations

import hmac
import secrets
from contextvars import ContextVar

from quart import Response, g, request
from werkzeug.http import dump_cookie

from node.errors import NotAllowed
from node.node import Node
from web.i18n.translations import _

SESSION_COOKIE = "tintype_session"
VISITOR_COOKIE = "tintype_visit"
THEME_COOKIE = "tintype_theme"
LANGUAGE_COOKIE = "tintype_language"
ZONE_COOKIE = "tintype_zone"  # set by static/js/times.js
KNOWN_BROWSER_COOKIE = "tintype_known"
SECOND_STEP_COOKIE = "tintype_step"
SECOND_STEP_SECONDS = 600
OFFERED_COOKIE = "tintype_offered"
OFFERED_SECONDS = 90 * 24 * 3600
YEAR_SECONDS = 365 * 24 * 3600
DIGEST_BYTES = 20
FORM_TOKEN_LENGTH = 4 * DIGEST_BYTES  # in hexadecimal digits: the mask, and the digest under it
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class FormExpired(NotAllowed):
    """The form was made for another session: that one has ended, or somebody has signed in since."""


# Stands for the form token in a page that is rendered once for many visitors; each gets their own in its place.
shared_form_token: ContextVar[str] = ContextVar("shared_form_token", default="")


def session_token() -> str:
    """Returns the session token as the browser sent it, or that of the session just begun; '' when there is none."""
    begun: str = getattr(g, "begun_session", "")
    return begun or request.cookies.get(SESSION_COOKIE, "")


def use_begun(token: str) -> None:
    """Answers the rest of this request in a session that it has begun itself."""
    g.begun_session = token
    g.pop("signed_in_user", None)


def csrf_token(node: Node) -> str:
    """Returns the form token for the page being rendered. Makes a visitor token where no cookie was sent."""
    if shared := shared_form_token.get():
        return shared
    token = session_token()
    if not token:
        token = request.cookies.get(VISITOR_COOKIE, "") or getattr(g, "visitor_token", "")
        if not token:
            token = g.visitor_token = secrets.token_urlsafe(18)
    return _mask(_csrf_digest(node, token))


def visitor_form_token(node: Node, visitor_token: str) -> tuple[str, str]:
    """Returns the form token of a visitor, and the value of Set-Cookie that goes with it.

    That is empty where the browser has sent its token.
    """
    if visitor_token:
        return _mask(_csrf_digest(node, visitor_token)), ""
    token = secrets.token_urlsafe(18)
    cookie = dump_cookie(
        VISITOR_COOKIE,
        token,
        path="/",
        secure=node.site.scheme == "https",
        httponly=True,
        samesite="Lax",
    )
    return _mask(_csrf_digest(node, token)), cookie


def _csrf_digest(node: Node, token: str) -> bytes:
    return hmac.digest(node.site.subkey("forms"), token.encode(), "sha256")[:DIGEST_BYTES]


def _mask(digest: bytes) -> str:
    """Returns a digest as a form carries it: a new random mask, and the digest under it."""
    mask = secrets.token_bytes(DIGEST_BYTES)
    return (mask + _xor(mask, digest)).hex()


def _unmask(form_token: str) -> bytes:
    """Returns the digest that a form sent; nothing where it is none."""
    try:
        sent = bytes.fromhex(form_token)
    except ValueError:
        return b""
    return _xor(sent[:DIGEST_BYTES], sent[DIGEST_BYTES:]) if len(sent) == 2 * DIGEST_BYTES else b""


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


async def check_csrf(node: Node) -> None:
    """Raises NotAllowed unless the request comes from a page that this node rendered for this browser.

    Where the page was rendered for another session, that is FormExpired.

    The form token is compared in constant time. Safe methods are not checked.
    """
    if request.method in SAFE_METHODS:
        return
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        raise NotAllowed(_("The form was sent from another site."), detail="cross-site request")
    given = request.headers.get("X-CSRF") or (await request.form).get("csrf", "")
    token = session_token() or request.cookies.get(VISITOR_COOKIE, "")
    if not token or not hmac.compare_digest(_csrf_digest(node, token), _unmask(given)):
        raise FormExpired(
            _("This page has expired. Go back, reload it and try again."), detail="wrong form token"
        )


def check_shared() -> None:
    """Raises NotAllowed unless the browser itself sent the request, for what is shared with the installed app.

    Such a request has no form token. A browser says who sent it (`Sec-Fetch-Site`, which pages cannot set); one that
    does not say it cannot share.
    """
    if request.headers.get("Sec-Fetch-Site") not in ("none", "same-origin"):
        raise NotAllowed(_("The form was sent from another site."), detail="cross-site request")


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
    """Sets the cookie of a new session, and deletes those that it takes the place of."""
    _set_cookie(node, response, SESSION_COOKIE, value, YEAR_SECONDS)
    for name in (VISITOR_COOKIE, SECOND_STEP_COOKIE):
        response.delete_cookie(name, path="/")


def set_known_browser_cookie(node: Node, response: Response, mark: str) -> None:
    """Sets the cookie by which the next sign-in knows this browser. It stays when the session ends."""
    _set_cookie(node, response, KNOWN_BROWSER_COOKIE, mark, YEAR_SECONDS)


def set_second_step_cookie(node: Node, response: Response, pending: str) -> None:
    """Sets the cookie that names a half-finished sign-in: the password was right, a second step is asked for."""
    _set_cookie(node, response, SECOND_STEP_COOKIE, pending, SECOND_STEP_SECONDS)


def set_offered_cookie(node: Node, response: Response) -> None:
    """Sets the cookie by which a passkey is not offered again for a while in this browser."""
    _set_cookie(node, response, OFFERED_COOKIE, "1", OFFERED_SECONDS)


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
