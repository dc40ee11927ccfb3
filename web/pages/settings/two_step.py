"""Settings: two-step sign-in, with an authenticator app and recovery codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import segno
from markupsafe import Markup
from quart import Blueprint, Response, request

from node.auth.second_step import authenticator_apps, recovery_codes, ways_in
from node.database import Reader, Writer
from node.errors import Refused
from node.models.account import Account
from web.i18n.translations import gettext
from web.pages.settings import render_tab
from web.request import context
from web.request.redirects import see_other

blueprint = Blueprint("two_step", __name__, url_prefix="/settings/two-step")

TAB, TEMPLATE = "two-step", "settings/two_step.html"
MAX_OFFER_LENGTH = 500


@dataclass(frozen=True, slots=True)
class TwoStepState:
    """`must`: this node asks it of its staff, so that it cannot be turned off."""

    ways: ways_in.WaysIn
    must: bool


@dataclass(frozen=True, slots=True)
class NewApp:
    """An app that is being set up: its seed as a QR code, as groups of characters, and sealed for the form."""

    svg: Markup
    seed: str
    offered: str


def _load(tx: Reader, account: Account) -> TwoStepState:
    return TwoStepState(ways_in.of_account(tx, account), ways_in.needs_second_step(tx, account))


def _new_app(account: Account, offered: str = "") -> NewApp:
    node = context.current_node()
    offered = offered or authenticator_apps.offer(node.site, account)
    seed = authenticator_apps.offered_seed(node.site, account, offered)
    address = authenticator_apps.app_address(node.site, account, seed, node.config.node.title)
    drawn = segno.make_qr(address).svg_inline(border=4, light="#fff", omitsize=True)
    groups = " ".join(seed[at : at + 4] for at in range(0, len(seed), 4))
    return NewApp(Markup(drawn), groups, offered)  # noqa: S704 - made here


async def _render(
    account: Account, *, status: int = 200, offered: str = "", is_new: bool = False, **more: Any
) -> Response:
    state = await context.read_signed_in(_load)
    is_new = is_new or not state.ways.has_second_step
    app = _new_app(account, offered) if is_new else None
    response = await render_tab(TEMPLATE, TAB, status, state=state, app=app, codes=(), **more)
    response.headers["Cache-Control"] = "no-store"
    return response


async def _render_codes(codes: list[str]) -> Response:
    """Shows new recovery codes, which no other page ever shows."""
    state = await context.read_signed_in(_load)
    response = await render_tab(TEMPLATE, TAB, state=state, app=None, codes=codes)
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("")
async def show_two_step() -> Response:
    return await _render(await context.require_proof(), is_new="new" in request.args)


@blueprint.post("")
async def set_up() -> Response:
    account, form = await context.require_proof(), await request.form
    offered = form.get("offered", "")[:MAX_OFFER_LENGTH]
    try:
        codes = await context.write(ways_in.set_up_app, offered, form.get("code", "")[:20])
    except Refused as refused:
        field, message = getattr(refused, "field", ""), gettext(refused.message)
        return await _render(
            account,
            status=refused.status,
            offered=offered if field else "",
            is_new=True,
            problem=message,
            field_errors={field: message} if field else {},
        )
    return await _render_codes(codes)


def _with_passkeys(tx: Writer, account: Account) -> list[str]:
    return ways_in.turn_on_with_passkeys(tx, account)


@blueprint.post("/passkeys")
async def ask_for_passkeys() -> Response:
    account = await context.require_proof()
    try:
        return await _render_codes(await context.write(_with_passkeys))
    except Refused as refused:
        return await _render(account, status=refused.status, problem=gettext(refused.message))


def _new_codes(tx: Writer, account: Account) -> list[str]:
    return recovery_codes.replace(tx, account)


@blueprint.post("/codes")
async def make_codes() -> Response:
    await context.require_proof()
    return await _render_codes(await context.write(_new_codes))


def _turn_off(tx: Writer, account: Account) -> None:
    ways_in.turn_off_second_step(tx, account)


@blueprint.post("/off")
async def turn_off() -> Response:
    account = await context.require_proof()
    try:
        await context.write(_turn_off)
    except Refused as refused:
        return await _render(account, status=refused.status, problem=gettext(refused.message))
    return see_other("/settings/two-step?done=two-step-off")
