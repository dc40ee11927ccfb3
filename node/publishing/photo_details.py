"""Details of a photo that its author sets beside the pixels: focal point, place, people. Owns no table.

Each is a unit of work that changes the photo and, if a post has it, edits the post: that leaves a revision and sends an
Update. Coordinates are read from the photo's original when its author asks, and rounded before anything keeps them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from media.editing import recipes
from media.editing.recipes import NEUTRAL, Recipe
from media.images import Variant
from media.sandbox import EditRequest
from node import rate_limits
from node.accounts import accounts
from node.attachments import photo_metadata, photo_rows, photos, stored_files
from node.attachments.photo_rows import Photo
from node.database import Writer
from node.errors import N_, Conflict, Invalid, TooManyRequests
from node.models import places
from node.models.account import Account
from node.models.places import PRECISIONS, PhotoPlace
from node.node import Node
from node.posts import drafts, posts, tagged_people
from node.publishing import publishing

CHANGED_MEANWHILE = N_("This photo was changed in another tab or app while you edited it.")
NO_ORIGINAL = N_("The file of this photo is no longer kept here, so its location can't be read.")
NO_PLACE = N_("There is no location in the file of this photo. You can type its name.")
NO_COUNTRY = N_("Type the country. Its name is all that is kept of the location.")
MAX_READ_PER_HOUR = 60
_SMALL = (Variant("place", 64, "jpeg", 50, "nothing: only the place is asked for"),)


def focus_text(focus: tuple[float, float]) -> str:
    """Returns a focal point as a form keeps it, to tell later whether it is still the same."""
    return "{} {}".format(*focus)


def _check_start(start: str | None, current: str, wanted: str) -> None:
    """Raises Conflict for a detail that is no longer what it was when the person began, nor what is wanted."""
    if start is not None and current not in (start, wanted):
        raise Conflict(CHANGED_MEANWHILE)


def set_focus(
    tx: Writer, author: Account, photo_id: int, x: float, y: float, *, start: str | None = None
) -> Photo:
    """Sets the focal point, -1…1 each: right and up are positive.

    `start` is the `focus_text` from which the person began. Raises NotFound, Conflict if it was changed meanwhile, and what
    `publishing.edit` does.
    """
    before, focus = photo_rows.owned_by(tx, author, photo_id), (round(x, 3) + 0.0, round(y, 3) + 0.0)
    _check_start(start, focus_text((before.focus_x, before.focus_y)), focus_text(focus))
    changed = photos.set_details(tx, author, photo_id, focus=focus)
    if (changed.focus_x, changed.focus_y) != (before.focus_x, before.focus_y):
        edit_post(tx, author, changed, {photo_id: ["focus"]})
    return changed


def set_place(
    tx: Writer, author: Account, photo_id: int, name: str, precision: str, *, start: str | None = None
) -> Photo:
    """Sets the name of the place and how precise it is; coordinates it has become as coarse, and never finer.

    `start` is the `place` that the photo had when the person began. Raises NotFound, Conflict if it was changed meanwhile, Invalid for an unknown precision, a name that is too long, or coordinates that would become a country
    without a name, and what `publishing.edit` does.
    """
    photo = photo_rows.owned_by(tx, author, photo_id)
    before, name = places.load(photo.place), photo_metadata.validate_place_name(name)
    place = replace(places.coarsened(before, _checked(precision)), name=name)
    if before.has_coordinates and not place:
        raise Invalid(NO_COUNTRY, field="name")
    return _keep_place(tx, author, photo, place, start)


def remove_place(tx: Writer, author: Account, photo_id: int, *, start: str | None = None) -> Photo:
    """Removes the place of a photo, with its coordinates. Raises as `set_place` does."""
    return _keep_place(tx, author, photo_rows.owned_by(tx, author, photo_id), places.NOWHERE, start)


def _keep_place(tx: Writer, author: Account, photo: Photo, place: PhotoPlace, start: str | None) -> Photo:
    text = places.dump(place)
    _check_start(start, photo.place, text)
    if text == photo.place:
        return photo
    changed = photos.set_details(tx, author, photo.id, place=text)
    edit_post(tx, author, changed, {photo.id: ["place"]})
    return changed


def _checked(precision: str) -> str:
    if precision not in PRECISIONS:
        raise Invalid("Please choose how precise the location is.", field="precision")
    return precision


async def use_photo_place(
    node: Node, author: Account, photo_id: int, name: str, precision: str, *, start: str | None = None
) -> Photo:
    """Takes the coordinates that the camera wrote into the original, rounded to `precision`, as the photo's place.

    Raises Invalid for a photo without its original, or without a place in it, and for a country without a name, of which
    nothing would be kept; TooManyRequests; what `set_place` does.
    """
    name = photo_metadata.validate_place_name(name)
    if PRECISIONS[_checked(precision)] is None and not name:
        raise Invalid(NO_COUNTRY, field="name")
    photo = await node.db.read(photo_rows.owned_by, author, photo_id)
    if not photo.original_file:
        raise Invalid(NO_ORIGINAL, field="precision")
    await node.db.write(
        rate_limits.count_attempt, f"places:{author.id}", limit=MAX_READ_PER_HOUR, seconds=3600
    )
    try:
        data = await node.storage.get(photo.original_file)
    except KeyError as error:
        raise Invalid(NO_ORIGINAL, field="precision") from error
    picture = await stored_files.render_upload(
        node, author, data, _SMALL, field="photo", edit=EditRequest(reads_place=True)
    )
    if picture.place is None:
        raise Invalid(NO_PLACE, field="precision")
    place = PhotoPlace(name, precision, *picture.place)
    return await node.db.write(_record_place, author, photo_id, place, start)


def _record_place(tx: Writer, author: Account, photo_id: int, place: PhotoPlace, start: str | None) -> Photo:
    return _keep_place(tx, author, photo_rows.owned_by(tx, author, photo_id), place, start)


def tag(tx: Writer, author: Account, photo_id: int, person: Account, x: float, y: float) -> None:
    """Tags somebody in a photo, or moves the tag. Raises what `tagged_people.tag` and `publishing.edit` do."""
    if tagged_people.tag(tx, author, photo_id, person, x, y):
        edit_post(tx, author, photo_rows.owned_by(tx, author, photo_id), {photo_id: ["people"]})


def untag(tx: Writer, author: Account, photo_id: int, person_id: int) -> None:
    """Takes a tag out of one's own photo. Raises NotFound, and what `publishing.edit` does."""
    if tagged_people.untag(tx, author, photo_id, person_id):
        edit_post(tx, author, photo_rows.owned_by(tx, author, photo_id), {photo_id: ["people"]})


def remove_own_tags(tx: Writer, person: Account, post_id: int) -> None:
    """Removes the tags of a person in somebody's post, for good, and tells other servers. Raises NotFound without one.

    They are removed in any case: the post is not edited where it was edited too often.
    """
    post = posts.visible_by_id(tx, person, post_id)
    shown = photo_rows.by_posts(tx, [post.id]).get(post.id, [])
    tags = tagged_people.by_photos(tx, [photo.id for photo in shown])
    tagged_people.remove_own(tx, person, [photo.id for photo in shown])
    author = accounts.get(tx, post.account_id)
    if author.is_local:
        with contextlib.suppress(TooManyRequests):
            named = [
                photo for photo in shown if any(one.account.id == person.id for one in tags.get(photo.id, []))
            ]
            edit_post(tx, author, shown[0], {photo.id: ["people"] for photo in named})


def edit_post(tx: Writer, author: Account, photo: Photo, edits: Mapping[int, Sequence[str]]) -> None:
    """Edits the post that has a photo which was changed; does nothing for a photo in no post.

    `edits` are the names of what was changed of each photo of the post, for its history.
    """
    post = posts.by_id(tx, photo.post_id) if photo.post_id is not None else None
    if post is not None:
        draft = drafts.from_post(post, photo_rows.by_posts(tx, [post.id])[post.id])
        publishing.edit(tx, author, post, draft, photo_edits=edits)


def follow_shape(tx: Writer, author: Account, before: Photo, after: Photo) -> None:
    """Moves the focal point and the tags of a photo to where they are after an edit of its shape."""
    if recipes.have_same_shape(before.recipe, after.recipe) or not (before.width and before.height):
        return
    from media.editing import geometry  # it loads Pillow, which only a node needs whose people edit photos

    old, new, size = _recipe(before), _recipe(after), (before.width, before.height)
    if before.focus_x or before.focus_y:
        point = geometry.follow_point((before.focus_x + 1) / 2, (1 - before.focus_y) / 2, old, new, size)
        focus = (0.0, 0.0) if point is None else (round(2 * point[0] - 1, 3), round(1 - 2 * point[1], 3))
        photos.set_details(tx, author, after.id, focus=focus)
    people = tagged_people.by_photos(tx, [after.id]).get(after.id, [])
    points = {one.account.id: geometry.follow_point(one.x, one.y, old, new, size) for one in people}
    tagged_people.move(tx, after.id, points)


def _recipe(photo: Photo) -> Recipe:
    return recipes.parse(photo.recipe) if photo.recipe else NEUTRAL
