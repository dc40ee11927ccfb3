"""Media: uploading, describing and deleting photos that are in no post yet."""

from __future__ import annotations

from node import rate_limits
from node.attachments import photo_rows, photos, stored_files
from node.attachments.photo_rows import Photo
from node.database import Reader, Writer
from node.errors import Invalid, NotFound
from web.api.endpoint import ApiRequest, JsonResponse, RouteTable

routes = RouteTable()

MAX_UPLOADS_PER_HOUR = 600


@routes.asynchronous("POST", "/api/v1/media", "write:media")
@routes.asynchronous("POST", "/api/v2/media", "write:media")
async def upload(request: ApiRequest) -> JsonResponse:
    """Uploads a photo. It is decoded and resized before the response, so that its URL works at once."""
    data = request.params.upload("file")
    if data is None or not stored_files.file_size(data):
        raise Invalid("There is no file.", field="file")
    account = request.caller
    await request.node.db.write(
        rate_limits.count_attempt, f"upload:{account.id}", limit=MAX_UPLOADS_PER_HOUR, seconds=3600
    )
    photo = await photos.upload(request.node, account, data, alt=request.params.text("description"))
    if "focus" in request.params:
        photo = await request.node.db.write(_set_description, request, photo)
    return request.json_response(request.entities.attachment(photo, account))


def _unattached_photo(tx: Reader, request: ApiRequest) -> Photo:
    """Returns the caller's photo in the path. Raises NotFound once it is in a post."""
    photo = photo_rows.owned_by(tx, request.caller, request.path_id())
    if photo.post_id is not None:
        raise NotFound
    return photo


@routes.read("/api/v1/media/{id}", "write:media")
def show(tx: Reader, request: ApiRequest) -> JsonResponse:
    photo = _unattached_photo(tx, request)
    return request.json_response(request.entities.attachment(photo, request.caller))


@routes.write("PUT", "/api/v1/media/{id}", "write:media")
def update(tx: Writer, request: ApiRequest) -> JsonResponse:
    photo = _set_description(tx, request, _unattached_photo(tx, request))
    return request.json_response(request.entities.attachment(photo, request.caller))


@routes.write("DELETE", "/api/v1/media/{id}", "write:media")
def delete(tx: Writer, request: ApiRequest) -> JsonResponse:
    photos.delete_unattached(tx, request.caller, _unattached_photo(tx, request).id)
    return request.json_response({})


def _set_description(tx: Writer, request: ApiRequest, photo: Photo) -> Photo:
    alt = request.params.text("description") if "description" in request.params else None
    focus = parse_focus(request.params.text("focus"))
    return photos.set_details(tx, request.caller, photo.id, alt=alt, focus=focus)


def parse_focus(text: str) -> tuple[float, float] | None:
    """Parses a focal point such as `0.1,-0.5`, each coordinate from -1 to 1. Raises Invalid."""
    if not text:
        return None
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        raise Invalid("focus is two numbers with a comma between them.", field="focus") from None
    if not (-1 <= x <= 1 and -1 <= y <= 1):
        raise Invalid("focus is two numbers from -1 to 1.", field="focus")
    return x, y
