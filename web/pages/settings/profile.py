"""Settings: the profile with its avatar and header.

They are one form with one name for its buttons, so that none of them loses what was typed or chosen beside it. What of
it is in order is saved, and what is not is shown again with the reason: a browser cannot be given a file again. Only
what was changed in the form is written (`changed_fields`).
"""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response, request
from quart.datastructures import FileStorage
from werkzeug.datastructures import MultiDict

from node.accounts import accounts
from node.attachments import avatars
from node.database import Writer
from node.errors import Conflict, Invalid, Refused
from node.lifecycle import profiles
from node.models.account import Account
from web.forms import changed_fields
from web.forms.changed_fields import Merged
from web.i18n.translations import _, gettext
from web.pages.settings import render_tab
from web.request import context
from web.request.redirects import see_other

blueprint = Blueprint("profile_settings", __name__, url_prefix="/settings")

PROFILE_FIELD_ROWS = 4
SWITCHES = ("is_locked", "is_discoverable", "is_indexable", "hides_follows")


def _pad_fields(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [*pairs[:PROFILE_FIELD_ROWS], *[("", "")] * (PROFILE_FIELD_ROWS - len(pairs))]


def _kept(account: Account) -> dict[str, Any]:
    """Returns the values of the form as they are stored."""
    return {
        "avatar_alt": account.avatar_alt,
        "header_alt": account.header_alt,
        "display_name": account.display_name,
        "bio": account.bio_source,
        "fields": _pad_fields(account.source_fields),
        **{name: getattr(account, name) for name in SWITCHES},
        "attribution_domains": account.attribution_domain_list,
    }


def _typed_profile(form: MultiDict[str, str]) -> dict[str, Any]:
    pairs = zip(form.getlist("field_name"), form.getlist("field_value"), strict=False)
    alts = {f"{kind.name}_alt": form.get(f"{kind.name}_alt") for kind in avatars.PICTURE_KINDS.values()}
    return {
        **{name: alt for name, alt in alts.items() if alt is not None},
        "display_name": form.get("display_name", ""),
        "bio": form.get("bio", ""),
        "fields": _pad_fields(list(pairs)),
        **{name: name in form for name in SWITCHES},
        "attribution_domains": form.get("attribution_domains", "").splitlines(),
    }


async def _render(
    status: int = 200,
    *,
    shown: dict[str, Any] | None = None,
    problem: str = "",
    field_errors: dict[str, str] | None = None,
    saved: str = "",
) -> Response:
    account = await context.require_account()
    kept = _kept(account)
    return await render_tab(
        "settings/profile.html",
        "profile",
        status,
        form=kept | (shown or {}),
        given=changed_fields.spell(kept),
        problem=problem,
        field_errors=field_errors or {},
        saved=saved,
    )


@blueprint.get("/profile")
async def show_profile() -> Response:
    return await _render(saved=_("Saved.") if request.args.get("done") else "")


def _save_texts(tx: Writer, account: Account, typed: dict[str, Any], given: dict[str, Any]) -> Merged:
    """Writes the texts and switches that were changed in the form. Raises Invalid."""
    merged = changed_fields.merge(typed, given, _kept(accounts.get(tx, account.id)))
    texts = {name: value for name, value in merged.to_write.items() if not name.endswith("_alt")}
    fields = [pair for pair in texts["fields"] if any(pair)]
    profiles.update_profile(tx, account, **{**texts, "fields": fields})
    return merged


def _conflict_texts(conflicts: dict[str, Any]) -> dict[str, str]:
    return {
        name: _(
            "This was also changed in another tab or app. It is now: “%(now)s”. Save again to replace that.",
            now=changed_fields.as_text(value) or "–",
        )
        for name, value in conflicts.items()
    }


@blueprint.post("/profile")
async def save_profile() -> Response:
    account, form, files = await context.require_account(), await request.form, await request.files
    typed, given = _typed_profile(form), changed_fields.read_given(form.get(changed_fields.GIVEN))
    refusals: list[Refused] = []
    errors: dict[str, str] = {}
    has_texts = has_pictures = False
    try:
        merged = await context.write(_save_texts, typed, given)
        has_texts = True
    except Invalid as refused:
        merged = changed_fields.merge(typed, given, _kept(account))
        refusals.append(refused)
        errors[refused.field] = gettext(refused.message)
    errors |= _conflict_texts(merged.conflicts)
    for kind in avatars.PICTURE_KINDS.values():
        alt = merged.to_write[f"{kind.name}_alt"] if f"{kind.name}_alt" in form else None
        sent, removes = files.get(kind.name), f"remove_{kind.name}" in form
        try:
            has_pictures |= await _save_picture(account, kind, sent, alt, removes=removes)
        except Refused as refused:
            is_alt = isinstance(refused, Invalid) and refused.field == "alt"
            refusals.append(refused)
            errors[f"{kind.name}_alt" if is_alt else kind.name] = gettext(refused.message)
    if errors:
        context.load_user_again()
        saved = _("Your other changes are saved.") if has_texts else _("Image saved.") if has_pictures else ""
        problem = errors.pop("", "")
        status = refusals[0].status if refusals else Conflict.status
        return await _render(status, shown=merged.to_show, problem=problem, field_errors=errors, saved=saved)
    return see_other("/settings/profile?done=profile")


async def _save_picture(
    account: Account,
    kind: avatars.PictureKind,
    sent: FileStorage | None,
    alt: str | None,
    *,
    removes: bool,
) -> bool:
    """Uploads an avatar or header, changes its description, or removes it; returns whether it is another picture now.

    `alt`: None leaves it as it is. Raises Refused.
    """
    if sent is not None and sent.filename:
        await avatars.upload(context.current_node(), account, sent.stream, alt=alt or "", kind=kind)
        return True
    if removes:
        await context.write(avatars.remove_picture, kind)
        return True
    if kind.file(account):
        if alt is not None:
            await context.write(avatars.set_alt, alt, kind)
    elif alt:
        raise Invalid(_("Please choose an image."), field=kind.name)
    return False
