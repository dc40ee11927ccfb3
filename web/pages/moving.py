"""Settings: other accounts of one's own, and moving to one of them."""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response, request

from activitypub import lookups, moving
from node import accounts, moves, passwords, users
from node.accounts import Account
from node.database import Reader
from node.errors import Invalid, Refused
from web import current
from web.render import page
from web.returning import go
from web.words import _, gettext

blueprint = Blueprint("moving", __name__, url_prefix="/settings/moving")

Others = tuple[list[tuple[str, Account | None]], Account | None]


def _others(tx: Reader, who: Account) -> Others:
    place = accounts.by_uri(tx, who.moved_to) if who.moved_to else None
    return [(uri, accounts.by_uri(tx, uri)) for uri in who.aliases], place


async def _page(status: int = 200, **context: Any) -> Response:
    aliases, place = await current.look_signed_in(_others)
    saved = {
        "added": _("Added. You can move here from that account now."),
        "forgotten": _("Removed."),
        "left": _("You have moved. Your followers are being told."),
        "back": _("Welcome back."),
    }.get(request.args.get("done", ""), "")
    known = {"saved": saved, "problem": "", "wrong": {}, "other": "", "target": ""}
    response = await page(
        "settings_moving.html",
        tab="/settings/moving",
        aliases=aliases,
        place=place,
        **{**known, **context},
    )
    response.status_code = status
    return response


@blueprint.get("")
async def overview() -> Response:
    return await _page()


async def _meant(who: Account, typed: str, field: str) -> Account:
    """The account somebody means; their own server is asked. Raises Invalid."""
    await current.limit(f"moving {who.id}", most=30, seconds=3600)
    try:
        found = await current.node().db.read(accounts.by_handle, typed) or await lookups.resolve(
            current.node(), typed, who
        )
    except Refused as error:
        raise Invalid(error.message, field=field, detail=error.detail) from error
    if not isinstance(found, Account) or found.is_gone:
        raise Invalid("There is no account by that name.", field=field)
    return found


async def _again(refused: Refused, **typed: str) -> Response:
    sentence = gettext(refused.message)
    field = getattr(refused, "field", "")
    return await _page(refused.status, problem=sentence, wrong={field: sentence} if field else {}, **typed)


@blueprint.post("/alias")
async def add() -> Response:
    who = await current.asking()
    typed = (await request.form).get("other", "").strip()
    try:
        await current.act(moves.add_alias, await _meant(who, typed, "other"))
    except Invalid as refused:
        return await _again(refused, other=typed)
    return go("/settings/moving?done=added")


@blueprint.post("/forget")
async def forget() -> Response:
    await current.act(moves.remove_alias, (await request.form).get("uri", ""))
    return go("/settings/moving?done=forgotten")


@blueprint.post("/leave")
async def leave() -> Response:
    who = await current.asking()
    form = await request.form
    typed = form.get("target", "").strip()
    await current.limit(f"password {who.id}", most=10, seconds=900)
    try:
        hashed = await current.node().db.read(users.password_hash, who.id)
        if not await passwords.verify(hashed, form.get("password", "")):
            raise Invalid("That is not your password.", field="password")
        await moving.leave(current.node(), who, await _meant(who, typed, "target"))
    except Refused as refused:
        return await _again(refused, target=typed)
    return go("/settings/moving?done=left")


@blueprint.post("/back")
async def back() -> Response:
    await current.act(moves.come_back)
    return go("/settings/moving?done=back")
