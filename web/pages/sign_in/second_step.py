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
from web.request.browsers import browser, start_session
from web.request.redirects import safe_path, see_other

blueprint = Blueprint("second_step", __name__)

MAX_CODE_LENGTH = 40


def ask(next_: str, pending: str) -> Response:
    """Returns the redirect that asks for the second step of a half-finished sign-in."""
    response = see_other(f"/sign-in/code?next={quote(next_, safe='/')}")
    session.set_second_step_cookie(context.current_node(), response, pending)
    return response


def _pending() -> str:
    return request.cookies.get(session.SECOND_STEP_COOKIE, "")


def _load_step(tx: Reader, viewer: Account | None, pending: str) -> tuple[str, WaysIn]:
    """Returns whose sign-in is half-finished, and how they can finish it."""
    found = signing_in.pending_user(tx, pending)
    return found.account.name, ways_in.of_account(tx, found.account)


async def _render_code(next_: str, *, problem: str = "", status: int = 200) -> Response:
    name, ways = await context.read(_load_step, _pending())
    response = await render_page(
        "sign_in/second_step.html", next=next_, name=name, ways=ways, problem=problem
    )
    response.status_code = status
    return response


def _begin_again(next_: str) -> Response:
    return see_other(f"/sign-in?done=expired&next={quote(next_, safe='/')}")


@blueprint.get("/sign-in/code")
async def show_code() -> Response:
    next_ = safe_path(request.args.get("next", ""))
    try:
        return await _render_code(next_)
    except SignInExpired:
        return _begin_again(next_)


@blueprint.post("/sign-in/code")
async def submit_code() -> Response:
    form = await request.form
    next_ = safe_path(form.get("next", ""))
    try:
        token = await signing_in.sign_in_with_code(
            context.current_node(), _pending(), form.get("code", "")[:MAX_CODE_LENGTH], **browser()
        )
    except SignInExpired:
        return _begin_again(next_)
    except Refused as refused:
        return await _render_code(next_, problem=gettext(refused.message), status=refused.status)
    return await start_session(next_, token)


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
