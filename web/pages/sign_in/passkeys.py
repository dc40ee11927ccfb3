"""Signing in with a passkey, as the only step or the second, and confirming with one who one is. For scripts alone."""

from __future__ import annotations

from quart import Blueprint, Response, jsonify, request

from node.auth import signing_in
from node.auth.passkeys import ceremonies, passkeys
from node.auth.passkeys.passkeys import Passkey
from node.database import Reader
from node.models.account import Account
from web.request import context, session
from web.request.browsers import browser, set_cookies
from web.request.redirects import safe_path

blueprint = Blueprint("sign_in_passkeys", __name__)


def json_options(text: str) -> Response:
    """Returns options for `navigator.credentials`, which are JSON already."""
    return Response(text, content_type="application/json")


async def read_answer() -> tuple[ceremonies.DeviceAnswer, str]:
    """Returns what the browser's device answered, and where to go then."""
    form = await request.form
    return ceremonies.read_answer(form.get("credential", "")), safe_path(form.get("next", ""))


async def _signed_in(token: str, next_: str) -> Response:
    response = jsonify(path=next_)
    await set_cookies(response, token)
    return response


@blueprint.post("/sign-in/passkey/options")
async def sign_in_options() -> Response:
    site = context.current_node().site
    return json_options(ceremonies.options_to_use(site, signing_in.sign_in_purpose()))


@blueprint.post("/sign-in/passkey")
async def sign_in() -> Response:
    answer, next_ = await read_answer()
    token = await signing_in.sign_in_with_passkey(context.current_node(), answer, **browser())
    return await _signed_in(token, next_)


def _pending_passkeys(tx: Reader, viewer: Account | None, pending: str) -> tuple[int, list[Passkey]]:
    account = signing_in.pending_user(tx, pending).account
    return account.id, passkeys.by_account(tx, account.id)


def _pending() -> str:
    return request.cookies.get(session.SECOND_STEP_COOKIE, "")


@blueprint.post("/sign-in/code/passkey/options")
async def second_step_options() -> Response:
    account_id, allowed = await context.read(_pending_passkeys, _pending())
    site = context.current_node().site
    return json_options(ceremonies.options_to_use(site, signing_in.sign_in_purpose(account_id), allowed))


@blueprint.post("/sign-in/code/passkey")
async def second_step() -> Response:
    answer, next_ = await read_answer()
    # Without its cookie the sign-in is no longer half-finished, and a passkey for it is none for a new one.
    token = await signing_in.sign_in_with_passkey(
        context.current_node(), answer, pending=_pending() or "none", **browser()
    )
    return await _signed_in(token, next_)


def _own_passkeys(tx: Reader, account: Account) -> list[Passkey]:
    return passkeys.by_account(tx, account.id)


@blueprint.post("/confirm/passkey/options")
async def confirm_options() -> Response:
    account = await context.require_account()
    allowed = await context.read_signed_in(_own_passkeys)
    site = context.current_node().site
    return json_options(ceremonies.options_to_use(site, signing_in.proof_purpose(account), allowed))


@blueprint.post("/confirm/passkey")
async def confirm() -> Response:
    account = await context.require_account()
    answer, next_ = await read_answer()
    await signing_in.prove_with_passkey(context.current_node(), account, session.session_token(), answer)
    return jsonify(path=next_)
