"""Signing in by password, signing up, setting up the first admin, signing out; and the theme."""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response, jsonify, request

from node.accounts import accounts
from node.auth import sessions, signing_in, users
from node.auth.signing_in import SecondStepRequired
from node.database import Reader, Writer
from node.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from node.lifecycle import registration
from node.models.account import Account
from node.node import Node
from web.html.templates import render_page
from web.i18n import translations
from web.i18n.translations import _, gettext
from web.pages.sign_in import second_step
from web.request import context, session
from web.request.browsers import browser, start_session, user_agent
from web.request.redirects import leads_to_app, referring_path, safe_path, see_other, wants_json
from web.unsent import forms as unsent_forms
from web.unsent.pages import begin_session, render_sign_in

blueprint = Blueprint("sign_in", __name__)

FIELDS = ("name", "email", "reason", "invite", "code")


async def _form_fields() -> dict[str, str]:
    form = await request.form
    return {name: form.get(name, "") for name in FIELDS}


def _field_errors(refused: Refused) -> dict[str, str]:
    """Returns the message by the name of the field it is about."""
    field = getattr(refused, "field", "")
    if not field and isinstance(refused, Conflict):
        field = "email" if "e-mail" in refused.message else "name"
    return {field: gettext(refused.message)} if field else {}


@blueprint.get("/sign-in")
async def show_sign_in() -> Response:
    await context.read(context.read_nothing)
    next_ = safe_path(request.args.get("next", ""))
    if context.signed_in_user() is not None:
        return see_other(next_)
    note = _("Sign in to do that.") if next_ != "/" else ""
    if leads_to_app(next_):
        note = _("Sign in to let the app use your account.")
    done = {
        "password": _("Your password is set. Please sign in with it."),
        "expired": _("That took too long. Please sign in again."),
        "deleted": _("Your account is deleted. Its posts and photos follow in the next minutes."),
    }
    return await render_sign_in(next_, note=done.get(request.args.get("done", ""), note))


@blueprint.post("/sign-in")
async def submit_sign_in() -> Response:
    form = await request.form
    node = context.current_node()
    next_ = safe_path(form.get("next", ""))
    unsent = unsent_forms.decode(form.get(unsent_forms.FIELD, ""))
    try:
        token = await signing_in.sign_in(
            node,
            form.get("login", ""),
            form.get("password", ""),
            **browser(),
        )
    except SecondStepRequired as needed:
        return await second_step.ask(next_, needed.pending, unsent)
    except Refused as refused:
        response = await render_sign_in(
            next_,
            unsent=unsent,
            login=form.get("login", ""),
            problem=gettext(refused.message),
            reason=getattr(refused, "reason", ""),
        )
        response.status_code = refused.status
        return response
    # Who is on the way to an app wants to go there first.
    can = form.get("can_have_passkey") == "1" and not leads_to_app(next_)
    return await begin_session(next_, token, unsent, can_have_passkey=can)


@blueprint.post("/sign-out")
async def sign_out() -> Response:
    node = context.current_node()
    await node.db.write(sessions.end, session.session_token())
    response = see_other(safe_path((await request.form).get("next", "")))
    session.delete_session_cookie(node, response)
    return response


async def _sign_in_new_user(node: Node, account_id: int, next_: str = "/") -> Response:
    newcomer = signing_in.Browser(context.client_address(), user_agent())
    return await start_session(next_, await node.db.write(_create_session, account_id, newcomer))


def _create_session(tx: Writer, account_id: int, browser: signing_in.Browser) -> str:
    return signing_in.after_sign_up(tx, accounts.get(tx, account_id), browser)


def _sign_up_steps(tx: Reader, viewer: Account | None, mode: str, invite: str) -> registration.SignUpSteps:
    return registration.steps(tx, mode, invite)


async def _render_sign_up(status: int = 200, **shown: Any) -> Response:
    mode = context.current_node().config.registration.mode
    invite = shown.get("form", {}).get("invite", "")
    defaults = {
        "steps": await context.read(_sign_up_steps, mode, invite),
        "done": False,
        "refused": "",
        "problem": "",
        "field_errors": {},
        "form": dict.fromkeys(FIELDS, ""),
        "next": "/",
    }
    response = await render_page("sign_in/sign_up.html", **{**defaults, **shown})
    response.status_code = status
    return response


def _sign_up_refusal(tx: Reader, viewer: Account | None, mode: str, invite: str) -> str:
    try:
        registration.check_open(tx, mode, invite)
    except NotAllowed as refused:
        return refused.message
    return ""


@blueprint.get("/sign-up")
async def show_sign_up() -> Response:
    mode = context.current_node().config.registration.mode
    invite = request.args.get("invite", "")[:100]
    refused = await context.read(_sign_up_refusal, mode, invite)
    next_ = safe_path(request.args.get("next", ""))
    if context.signed_in_user() is not None:
        return see_other(next_)
    form = {**dict.fromkeys(FIELDS, ""), "invite": invite}
    return await _render_sign_up(refused=gettext(refused) if refused else "", form=form, next=next_)


def _name_problem(tx: Reader, viewer: Account | None, name: str) -> str:
    try:
        accounts.check_new_name(tx, name)
    except Refused as refused:
        return refused.message
    return ""


@blueprint.get("/sign-up/name")
async def check_name() -> Response:
    """Sends what is wrong with a username while it is typed; '' where nothing is."""
    problem = await context.read(_name_problem, request.args.get("name", "")[:100].strip())
    return jsonify(problem=gettext(problem) if problem else "")


@blueprint.post("/sign-up")
async def submit_sign_up() -> Response:
    node = context.current_node()
    form, typed = await request.form, await _form_fields()
    next_ = safe_path(form.get("next", ""))
    if form.get("website"):
        # People do not see that field; what fills it is not one.
        return await _render_sign_up(done=True)
    try:
        user = await registration.register(
            node,
            name=typed["name"].strip(),
            email=typed["email"],
            password=form.get("password", ""),
            address=context.client_address(),
            reason=typed["reason"],
            invite=typed["invite"],
            language=translations.current_language(),
        )
    except Refused as refused:
        return await _render_sign_up(
            refused.status,
            problem=gettext(refused.message),
            field_errors=_field_errors(refused),
            form=typed,
            next=next_,
        )
    if user.state == "pending":
        return await _render_sign_up(done=True)
    return await _sign_in_new_user(node, user.account_id, next_)


def _needs_admin(tx: Reader, viewer: Account | None) -> bool:
    return registration.needs_admin(tx)


@blueprint.get("/setup")
async def show_setup() -> Response:
    if not await context.read(_needs_admin):
        raise NotFound(_("This server is already set up."))
    form = {**dict.fromkeys(FIELDS, ""), "code": request.args.get("code", "")[:40]}
    return await render_page("sign_in/setup.html", problem="", field_errors={}, form=form)


@blueprint.post("/setup")
async def submit_setup() -> Response:
    node = context.current_node()
    form, typed = await request.form, await _form_fields()
    try:
        user = await registration.set_up_node(
            node,
            code=typed["code"],
            name=typed["name"].strip(),
            email=typed["email"],
            password=form.get("password", ""),
            address=context.client_address(),
        )
    except Refused as refused:
        response = await render_page(
            "sign_in/setup.html",
            problem=gettext(refused.message),
            field_errors=_field_errors(refused),
            form=typed,
        )
        response.status_code = refused.status
        return response
    return await _sign_in_new_user(node, user.account_id)


def _save_theme(tx: Writer, account: Account, theme: str) -> None:
    users.set_preferences(tx, account, theme=theme)


@blueprint.post("/theme")
async def set_theme() -> Response:
    form = await request.form
    chosen = form.get("theme", "")
    if chosen not in users.THEMES:
        raise Invalid(_("Please select system, light or dark."))
    await context.read(context.read_nothing)
    if context.signed_in_user() is not None:
        await context.write(_save_theme, chosen)
    response = (
        Response('{"ok": true}', content_type="application/json")
        if wants_json()
        else see_other(referring_path())
    )
    session.set_theme_cookie(context.current_node(), response, chosen)
    return response
