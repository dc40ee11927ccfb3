"""How pages say no: one renderer for every refusal, and for what nobody expected.

A `Refused` shows its own sentence. Anything else shows a reference, which is in the log beside the cause.
Scripts get the same sentence as JSON.
"""

from __future__ import annotations

import logging
import secrets
from urllib.parse import quote

from quart import Quart, Response, jsonify, redirect, request
from werkzeug.exceptions import HTTPException

from node.errors import Refused, TooMuch
from web.html.templates import page
from web.i18n.translations import N_, _, gettext
from web.request.context import SignInFirst
from web.request.redirects import came_from, wants_json

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
}


async def answer(status: int, message: str, *, field: str = "") -> Response:
    """A sentence and a status, as a page or as JSON."""
    if wants_json():
        response = jsonify(error=message, field=field)
    else:
        response = await page(
            "error.html", title=gettext(TITLES.get(status, "Something went wrong")), message=message
        )
    response.status_code = status
    return response


async def _refused(error: Refused) -> Response:
    if error.detail:
        log.info("%s %s refused: %s", request.method, request.path, error.detail)
    if isinstance(error, SignInFirst) and not wants_json():
        there = came_from() if request.method == "POST" else request.full_path.rstrip("?")
        return redirect(f"/sign-in?next={quote(there, safe='/')}", 303)  # type: ignore[return-value]
    response = await answer(error.status, gettext(error.message), field=getattr(error, "field", ""))
    if isinstance(error, TooMuch):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


async def _http(error: HTTPException) -> Response:
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
    return await answer(status, message)


async def _unexpected(error: Exception) -> Response:
    reference = secrets.token_hex(2).upper()
    log.error("reference %s: %s %s failed", reference, request.method, request.path, exc_info=error)
    message = _("Something went wrong here. Reference %(reference)s.", reference=reference)
    try:
        return await answer(500, message)
    except Exception:
        log.exception("reference %s: the page that says so failed too", reference)
        return Response(message, 500, content_type="text/plain; charset=utf-8")


def register(app: Quart) -> None:
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)
