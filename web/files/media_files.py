"""Serves photos, avatars, emoji and our own static files, over plain ASGI in front of the pages.

`/media/<key>`                  a file; one that is not public only for who may see it (session cookie)
`/media/p/<capability>/<rest>`  the same without a cookie: for an app as long as its account may see the file, and
                                for another server as long as somebody there may
`/media/remote/<photo>/<size>`  a remote photo, fetched when it is first viewed
`/media/avatar/<account>/<size>` an avatar, local or fetched when first viewed; `/media/header/` likewise
`/media/emoji/<emoji>.webp`     a custom emoji of another server, likewise
`/static/[<version>/]<path>`    our CSS, scripts and pictures

`node.models.visibility` decides who may see a file; that everyone may is cached for a
minute. The only addresses ever fetched from are those that a stored post or account has, so this is no open proxy.
Files of the media cache have no URL of their own: they come and go, and each URL that leads to one checks who
requests it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Any

from activitypub.asgi import Header, end_turn, respond
from activitypub.server import authorized_fetch
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
from node.attachments.media_cache import AccessTimes
from node.attachments.stored_files import StoredFiles
from node.auth import users
from node.cache import Cache
from node.database import Reader
from node.errors import DatabaseUnavailable, NotFound, Refused
from node.ids import parse_id
from node.jobs.queue import Job
from node.models import visibility
from node.models.account import Account
from node.moderation import domain_rules
from node.node import Node
from web.files import file_response
from web.files.static_files import StaticFiles
from web.request.cookies import read_cookies
from web.request.known_sessions import FindSession, KnownSessions
from web.request.session import SESSION_COOKIE

MIMES = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "avif": "image/avif",
    "png": "image/png",
    "gif": "image/gif",
}
SECURITY_HEADERS: list[Header] = [
    (b"content-security-policy", b"default-src 'none'; sandbox"),
    (b"access-control-allow-origin", b"*"),
    (b"cross-origin-resource-policy", b"cross-origin"),
]
log = logging.getLogger("tintype.media")

CACHE_IMMUTABLE = b"public, max-age=31536000, immutable"
CACHE_PRIVATE = b"private, max-age=600"
CACHE_SHORT = b"public, max-age=60"
CACHE_DAY = b"public, max-age=86400"

ACCESS_CACHE_TTL_SECONDS = 60.0
MAX_CACHED_ACCESSES = 10_000

KNOWN_VARIANTS = frozenset(
    (variant.name, str(variant.format)) for variant in (*VARIANTS, *AVATAR_VARIANTS, *HEADER_VARIANTS)
)


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A file that may be sent: its storage key, and how long a browser may keep it.

    `remote_media_key` names the picture of another server that it is, if it is one.
    """

    key: str
    cache_control: bytes
    remote_media_key: tuple[str, int] | None = None


class AccessGeneration:
    """Counts how often something stopped being public, which ends what was cached about access before."""

    def __init__(self, node: Node) -> None:
        self.number = 0


async def withdraw_access(node: Node, job: Job) -> None:
    """Job `withdraw_access`: lets this process ask the database again who may see which file."""
    node.component(AccessGeneration).number += 1


class MediaApp:
    """The ASGI app for `/media/` and `/static/` of one node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._static = StaticFiles(node)
        self._public_keys: Cache[str, bool] = Cache(MAX_CACHED_ACCESSES, ACCESS_CACHE_TTL_SECONDS)
        self._generation = node.component(AccessGeneration)
        self._cached_generation = self._generation.number

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "OPTIONS":
            allowed = [
                (b"access-control-allow-methods", b"GET, HEAD"),
                (b"access-control-allow-headers", b"range"),
            ]
            await respond(scope, send, 204, content_type="", headers=[*SECURITY_HEADERS, *allowed])
            return
        if scope["method"] not in ("GET", "HEAD"):
            await file_response.send_text(
                scope, send, 405, "Only reading is possible here.", [(b"allow", b"GET, HEAD")]
            )
            return
        path: str = scope["path"]
        if path.startswith("/static/"):
            await self._static(scope, send)
            return
        try:
            await self._serve(scope, send, path.removeprefix("/media/"))
        except Refused as refused:
            await file_response.send_text(scope, send, refused.status, refused.message, SECURITY_HEADERS)
        except DatabaseUnavailable as unavailable:
            log.warning("%s %s failed: %s", scope["method"], scope["path"], unavailable)
            headers = [*SECURITY_HEADERS, (b"retry-after", str(unavailable.retry_after).encode())]
            await file_response.send_text(scope, send, unavailable.status, unavailable.message, headers)

    async def _serve(self, scope: Any, send: Any, rest: str) -> None:
        found = await self._find_file(scope, rest)
        try:
            await self._send_file(scope, send, found)
        except NotFound:
            if found.remote_media_key is None:
                raise
            # Evicted between reading the tables and opening the file, or the folder was emptied.
            await self._node.db.write(media_cache_eviction.evict, [found.remote_media_key])
            await self._send_file(scope, send, await self._find_file(scope, rest))

    async def _find_file(self, scope: Any, rest: str) -> MediaFile:
        """Returns the file behind a path.

        Raises NotFound where there is none or the client may not see it.
        """
        viewer_id, host = None, None
        if rest.startswith("p/"):
            _, _, after = rest.partition("/")
            capability, _, rest = after.partition("/")
            viewer_id = self._node.site.media_capability_viewer(capability, rest) or 0
            host = self._node.site.server_of_capability(capability, rest)
            if not viewer_id and host is None:
                raise NotFound
        if (kind := avatars.PICTURE_KINDS.get(rest.partition("/")[0])) is not None:
            return await self._profile_picture(scope, rest, kind)
        if rest.startswith("remote/"):
            return await self._remote_photo(scope, rest, viewer_id)
        if rest.startswith("emoji/"):
            return await self._custom_emoji(scope, rest)
        if rest.startswith(remote_fetch.CACHE_FOLDER):
            raise NotFound
        if viewer_id is None:
            return await self._file_with_session(scope, rest)
        if viewer_id:
            return await self._file_of_viewer(viewer_id, rest)
        return await self._file_of_server(host or "", rest)

    async def _file_of_viewer(self, viewer_id: int, key: str) -> MediaFile:
        """Returns a file that an app shows to its account. Not cached: a block or an unfollow counts at once."""
        if await self._node.db.read(_may_account_see_file, viewer_id, key) is None:
            raise NotFound
        return MediaFile(key, CACHE_PRIVATE)

    async def _file_of_server(self, host: str, key: str) -> MediaFile:
        """Returns a file for another server, which is not told who of its people looks at it. Not cached, either."""
        if not await self._node.db.read(authorized_fetch.may_fetch_file, host, key):
            raise NotFound
        return MediaFile(key, CACHE_PRIVATE)

    async def _file_with_session(self, scope: Any, key: str) -> MediaFile:
        if self._is_public_cached(key):
            return MediaFile(key, CACHE_IMMUTABLE)
        generation = self._generation.number
        access = await self._node.db.read(_may_see_file, self._find_session(scope), key)
        if access is None:
            raise NotFound
        if access == "private":
            return MediaFile(key, CACHE_PRIVATE)
        self._cache_public(key, generation)
        return MediaFile(key, CACHE_IMMUTABLE)

    def _find_session(self, scope: Any) -> FindSession:
        return self._node.component(KnownSessions).finder(read_cookies(scope).get(SESSION_COOKIE, ""))

    def _is_public_cached(self, key: str) -> bool:
        if self._cached_generation != self._generation.number:
            self._public_keys.clear()
            self._cached_generation = self._generation.number
        return self._public_keys.get(key) is not None

    def _cache_public(self, key: str, generation: int) -> None:
        """Caches that everyone may have a file, unless something was withdrawn since that was read."""
        if generation == self._generation.number == self._cached_generation:
            self._public_keys.put(key, True)

    async def _remote_photo(self, scope: Any, rest: str, viewer_id: int | None) -> MediaFile:
        photo_id, size = _parse_path(rest)
        arguments = (self._find_session(scope), photo_id, viewer_id)
        files, is_public = await self._node.db.read(_remote_photo_files, *arguments)
        if not files:
            end_turn(scope)
            await remote_photos.fetch(self._node, photo_id)
            files, is_public = await self._node.db.read(_remote_photo_files, *arguments)
        cache_control = CACHE_IMMUTABLE if is_public else CACHE_PRIVATE
        return await self._record_access("photo", photo_id, _select_variant(files, size, cache_control))

    async def _profile_picture(self, scope: Any, rest: str, kind: avatars.PictureKind) -> MediaFile:
        account_id, size = _parse_path(rest)
        files, is_remote = await self._node.db.read(_profile_files, account_id, kind)
        if not is_remote:
            return _select_variant(files, size, CACHE_IMMUTABLE)
        if not files:
            end_turn(scope)
            await avatars.fetch_remote(self._node, account_id, kind)
            files, _ = await self._node.db.read(_profile_files, account_id, kind)
        return await self._record_access(kind.name, account_id, _select_variant(files, size, CACHE_IMMUTABLE))

    async def _custom_emoji(self, scope: Any, rest: str) -> MediaFile:
        name, _, form = rest.removeprefix("emoji/").partition(".")
        if form != "webp":
            raise NotFound
        emoji_id = _parse_id(name)
        file = await self._node.db.read(_emoji_file, emoji_id)
        if not file:
            end_turn(scope)
            await custom_emoji.fetch_remote(self._node, emoji_id)
            file = await self._node.db.read(_emoji_file, emoji_id)
        if not file:
            raise NotFound
        return await self._record_access("emoji", emoji_id, MediaFile(file, CACHE_DAY))

    async def _record_access(self, kind: str, id_: int, found: MediaFile) -> MediaFile:
        await self._node.component(AccessTimes).record(kind, id_)
        return replace(found, remote_media_key=(kind, id_))

    async def _send_file(self, scope: Any, send: Any, found: MediaFile) -> None:
        name, _, extension = found.key.rpartition(".")
        mime = MIMES.get(extension)
        if mime is None:
            raise NotFound
        headers = [*SECURITY_HEADERS, (b"cache-control", found.cache_control)]
        etag = f'"{name.rpartition("/")[2]}"'
        path = self._node.storage.path(found.key)
        try:
            if path is not None:
                await file_response.send_file(scope, send, path, mime, etag, headers)
            elif (url := self._node.storage.url(found.key)) is not None:
                more = [*headers, (b"location", url.encode())]
                await respond(scope, send, 307, content_type="", headers=more)
            else:
                await respond(scope, send, 200, await self._node.storage.get(found.key), mime, headers)
        except (FileNotFoundError, IsADirectoryError, KeyError):
            raise NotFound from None


def _parse_path(rest: str) -> tuple[int, tuple[str, str]]:
    """Parses a path: `remote/123/medium.webp` → (123, ("medium", "webp"))."""
    _, id_, name = ([*rest.split("/"), "", ""])[:3]
    variant, _, form = name.partition(".")
    if rest.count("/") != 2 or (variant, form) not in KNOWN_VARIANTS:
        raise NotFound
    return _parse_id(id_), (variant, form)


def _parse_id(text: str) -> int:
    found = parse_id(text)
    if found is None:
        raise NotFound
    return found


def _select_variant(files: StoredFiles, size: tuple[str, str], cache_control: bytes) -> MediaFile:
    """Returns the requested variant; while it is still being made, another one, with a short cache time."""
    exact = files.get(size)
    if exact is not None:
        return MediaFile(exact.key, cache_control)
    if not files:
        raise NotFound
    nearest = max(files, key=lambda name: (name[1] == size[1], files[name].width))
    return MediaFile(files[nearest].key, CACHE_SHORT if cache_control == CACHE_IMMUTABLE else CACHE_PRIVATE)


def _viewer(tx: Reader, find_session: FindSession) -> Account | None:
    found = find_session(tx)
    return found[0] if found else None


def viewer_by_id(tx: Reader, account_id: int) -> Account | None:
    """Returns the account a capability is bound to; None if it may no longer sign in."""
    account = accounts.by_id(tx, account_id)
    user = users.by_account(tx, account) if account else None
    if account is None or account.is_inactive or user is None or user.state != "active":
        return None
    return account


def _may_account_see_file(tx: Reader, account_id: int, key: str) -> str | None:
    return visibility.may_see_file(tx, visibility.viewer_value(viewer_by_id(tx, account_id)), key)


def _may_see_file(tx: Reader, find_session: FindSession, key: str) -> str | None:
    viewer = _viewer(tx, find_session)
    return visibility.may_see_file(tx, visibility.viewer_value(viewer), key)


def _remote_photo_files(
    tx: Reader, find_session: FindSession, photo_id: int, viewer_id: int | None
) -> tuple[StoredFiles, bool]:
    """Returns the files of a remote photo and whether it is public.

    `viewer_id` is the account of the capability in the URL, which goes before the session.
    """
    photo = photo_rows.by_ids(tx, [photo_id]).get(photo_id)
    viewer = _viewer(tx, find_session) if viewer_id is None else viewer_by_id(tx, viewer_id)
    access = visibility.may_see_photo(tx, visibility.viewer_value(viewer), photo_id)
    if photo is None or not photo.remote_url or not access:
        raise NotFound
    owner = accounts.get(tx, photo.account_id)
    if owner.is_inactive or not domain_rules.allows_media(tx, owner, photo.remote_url):
        raise NotFound
    return photo.files, access == "public"


def _profile_files(tx: Reader, account_id: int, kind: avatars.PictureKind) -> tuple[StoredFiles, bool]:
    """Returns the files of a profile picture, and whether it is a remote one."""
    account = accounts.by_id(tx, account_id)
    if (
        account is None
        or account.is_inactive
        or not domain_rules.allows_media(tx, account, kind.url(account))
    ):
        raise NotFound
    return avatars.files(tx, account, kind), bool(kind.url(account)) and not account.is_local


def _emoji_file(tx: Reader, emoji_id: int) -> str:
    found = custom_emoji.visible_by_id(tx, emoji_id)
    if found is None:
        raise NotFound
    return found.file
