"""Settings: password and e-mail address."""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response, request

from node.auth import access_tokens, sessions, users
from node.auth.second_step import ways_in
from node.database import Reader
from node.errors import Refused
from node.lifecycle import mail_address
from node.models.account import Account
from web.i18n.translations import gettext
from web.pages.settings import render_tab
from web.request import context, session
from web.request.redirects import see_other

blueprint = Blueprint("security", __name__, url_prefix="/settings")


def _load(tx: Reader, account: Account) -> tuple[users.User | None, ways_in.WaysIn, bool]:
    has_apps = bool(access_tokens.by_account(tx, account))
    return users.by_account(tx, account), ways_in.of_account(tx, account), has_apps


async def _render_password(status: int = 200, **more: Any) -> Response:
    user, ways, has_apps = await context.read_signed_in(_load)
    defaults: dict[str, Any] = {
        "ways": ways,
        "has_apps": has_apps,
        "keeps_apps": False,
        "user": user,
        "email": user.email if user else "",
        "unconfirmed": mail_address.unconfirmed_address(user) if user else "",
        "sends_mail": context.current_node().site.sends_mail,
    }
    return await render_tab("settings/password.html", "password", status, **{**defaults, **more})


@blueprint.get("/password")
async def show_password() -> Response:
    await context.require_proof()
    return await _render_password()


@blueprint.post("/password")
async def change_password() -> Response:
    account = await context.require_proof()
    form = await request.form
    keeps_apps = "keeps_apps" in form
    await context.limit_rate(f"password {account.id}", max_attempts=10, seconds=900)
    try:
        await sessions.change_password(
            context.current_node(),
            account,
            form.get("password", ""),
            keep_token=session.session_token(),
            keeps_apps=keeps_apps,
        )
    except Refused as refused:
        return await _render_refused(refused, keeps_apps=keeps_apps)
    return see_other(f"/settings/password?done=password{'-only' if keeps_apps else ''}")


@blueprint.post("/address")
async def change_address() -> Response:
    account, form = await context.require_proof(), await request.form
    try:
        await mail_address.change(context.current_node(), account, address=form.get("email", ""))
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
