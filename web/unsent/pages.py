"""The two pages of a form that could not be sent: signing in, and then sending it by a click.

It is never sent by itself. Who signs in may be another person than the one who wrote it, so they see what is sent and
from which account.
"""

from __future__ import annotations

from typing import Any

import msgspec
from quart import Quart, Response, request

from node.errors import Refused
from web.html import error_pages
from web.html.templates import render_page
from web.i18n.translations import N_, _, gettext
from web.request import context, session
from web.request.browsers import set_cookies, start_session
from web.request.context import SignInRequired
from web.request.redirects import wants_json
from web.request.session import FormExpired
from web.unsent import forms, held_files
from web.unsent.forms import UnsentForm
from web.unsent.held_files import HeldFiles

LABELS = {
    "caption": N_("Caption"),
    "warning": N_("Content warning"),
    "comment": N_("Comment"),
    "message": N_("Message"),
    "name": N_("Name"),
    "display_name": N_("Display name"),
    "bio": N_("Bio"),
    "avatar_alt": N_("Image description"),
    "header_alt": N_("Image description"),
    "person": N_("Person"),
    "place": N_("Location"),
    "title": N_("Title"),
    "text": N_("Text"),
    "url": N_("Link"),
    "note": N_("Note"),
    "reason": N_("Reason"),
    "publish_at": N_("Date and time"),
    "target": N_("New account"),
    "alias": N_("Old account"),
}
"""What people call the fields in which they type. The others are listed under their own names."""
DESCRIPTIONS = ("alt", "alt-")
PASSWORD_LABELS = {"password": N_("Password"), "current": N_("Current password")}


async def render_sign_in(
    next_: str,
    *,
    unsent: UnsentForm | None = None,
    login: str = "",
    problem: str = "",
    reason: str = "",
    note: str = "",
) -> Response:
    """Renders the page to sign in on, with the form that is to be sent afterwards, if there is one."""
    return await render_with_form(
        "sign_in/sign_in.html",
        unsent,
        next=next_,
        login=login,
        problem=problem,
        reason=reason,
        note=note,
    )


async def render_with_form(template: str, unsent: UnsentForm | None, **shown: Any) -> Response:
    """Renders a page on the way to being signed in, which carries the form that is to be sent then, if there is one."""
    carried = forms.encode(unsent) if unsent else ""
    response = await render_page(template, unsent=unsent, carried=carried, **shown)
    return _not_kept(response) if unsent else response


async def render_send(unsent: UnsentForm) -> Response:
    """Renders the page from which somebody who is signed in sends the form."""
    shown: list[tuple[str, str]] = []
    others: list[tuple[str, str]] = []
    for name, value in unsent.fields:
        if value.strip() and name not in ("do", "back", "once"):
            label = _label(name)
            (shown if label else others).append((label or name, value))
    response = await render_page(
        "send_now.html",
        unsent=unsent,
        shown=shown,
        others=others,
        password_labels=PASSWORD_LABELS,
        is_held=bool(context.current_node().component(HeldFiles).names(unsent.held)),
    )
    return _not_kept(response)


async def begin_session(
    next_: str, token: str, unsent: UnsentForm | None, *, can_have_passkey: bool = False
) -> Response:
    """Signs this browser in, and leads to a path, or answers with the page that sends the form, if there is one."""
    if unsent is None:
        return await start_session(next_, token, can_have_passkey=can_have_passkey)
    session.use_begun(token)
    response = await render_send(unsent)
    await set_cookies(response, token)
    return response


def _label(name: str) -> str:
    if name.startswith(DESCRIPTIONS):
        return _("Description")
    return gettext(LABELS[name]) if name in LABELS else ""


def _not_kept(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


async def _read() -> UnsentForm | None:
    """Returns the form of this request; its files are held, where there is room. Raises Refused."""
    holding = held_files.reserve_for_request() if forms.takes_form() else None
    held, key = context.current_node().component(HeldFiles), ""
    try:
        unsent = await forms.read()
        if unsent is not None and holding is not None:
            key = await held_files.hold_of_request(holding)
    finally:
        if holding is not None and not key:
            held.drop(holding.key)
    if unsent is not None and key:
        return msgspec.structs.replace(unsent, held=key)
    earlier = (await request.form).get(held_files.FIELD, "")
    if unsent is not None and (names := held.names(earlier)):  # its session ended on the page that asks
        return forms.with_held(unsent, earlier, names)
    return unsent


async def _handle_unsent(error: SignInRequired | FormExpired) -> Response:
    """Answers a form that nobody is signed in for, or that was made for another session."""
    if request.method != "POST" or wants_json() or not forms.is_from_own_page(request.scope):
        return await error_pages.handle_refused(error)
    try:
        unsent = await _read()
    except Refused as refused:
        return await error_pages.handle_refused(refused)
    await context.read(context.read_nothing)
    if unsent is None:  # a button alone: it is pressed again on its page, after signing in
        is_signed_out = forms.takes_form() and context.signed_in_user() is None
        return await error_pages.handle_refused(SignInRequired(error.message) if is_signed_out else error)
    if context.signed_in_user() is None:
        response = await render_sign_in(unsent.back, unsent=unsent)
        response.status_code = SignInRequired.status
        return response
    response = await render_send(unsent)
    response.status_code = error.status
    return response


def register_handlers(app: Quart) -> None:
    app.register_error_handler(SignInRequired, _handle_unsent)
    app.register_error_handler(FormExpired, _handle_unsent)
