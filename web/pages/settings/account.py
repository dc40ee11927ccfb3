"""Settings: password and sessions, blocks and mutes, invites. Profile and preferences: `profile.py` beside it."""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response, request

from node.auth import access_tokens, invites, sessions
from node.auth.invites import Invite
from node.database import Reader, Writer
from node.errors import Invalid, NotAllowed
from node.ids import parse_id
from node.interactions import blocks
from node.models.account import Account
from node.paging import Page
from web.html.templates import render_page
from web.i18n.translations import _, gettext
from web.request import context, session
from web.request import context as current
from web.request.redirects import see_other

blueprint = Blueprint("settings", __name__, url_prefix="/settings")

MAX_LISTED = 80


def _saved_message() -> str:
    return {
        "profile": _("Saved."),
        "password": _("Password changed. You are signed out in other browsers and in all apps."),
        "password-only": _("Password changed. You are signed out in other browsers; apps stay signed in."),
        "session": _("Session signed out."),
        "app": _("App signed out."),
        "invite": _("Share this link with the person you want to invite."),
    }.get(request.args.get("done", ""), "")


async def render_tab(template: str, tab: str, status: int = 200, **context: Any) -> Response:
    defaults = {"saved": _saved_message(), "problem": "", "field_errors": {}}
    response = await render_page(template, tab=f"/settings/{tab}", **{**defaults, **context})
    response.status_code = status
    return response


def _load_sessions(
    tx: Reader, account: Account
) -> tuple[list[sessions.Session], list[access_tokens.AccessToken]]:
    return sessions.by_account(tx, account), access_tokens.by_account(tx, account)


async def _render_password(status: int = 200, **context: Any) -> Response:
    found, tokens = await current.read_signed_in(_load_sessions)
    current_id = sessions.id_from_token(session.session_token())
    defaults: dict[str, Any] = {
        "sessions": found,
        "tokens": tokens,
        "current": current_id,
        "keeps_apps": False,
    }
    return await render_tab("settings/password.html", "password", status, **{**defaults, **context})


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
    except Invalid as refused:
        message = gettext(refused.message)
        field_errors = {refused.field: message} if refused.field else {}
        return await _render_password(422, problem=message, field_errors=field_errors, keeps_apps=keeps_apps)
    return see_other(f"/settings/password?done=password{'-only' if keeps_apps else ''}")


@blueprint.post("/sessions/end")
async def end_session() -> Response:
    await context.write(sessions.end_by_id, (await request.form).get("session", ""))
    return see_other("/settings/password?done=session")


def _end_app(tx: Writer, account: Account, chosen: str) -> None:
    if chosen == "all":
        access_tokens.revoke_all(tx, account)
    else:
        access_tokens.revoke(tx, account, parse_id(chosen) or 0)


@blueprint.post("/apps/end")
async def end_app() -> Response:
    await context.write(_end_app, (await request.form).get("token", ""))
    return see_other("/settings/password?done=app")


def _load_blocked_and_muted(
    tx: Reader, account: Account
) -> tuple[list[Account], list[Account], dict[int, int]]:
    """Loads who is blocked, who is muted, and when the mutes end."""
    page = Page(limit=MAX_LISTED)
    blocked = [one.account for one in blocks.blocked_accounts(tx, account, page)]
    muted = [one.account for one in blocks.muted_accounts(tx, account, page)]
    return blocked, muted, blocks.mute_ends(tx, account, [one.id for one in muted])


@blueprint.get("/people")
async def show_blocked_and_muted() -> Response:
    blocked, muted, ends = await context.read_signed_in(_load_blocked_and_muted)
    return await render_tab(
        "settings/blocked_and_muted.html", "people", blocked=blocked, muted=muted, mute_ends=ends
    )


def _load_invites(tx: Reader, account: Account) -> list[Invite]:
    return invites.by_account(tx, account)


@blueprint.get("/invites")
async def show_invites() -> Response:
    return await _render_invites()


async def _render_invites(status: int = 200, **more: Any) -> Response:
    listed = await context.read_signed_in(_load_invites)
    signed_in = context.signed_in_user()
    is_staff = signed_in is not None and signed_in.is_staff
    return await render_tab(
        "settings/invites.html", "invites", status, invites=listed, is_staff=is_staff, **more
    )


def _create_invite(tx: Writer, account: Account) -> None:
    invites.create(tx, account)


@blueprint.post("/invites")
async def create_invite() -> Response:
    try:
        await context.write(_create_invite)
    except NotAllowed as refused:
        return await _render_invites(refused.status, problem=gettext(refused.message))
    return see_other("/settings/invites?done=invite")


@blueprint.post("/invites/withdraw")
async def revoke_invite() -> Response:
    await context.write(invites.revoke, (await request.form).get("code", ""))
    return see_other("/settings/invites")
