"""Serves our own CSS, scripts and pictures: read once, kept in memory, compressed once, versioned by their content.

`/static/<version>/<path>` may be cached for ever, because the version is made of all the files; modules that
import each other by relative paths keep it. `/static/<path>` works too and is revalidated each time.
The CSS is written in many files and served as one, `css/main.css`; only the editor has a second one.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from typing import Any

from activitypub.asgi import header, respond
from node.node import Node
from web.files import file_response
from web.files.asset_urls import STYLES, Assets, editor_stylesheet, stylesheet

MIMES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
    "webp": "image/webp",
    "ico": "image/x-icon",
    "woff2": "font/woff2",
    "webmanifest": "application/manifest+json",
    "txt": "text/plain; charset=utf-8",
}
COMPRESSED_EXTENSIONS = ("css", "js", "svg", "webmanifest", "txt")

_VERSION = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file in memory; `gzipped` is its gzip form, when that is worth it."""

    data: bytes
    gzipped: bytes | None
    mime: str
    etag: str


class StaticFiles:
    """The ASGI app for `/static/`. Only files that existed at the first request are served."""

    def __init__(self, node: Node) -> None:
        self._assets = node.component(Assets)
        self._files: dict[str, StaticFile] | None = None

    async def __call__(self, scope: Any, send: Any) -> None:
        if self._files is None:
            self._files = self._read()
        path = scope["path"].removeprefix("/static/")
        version, _, rest = path.partition("/")
        is_versioned = _VERSION.fullmatch(version) is not None
        file = self._files.get(rest if is_versioned else path)
        if file is None:
            await file_response.send_text(scope, send, 404, "There is nothing here.")
            return
        is_current = is_versioned and version == self._assets.version
        headers = [
            (b"cache-control", b"public, max-age=31536000, immutable" if is_current else b"no-cache"),
            (b"etag", file.etag.encode()),
        ]
        if file.mime == MIMES["svg"]:
            headers.append(
                (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; sandbox")
            )
        if file.gzipped is not None:
            headers.append((b"vary", b"accept-encoding"))
        if file_response.is_not_modified(scope, file.etag):
            await respond(scope, send, 304, content_type="", headers=headers)
            return
        data = file.data
        if file.gzipped is not None and "gzip" in (header(scope, b"accept-encoding") or ""):
            headers.append((b"content-encoding", b"gzip"))
            data = file.gzipped
        await respond(scope, send, 200, data, file.mime, headers)

    def _read(self) -> dict[str, StaticFile]:
        files = {
            "css/main.css": _static_file(stylesheet(), "css"),
            "css/editor.css": _static_file(editor_stylesheet(), "css"),
        }
        for file in sorted(self._assets.folder.rglob("*")):
            extension = file.suffix.removeprefix(".")
            if file.is_file() and extension in MIMES and not file.is_relative_to(STYLES):
                files[file.relative_to(self._assets.folder).as_posix()] = _static_file(
                    file.read_bytes(), extension
                )
        return files


def _static_file(data: bytes, extension: str) -> StaticFile:
    gzipped = gzip.compress(data, 9, mtime=0) if extension in COMPRESSED_EXTENSIONS else None
    return StaticFile(
        data,
        gzipped if gzipped is not None and len(gzipped) < len(data) else None,
        MIMES[extension],
        f'"{hashlib.sha256(data).hexdigest()[:20]}"',
    )
