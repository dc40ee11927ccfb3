"""Our own CSS, scripts and pictures: read once, kept in memory, compressed once, named by their content.

`/static/<version>/<path>` may be kept for ever, because the version is made of all the files; modules that
import each other by relative paths keep it. `/static/<path>` works too and is asked for anew each time.
The CSS is written in many files and served as one, `css/main.css`.
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
from web.files.asset_urls import STYLES, Assets, stylesheet

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
    """Serves the folder of `Assets`. Only paths that were there at the first look exist."""

    def __init__(self, node: Node) -> None:
        self._assets = node.component(Assets)
        self._files: dict[str, StaticFile] | None = None

    async def __call__(self, scope: Any, send: Any) -> None:
        if self._files is None:
            self._files = self._read()
        path = scope["path"].removeprefix("/static/")
        version, _, rest = path.partition("/")
        is_versioned = _VERSION.fullmatch(version) is not None
        held = self._files.get(rest if is_versioned else path)
        if held is None:
            await file_response.send_text(scope, send, 404, "There is nothing here.")
            return
        is_current = is_versioned and version == self._assets.version
        headers = [
            (b"cache-control", b"public, max-age=31536000, immutable" if is_current else b"no-cache"),
            (b"etag", held.etag.encode()),
        ]
        if held.mime == MIMES["svg"]:
            headers.append(
                (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; sandbox")
            )
        if held.gzipped is not None:
            headers.append((b"vary", b"accept-encoding"))
        if file_response.is_not_modified(scope, held.etag):
            await respond(scope, send, 304, content_type="", headers=headers)
            return
        data = held.data
        if held.gzipped is not None and "gzip" in (header(scope, b"accept-encoding") or ""):
            headers.append((b"content-encoding", b"gzip"))
            data = held.gzipped
        await respond(scope, send, 200, data, held.mime, headers)

    def _read(self) -> dict[str, StaticFile]:
        held = {"css/main.css": _hold(stylesheet(), "css")}
        for file in sorted(self._assets.folder.rglob("*")):
            extension = file.suffix.removeprefix(".")
            if file.is_file() and extension in MIMES and not file.is_relative_to(STYLES):
                held[file.relative_to(self._assets.folder).as_posix()] = _hold(file.read_bytes(), extension)
        return held


def _hold(data: bytes, extension: str) -> StaticFile:
    small = gzip.compress(data, 9, mtime=0) if extension in COMPRESSED_EXTENSIONS else None
    return StaticFile(
        data,
        small if small is not None and len(small) < len(data) else None,
        MIMES[extension],
        f'"{hashlib.sha256(data).hexdigest()[:20]}"',
    )
