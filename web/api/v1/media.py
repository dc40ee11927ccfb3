"""Media: a photo on its way into a post."""

from __future__ import annotations

from node import rate_limits
from node.attachments import photos
from node.attachments.photo_rows import Photo
from node.database import Reader, Writer
from node.errors import Invalid, NotFound
from web.api.endpoint import ApiRequest, JsonResponse

MAX_UPLOADS_PER_HOUR = 600


async def upload(call: ApiRequest) -> JsonResponse:
    """A photo, decoded and cut to size before the answer: its address works at once."""
    data = call.params.upload("file")
    if not data:
        raise Invalid("There is no file.", field="file")
    who = call.caller
    await call.node.db.write(
        rate_limits.count_attempt, f"upload:{who.id}", limit=MAX_UPLOADS_PER_HOUR, seconds=3600
    )
    photo = await photos.upload(call.node, who, data, alt=call.params.text("description"))
    if "focus" in call.params:
        photo = await call.node.db.write(_set_description, call, photo)
    return call.json_response(call.entities.attachment(photo))


def _unattached_photo(tx: Reader, call: ApiRequest) -> Photo:
    """The caller's photo in the path, as long as it is in no post."""
    photo = photos.owned_by(tx, call.caller, call.path_id())
    if photo.post_id is not None:
        raise NotFound
    return photo


def show(tx: Reader, call: ApiRequest) -> JsonResponse:
    return call.json_response(call.entities.attachment(_unattached_photo(tx, call)))


def update(tx: Writer, call: ApiRequest) -> JsonResponse:
    return call.json_response(
        call.entities.attachment(_set_description(tx, call, _unattached_photo(tx, call)))
    )


def delete(tx: Writer, call: ApiRequest) -> JsonResponse:
    photos.delete_unattached(tx, call.caller, _unattached_photo(tx, call).id)
    return call.json_response({})


def _set_description(tx: Writer, call: ApiRequest, photo: Photo) -> Photo:
    alt = call.params.text("description") if "description" in call.params else None
    return photos.set_alt_and_focus(tx, call.caller, photo.id, alt, _parse_focus(call.params.text("focus")))


def _parse_focus(text: str) -> tuple[float, float] | None:
    """`0.1,-0.5`: the point to keep in sight, each way from -1 to 1."""
    if not text:
        return None
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        raise Invalid("focus is two numbers with a comma between them.", field="focus") from None
    if not (-1 <= x <= 1 and -1 <= y <= 1):
        raise Invalid("focus is two numbers from -1 to 1.", field="focus")
    return x, y
