"""The pages of the settings, in the groups in which they are listed, and what they have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from quart import Response, request

from web.html.templates import render_page
from web.i18n.translations import N_, _


@dataclass(frozen=True, slots=True)
class SettingsPage:
    """A page of the settings. `hint` says on the list of all pages what it is for."""

    name: str
    icon: str
    label: str
    hint: str

    @property
    def path(self) -> str:
        return f"/settings/{self.name}"


@dataclass(frozen=True, slots=True)
class SettingsGroup:
    label: str
    pages: tuple[SettingsPage, ...]


GROUPS = (
    SettingsGroup(
        N_("You"),
        (
            SettingsPage("profile", "person", N_("Profile"), N_("Name, pictures, bio, who can find you")),
            SettingsPage(
                "preferences", "gear", N_("Preferences"), N_("New posts, theme, time zone, language")
            ),
        ),
    ),
    SettingsGroup(
        N_("Security"),
        (
            SettingsPage(
                "password", "lock", N_("Password and e-mail"), N_("To sign in, and for mail to you")
            ),
            SettingsPage("passkeys", "passkey", N_("Passkeys"), N_("Sign in by finger, face or PIN")),
            SettingsPage("two-step", "shield", N_("Two-step sign-in"), N_("A code besides your password")),
            SettingsPage("sessions", "globe", N_("Sessions and apps"), N_("Where you are signed in")),
        ),
    ),
    SettingsGroup(
        N_("Posts and people"),
        (
            SettingsPage("people", "people", N_("Blocked and muted"), N_("Whom you do not want to see")),
            SettingsPage(
                "deleted", "photos", N_("Deleted posts"), N_("Which servers have deleted their copies")
            ),
            SettingsPage("invites", "link", N_("Invites"), N_("Links with which others can join")),
        ),
    ),
    SettingsGroup(
        N_("Your account"),
        (
            SettingsPage("moving", "out", N_("Account migration"), N_("Move to or from another server")),
            SettingsPage("deletion", "trash", N_("Delete account"), N_("For good, with all your posts")),
        ),
    ),
)


def _saved_message() -> str:
    return {
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


async def render_list() -> Response:
    """Renders the list of all pages of the settings."""
    return await render_page("settings/list.html", groups=GROUPS)


async def render_tab(template: str, tab: str, status: int = 200, **context: Any) -> Response:
    """Renders a page of the settings, with what was just saved."""
    page = next(one for group in GROUPS for one in group.pages if one.name == tab)
    defaults = {"saved": _saved_message(), "problem": "", "field_errors": {}}
    response = await render_page(template, groups=GROUPS, page=page, **{**defaults, **context})
    response.status_code = status
    return response
