"""Moving: which other accounts are one's own, going to one of them, and coming back."""

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
from web.html.templates import page
from web.i18n.translations import _, gettext
from web.request import context
from web.request import context as current
from web.request.redirects import go

blueprint = Blueprint("moving", __name__, url_prefix="/settings/moving")


@dataclass(frozen=True, slots=True)
class Standing:
    """Somebody's other accounts, where they have moved, and whether they may move (again)."""

    aliases: list[tuple[str, Account | None]]
    moved_to: str
    destination: Account | None
    again_at: int


def _standing(tx: Reader, who: Account) -> Standing:
    again = migration.again_at(tx, who)
    return Standing(
        migration.aliases_of(tx, who),
        who.moved_to,
        migration.destination(tx, who),
        again if again > now_ms() else 0,
    )


def _saved() -> str:
    return {
        "alias": _("Alias created. You can now start the move from the old account."),
        "moved": _("Your account is moving. Your followers are being moved."),
        "back": _("Redirect cancelled. Followers that have moved stay with the other account."),
    }.get(request.args.get("done", ""), "")


async def _show(status: int = 200, **context: Any) -> Response:
    standing = await current.look_signed_in(_standing)
    known = {"saved": _saved(), "problem": "", "wrong": {}, "alias": "", "target": ""}
    response = await page(
        "settings/migration.html", tab="/settings/moving", standing=standing, **{**known, **context}
    )
    response.status_code = status
    return response


@blueprint.get("")
async def show() -> Response:
    return await _show()


async def _refused(refused: Invalid | Unreachable | NotAllowed, field: str, **typed: str) -> Response:
    sentence = gettext(refused.message)
    field = getattr(refused, "field", "") or field
    return await _show(refused.status, problem=sentence, wrong={field: sentence}, **typed)


async def _asked(who: Account) -> None:
    """Each try makes this node ask another server."""
    await context.limit(f"moving {who.id}", most=10, seconds=900)


@blueprint.post("/aliases")
async def add() -> Response:
    who = await context.asking()
    typed = (await request.form).get("alias", "")[:500]
    await _asked(who)
    try:
        other = await remote_migration.find(context.node(), who, typed, field="alias")
        await context.act(migration.add_alias, other)
    except (Invalid, Unreachable) as refused:
        return await _refused(refused, "alias", alias=typed)
    return go("/settings/moving?done=alias")


@blueprint.post("/aliases/remove")
async def remove() -> Response:
    await context.act(migration.remove_alias, (await request.form).get("uri", ""))
    return go("/settings/moving")


@blueprint.post("")
async def move() -> Response:
    who = await context.asking()
    form = await request.form
    typed = form.get("target", "")[:500]
    await _asked(who)
    try:
        await remote_migration.move(context.node(), who, form.get("password", ""), typed)
    except (Invalid, Unreachable, NotAllowed) as refused:
        return await _refused(refused, "target", target=typed)
    return go("/settings/moving?done=moved")


def _come_back(tx: Writer, who: Account) -> None:
    migration.come_back(tx, who)


@blueprint.post("/back")
async def back() -> Response:
    await context.act(_come_back)
    return go("/settings/moving?done=back")
