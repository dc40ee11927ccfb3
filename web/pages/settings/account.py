"""Settings: the profile, its picture, the password and where one is signed in, blocks, invitations."""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response, request

from node.attachments import avatars
from node.auth import sessions, users
from node.database import Reader, Writer
from node.errors import Invalid, Refused
from node.interactions import blocks
from node.lifecycle import profiles, registration
from node.lifecycle.registration import Invite
from node.models.account import Account
from node.paging import Page
from web.html.templates import page
from web.i18n import translations
from web.i18n.translations import _, gettext
from web.request import context, session
from web.request import context as current
from web.request.redirects import go

blueprint = Blueprint("settings", __name__, url_prefix="/settings")

LINES = 4
MOST_LISTED = 80


def _saved() -> str:
    return {
        "profile": _("Profile saved."),
        "picture": _("The media on this server was not changed."),
        "preferences": _("Saved."),
        "password": _("Password changed. You are signed out on other devices."),
        "session": _("Session signed out."),
        "invite": _("Share this link with the person you want to invite."),
    }.get(request.args.get("done", ""), "")


async def _page(template: str, tab: str, status: int = 200, **context: Any) -> Response:
    known = {"saved": _saved(), "problem": "", "wrong": {}}
    response = await page(template, tab=f"/settings/{tab}", **{**known, **context})
    response.status_code = status
    return response


def _lines(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [*pairs[:LINES], *[("", "")] * (LINES - len(pairs))]


def _known(who: Account) -> dict[str, Any]:
    return {
        "display_name": who.display_name,
        "bio": who.bio_source,
        "fields": _lines(who.typed_fields),
        "is_locked": who.is_locked,
        "is_discoverable": who.is_discoverable,
        "is_indexable": who.is_indexable,
        "hides_follows": who.hides_follows,
        "attribution_domains": who.sites,
    }


async def _profile(status: int = 200, **context: Any) -> Response:
    who = await current.asking()
    known: dict[str, Any] = {"form": _known(who), "languages": translations.languages()}
    return await _page("settings/profile.html", "profile", status, **{**known, **context})


@blueprint.get("/profile")
async def profile() -> Response:
    return await _profile()


def _save(tx: Writer, who: Account, typed: dict[str, Any]) -> None:
    profiles.update_profile(tx, who, **{**typed, "fields": [line for line in typed["fields"] if any(line)]})


@blueprint.post("/profile")
async def save_profile() -> Response:
    form = await request.form
    names, values = form.getlist("field_name"), form.getlist("field_value")
    typed = {
        "display_name": form.get("display_name", ""),
        "bio": form.get("bio", ""),
        "fields": _lines(list(zip(names, values, strict=False))),
        "is_locked": "is_locked" in form,
        "is_discoverable": "is_discoverable" in form,
        "is_indexable": "is_indexable" in form,
        "hides_follows": "hides_follows" in form,
        "attribution_domains": form.get("attribution_domains", "").splitlines(),
    }
    try:
        await context.act(_save, typed)
    except Invalid as refused:
        sentence = gettext(refused.message)
        return await _profile(422, form=typed, problem=sentence, wrong={refused.field: sentence})
    return go("/settings/profile?done=profile")


@blueprint.post("/avatar")
async def avatar() -> Response:
    return await _picture(avatars.AVATAR)


@blueprint.post("/header")
async def header() -> Response:
    return await _picture(avatars.HEADER)


async def _picture(kind: avatars.Kind) -> Response:
    """A new picture, or another description of the one there is, or none any more."""
    who, form = await context.asking(), await request.form
    sent, alt = (await request.files).get(kind.name), form.get("alt", "")
    if "remove" in form:
        await context.act(avatars.take_away, kind)
    elif sent is not None and sent.filename:
        try:
            await avatars.change(context.node(), who, sent.read(), alt=alt, kind=kind)
        except Refused as refused:
            return await _profile(refused.status, problem=gettext(refused.message))
    elif kind.file(who):
        await context.act(avatars.describe, alt, kind)
    else:
        return await _profile(422, problem=_("Please choose an image."))
    return go("/settings/profile?done=picture")


def _prefer(
    tx: Writer, who: Account, theme: str | None, language: str | None, visibility: str | None
) -> None:
    users.set_preferences(tx, who, theme=theme, language=language, default_visibility=visibility)


@blueprint.post("/preferences")
async def preferences() -> Response:
    form = await request.form
    await context.act(_prefer, form.get("theme"), form.get("language"), form.get("default_visibility"))
    response = go("/settings/profile?done=preferences")
    if form.get("theme") in users.THEMES:
        session.remember_theme(context.node(), response, form["theme"])
    if form.get("language", "") in ("", *translations.languages()):
        session.remember_language(context.node(), response, form.get("language", ""))
    return response


def _sessions(tx: Reader, who: Account) -> list[sessions.Session]:
    return sessions.of(tx, who)


async def _password(status: int = 200, **context: Any) -> Response:
    found = await current.look_signed_in(_sessions)
    here = sessions.id_of(session.token())
    return await _page("settings/password.html", "password", status, sessions=found, current=here, **context)


@blueprint.get("/password")
async def password() -> Response:
    return await _password()


@blueprint.post("/password")
async def change_password() -> Response:
    who = await context.asking()
    form = await request.form
    await context.limit(f"password {who.id}", most=10, seconds=900)
    try:
        await sessions.change_password(
            context.node(), who, form.get("current", ""), form.get("password", ""), keep_token=session.token()
        )
    except Invalid as refused:
        sentence = gettext(refused.message)
        return await _password(
            422, problem=sentence, wrong={refused.field: sentence} if refused.field else {}
        )
    return go("/settings/password?done=password")


@blueprint.post("/sessions/end")
async def end_session() -> Response:
    await context.act(sessions.end_by_id, (await request.form).get("session", ""))
    return go("/settings/password?done=session")


def _unwanted(tx: Reader, who: Account) -> tuple[list[Account], list[Account]]:
    part = Page(limit=MOST_LISTED)
    blocked = [one.account for one in blocks.blocked_by(tx, who, part)]
    return blocked, [one.account for one in blocks.muted_by(tx, who, part)]


@blueprint.get("/people")
async def unwanted() -> Response:
    blocked, muted = await context.look_signed_in(_unwanted)
    return await _page("settings/blocked_and_muted.html", "people", blocked=blocked, muted=muted)


def _invites(tx: Reader, who: Account) -> list[Invite]:
    return registration.invites(tx, who)


@blueprint.get("/invites")
async def invites() -> Response:
    return await _page("settings/invites.html", "invites", invites=await context.look_signed_in(_invites))


def _invite(tx: Writer, who: Account) -> None:
    registration.invite(tx, who)


@blueprint.post("/invites")
async def invite() -> Response:
    await context.act(_invite)
    return go("/settings/invites?done=invite")


@blueprint.post("/invites/withdraw")
async def withdraw_invite() -> Response:
    await context.act(registration.withdraw_invite, (await request.form).get("code", ""))
    return go("/settings/invites")
