"""What each kind of mail says, in the language of who gets it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from node.auth.mail import mail_links
from node.auth.mail.mail_links import Purpose
from node.auth.users import Credentials
from node.lifecycle import mail_address, password_reset
from node.mail.outgoing_mail import MailKind, MailRequest
from node.node import Node
from web.html import browser_names
from web.i18n.translations import _


@dataclass(frozen=True, slots=True)
class MailText:
    """A mail before it has a layout. `action` is the label and URL of its one button; `code` may be typed instead."""

    subject: str
    paragraphs: tuple[str, ...]
    action: tuple[str, str] | None = None
    code: str = ""
    note: str = ""


def write(node: Node, request: MailRequest, person: Credentials | None) -> MailText | None:
    """Returns the text of a mail; None if there is no longer a reason for it. `person` is whom it is about."""
    return _WRITERS[request.kind](node, request, person)


def _confirm_address(node: Node, request: MailRequest, person: Credentials | None) -> MailText | None:
    if person is None or not mail_address.is_to_be_confirmed(person.user, request.to):
        return None
    state = mail_address.confirmation_state(person.user, request.to)
    token = mail_links.make(
        node.site, Purpose.ADDRESS, person.account.id, state, lifetime_ms=mail_address.LINK_LIFETIME_MS
    )
    return MailText(
        _("Confirm your e-mail address"),
        (
            _(
                "Please confirm that this is the address of @%(handle)s. It is used if you forget your password, "
                "and to tell you of sign-ins that may not be yours.",
                handle=person.account.full_handle,
            ),
        ),
        (_("Confirm address"), node.site.uri(f"/confirm-address?token={token}")),
        mail_links.code(node.site, Purpose.ADDRESS, person.account.id, state),
        _("If you have no account here, somebody mistyped their address. Please ignore this mail."),
    )


def _reset_password(node: Node, request: MailRequest, person: Credentials | None) -> MailText | None:
    if person is None or person.user.email.lower() != request.to.lower():
        return None
    return MailText(
        _("Set a new password"),
        (
            _("Somebody asked for a new password for @%(handle)s.", handle=person.account.full_handle),
            _("The link works once, within an hour."),
        ),
        (_("Set a new password"), node.site.uri(password_reset.path(node.site, person))),
        note=_("If that was not you, ignore this mail: your password stays as it is."),
    )


def _password_changed(node: Node, request: MailRequest, person: Credentials | None) -> MailText | None:
    if person is None:
        return None
    return MailText(
        _("Your password was changed"),
        (_("The password of @%(handle)s was changed.", handle=person.account.full_handle),),
        (_("Set a new password"), node.site.uri("/forgot-password")),
        note=_("If that was not you, set a new password at once and look through your sessions and apps."),
    )


def _address_changed(node: Node, request: MailRequest, person: Credentials | None) -> MailText | None:
    if person is None:
        return None
    return MailText(
        _("Your e-mail address was changed"),
        (
            _(
                "@%(handle)s now has the address %(address)s. No more mail comes to this one.",
                handle=person.account.full_handle,
                address=request.about,
            ),
        ),
        note=_("If that was not you, write to the admins of %(name)s.", name=node.config.node.title),
    )


def _new_sign_in(node: Node, request: MailRequest, person: Credentials | None) -> MailText | None:
    if person is None:
        return None
    return MailText(
        _("New sign-in to your account"),
        (
            _(
                "Somebody signed in as @%(handle)s with %(browser)s, for the first time.",
                handle=person.account.full_handle,
                browser=browser_names.describe(request.about),
            ),
        ),
        (_("Look at your sessions"), node.site.uri("/settings/sessions")),
        note=_("If that was you, all is well. If not, change your password: that signs out everybody else."),
    )


def _second_step_changed(node: Node, request: MailRequest, person: Credentials | None) -> MailText | None:
    if person is None:
        return None
    handle = person.account.full_handle
    is_on = request.about == "on"
    return MailText(
        _("Two-step sign-in was turned on") if is_on else _("Two-step sign-in was turned off"),
        (
            _("A code of an app is asked for when somebody signs in as @%(handle)s.", handle=handle)
            if is_on
            else _("The password of @%(handle)s is enough to sign in again.", handle=handle),
        ),
        (_("Look at your sessions"), node.site.uri("/settings/sessions")),
        note=_("If that was not you, change your password: that signs out everybody else."),
    )


def _passkey_added(node: Node, request: MailRequest, person: Credentials | None) -> MailText | None:
    if person is None:
        return None
    return MailText(
        _("A passkey was added"),
        (
            _(
                "Somebody can sign in as @%(handle)s with the passkey “%(name)s” from now on.",
                handle=person.account.full_handle,
                name=request.about,
            ),
        ),
        (_("Look at your passkeys"), node.site.uri("/settings/passkeys")),
        note=_("If that was not you, remove it and change your password."),
    )


def _recovery_code_used(node: Node, request: MailRequest, person: Credentials | None) -> MailText | None:
    if person is None:
        return None
    return MailText(
        _("A recovery code was used"),
        (
            _("Somebody signed in as @%(handle)s with a recovery code.", handle=person.account.full_handle),
            _("Codes that are left: %(number)s.", number=request.about),
        ),
        (_("Make new codes"), node.site.uri("/settings/two-step")),
        note=_("If that was not you, change your password: that signs out everybody else."),
    )


def _account_deleted(node: Node, request: MailRequest, person: Credentials | None) -> MailText:
    return MailText(
        _("Your account was deleted"),
        (
            _(
                "@%(handle)s was deleted, with all its posts. Other servers were asked to delete their copies.",
                handle=request.about,
            ),
            _("No more mail comes from here."),
        ),
        note=_("If that was not you, write to the admins of %(name)s.", name=node.config.node.title),
    )


def _approved(node: Node, request: MailRequest, person: Credentials | None) -> MailText | None:
    if person is None:
        return None
    return MailText(
        _("Welcome to %(name)s", name=node.config.node.title),
        (_("Your sign-up was approved. You can sign in as %(name)s now.", name=person.account.name),),
        (_("Sign in"), node.site.uri("/sign-in")),
    )


def _rejected(node: Node, request: MailRequest, person: Credentials | None) -> MailText:
    return MailText(
        _("Your sign-up to %(name)s", name=node.config.node.title),
        (
            _("The moderators did not approve your sign-up as %(name)s.", name=request.about),
            _(
                "If they gave a reason, you can read it when you sign in within 30 days. "
                "Then all that you sent is deleted."
            ),
        ),
        (_("Sign in"), node.site.uri("/sign-in")),
    )


def _staff_sign_up(node: Node, request: MailRequest, person: Credentials | None) -> MailText | None:
    if person is None or person.user.state != "pending":
        return None
    return MailText(
        _("%(name)s would like to join", name=person.account.name),
        tuple(filter(None, (_("A sign-up waits for approval."), person.user.reason))),
        (_("Sign-ups"), node.site.uri("/admin/sign-ups")),
    )


def _staff_report(node: Node, request: MailRequest, person: Credentials | None) -> MailText:
    return MailText(
        _("A new report"),
        (_("Somebody reported an account or a post."),),
        (_("Reports"), node.site.uri(f"/admin/reports/{request.about}")),
    )


_WRITERS: dict[MailKind, Callable[[Node, MailRequest, Credentials | None], MailText | None]] = {
    MailKind.CONFIRM_ADDRESS: _confirm_address,
    MailKind.RESET_PASSWORD: _reset_password,
    MailKind.PASSWORD_CHANGED: _password_changed,
    MailKind.ADDRESS_CHANGED: _address_changed,
    MailKind.NEW_SIGN_IN: _new_sign_in,
    MailKind.SECOND_STEP_CHANGED: _second_step_changed,
    MailKind.PASSKEY_ADDED: _passkey_added,
    MailKind.RECOVERY_CODE_USED: _recovery_code_used,
    MailKind.ACCOUNT_DELETED: _account_deleted,
    MailKind.APPROVED: _approved,
    MailKind.REJECTED: _rejected,
    MailKind.STAFF_SIGN_UP: _staff_sign_up,
    MailKind.STAFF_REPORT: _staff_report,
}
