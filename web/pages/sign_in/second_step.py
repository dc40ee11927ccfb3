"""The second step of a sign-in, and confirming again who one is before something that matters."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from quart import Blueprint, Response, request

from node.auth import sessions, signing_in
from node.auth.second_step import ways_in
from node.auth.second_step.ways_in import WaysIn
from node.auth.signing_in import SignInExpired
from node.database import Reader
from node.errors import Refused
from node.models.account import Account
from web.html.templates import render_page
from web.i18n.translations import gettext
from web.request import context, session
from web.request.browsers import browser
from web.request.redirects import safe_path, see_other
from web.unsent import forms as unsent_forms
from web.unsent.forms import UnsentForm
from web.unsent.pages import begin_session, render_sign_in, render_with_form

blueprint = Blueprint("second_step", __name__)

MAX_CODE_LENGTH = 40


async def ask(next_: str, pending: str, unsent: UnsentForm | None = None) -> Response:
    """Asks for the second step of a half-finished sign-in: by a redirect, or with the form that is to be sent afterwards."""
    if unsent is None:
        response = see_other(f"/sign-in/code?next={quote(next_, safe='/')}")
    else:
        response = await _render_code(next_, pending, unsent)
    session.set_second_step_cookie(context.current_node(), response, pending)
    return response


def _pending() -> str:
    return request.cookies.get(session.SECOND_STEP_COOKIE, "")


def _load_step(tx: Reader, viewer: Account | None, pending: str) -> tuple[str, WaysIn]:
    """Returns whose sign-in is half-finished, and how they can finish it."""
    found = signing_in.pending_user(tx, pending)
    return found.account.name, ways_in.of_account(tx, found.account)


async def _render_code(
    next_: str, pending: str, unsent: UnsentForm | None = None, *, problem: str = "", status: int = 200
) -> Response:
    name, ways = await context.read(_load_step, pending)
    response = await render_with_form(
        "sign_in/second_step.html", unsent, next=next_, name=name, ways=ways, problem=problem
    )
    response.status_code = status
    return response


async def _begin_again(next_: str, unsent: UnsentForm | None = None) -> Response:
    if unsent is None:
        return see_other(f"/sign-in?done=expired&next={quote(next_, safe='/')}")
    return await render_sign_in(next_, unsent=unsent, note=gettext(signing_in.TOO_LATE))


@blueprint.get("/sign-in/code")
async def show_code() -> Response:
    next_ = safe_path(request.args.get("next", ""))
    try:
        return await _render_code(next_, _pending())
    except SignInExpired:
        return await _begin_again(next_)


@blueprint.post("/sign-in/code")
async def submit_code() -> Response:
    form = await request.form
    next_ = safe_path(form.get("next", ""))
    unsent = unsent_forms.decode(form.get(unsent_forms.FIELD, ""))
    try:
        token = await signing_in.sign_in_with_code(
            context.current_node(), _pending(), form.get("code", "")[:MAX_CODE_LENGTH], **browser()
        )
    except SignInExpired:
        return await _begin_again(next_, unsent)
    except Refused as refused:
        message = gettext(refused.message)
        return await _render_code(next_, _pending(), unsent, problem=message, status=refused.status)
    return await begin_session(next_, token, unsent)


def _load_proof(tx: Reader, account: Account) -> WaysIn:
    return ways_in.of_account(tx, account)


async def _render_confirm(next_: str, *, status: int = 200, **more: Any) -> Response:
    ways = await context.read_signed_in(_load_proof)
    defaults = {"problem": "", "field_errors": {}}
    response = await render_page("sign_in/confirm.html", next=next_, ways=ways, **{**defaults, **more})
    response.status_code = status
    return response


@blueprint.get("/confirm")
async def show_confirm() -> Response:
    next_ = safe_path(request.args.get("next", ""))
    await context.require_account()
    if await context.current_node().db.read(sessions.is_proved, session.session_token()):
        return see_other(next_)
    return await _render_confirm(next_)


@blueprint.post("/confirm")
async def submit_confirm() -> Response:
    account, form = await context.require_account(), await request.form
    next_ = safe_path(form.get("next", ""))
    try:
        await signing_in.prove_again(
            context.current_node(),
            account,
            session.session_token(),
            password=form.get("password", ""),
            code=form.get("code", "")[:MAX_CODE_LENGTH],
            address=context.client_address(),
        )
    except Refused as refused:
        message, field = gettext(refused.message), getattr(refused, "field", "")
        return await _render_confirm(
            next_, status=refused.status, problem=message, field_errors={field: message} if field else {}
        )
    return see_other(next_)
