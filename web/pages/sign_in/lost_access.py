"""Ways back in, from a mail or a link of an admin: a new password, a confirmed address."""

from __future__ import annotations

from quart import Blueprint, Response, request

from node.auth import signing_in
from node.database import Reader, Writer
from node.errors import Invalid, Refused
from node.lifecycle import mail_address, password_reset
from node.models.account import Account
from web.html.templates import render_page
from web.i18n.translations import gettext
from web.request import context, session
from web.request.redirects import see_other

blueprint = Blueprint("lost_access", __name__)

MAX_TOKEN_LENGTH = 100


async def _render_forgot(*, sent: bool = False, problem: str = "", status: int = 200) -> Response:
    await context.read(context.read_nothing)
    node = context.current_node()
    response = await render_page(
        "sign_in/forgot_password.html",
        sent=sent,
        problem=problem,
        sends_mail=node.site.sends_mail,
        contact=node.config.node.contact_email,
    )
    response.status_code = status
    return response


@blueprint.get("/forgot-password")
async def show_forgot_password() -> Response:
    return await _render_forgot()


@blueprint.post("/forgot-password")
async def submit_forgot_password() -> Response:
    form = await request.form
    try:
        await password_reset.request_link(
            context.current_node(), form.get("login", "")[:300], address=context.client_address()
        )
    except Refused as refused:
        return await _render_forgot(problem=gettext(refused.message), status=refused.status)
    return await _render_forgot(sent=True)


def _name_by_link(tx: Reader, viewer: Account | None, token: str) -> str:
    return password_reset.check(tx, token).account.name


async def _render_reset(token: str, *, problem: str = "", status: int = 200) -> Response:
    name = await context.read(_name_by_link, token)
    response = await render_page("sign_in/reset_password.html", token=token, name=name, problem=problem)
    response.status_code = status
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@blueprint.get("/reset-password")
async def show_reset_password() -> Response:
    return await _render_reset(request.args.get("token", "")[:MAX_TOKEN_LENGTH])


@blueprint.post("/reset-password")
async def submit_reset_password() -> Response:
    node, form = context.current_node(), await request.form
    token = form.get("token", "")[:MAX_TOKEN_LENGTH]
    try:
        account = await password_reset.set_password(node, token, form.get("password", ""))
    except Invalid as refused:
        if not refused.field:
            raise
        return await _render_reset(token, problem=gettext(refused.message), status=422)
    response = see_other("/sign-in?done=password")
    # Whoever guesses at this account from many networks does not keep out who has just read its mail.
    session.set_known_browser_cookie(node, response, signing_in.known_browser_mark(node.site, account))
    return response


def _address_by_link(tx: Reader, viewer: Account | None, token: str) -> str:
    return mail_address.address_of_link(tx, token)


@blueprint.get("/confirm-address")
async def show_confirm_address() -> Response:
    """Shows a button rather than confirming: programs that look through mail open its links."""
    token = request.args.get("token", "")[:MAX_TOKEN_LENGTH]
    address = await context.read(_address_by_link, token)
    response = await render_page("sign_in/confirm_address.html", token=token, address=address)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _confirm(tx: Writer, token: str) -> Account:
    return mail_address.confirm_by_link(tx, token)


@blueprint.post("/confirm-address")
async def submit_confirm_address() -> Response:
    form = await request.form
    await context.current_node().db.write(_confirm, form.get("token", "")[:MAX_TOKEN_LENGTH])
    return see_other("/settings/password?done=address")
