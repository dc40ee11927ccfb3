"""Settings: password, e-mail address, sessions and apps."""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response, request

from node.auth import access_tokens, sessions, users
from node.auth.oauth import authorization_codes
from node.database import Reader, Writer
from node.errors import Refused
from node.ids import parse_id
from node.lifecycle import mail_address
from node.models.account import Account
from web.i18n.translations import gettext
from web.pages.settings import render_tab
from web.request import context, session
from web.request.redirects import see_other

blueprint = Blueprint("security", __name__, url_prefix="/settings")


def _load(
    tx: Reader, account: Account
) -> tuple[list[sessions.Session], list[access_tokens.AccessToken], users.User | None]:
    return (
        sessions.by_account(tx, account),
        access_tokens.by_account(tx, account),
        users.by_account(tx, account),
    )


async def _render_password(status: int = 200, **more: Any) -> Response:
    found, tokens, user = await context.read_signed_in(_load)
    current_id = sessions.id_from_token(session.session_token())
    defaults: dict[str, Any] = {
        "sessions": found,
        "tokens": tokens,
        "current": current_id,
        "keeps_apps": False,
        "user": user,
        "email": user.email if user else "",
        "unconfirmed": mail_address.unconfirmed_address(user) if user else "",
        "sends_mail": context.current_node().site.sends_mail,
    }
    return await render_tab("settings/password.html", "password", status, **{**defaults, **more})


@blueprint.get("/password")
async def show_password() -> Response:
    return await _render_password()


@blueprint.post("/password")
async def change_password() -> Response:
    account = await context.require_account()
    form = await request.form
    keeps_apps = "keeps_apps" in form
    await context.limit_rate(f"password {account.id}", max_attempts=10, seconds=900)
    try:
        await sessions.change_password(
            context.current_node(),
            account,
            form.get("current", ""),
            form.get("password", ""),
            keep_token=session.session_token(),
            keeps_apps=keeps_apps,
        )
    except Refused as refused:
        return await _render_refused(refused, keeps_apps=keeps_apps)
    return see_other(f"/settings/password?done=password{'-only' if keeps_apps else ''}")


@blueprint.post("/sessions/end")
async def end_session() -> Response:
    await context.write(sessions.end_by_id, (await request.form).get("session", ""))
    return see_other("/settings/password?done=session")


def _end_app(tx: Writer, account: Account, chosen: str) -> None:
    if chosen == "all":
        authorization_codes.sign_out_apps(tx, account)
    else:
        authorization_codes.sign_out_app(tx, account, parse_id(chosen) or 0)


@blueprint.post("/apps/end")
async def end_app() -> Response:
    await context.write(_end_app, (await request.form).get("token", ""))
    return see_other("/settings/password?done=app")


@blueprint.post("/address")
async def change_address() -> Response:
    account, form = await context.require_account(), await request.form
    await context.limit_rate(f"password {account.id}", max_attempts=10, seconds=900)
    try:
        await mail_address.change(
            context.current_node(),
            account,
            password=form.get("address_password", ""),
            address=form.get("email", ""),
        )
    except Refused as refused:
        return await _render_refused(refused, email=form.get("email", ""))
    done = "address-sent" if context.current_node().site.sends_mail else "address-saved"
    return see_other(f"/settings/password?done={done}")


@blueprint.post("/address/confirm")
async def confirm_address() -> Response:
    """Confirms an address by the code of the mail, or sends another mail."""
    account, form = await context.require_account(), await request.form
    try:
        if "again" in form:
            await mail_address.ask_for_confirmation(context.current_node(), account)
            return see_other("/settings/password?done=address-sent")
        await mail_address.confirm_by_code(context.current_node(), account, form.get("code", "")[:40])
    except Refused as refused:
        return await _render_refused(refused)
    return see_other("/settings/password?done=address")


async def _render_refused(refused: Refused, **more: Any) -> Response:
    message, field = gettext(refused.message), getattr(refused, "field", "")
    return await _render_password(
        refused.status, problem=message, field_errors={field: message} if field else {}, **more
    )
