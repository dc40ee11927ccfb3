"""Uploading a photo in pieces, so that a lost connection continues: tus 1.0.0 (https://tus.io/protocols/resumable-upload).

`POST /uploads` begins an upload, `PATCH` adds the next piece, `HEAD` says how far it is, `DELETE` ends it; of the
extensions there are creation, expiration, checksum and termination. tus was chosen over the draft for HTTP
(draft-ietf-httpbis-resumable-upload), whose fields still change from one version to the next; both keep an offset.

A complete upload becomes a photo by `POST /compose/photo` with its id as `upload`, with the answers and the errors of a
file that is sent there whole. Who is signed in uploads, by the session and the form token of the pages (`X-CSRF`).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import AsyncIterator
from email.utils import formatdate

from quart import Blueprint, Response, jsonify, request

from node.attachments import photos
from node.database import Writer
from node.errors import Conflict, Overloaded, Refused, TooManyRequests
from node.ids import MAX_ID
from node.models.account import Account
from node.uploads import receiving, uploads
from node.uploads.receiving import CHECKSUMS, Checksum, WrongOffset
from node.uploads.uploads import PartialUpload, UploadLimits
from web.i18n.translations import N_, _, gettext
from web.request import context
from web.request.bodies import BodyOverLimit, body_of

blueprint = Blueprint("uploads", __name__)

VERSION = "1.0.0"
EXTENSIONS = "creation,expiration,checksum,termination"
PIECE_TYPE = "application/offset+octet-stream"
METHODS = ("HEAD", "PATCH", "DELETE")

_NUMBER = re.compile(r"[0-9]{1,19}")
_PAIR = re.compile(r"[!-+\--~]{1,100}(?: (?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)?")


class TusRefused(Refused):
    """A request that is not as the protocol asks."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@blueprint.after_request
async def _add_version(response: Response) -> Response:
    response.headers["Tus-Resumable"] = VERSION
    if response.status_code == 412:
        response.headers["Tus-Version"] = VERSION
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.errorhandler(Refused)
async def _handle_refused(error: Refused) -> Response:
    """Answers as JSON whatever the client accepts: it is always a program."""
    response = jsonify(error=gettext(error.message))
    response.status_code = error.status
    if isinstance(error, WrongOffset):
        response.headers["Upload-Offset"] = str(error.offset)
    if isinstance(error, TooManyRequests | Overloaded):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


@blueprint.route("/uploads", methods=["OPTIONS"])
async def describe() -> Response:
    """Says what of the protocol there is."""
    response = Response(status=204)
    response.headers["Tus-Version"] = VERSION
    response.headers["Tus-Extension"] = EXTENSIONS
    response.headers["Tus-Checksum-Algorithm"] = ",".join(CHECKSUMS)
    response.headers["Tus-Max-Size"] = str(_max_bytes())
    return response


@blueprint.post("/uploads")
async def create() -> Response:
    _check_version()
    await context.require_account()
    if "Upload-Defer-Length" in request.headers:
        raise TusRefused(400, N_("The length of an upload has to be known at its beginning."))
    length = _number("Upload-Length")
    if length > _max_bytes():
        mb = photos.max_upload_mb(context.current_node())
        raise BodyOverLimit(_("This file is too large: up to %(mb)s MB are accepted.", mb=mb))
    limits = uploads.limits_of(context.current_node())
    upload = await context.write(_create, length, _read_metadata(), limits)
    response = Response(status=201)
    response.headers["Location"] = f"/uploads/{upload.id}"
    return _with_end(response, upload)


def _create(tx: Writer, account: Account, length: int, metadata: str, limits: UploadLimits) -> PartialUpload:
    return uploads.create(tx, account, length, metadata, limits)


@blueprint.route("/uploads/<int:upload_id>", methods=["HEAD"])
async def show(upload_id: int) -> Response:
    _check_version()
    account = await context.require_account()
    upload, offset = await receiving.find_offset(context.current_node(), account, upload_id)
    response = Response(status=200)
    response.headers["Upload-Offset"] = str(offset)
    response.headers["Upload-Length"] = str(upload.length)
    if upload.metadata:
        response.headers["Upload-Metadata"] = upload.metadata
    return _with_end(response, upload)


@blueprint.patch("/uploads/<int:upload_id>")
async def append(upload_id: int) -> Response:
    _check_version()
    account = await context.require_account()
    if request.mimetype != PIECE_TYPE:
        raise TusRefused(415, N_("A piece of an upload has the type application/offset+octet-stream."))
    body = body_of(request.scope)
    upload, offset = await receiving.append(
        context.current_node(),
        account,
        upload_id,
        _number("Upload-Offset"),
        _pieces(),
        size=request.content_length,
        checksum=_read_checksum(),
        end=None if body is None else lambda: body.end(_continued()),
    )
    response = Response(status=204)
    response.headers["Upload-Offset"] = str(offset)
    return _with_end(response, upload)


@blueprint.delete("/uploads/<int:upload_id>")
async def cancel(upload_id: int) -> Response:
    _check_version()
    account = await context.require_account()
    await receiving.cancel(context.current_node(), account, upload_id)
    return Response(status=204)


@blueprint.post("/uploads/<int:upload_id>")
async def override(upload_id: int) -> Response:
    """Does what another method would, for clients that can only send this one."""
    method = request.headers.get("X-HTTP-Method-Override", "").upper()
    if method not in METHODS:
        raise TusRefused(405, N_("An upload is continued with PATCH."))
    return await {"HEAD": show, "PATCH": append, "DELETE": cancel}[method](upload_id)


def _continued() -> Conflict:
    return Conflict(_("This upload was continued on another connection."))


def _with_end(response: Response, upload: PartialUpload) -> Response:
    response.headers["Upload-Expires"] = formatdate(upload.expires_at / 1000, usegmt=True)
    return response


def _max_bytes() -> int:
    return photos.max_upload_mb(context.current_node()) * uploads.BYTES_PER_MB


def _check_version() -> None:
    if request.headers.get("Tus-Resumable") != VERSION:
        raise TusRefused(412, N_("This server knows version 1.0.0 of the upload protocol."))


def _number(name: str) -> int:
    """Returns the number in a header. Raises TusRefused for anything else."""
    text = request.headers.get(name, "")
    if not _NUMBER.fullmatch(text) or int(text) > MAX_ID:
        raise TusRefused(400, _("%(name)s should be a number.", name=name))
    return int(text)


def _read_metadata() -> str:
    """Returns the metadata as they were sent: nothing here relies on them."""
    text = request.headers.get("Upload-Metadata", "").strip()
    pairs = [pair.strip() for pair in text.split(",")] if text else []
    keys = {pair.partition(" ")[0] for pair in pairs}
    if (
        len(text) > uploads.MAX_METADATA_LENGTH
        or len(keys) < len(pairs)
        or not all(_PAIR.fullmatch(pair) for pair in pairs)
    ):
        raise TusRefused(400, N_("Upload-Metadata could not be read."))
    return text


def _read_checksum() -> Checksum | None:
    text = request.headers.get("Upload-Checksum")
    if text is None:
        return None
    algorithm, _blank, encoded = text.partition(" ")
    try:
        digest = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if algorithm not in CHECKSUMS or not digest:
        raise TusRefused(400, N_("Upload-Checksum is a known algorithm and a hash in Base64."))
    return Checksum(algorithm, digest)


async def _pieces() -> AsyncIterator[bytes]:
    """Yields the body as it arrives. Raises what ended it too early."""
    async for piece in request.body:
        yield piece
    body = body_of(request.scope)
    if body is not None and body.refusal is not None:
        raise body.refusal
