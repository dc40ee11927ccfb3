"""The page on which a person lets an app in (RFC 6749, 4.1.1), and sends it away again.

Whoever is not signed in goes to the sign-in page and comes back by its `next`. All steps of signing in stand there and
end before a session starts, so that nothing here knows passwords or second steps: a session is what it takes.

An app that asks for what it cannot have is told so only when the person follows the link back to it: anybody can
register an app, and a redirect without a click would lend this node's name to every address.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from authlib.oauth2.rfc6749.errors import InvalidRequestError
from quart import Blueprint, Response, redirect, request

from node.auth.oauth import apps
from node.database import Reader, Writer
from node.models.account import Account
from web.html.templates import render_page
from web.i18n.translations import N_, gettext
from web.oauth import scope_texts, server
from web.oauth.grants import OAuthRequest
from web.oauth.server import Consent, Redirection, RejectedRequest
from web.request import context
from web.request.redirects import AUTHORIZE_PATH, MAX_PATH_LENGTH, see_other

blueprint = Blueprint("consent", __name__)

PARAMETERS = (
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
)
MAX_CONSENTS_PER_HOUR = 60
_PROBLEMS = {
    "invalid_client": N_("This server does not know the app, or does not know it any more."),
    "invalid_scope": N_("The app asks for nothing that you could allow."),
    "unsupported_response_type": N_("The app asks in a way that this server does not understand."),
    "invalid_request": N_("The app asks in a way that this server does not understand."),
}
_NOWHERE = N_("The link is incomplete, or would lead to an address that the app has not registered.")


def _request_from(values: Any) -> OAuthRequest:
    return OAuthRequest("GET", {name: values.getlist(name) for name in PARAMETERS if name in values})


def _checked(tx: Reader, viewer: Account | None, asked: OAuthRequest) -> Consent | RejectedRequest:
    try:
        return server.check_authorization(tx, viewer, asked)
    except RejectedRequest as rejected:
        return rejected


def _authorized(tx: Writer, account: Account, asked: OAuthRequest) -> Redirection | RejectedRequest:
    try:
        return server.authorize(tx, account, asked)
    except RejectedRequest as rejected:
        return rejected


@blueprint.get(AUTHORIZE_PATH)
async def show_consent() -> Response:
    asked = _request_from(request.args)
    found = await context.read(_checked, asked)
    if isinstance(found, RejectedRequest):
        return await _render_problem(found)
    again = f"{AUTHORIZE_PATH}?{urlencode(asked.args)}"
    if len(again) > MAX_PATH_LENGTH:
        return await _render_problem(
            RejectedRequest(InvalidRequestError(), context.current_node().site, None)
        )
    if context.signed_in_user() is None:
        return see_other(f"/sign-in?{urlencode({'next': again})}")
    # Of the scopes, what is shown is what the form asks for: a role that is new meanwhile adds nothing unseen.
    fields = {**asked.args, "scope": " ".join(sorted(found.scopes))}
    return await render_page(
        "oauth/consent.html",
        app=found.app,
        origin=_origin(found.redirect_uri),
        texts=scope_texts.describe(found.scopes),
        fields=fields,
        again=again,
    )


@blueprint.post(AUTHORIZE_PATH)
async def decide() -> Response:
    form = await request.form
    asked = _request_from(form)
    found: Consent | Redirection | RejectedRequest
    if form.get("decision") == "allow":
        account = await context.require_account()
        await context.limit_rate(f"consent {account.id}", max_attempts=MAX_CONSENTS_PER_HOUR, seconds=3600)
        found = await context.write(_authorized, asked)
    else:
        found = await context.read(_checked, asked)
    if isinstance(found, RejectedRequest):
        return await _render_problem(found)
    back = found.refuse(context.current_node().site) if isinstance(found, Consent) else found
    if back.is_out_of_band:
        return await render_page("oauth/code.html", code=back.code)
    return redirect(back.location, 303)  # type: ignore[return-value]


async def _render_problem(rejected: RejectedRequest) -> Response:
    is_lost = rejected.back is None and rejected.error != "invalid_client"
    problem = _NOWHERE if is_lost else _PROBLEMS.get(rejected.error, _PROBLEMS["invalid_request"])
    response = await render_page(
        "oauth/problem.html",
        problem=gettext(problem),
        app=rejected.app,
        back=rejected.back.location if rejected.back else "",
    )
    response.status_code = 400
    return response


def _origin(redirect_uri: str) -> str:
    """Returns where an app is, as far as a person can know: a host, or '' for an app on their own device."""
    return apps.host_of(redirect_uri) if redirect_uri.startswith("https://") else ""
