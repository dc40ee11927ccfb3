"""Settings: sessions, apps, and the log of sign-ins."""

from __future__ import annotations

from dataclasses import dataclass

from quart import Blueprint, Response, request

from node.auth import access_tokens, sessions, sign_in_log
from node.auth.access_tokens import AccessToken
from node.auth.oauth import authorization_codes
from node.auth.sessions import Session
from node.auth.sign_in_log import SignIn, SignInKind
from node.database import Reader, Writer
from node.ids import parse_id
from node.models.account import Account
from web.i18n.translations import N_, gettext
from web.oauth import scope_texts
from web.pages.settings import render_tab
from web.request import context, session
from web.request.redirects import see_other

blueprint = Blueprint("sessions", __name__, url_prefix="/settings")

_KINDS = {
    SignInKind.PASSWORD: N_("By password"),
    SignInKind.CODE: N_("By password and code"),
    SignInKind.RECOVERY_CODE: N_("By password and recovery code"),
    SignInKind.PASSKEY: N_("By passkey"),
    SignInKind.NEW_ACCOUNT: N_("Signed up"),
    SignInKind.WRONG_CODE: N_("Right password, wrong code"),
    SignInKind.MANY_GUESSES: N_("Many wrong passwords"),
}


@dataclass(frozen=True, slots=True)
class Access:
    """Who is signed in to an account, and who was or tried to."""

    sessions: list[Session]
    tokens: list[AccessToken]
    log: list[SignIn]


def _load(tx: Reader, account: Account) -> Access:
    return Access(
        sessions.by_account(tx, account),
        access_tokens.by_account(tx, account),
        sign_in_log.by_account(tx, account),
    )


def _describe(entry: SignIn) -> str:
    return gettext(_KINDS[SignInKind(entry.kind)])


@blueprint.get("/sessions")
async def show_sessions() -> Response:
    access = await context.read_signed_in(_load)
    current = sessions.id_from_token(session.session_token())
    # This one first; the others are sorted by when they were used.
    listed = sorted(access.sessions, key=lambda one: one.id != current)
    return await render_tab(
        "settings/sessions.html",
        "sessions",
        sessions=listed,
        tokens=access.tokens,
        log=access.log,
        current=current,
        describe=_describe,
        describe_scopes=scope_texts.describe,
    )


def _end_others(tx: Writer, account: Account, kept: str) -> None:
    sessions.end_all(tx, account, kept)


@blueprint.post("/sessions/end")
async def end_session() -> Response:
    chosen = (await request.form).get("session", "")
    if chosen == "others":
        await context.write(_end_others, session.session_token())
        return see_other("/settings/sessions?done=sessions")
    await context.write(sessions.end_by_id, chosen)
    return see_other("/settings/sessions?done=session")


def _end_app(tx: Writer, account: Account, chosen: str) -> None:
    if chosen == "all":
        authorization_codes.sign_out_apps(tx, account)
    else:
        authorization_codes.sign_out_app(tx, account, parse_id(chosen) or 0)


@blueprint.post("/apps/end")
async def end_app() -> Response:
    await context.write(_end_app, (await request.form).get("token", ""))
    return see_other("/settings/sessions?done=app")
