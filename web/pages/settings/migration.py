"""Settings: account migration, with aliases, moving to another account, and cancelling the redirect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from quart import Blueprint, Response, request

from activitypub.remote import migration as remote_migration
from node.database import Reader, Writer
from node.errors import Invalid, NotAllowed, Unreachable
from node.ids import now_ms
from node.lifecycle import migration
from node.models.account import Account
from web.i18n.translations import _, gettext
from web.pages.settings import render_tab
from web.request import context
from web.request import context as current
from web.request.redirects import see_other

blueprint = Blueprint("migration", __name__, url_prefix="/settings/moving")


@dataclass(frozen=True, slots=True)
class MigrationState:
    """The aliases of an account, where it has moved, and from when it may move again (0: now)."""

    aliases: list[tuple[str, Account | None]]
    moved_to: str
    destination: Account | None
    next_move_at: int


def _load_state(tx: Reader, account: Account) -> MigrationState:
    again = migration.next_move_at(tx, account)
    return MigrationState(
        migration.aliases(tx, account),
        account.moved_to,
        migration.destination(tx, account),
        again if again > now_ms() else 0,
    )


def _saved_message() -> str:
    return {
        "alias": _("Alias created. You can now start the move from the old account."),
        "moved": _("Your account is moving. Your followers are being moved."),
        "back": _("Redirect cancelled. Followers that have moved stay with the other account."),
    }.get(request.args.get("done", ""), "")


async def _render(status: int = 200, **context: Any) -> Response:
    state = await current.read_signed_in(_load_state)
    defaults = {"saved": _saved_message(), "alias": "", "target": ""}
    return await render_tab(
        "settings/migration.html", "moving", status, state=state, **{**defaults, **context}
    )


@blueprint.get("")
async def show_migration() -> Response:
    await context.require_proof()
    return await _render()


async def _render_refused(refused: Invalid | Unreachable | NotAllowed, field: str, **typed: str) -> Response:
    message = gettext(refused.message)
    field = getattr(refused, "field", "") or field
    return await _render(refused.status, problem=message, field_errors={field: message}, **typed)


async def _limit_attempts(account: Account) -> None:
    """Limits attempts: each makes this node send a request to another server."""
    await context.limit_rate(f"moving {account.id}", max_attempts=10, seconds=900)


@blueprint.post("/aliases")
async def add_alias() -> Response:
    account = await context.require_account()
    typed = (await request.form).get("alias", "")[:500]
    await _limit_attempts(account)
    try:
        other = await remote_migration.find_account(context.current_node(), account, typed, field="alias")
        await context.write(migration.add_alias, other)
    except (Invalid, Unreachable) as refused:
        return await _render_refused(refused, "alias", alias=typed)
    return see_other("/settings/moving?done=alias")


@blueprint.post("/aliases/remove")
async def remove_alias() -> Response:
    await context.write(migration.remove_alias, (await request.form).get("uri", ""))
    return see_other("/settings/moving")


@blueprint.post("")
async def submit_move() -> Response:
    account = await context.require_proof()
    typed = (await request.form).get("target", "")[:500]
    await _limit_attempts(account)
    try:
        await remote_migration.move(context.current_node(), account, typed)
    except (Invalid, Unreachable, NotAllowed) as refused:
        return await _render_refused(refused, "target", target=typed)
    return see_other("/settings/moving?done=moved")


def _cancel_move(tx: Writer, account: Account) -> None:
    migration.cancel_move(tx, account)


@blueprint.post("/back")
async def cancel_move() -> Response:
    await context.write(_cancel_move)
    return see_other("/settings/moving?done=back")
