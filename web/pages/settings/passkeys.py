"""Settings: passkeys, and the offer to add one after signing in with a password."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from quart import Blueprint, Response, jsonify, request

from node.auth.passkeys import ceremonies, passkeys
from node.auth.passkeys.passkeys import Passkey
from node.auth.second_step import ways_in
from node.database import Reader, Writer
from node.errors import Refused
from node.ids import parse_id
from node.models.account import Account
from web.html import browser_names
from web.html.templates import render_page
from web.i18n.translations import gettext
from web.pages.settings import render_tab
from web.pages.sign_in.passkeys import json_options, read_answer
from web.request import context, session
from web.request.browsers import user_agent
from web.request.redirects import safe_path, see_other

blueprint = Blueprint("passkeys", __name__, url_prefix="/settings/passkeys")

TAB, TEMPLATE = "passkeys", "settings/passkeys.html"


@dataclass(frozen=True, slots=True)
class PasskeyState:
    """`handle` is what passkeys know of the account."""

    listed: list[Passkey]
    handle: str
    ways: ways_in.WaysIn


def _load(tx: Reader, account: Account) -> PasskeyState:
    return PasskeyState(
        passkeys.by_account(tx, account.id),
        passkeys.known_handle(tx, account),
        ways_in.of_account(tx, account),
    )


async def _render(status: int = 200, **more: Any) -> Response:
    state = await context.read_signed_in(_load)
    accepted = {
        "rpId": ceremonies.rp_id(context.current_node().site),
        "userId": state.handle,
        "allAcceptedCredentialIds": [one.credential for one in state.listed],
    }
    accepted_json = json.dumps(accepted) if state.handle else ""
    return await render_tab(TEMPLATE, TAB, status, state=state, accepted=accepted_json, **more)


@blueprint.get("")
async def show_passkeys() -> Response:
    await context.require_proof()
    return await _render()


def _prepare(tx: Writer, account: Account) -> tuple[str, list[Passkey]]:
    return passkeys.handle(tx, account), passkeys.by_account(tx, account.id)


@blueprint.post("/options")
async def options() -> Response:
    account, node = await context.require_proof(), context.current_node()
    handle, existing = await context.write(_prepare)
    title, is_conditional = node.config.node.title, await _is_conditional()
    return json_options(
        ceremonies.options_to_register(
            node.site, account, handle, existing, title, is_conditional=is_conditional
        )
    )


async def _is_conditional() -> bool:
    """Returns whether the browser adds a passkey by itself, after it filled in a password."""
    return (await request.form).get("conditional") == "1"


@blueprint.post("")
async def add() -> Response:
    account = await context.require_proof()
    answer, next_ = await read_answer()
    new = ceremonies.verify_new(
        context.current_node().site, account, answer, is_conditional=await _is_conditional()
    )
    name = browser_names.describe(user_agent())
    await context.write(_add, answer, new, name)
    return jsonify(path=next_)


def _add(
    tx: Writer, account: Account, answer: ceremonies.DeviceAnswer, new: passkeys.NewPasskey, name: str
) -> None:
    ceremonies.use_challenge(tx, answer)
    ways_in.add_passkey(tx, account, new, name)


async def _change(unit: Any, *values: Any, done: str) -> Response:
    await context.require_proof()
    try:
        await context.write(unit, *values)
    except Refused as refused:
        return await _render(refused.status, problem=gettext(refused.message))
    return see_other(f"/settings/passkeys?done={done}")


@blueprint.post("/<int:passkey_id>/name")
async def rename(passkey_id: int) -> Response:
    name = (await request.form).get("name", "")
    return await _change(passkeys.rename, passkey_id, name, done="passkey-name")


@blueprint.post("/remove")
async def remove() -> Response:
    id_ = parse_id((await request.form).get("passkey", "")) or 0
    return await _change(ways_in.remove_passkey, id_, done="passkey-removed")


def _remove_password(tx: Writer, account: Account) -> None:
    ways_in.remove_password(tx, account)


@blueprint.post("/no-password")
async def remove_password() -> Response:
    return await _change(_remove_password, done="no-password")


def _has_none(tx: Reader, account: Account) -> bool:
    return passkeys.count(tx, account.id) == 0


@blueprint.get("/offer")
async def show_offer() -> Response:
    next_ = safe_path(request.args.get("next", ""))
    if not await context.read_signed_in(_has_none):
        return see_other(next_)
    response = await render_page("sign_in/passkey_offer.html", next=next_)
    session.set_offered_cookie(context.current_node(), response)
    return response
