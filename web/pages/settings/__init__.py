"""The tabs of the settings, and what they have in common."""

from __future__ import annotations

from typing import Any

from quart import Response, request

from web.html.templates import render_page
from web.i18n.translations import _


def _saved_message() -> str:
    return {
        "profile": _("Profile saved."),
        "picture": _("Image saved."),
        "preferences": _("Saved."),
        "password": _("Password changed. You are signed out in other browsers and in all apps."),
        "password-only": _("Password changed. You are signed out in other browsers; apps stay signed in."),
        "session": _("Session signed out."),
        "sessions": _("Signed out everywhere else."),
        "address": _("E-mail address confirmed."),
        "address-sent": _("A mail is on its way. Open its link, or type its code here."),
        "address-saved": _("E-mail address saved."),
        "app": _("App signed out."),
        "passkey": _("Passkey added. You can sign in with it from now on."),
        "passkey-name": _("Saved."),
        "passkey-removed": _("Passkey removed. Nobody can sign in with it any more."),
        "no-password": _("Password removed. You sign in with a passkey from now on."),
        "two-step-off": _("Two-step sign-in is off. Your password alone is enough."),
        "invite": _("Share this link with the person you want to invite."),
    }.get(request.args.get("done", ""), "")


async def render_tab(template: str, tab: str, status: int = 200, **context: Any) -> Response:
    """Renders a tab of the settings, with what was just saved."""
    defaults = {"saved": _saved_message(), "problem": "", "field_errors": {}}
    response = await render_page(template, tab=f"/settings/{tab}", **{**defaults, **context})
    response.status_code = status
    return response
