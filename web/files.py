"""Photos, avatars and our own static files, over plain ASGI in front of everything slower.

`/media/<key>`                  a file; one that is not public only for who may see it (session cookie)
`/media/p/<capability>/<rest>`  the same for apps and other servers: whoever was told may fetch
`/media/remote/<photo>/<size>`  a photo of another server, fetched when it is first looked at
`/media/avatar/<account>/<size>` an avatar, ours or fetched when first looked at
`/static/[<version>/]<path>`    our CSS, scripts and pictures

What may be seen is asked of `node.visibility`; what all may see, or all who were told, is remembered for
a minute. The only addresses ever fetched from are those that a post or a profile here already has, so
this is no open proxy.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any

from media.images import BadImage
from node import accounts, avatars, photos, remote_photos, sessions, visibility
from node.database import Reader
from node.errors import NotFound, Refused
from node.files import Files as Sizes
from node.node import Node
from web import sending
from web.session import COOKIE
from web.static_files import StaticFiles

log = logging.getLogger("tintype.files")

MIMES = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "avif": "image/avif",
    "png": "image/png",
    "gif": "image/gif",
}
SECURITY: list[sending.Header] = [
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; sandbox"),
    (b"access-control-allow-origin", b"*"),
    (b"cross-origin-resource-policy", b"cross-origin"),
]
FOR_EVER = b"public, max-age=31536000, immutable"
PRIVATE = b"private, max-age=600"
CAPABLE = b"private, max-age=31536000, immutable"
SHORT = b"public, max-age=60"

REMEMBERED = 60.0
MOST_REMEMBERED = 10_000
MOST_FETCHES = 8


@dataclass(frozen=True, slots=True)
class Found:
    """A file that may be sent: its storage key, and how long a browser may keep it."""

    key: str
    cache: bytes


class Files:
    """The ASGI app for `/media/` and `/static/` of one node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._static = StaticFiles(node)
        self._open: dict[tuple[str, str], float] = {}
        self._fetching: dict[int, asyncio.Task[None]] = {}
        self._places = asyncio.Semaphore(MOST_FETCHES)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "OPTIONS":
            allowed = [
                (b"access-control-allow-methods", b"GET, HEAD"),
                (b"access-control-allow-headers", b"range"),
            ]
            await sending.answer(scope, send, 204, [*SECURITY, *allowed])
            return
        if scope["method"] not in ("GET", "HEAD"):
            await sending.text(scope, send, 405, "Only reading is possible here.", [(b"allow", b"GET, HEAD")])
            return
        path: str = scope["path"]
        if path.startswith("/static/"):
            await self._static(scope, send)
            return
        try:
            found = await self._find(scope, path.removeprefix("/media/"))
            await self._send(scope, send, found)
        except Refused as refused:
            await sending.text(scope, send, refused.status, refused.message, SECURITY)

    async def _find(self, scope: Any, rest: str) -> Found:
        """The file behind an address; raises NotFound for what is not there or not for this person."""
        capable = False
        if rest.startswith("p/"):
            _, _, after = rest.partition("/")
            given, _, rest = after.partition("/")
            if not self._node.site.is_media_capability(given, rest):
                raise NotFound
            capable = True
        if rest.startswith("avatar/"):
            return await self._avatar(rest)
        if rest.startswith("remote/"):
            return await self._remote(scope, rest, capable)
        return await (self._told(rest) if capable else self._own(scope, rest))

    async def _told(self, key: str) -> Found:
        if not self._remembers("told", key):
            if not await self._node.db.read(visibility.is_shown, key):
                raise NotFound
            self._remember("told", key)
        return Found(key, CAPABLE)

    async def _own(self, scope: Any, key: str) -> Found:
        if self._remembers("all", key):
            return Found(key, FOR_EVER)
        access = await self._node.db.read(_may_see_file, _cookie(scope), key)
        if access is None:
            raise NotFound
        if access == "private":
            return Found(key, PRIVATE)
        self._remember("all", key)
        return Found(key, FOR_EVER)

    def _remembers(self, whom: str, key: str) -> bool:
        return self._open.get((whom, key), 0.0) > time.monotonic()

    def _remember(self, whom: str, key: str) -> None:
        if len(self._open) >= MOST_REMEMBERED:
            self._open.clear()
        self._open[whom, key] = time.monotonic() + REMEMBERED

    async def _remote(self, scope: Any, rest: str, capable: bool) -> Found:
        photo_id, size = _parts(rest)
        cookie = _cookie(scope)
        files, is_open = await self._node.db.read(_remote_photo, cookie, photo_id, capable)
        if not files:
            await remote_photos.fetch(self._node, photo_id)
            files, is_open = await self._node.db.read(_remote_photo, cookie, photo_id, capable)
        keep = FOR_EVER if is_open else CAPABLE if capable else PRIVATE
        return _chosen(files, size, keep)

    async def _avatar(self, rest: str) -> Found:
        account_id, size = _parts(rest)
        files, is_remote = await self._node.db.read(_avatar_files, account_id)
        if not files and is_remote:
            await self._once(account_id)
            files, _ = await self._node.db.read(_avatar_files, account_id)
        return _chosen(files, size, FOR_EVER)

    async def _once(self, account_id: int) -> None:
        """Fetch a remote avatar; whoever else wants it meanwhile waits for the same fetch."""
        task = self._fetching.get(account_id)
        if task is None:
            task = asyncio.create_task(self._fetch(account_id))
            self._fetching[account_id] = task
            task.add_done_callback(lambda _: self._fetching.pop(account_id, None))
        await asyncio.shield(task)

    async def _fetch(self, account_id: int) -> None:
        async with self._places:
            try:
                await avatars.fetch_remote(self._node, account_id)
            except (BadImage, Refused) as bad:
                log.info("the avatar of %d cannot be shown: %s %s", account_id, bad.message, bad.detail)

    async def _send(self, scope: Any, send: Any, found: Found) -> None:
        name, _, extension = found.key.rpartition(".")
        mime = MIMES.get(extension)
        if mime is None:
            raise NotFound
        headers = [*SECURITY, (b"cache-control", found.cache)]
        etag = f'"{name.rpartition("/")[2]}"'
        path = self._node.storage.path(found.key)
        try:
            if path is not None:
                await sending.file(scope, send, path, mime, etag, headers)
            elif (url := self._node.storage.url(found.key)) is not None:
                await sending.answer(scope, send, 307, [*headers, (b"location", url.encode())])
            else:
                await sending.answer(scope, send, 200, headers, await self._node.storage.get(found.key), mime)
        except (FileNotFoundError, IsADirectoryError, KeyError):
            raise NotFound from None


def _cookie(scope: Any) -> str:
    try:
        morsel = SimpleCookie(sending.header(scope, b"cookie")).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def _parts(rest: str) -> tuple[int, tuple[str, str]]:
    """`remote/123/medium.webp` → (123, ("medium", "webp"))."""
    _, id_, name = ([*rest.split("/"), "", ""])[:3]
    variant, _, form = name.partition(".")
    if not (id_.isascii() and id_.isdecimal() and len(id_) < 19) or rest.count("/") != 2:
        raise NotFound
    return int(id_), (variant, form)


def _chosen(files: Sizes, size: tuple[str, str], keep: bytes) -> Found:
    """The size that was asked for; while it is still being made, another one, not to be kept for long."""
    exact = files.get(size)
    if exact is not None:
        return Found(exact.file, keep)
    if not files:
        raise NotFound
    other = max(files, key=lambda name: (name[1] == size[1], files[name].width))
    return Found(files[other].file, SHORT if keep == FOR_EVER else PRIVATE)


def _viewer(tx: Reader, cookie: str) -> accounts.Account | None:
    found = sessions.by_token(tx, cookie) if cookie else None
    return found[0] if found else None


def _may_see_file(tx: Reader, cookie: str, key: str) -> str | None:
    viewer = _viewer(tx, cookie)
    return visibility.may_see_file(tx, visibility.eyes(viewer), key)


def _remote_photo(tx: Reader, cookie: str, photo_id: int, capable: bool) -> tuple[Sizes, bool]:
    """The files of a remote photo and whether everyone may see it. A capability stands for the right to."""
    photo = photos.by_ids(tx, [photo_id]).get(photo_id)
    viewer = _viewer(tx, cookie)
    access = visibility.may_see_photo(tx, visibility.eyes(viewer), photo_id)
    if photo is None or not photo.remote_url or not (access or capable):
        raise NotFound
    owner = accounts.get(tx, photo.account_id)
    if owner.is_gone or owner.is_without_media:
        raise NotFound
    author = accounts.get(tx, photo.account_id)
    if author.is_gone or author.is_without_media:
        raise NotFound
    return photo.files, access == "public"


def _avatar_files(tx: Reader, account_id: int) -> tuple[Sizes, bool]:
    """An avatar's files, and whether it may be fetched from elsewhere."""
    account = accounts.by_id(tx, account_id)
    if account is None or account.is_gone or account.is_without_media:
        raise NotFound
    return avatars.files(tx, account), bool(account.avatar_url) and not account.is_local
