"""Renders errors: one function for every `Refused`, and for unexpected exceptions.

A `Refused` shows its own message. Anything else shows a reference, which is in the log beside the cause.
Scripts get the same message as JSON.
"""

from __future__ import annotations

import logging
import secrets
from urllib.parse import quote

from quart import Quart, Response, g, jsonify, redirect, request
from werkzeug.exceptions import HTTPException

from node.errors import DatabaseUnavailable, Overloaded, Refused, TooManyRequests
from web.html.templates import render_page
from web.i18n.translations import N_, _, gettext
from web.request.context import ProofRequired, SecondStepNeeded, SignInRequired
from web.request.redirects import referring_path, wants_json

log = logging.getLogger("tintype.pages")

TITLES = {
    401: N_("Sign in required"),
    403: N_("Not allowed"),
    404: N_("Page not found"),
    405: N_("Not allowed"),
    410: N_("Deleted"),
    409: N_("Something went wrong"),
    413: N_("Too large"),
    422: N_("Something went wrong"),
    429: N_("Too many requests"),
    502: N_("Server unavailable"),
    507: N_("The disk is full"),
    503: N_("Server unavailable"),
}

# Where somebody can do what is missing.
_LEADS_TO = {
    SignInRequired: "/sign-in",
    ProofRequired: "/confirm",
    SecondStepNeeded: "/settings/two-step",
}


async def render_error(status: int, message: str, *, field: str = "") -> Response:
    """Renders a message with a status, as a page or as JSON."""
    if wants_json():
        response = jsonify(error=message, field=field)
    else:
        texts = {
            "title": gettext(TITLES.get(status, "Something went wrong")),
            "message": message,
            "may_come_again": status == 503 and request.method == "GET",
        }
        try:
            response = await render_page("error.html", **texts)
        except DatabaseUnavailable:
            g.signed_in_user = None  # who that is cannot be asked now
            response = await render_page("error.html", **texts)
    response.status_code = status
    return response


async def handle_refused(error: Refused) -> Response:
    if error.detail:
        log.info("%s %s refused: %s", request.method, request.path, error.detail)
    if (leads_to := _LEADS_TO.get(type(error))) and not wants_json():
        path = referring_path() if request.method == "POST" else request.full_path.rstrip("?")
        return redirect(f"{leads_to}?next={quote(path, safe='/')}", 303)  # type: ignore[return-value]
    response = await render_error(error.status, gettext(error.message), field=getattr(error, "field", ""))
    if isinstance(error, TooManyRequests | Overloaded):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


async def _handle_unavailable(error: DatabaseUnavailable) -> Response:
    log.warning("%s %s failed: %s", request.method, request.path, error)
    response = await render_error(error.status, gettext(error.message))
    response.headers["Retry-After"] = str(error.retry_after)
    return response


async def _handle_http(error: HTTPException) -> Response:
    status = error.code or 500
    if 300 <= status < 400:
        return error.get_response()  # type: ignore[return-value]
    if status == 404:
        message = _(
            "The page you are looking for does not exist. It may have been deleted, or you may not have access to it."
        )
    elif status == 413:
        message = _("That is larger than this server accepts.")
    else:
        message = _("This page does not support that action.")
    return await render_error(status, message)


async def _handle_unexpected(error: Exception) -> Response:
    reference = secrets.token_hex(2).upper()
    log.error("reference %s: %s %s failed", reference, request.method, request.path, exc_info=error)
    message = _("Something went wrong here. Reference %(reference)s.", reference=reference)
    try:
        return await render_error(500, message)
    except Exception:
        log.exception("reference %s: the error page failed too", reference)
        return Response(message, 500, content_type="text/plain; charset=utf-8")


def register_handlers(app: Quart) -> None:
    app.register_error_handler(Refused, handle_refused)
    app.register_error_handler(DatabaseUnavailable, _handle_unavailable)
    app.register_error_handler(HTTPException, _handle_http)
    app.register_error_handler(Exception, _handle_unexpected)
