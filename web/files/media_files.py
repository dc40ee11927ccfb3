"""Photos, avatars and our own static files, over plain ASGI in front of everything slower.

`/media/<key>`                  a file; one that is not public only for who may see it (session cookie)
`/media/p/<capability>/<rest>`  the same for apps and other servers: whoever was told may fetch
`/media/remote/<photo>/<size>`  a photo of another server, fetched when it is first looked at
`/media/avatar/<account>/<size>` an avatar, ours or fetched when first looked at; `/media/header/` likewise
`/media/emoji/<emoji>.webp`     a custom emoji of another server, likewise
`/static/[<version>/]<path>`    our CSS, scripts and pictures

What may be seen is asked of `node.models.visibility`; what all may see, or all who were told, is remembered for
a minute. The only addresses ever fetched from are those that a post or a profile here already has, so
this is no open proxy. Cached files have no address of their own: they come and go, and each way to one
asks who is looking.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from http.cookies import CookieError, SimpleCookie
from typing import Any

from activitypub.inbox.asgi import Header, header, respond
from media.images import AVATAR_VARIANTS, HEADER_VARIANTS, VARIANTS
from node.accounts import accounts
from node.attachments import (
    avatars,
    custom_emoji,
    media_cache_eviction,
    photo_rows,
    remote_fetch,
    remote_photos,
)
from node.attachments.media_cache import Looks
from node.attachments.stored_files import Files as Sizes
from node.auth import sessions
from node.cache import Cache
from node.database import Reader
from node.errors import NotFound, Refused
from node.ids import read_id
from node.models import visibility
from node.models.account import Account
from node.moderation import domain_policy
from node.node import Node
from web.files import file_response
from web.files.static_files import StaticFiles
from web.request.session import COOKIE

MIMES = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "avif": "image/avif",
    "png": "image/png",
    "gif": "image/gif",
}
SECURITY: list[Header] = [
    (b"content-security-policy", b"default-src 'none'; sandbox"),
    (b"access-control-allow-origin", b"*"),
    (b"cross-origin-resource-policy", b"cross-origin"),
]
FOR_EVER = b"public, max-age=31536000, immutable"
PRIVATE = b"private, max-age=600"
CAPABLE = b"private, max-age=31536000, immutable"
SHORT = b"public, max-age=60"
DAY = b"public, max-age=86400"

REMEMBERED = 60.0
MOST_REMEMBERED = 10_000

SIZES = frozenset(
    (variant.name, str(variant.format)) for variant in (*VARIANTS, *AVATAR_VARIANTS, *HEADER_VARIANTS)
)


@dataclass(frozen=True, slots=True)
class Found:
    """A file that may be sent: its storage key, and how long a browser may keep it.

    `cached` names the picture of another server that it is, if it is one.
    """

    key: str
    cache: bytes
    cached: tuple[str, int] | None = None


class Files:
    """The ASGI app for `/media/` and `/static/` of one node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._static = StaticFiles(node)
        self._open: Cache[tuple[str, str], bool] = Cache(MOST_REMEMBERED, REMEMBERED)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "OPTIONS":
            allowed = [
                (b"access-control-allow-methods", b"GET, HEAD"),
                (b"access-control-allow-headers", b"range"),
            ]
            await respond(scope, send, 204, content_type="", headers=[*SECURITY, *allowed])
            return
        if scope["method"] not in ("GET", "HEAD"):
            await file_response.text(
                scope, send, 405, "Only reading is possible here.", [(b"allow", b"GET, HEAD")]
            )
            return
        path: str = scope["path"]
        if path.startswith("/static/"):
            await self._static(scope, send)
            return
        try:
            await self._answer(scope, send, path.removeprefix("/media/"))
        except Refused as refused:
            await file_response.text(scope, send, refused.status, refused.message, SECURITY)

    async def _answer(self, scope: Any, send: Any, rest: str) -> None:
        found = await self._find(scope, rest)
        try:
            await self._send(scope, send, found)
        except NotFound:
            if found.cached is None:
                raise
            # Let go between the look into the tables and the look for the file, or the folder was emptied.
            await self._node.db.write(media_cache_eviction.let_go, [found.cached])
            await self._send(scope, send, await self._find(scope, rest))

    async def _find(self, scope: Any, rest: str) -> Found:
        """The file behind an address; raises NotFound for what is not there or not for this person."""
        capable = False
        if rest.startswith("p/"):
            _, _, after = rest.partition("/")
            given, _, rest = after.partition("/")
            if not self._node.site.is_media_capability(given, rest):
                raise NotFound
            capable = True
        if (kind := avatars.KINDS.get(rest.partition("/")[0])) is not None:
            return await self._of_profile(rest, kind)
        if rest.startswith("remote/"):
            return await self._remote(scope, rest, capable)
        if rest.startswith("emoji/"):
            return await self._emoji(rest)
        if rest.startswith(remote_fetch.FOLDER):
            raise NotFound
        return await (self._told(rest) if capable else self._own(scope, rest))

    async def _told(self, key: str) -> Found:
        if not self._open.get(("told", key)):
            if not await self._node.db.read(visibility.is_shown, key):
                raise NotFound
            self._open.put(("told", key), True)
        return Found(key, CAPABLE)

    async def _own(self, scope: Any, key: str) -> Found:
        if self._open.get(("all", key)):
            return Found(key, FOR_EVER)
        access = await self._node.db.read(_may_see_file, _cookie(scope), key)
        if access is None:
            raise NotFound
        if access == "private":
            return Found(key, PRIVATE)
        self._open.put(("all", key), True)
        return Found(key, FOR_EVER)

    async def _remote(self, scope: Any, rest: str, capable: bool) -> Found:
        photo_id, size = _parts(rest)
        asked = (_cookie(scope), photo_id, capable)
        files, is_open = await self._node.db.read(_remote_photo, *asked)
        if not files:
            await remote_photos.fetch(self._node, photo_id)
            files, is_open = await self._node.db.read(_remote_photo, *asked)
        keep = FOR_EVER if is_open else CAPABLE if capable else PRIVATE
        return await self._looked_at("photo", photo_id, _chosen(files, size, keep))

    async def _of_profile(self, rest: str, kind: avatars.Kind) -> Found:
        account_id, size = _parts(rest)
        files, is_remote = await self._node.db.read(_profile_files, account_id, kind)
        if not is_remote:
            return _chosen(files, size, FOR_EVER)
        if not files:
            await avatars.fetch_remote(self._node, account_id, kind)
            files, _ = await self._node.db.read(_profile_files, account_id, kind)
        return await self._looked_at(kind.name, account_id, _chosen(files, size, FOR_EVER))

    async def _emoji(self, rest: str) -> Found:
        name, _, form = rest.removeprefix("emoji/").partition(".")
        if form != "webp":
            raise NotFound
        emoji_id = _id(name)
        file = await self._node.db.read(_emoji_file, emoji_id)
        if not file:
            await custom_emoji.fetch(self._node, emoji_id)
            file = await self._node.db.read(_emoji_file, emoji_id)
        if not file:
            raise NotFound
        return await self._looked_at("emoji", emoji_id, Found(file, DAY))

    async def _looked_at(self, kind: str, id_: int, found: Found) -> Found:
        await self._node.part(Looks).note(kind, id_)
        return replace(found, cached=(kind, id_))

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
                await file_response.file(scope, send, path, mime, etag, headers)
            elif (url := self._node.storage.url(found.key)) is not None:
                more = [*headers, (b"location", url.encode())]
                await respond(scope, send, 307, content_type="", headers=more)
            else:
                await respond(scope, send, 200, await self._node.storage.get(found.key), mime, headers)
        except (FileNotFoundError, IsADirectoryError, KeyError):
            raise NotFound from None


def _cookie(scope: Any) -> str:
    try:
        morsel = SimpleCookie(header(scope, b"cookie") or "").get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def _parts(rest: str) -> tuple[int, tuple[str, str]]:
    """`remote/123/medium.webp` → (123, ("medium", "webp"))."""
    _, id_, name = ([*rest.split("/"), "", ""])[:3]
    variant, _, form = name.partition(".")
    if rest.count("/") != 2 or (variant, form) not in SIZES:
        raise NotFound
    return _id(id_), (variant, form)


def _id(text: str) -> int:
    found = read_id(text)
    if found is None:
        raise NotFound
    return found


def _chosen(files: Sizes, size: tuple[str, str], keep: bytes) -> Found:
    """The size that was asked for; while it is still being made, another one, not to be kept for long."""
    exact = files.get(size)
    if exact is not None:
        return Found(exact.file, keep)
    if not files:
        raise NotFound
    other = max(files, key=lambda name: (name[1] == size[1], files[name].width))
    return Found(files[other].file, SHORT if keep == FOR_EVER else PRIVATE)


def _viewer(tx: Reader, cookie: str) -> Account | None:
    found = sessions.by_token(tx, cookie) if cookie else None
    return found[0] if found else None


def _may_see_file(tx: Reader, cookie: str, key: str) -> str | None:
    viewer = _viewer(tx, cookie)
    return visibility.may_see_file(tx, visibility.eyes(viewer), key)


def _remote_photo(tx: Reader, cookie: str, photo_id: int, capable: bool) -> tuple[Sizes, bool]:
    """The files of a remote photo and whether everyone may see it. A capability stands for the right to."""
    photo = photo_rows.by_ids(tx, [photo_id]).get(photo_id)
    viewer = _viewer(tx, cookie)
    access = visibility.may_see_photo(tx, visibility.eyes(viewer), photo_id)
    if photo is None or not photo.remote_url or not (access or capable):
        raise NotFound
    owner = accounts.get(tx, photo.account_id)
    if owner.is_gone or not domain_policy.shows_media(tx, owner, photo.remote_url):
        raise NotFound
    return photo.files, access == "public"


def _profile_files(tx: Reader, account_id: int, kind: avatars.Kind) -> tuple[Sizes, bool]:
    """The files of a picture of a profile, and whether it may be fetched from elsewhere."""
    account = accounts.by_id(tx, account_id)
    if account is None or account.is_gone or not domain_policy.shows_media(tx, account, kind.url(account)):
        raise NotFound
    return avatars.files(tx, account, kind), bool(kind.url(account)) and not account.is_local


def _emoji_file(tx: Reader, emoji_id: int) -> str:
    found = custom_emoji.shown(tx, emoji_id)
    if found is None:
        raise NotFound
    return found.file
