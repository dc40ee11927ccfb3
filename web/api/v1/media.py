"""Media: a photo on its way into a post."""

from __future__ import annotations

from node import rate_limits
from node.attachments import photos
from node.attachments.photo_rows import Photo
from node.database import Reader, Writer
from node.errors import Invalid, NotFound
from web.api.endpoint import Answer, Call

UPLOADS_AN_HOUR = 600


async def upload(call: Call) -> Answer:
    """A photo, decoded and cut to size before the answer: its address works at once."""
    data = call.params.upload("file")
    if not data:
        raise Invalid("There is no file.", field="file")
    who = call.who
    await call.node.db.write(rate_limits.count, f"upload:{who.id}", limit=UPLOADS_AN_HOUR, seconds=3600)
    photo = await photos.upload(call.node, who, data, alt=call.params.text("description"))
    if "focus" in call.params:
        photo = await call.node.db.write(_describe, call, photo)
    return call.json(call.entities.attachment(photo))


def _own(tx: Reader, call: Call) -> Photo:
    """The caller's photo in the path, as long as it is in no post."""
    photo = photos.mine(tx, call.who, call.id())
    if photo.post_id is not None:
        raise NotFound
    return photo


def show(tx: Reader, call: Call) -> Answer:
    return call.json(call.entities.attachment(_own(tx, call)))


def describe(tx: Writer, call: Call) -> Answer:
    return call.json(call.entities.attachment(_describe(tx, call, _own(tx, call))))


def discard(tx: Writer, call: Call) -> Answer:
    photos.discard(tx, call.who, _own(tx, call).id)
    return call.json({})


def _describe(tx: Writer, call: Call, photo: Photo) -> Photo:
    alt = call.params.text("description") if "description" in call.params else None
    return photos.set_alt(tx, call.who, photo.id, alt, _focus(call.params.text("focus")))


def _focus(text: str) -> tuple[float, float] | None:
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
