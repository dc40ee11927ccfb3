"""Coming in and going out: sign in, sign up, the first admin, sign out; and light or dark."""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response, request

from node.accounts import accounts
from node.auth import sessions, users
from node.database import Reader, Writer
from node.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from node.lifecycle import registration
from node.models.account import Account
from node.node import Node
from web.html.templates import page
from web.i18n import translations
from web.i18n.translations import _, gettext
from web.request import context, session
from web.request.redirects import came_from, go, safe_path, wants_json

blueprint = Blueprint("entrance", __name__)

FIELDS = ("name", "email", "reason", "invite", "code")


async def _typed() -> dict[str, str]:
    form = await request.form
    return {name: form.get(name, "") for name in FIELDS}


def _wrong(refused: Refused) -> dict[str, str]:
    """The sentence under the field it is about."""
    field = getattr(refused, "field", "")
    if not field and isinstance(refused, Conflict):
        field = "email" if "e-mail" in refused.message else "name"
    return {field: gettext(refused.message)} if field else {}


def _browser() -> str:
    return request.headers.get("User-Agent", "")


@blueprint.get("/sign-in")
async def sign_in() -> Response:
    await context.look(context.nothing)
    next_ = safe_path(request.args.get("next", ""))
    if context.person() is not None:
        return go(next_)
    note = _("Sign in to do that.") if next_ != "/" else ""
    return await page("sign_in.html", next=next_, login="", problem="", note=note)


@blueprint.post("/sign-in")
async def signed_in() -> Response:
    form = await request.form
    node = context.node()
    next_ = safe_path(form.get("next", ""))
    try:
        token = await sessions.sign_in(
            node,
            form.get("login", ""),
            form.get("password", ""),
            address=context.address(),
            user_agent=_browser(),
        )
    except Refused as refused:
        response = await page(
            "sign_in.html",
            next=next_,
            login=form.get("login", ""),
            problem=gettext(refused.message),
            note="",
        )
        response.status_code = refused.status
        return response
    response = go(next_)
    session.begin(node, response, token)
    return response


@blueprint.post("/sign-out")
async def sign_out() -> Response:
    node = context.node()
    await node.db.write(sessions.end, session.token())
    response = go("/")
    session.forget(node, response)
    return response


async def _begin(node: Node, account_id: int) -> Response:
    token = await node.db.write(_start, account_id, _browser())
    response = go("/")
    session.begin(node, response, token)
    return response


def _start(tx: Writer, account_id: int, browser: str) -> str:
    return sessions.start(tx, accounts.get(tx, account_id), browser)


async def _sign_up_form(status: int = 200, **context: Any) -> Response:
    known = {"done": False, "refused": "", "problem": "", "wrong": {}, "form": dict.fromkeys(FIELDS, "")}
    response = await page("sign_up.html", **{**known, **context})
    response.status_code = status
    return response


def _open(tx: Reader, viewer: Account | None, mode: str, invite: str) -> str:
    try:
        registration.check_open(tx, mode, invite)
    except NotAllowed as refused:
        return refused.message
    return ""


@blueprint.get("/sign-up")
async def sign_up() -> Response:
    mode = context.node().config.registration.mode
    invite = request.args.get("invite", "")[:100]
    refused = await context.look(_open, mode, invite)
    if context.person() is not None:
        return go("/")
    form = {**dict.fromkeys(FIELDS, ""), "invite": invite}
    return await _sign_up_form(refused=gettext(refused) if refused else "", form=form)


@blueprint.post("/sign-up")
async def signed_up() -> Response:
    node = context.node()
    form, typed = await request.form, await _typed()
    if form.get("website"):
        # People do not see that field; what fills it is not one.
        return await _sign_up_form(done=True)
    try:
        user = await registration.register(
            node,
            name=typed["name"].strip(),
            email=typed["email"],
            password=form.get("password", ""),
            address=context.address(),
            reason=typed["reason"],
            invite=typed["invite"],
            language=translations.spoken(),
        )
    except Refused as refused:
        return await _sign_up_form(
            refused.status, problem=gettext(refused.message), wrong=_wrong(refused), form=typed
        )
    if user.state == "pending":
        return await _sign_up_form(done=True)
    return await _begin(node, user.account_id)


def _needs_admin(tx: Reader, viewer: Account | None) -> bool:
    return registration.needs_admin(tx)


@blueprint.get("/setup")
async def setup() -> Response:
    if not await context.look(_needs_admin):
        raise NotFound(_("This server is already set up."))
    form = {**dict.fromkeys(FIELDS, ""), "code": request.args.get("code", "")[:40]}
    return await page("setup.html", problem="", wrong={}, form=form)


@blueprint.post("/setup")
async def set_up() -> Response:
    node = context.node()
    form, typed = await request.form, await _typed()
    try:
        user = await registration.set_up(
            node,
            code=typed["code"],
            name=typed["name"].strip(),
            email=typed["email"],
            password=form.get("password", ""),
            address=context.address(),
        )
    except Refused as refused:
        response = await page(
            "setup.html", problem=gettext(refused.message), wrong=_wrong(refused), form=typed
        )
        response.status_code = refused.status
        return response
    return await _begin(node, user.account_id)


def _prefer(tx: Writer, who: Account, theme: str) -> None:
    users.set_preferences(tx, who, theme=theme)


@blueprint.post("/theme")
async def theme() -> Response:
    form = await request.form
    chosen = form.get("theme", "")
    if chosen not in users.THEMES:
        raise Invalid(_("Please select system, light or dark."))
    await context.look(context.nothing)
    if context.person() is not None:
        await context.act(_prefer, chosen)
    response = Response('{"ok": true}', content_type="application/json") if wants_json() else go(came_from())
    session.remember_theme(context.node(), response, chosen)
    return response
