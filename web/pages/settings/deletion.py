"""Settings: deletes one's own account."""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response, request

from node.admin import account_actions
from node.errors import Refused
from web.i18n.translations import gettext
from web.pages.settings import render_tab
from web.request import context, session
from web.request.redirects import see_other

blueprint = Blueprint("account_deletion", __name__, url_prefix="/settings/deletion")

MAX_NAME_LENGTH = 300


async def _render(status: int = 200, **more: Any) -> Response:
    sends_mail = context.current_node().site.sends_mail
    return await render_tab("settings/deletion.html", "deletion", status, sends_mail=sends_mail, **more)


@blueprint.get("")
async def show_deletion() -> Response:
    await context.require_proof()
    return await _render()


@blueprint.post("")
async def delete_account() -> Response:
    """Deletes the account, which ends its sessions and tokens, and signs this browser out."""
    account = await context.require_proof()
    await context.limit_rate(f"delete {account.id}", max_attempts=10, seconds=900)
    name = (await request.form).get("name", "")[:MAX_NAME_LENGTH]
    try:
        await context.write(account_actions.delete_own, name)
    except Refused as refused:
        message, field = gettext(refused.message), getattr(refused, "field", "")
        return await _render(refused.status, problem=message, field_errors={field: message} if field else {})
    response = see_other("/sign-in?done=deleted")
    session.delete_session_cookie(context.current_node(), response)
    return response
