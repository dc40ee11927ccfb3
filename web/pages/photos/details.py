"""The page on which the author of a photo sets its focal point, who is in it, and where it was taken.

A form without scripts: the photo is a button, and the click says where on it. It is shown in a fixed size, since a browser tells
no other than that of the click on the screen. Who uses no pointer types the point as two numbers. Done and the tabs are
buttons of that form too: what was typed is saved, and what is refused stays on its tab.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from urllib.parse import urlencode

from quart import Blueprint, Response, request

from activitypub.remote import lookup
from node.accounts import accounts
from node.attachments import photo_rows
from node.attachments.photo_rows import Photo
from node.database import Reader, Writer
from node.errors import Conflict, Invalid, Refused
from node.ids import parse_id
from node.models import places
from node.models.account import Account
from node.models.places import PRECISIONS, PhotoPlace
from node.posts import tagged_people
from node.posts.tagged_people import MAX_PER_PHOTO, TaggedPerson
from node.publishing import photo_details
from web.html.templates import render_page
from web.i18n import compose_messages
from web.i18n.translations import N_, _, gettext
from web.pages.photos.editor import read_back
from web.request import context
from web.request.redirects import see_other

blueprint = Blueprint("photo_details", __name__)

PARTS = {"focus": N_("Focal point"), "people": N_("Tag people"), "place": N_("Location")}
PRECISION_LABELS = {
    "exact": N_("Exact"),
    "km": N_("About 1 km"),
    "town": N_("Town"),
    "region": N_("Region"),
    "country": N_("Country"),
}
NAME_WANTED = {
    "exact": N_("People see only numbers. Type what this place is called."),
    "km": N_("People see only numbers. Type what this place is called."),
    "town": N_("People see only numbers. Type the town."),
    "region": N_("People see only numbers. Type the region."),
}
"""What is said of coordinates without a name, by their precision."""

assert list(PRECISION_LABELS) == list(PRECISIONS)

TAB, UNTAG = "part-", "untag-"
"""How the values of the buttons begin that lead to another tab, and that remove a tag."""

SHOWN_WIDTH, SHOWN_HEIGHT = 280, 350
"""The box in which the photo is shown, in CSS pixels: no screen is so narrow that it would be made smaller."""


def shown_size(photo: Photo) -> tuple[int, int]:
    """Returns the size in which the photo is shown on its page."""
    width, height = photo.width or 4, photo.height or 3
    scale = min(SHOWN_WIDTH / width, SHOWN_HEIGHT / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _load(tx: Reader, account: Account, photo_id: int) -> tuple[Photo, list[TaggedPerson]]:
    photo = photo_rows.owned_by(tx, account, photo_id)
    return photo, tagged_people.by_photos(tx, [photo_id]).get(photo_id, [])


async def _render(
    photo_id: int,
    part: str,
    back: str | None,
    *,
    problem: str = "",
    field: str = "",
    person: str = "",
    point: tuple[float, float] | None = None,
    place: PhotoPlace | None = None,
    status: int = 200,
) -> Response:
    photo, people = await context.read_signed_in(_load, photo_id)
    part, back = part if part in PARTS else "focus", read_back(back, photo)
    kept = places.load(photo.place)
    if point is None:
        point = _focus_as_share(photo) if part == "focus" else (0.5, 0.5)
    response = await render_page(
        "posts/photo_details.html",
        photo=photo,
        people=people,
        part=part,
        parts=PARTS,
        back=back,
        problem=problem,
        is_outdated=status == Conflict.status,
        start=photo.place if part == "place" else photo_details.focus_text((photo.focus_x, photo.focus_y)),
        field=field,
        name_wanted=NAME_WANTED.get(kept.precision, "") if kept and not kept.name else "",
        person=person,
        percent=_percent(point),
        spots=[(round(100 * one.x, 1), round(100 * one.y, 1)) for one in people],
        shown=shown_size(photo),
        place=kept if place is None else place,
        kept_place=kept,
        precisions=PRECISION_LABELS,
        max_people=MAX_PER_PHOTO,
        upload_texts=json.dumps(compose_messages.collect_upload_messages(gettext)),
    )
    response.status_code = status
    return response


def _focus_as_share(photo: Photo) -> tuple[float, float]:
    return _share(photo.focus_x, photo.focus_y)


def _share(x: float, y: float) -> tuple[float, float]:
    return (x + 1) / 2, (1 - y) / 2


def _percent(point: tuple[float, float]) -> list[float]:
    return [round(100 * share, 1) for share in point]


@blueprint.get("/photos/<int:photo_id>/details")
async def show(photo_id: int) -> Response:
    typed = request.args
    return await _render(
        photo_id,
        typed.get("part", ""),
        typed.get("back"),
        person=typed.get("person", ""),
        point=_typed_point(typed) if "x" in typed else None,
    )


@blueprint.post("/photos/<int:photo_id>/details")
async def save(photo_id: int) -> Response:
    account = await context.require_account()
    photo, _people = await context.read_signed_in(_load, photo_id)
    form = await request.form
    part, back = form.get("part", ""), form.get("back")
    point, action = read_point(form, shown_size(photo)), form.get("do", "")
    try:
        if part == "place":
            await _save_place(account, photo, form)
        elif part == "people":
            await _save_people(account, photo_id, form, point)
        else:
            await _save_focus(photo, action, point, form.get("start"))
    except Refused as refused:
        problem = gettext(refused.message)
        if isinstance(refused, Conflict):
            # The page has what is kept now as its start, so to press Done again is to replace it.
            problem = f"{problem} {_('Press Done again to replace that change.')}"
        return await _render(
            photo_id,
            part,
            back,
            problem=problem,
            field=refused.field if isinstance(refused, Invalid) else "",
            person=form.get("person", ""),
            point=point,
            place=_typed_place(form, photo) if part == "place" else None,
            status=refused.status,
        )
    if action == "done":
        return see_other(read_back(back, photo))
    query = {
        "part": action.removeprefix(TAB) if action.startswith(TAB) else part,
        "back": read_back(back, photo),
    }
    if action.startswith(UNTAG):
        # The next person may be half typed.
        query |= {name: form[name] for name in ("person", "x", "y") if name in form}
    return see_other(f"/photos/{photo_id}/details?{urlencode(query)}")


def read_point(form: Mapping[str, str], shown: tuple[int, int]) -> tuple[float, float]:
    """Returns the point in a form, as shares of the photo: where it was clicked, or else the numbers (in percent).

    A keyboard presses the photo at 0, 0, which means no point.
    """
    clicked = _number(form, "at.x"), _number(form, "at.y")
    if clicked[0] or clicked[1]:
        x, y = ((pixel + 0.5) / length for pixel, length in zip(clicked, shown, strict=True))
    else:
        return _typed_point(form)
    return min(1.0, max(0.0, x)), min(1.0, max(0.0, y))


def _typed_point(form: Mapping[str, str]) -> tuple[float, float]:
    x, y = _number(form, "x", 50) / 100, _number(form, "y", 50) / 100
    return min(1.0, max(0.0, x)), min(1.0, max(0.0, y))


def _number(form: Mapping[str, str], name: str, default: float = 0) -> float:
    try:
        found = float(form.get(name, ""))
    except ValueError:
        return default
    return found if math.isfinite(found) else default


async def _save_focus(photo: Photo, action: str, point: tuple[float, float], start: str | None) -> None:
    if action == "reset":
        await context.write(_set_focus, photo.id, (0.5, 0.5), start)
    elif _percent(point) != _percent(
        _read_focus(start) or _focus_as_share(photo)
    ):  # what is shown is rounded
        await context.write(_set_focus, photo.id, point, start)


def _read_focus(text: str | None) -> tuple[float, float] | None:
    """Returns the focal point in a form, as shares of the photo; None for what is none."""
    try:
        x, y = map(float, (text or "").split(" "))
    except ValueError:
        return None
    return _share(x, y)


def _set_focus(
    tx: Writer, account: Account, photo_id: int, point: tuple[float, float], start: str | None
) -> None:
    photo_details.set_focus(tx, account, photo_id, 2 * point[0] - 1, 1 - 2 * point[1], start=start)


def _untag(tx: Writer, account: Account, photo_id: int, person_id: int) -> None:
    photo_details.untag(tx, account, photo_id, person_id)


async def _save_people(
    account: Account, photo_id: int, form: Mapping[str, str], point: tuple[float, float]
) -> None:
    action, typed = form.get("do", ""), form.get("person", "")
    leaves = action == "done" or action.startswith(TAB)
    if (removed := parse_id(action.removeprefix(UNTAG))) is not None:
        await context.write(_untag, photo_id, removed)
    elif typed.strip() or not leaves:
        await _tag(account, photo_id, typed, point)


async def _tag(account: Account, photo_id: int, typed: str, point: tuple[float, float]) -> None:
    handle = typed.strip()
    if not handle:
        raise Invalid(_("Please type the name of the person."), field="person")
    node = context.current_node()
    person = await node.db.read(accounts.by_handle, handle.removeprefix("@")) or await lookup.resolve(
        node, handle, account
    )
    if not isinstance(person, Account):
        raise Invalid(_("There is nobody by that name."), field="person")
    await context.write(_record_tag, photo_id, person, point)


def _record_tag(
    tx: Writer, account: Account, photo_id: int, person: Account, point: tuple[float, float]
) -> None:
    photo_details.tag(tx, account, photo_id, person, *point)


async def _save_place(account: Account, photo: Photo, form: Mapping[str, str]) -> None:
    photo_id = photo.id
    name, precision, start = form.get("name", ""), form.get("precision", ""), form.get("start")
    match form.get("do"):
        case "read":
            await photo_details.use_photo_place(
                context.current_node(), account, photo_id, name, precision, start=start
            )
        case "remove":
            await context.write(_remove_place, photo_id, start)
        case "place" if not (name.strip() or photo.place):
            raise Invalid(_("Type the name of the location."), field="name")
        case _ if start is None or not _is_place(start, name, precision):
            await context.write(_set_place, photo_id, name, precision, start)


def _is_place(text: str, name: str, precision: str) -> bool:
    """Returns whether what was typed is the place with which the form came."""
    try:
        place = places.load(text)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    return (place.name, place.precision) == (" ".join(name.split()), precision)


def _set_place(
    tx: Writer, account: Account, photo_id: int, name: str, precision: str, start: str | None
) -> None:
    photo_details.set_place(tx, account, photo_id, name, precision, start=start)


def _remove_place(tx: Writer, account: Account, photo_id: int, start: str | None) -> None:
    photo_details.remove_place(tx, account, photo_id, start=start)


def _typed_place(form: Mapping[str, str], photo: Photo) -> PhotoPlace:
    """Returns what was typed of a place that was refused, so that it is in the form again."""
    precision = form.get("precision", "")
    known = precision if precision in PRECISIONS else places.load(photo.place).precision
    return PhotoPlace(form.get("name", ""), known)


def _remove_own_tags(tx: Writer, account: Account, post_id: int) -> None:
    photo_details.remove_own_tags(tx, account, post_id)


@blueprint.post("/posts/<int:post_id>/untag")
async def remove_own_tags(post_id: int) -> Response:
    """Removes the tags of the person who asks, in somebody's post."""
    await context.write(_remove_own_tags, post_id)
    return see_other(f"/posts/{post_id}")
