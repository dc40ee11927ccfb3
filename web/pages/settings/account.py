"""Settings: their list, preferences, blocks and mutes, invites. The profile: `profile.py` beside it."""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response, request

from node.attachments import photo_metadata
from node.auth import invites, users
from node.auth.invites import Invite
from node.database import Reader, Writer
from node.errors import Invalid, NotAllowed
from node.interactions import blocks
from node.models.account import Account
from node.paging import Page
from web.i18n import formats, translations
from web.i18n.translations import _, gettext
from web.pages.settings import render_list, render_tab
from web.request import context, session
from web.request.redirects import see_other

blueprint = Blueprint("settings", __name__, url_prefix="/settings")

MAX_LISTED = 80


@blueprint.get("")
async def show_list() -> Response:
    await context.require_account()
    return await render_list()


@blueprint.get("/preferences")
async def show_preferences() -> Response:
    await context.require_account()
    return await render_tab(
        "settings/preferences.html",
        "preferences",
        languages=[(code, code) for code in translations.available_languages()],
        time_zones=[(name, name.replace("_", " ")) for name in formats.time_zones()],
        licences=[(name, name) for name in photo_metadata.LICENCES],
    )


@blueprint.post("/preferences")
async def save_preferences() -> Response:
    form = await request.form
    zone = form.get("time_zone")
    if zone and not formats.is_time_zone(zone):
        raise Invalid(_("There is no such time zone."))
    asks = form.getlist("asks_descriptions")
    await context.write(
        users.set_preferences,
        theme=form.get("theme"),
        language=form.get("language"),
        default_visibility=form.get("default_visibility"),
        default_licence=form.get("default_licence"),
        asks_descriptions="1" in asks if asks else None,
        time_zone=zone,
    )
    response = see_other("/settings/preferences?done=preferences")
    if form.get("theme") in users.THEMES:
        session.set_theme_cookie(context.current_node(), response, form["theme"])
    if form.get("language", "") in ("", *translations.available_languages()):
        session.set_language_cookie(context.current_node(), response, form.get("language", ""))
    return response


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
