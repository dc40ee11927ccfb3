"""Settings: their list, preferences, blocks and mutes, invites. The profile: `profile.py` beside it."""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response, request

from node.attachments import photo_metadata
from node.auth import invites, users
from node.auth.invites import Invite
from node.database import Reader, Writer
from node.errors import Conflict, Invalid, NotAllowed
from node.interactions import blocks
from node.models.account import Account
from node.paging import Page
from web.forms import changed_fields
from web.forms.changed_fields import Merged
from web.i18n import formats, translations
from web.i18n.translations import _, gettext
from web.pages.settings import render_list, render_tab
from web.request import context, session
from web.request.redirects import see_other

blueprint = Blueprint("settings", __name__, url_prefix="/settings")

MAX_LISTED = 80
PREFERENCES = (
    "theme",
    "language",
    "default_visibility",
    "default_licence",
    "asks_descriptions",
    "time_zone",
)


@blueprint.get("")
async def show_list() -> Response:
    await context.require_account()
    return await render_list()


@blueprint.get("/preferences")
async def show_preferences() -> Response:
    return await _render_preferences()


async def _render_preferences(
    status: int = 200, *, shown: dict[str, Any] | None = None, **more: Any
) -> Response:
    kept = await context.read_signed_in(_load_preferences)
    return await render_tab(
        "settings/preferences.html",
        "preferences",
        status,
        form=kept | (shown or {}),
        given=changed_fields.spell(kept),
        languages=[(code, code) for code in translations.available_languages()],
        time_zones=[(name, name.replace("_", " ")) for name in formats.time_zones()],
        licences=[(name, name) for name in photo_metadata.LICENCES],
        **more,
    )


def _load_preferences(tx: Reader, account: Account) -> dict[str, Any]:
    user = users.by_account(tx, account)
    return {name: getattr(user, name) for name in PREFERENCES}


def _save_preferences(tx: Writer, account: Account, typed: dict[str, Any], given: dict[str, Any]) -> Merged:
    merged = changed_fields.merge(typed, given, _load_preferences(tx, account))
    users.set_preferences(tx, account, **{name: merged.to_write[name] for name in typed})
    return merged


def _conflict_text(conflicts: dict[str, Any]) -> str:
    labels = {
        "default_visibility": _("Default post visibility"),
        "default_licence": _("Default licence"),
        "theme": _("Theme"),
        "time_zone": _("Time zone"),
        "language": _("Language"),
    }
    choices = {
        ("default_visibility", "public"): _("Everyone"),
        ("default_visibility", "unlisted"): _("Unlisted"),
        ("default_visibility", "followers"): _("Followers"),
        ("default_licence", ""): _("All rights reserved"),
        ("theme", "system"): _("System"),
        ("theme", "light"): _("Light"),
        ("theme", "dark"): _("Dark"),
        ("time_zone", ""): _("Same as browser"),
        ("language", ""): _("Same as browser"),
    }
    return " ".join(
        _(
            "%(name)s was also changed in another tab or app. It is now: “%(now)s”. Save again to replace that.",
            name=labels[name],
            now=choices.get((name, value), value.replace("_", " ")),
        )
        for name, value in conflicts.items()
    )


@blueprint.post("/preferences")
async def save_preferences() -> Response:
    form = await request.form
    zone = form.get("time_zone")
    if zone and not formats.is_time_zone(zone):
        raise Invalid(_("There is no such time zone."))
    asks = form.getlist("asks_descriptions")
    typed: dict[str, Any] = {name: form[name] for name in PREFERENCES if name in form}
    if asks:
        typed["asks_descriptions"] = "1" in asks
    given = changed_fields.read_given(form.get(changed_fields.GIVEN))
    merged = await context.write(_save_preferences, typed, given)
    context.load_user_again()
    if merged.conflicts:
        problem = _conflict_text(merged.conflicts)
        response = await _render_preferences(Conflict.status, shown=merged.to_show, problem=problem)
    else:
        response = see_other("/settings/preferences?done=preferences")
    now = merged.to_write
    if now["theme"] in users.THEMES:
        session.set_theme_cookie(context.current_node(), response, now["theme"])
    if now["language"] in ("", *translations.available_languages()):
        session.set_language_cookie(context.current_node(), response, now["language"])
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
