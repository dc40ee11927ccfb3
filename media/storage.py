"""Stores finished files. The scheme of a URL is the only switch: `file:` a folder, `s3:` an object store.

A key names its bytes for ever: it is made of them and of the node's secret (`content_key`), so that a file
can be cached without end, is stored once however often it is uploaded, and cannot be guessed by someone who
has the same picture.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import os
import re
import secrets
import tempfile
import time
from base64 import b32encode
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import BinaryIO, Protocol

_KEY = re.compile(r"(?:[a-z0-9][a-z0-9_-]{0,99}/){0,4}[a-z0-9][a-z0-9_-]{0,99}\.[a-z0-9]{1,8}")
# What `content_key` makes, and nothing else that an admin may keep in the same folder.
_CONTENT_KEY = re.compile(r"(?:cache/)?[a-z2-7]{2}/[a-z2-7]{2}/[a-z2-7]{48}\.[a-z0-9]{1,8}")
_ABANDONED_AFTER_SECONDS = 3600


class Storage(Protocol):
    """What the node needs of a file store. A missing key raises KeyError; a malformed one is a missing one."""

    async def put(self, key: str, data: bytes, mime: str) -> None: ...

    async def get(self, key: str) -> bytes: ...

    async def delete(self, key: str) -> None:
        """Deletes the file. Nothing happens if there is none."""

    def path(self, key: str) -> Path | None:
        """Returns the local file, for callers who send it themselves; it may not exist.

        None if there can be none.
        """

    def url(self, key: str) -> str | None:
        """Returns where to redirect clients, for a store that serves files itself."""

    async def total_bytes(self) -> int:
        """Returns the bytes of all files."""

    async def keys_after(self, after: str, limit: int) -> list[tuple[str, float]]:
        """Returns up to `limit` keys that `content_key` has made and when each was last put (seconds since 1970).

        They come in an order of their own; those behind the key `after`, '' for the first.
        """

    async def delete_unless(self, key: str, is_needed: Callable[[], Awaitable[bool]]) -> bool:
        """Deletes a file, unless it is needed: that is asked while the file has no name. Returns whether it is gone.

        So whoever puts the file meanwhile either finds it missing, or is found by `is_needed`.
        """

    def temporary_file(self) -> BinaryIO:
        """Returns an empty file without a name: it is gone when it is closed, or when the process ends."""


class LocalStorage:
    """Files in a folder. A file is whole or absent: written to `.incoming`, flushed to the disk, then renamed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._incoming = folder / ".incoming"
        self._incoming.mkdir(parents=True, exist_ok=True)
        self._delete_abandoned()

    async def put(self, key: str, data: bytes, mime: str) -> None:
        path = self.path(key)
        if path is None:
            raise ValueError(f"not a storage key: {key!r}")
        await asyncio.to_thread(self._write, path, data)

    async def get(self, key: str) -> bytes:
        path = self.path(key)
        if path is None:
            raise KeyError(key)
        try:
            return await asyncio.to_thread(path.read_bytes)
        except (FileNotFoundError, IsADirectoryError):
            raise KeyError(key) from None

    async def delete(self, key: str) -> None:
        path = self.path(key)
        if path is not None:
            await asyncio.to_thread(path.unlink, missing_ok=True)

    def path(self, key: str) -> Path | None:
        return self.folder / key if _KEY.fullmatch(key) else None

    def url(self, key: str) -> str | None:
        return None

    async def total_bytes(self) -> int:
        return await asyncio.to_thread(_bytes_under, self.folder)

    async def keys_after(self, after: str, limit: int) -> list[tuple[str, float]]:
        return await asyncio.to_thread(self._list_keys, after, limit)

    async def delete_unless(self, key: str, is_needed: Callable[[], Awaitable[bool]]) -> bool:
        path = self.path(key)
        aside = self._incoming / secrets.token_hex(16)
        if path is None:
            return False
        try:
            await asyncio.to_thread(path.replace, aside)
        except FileNotFoundError:
            return False
        needed = True
        try:
            needed = await is_needed()
        finally:
            if needed:
                aside.replace(path)
            else:
                aside.unlink(missing_ok=True)
        return not needed

    def _list_keys(self, after: str, limit: int) -> list[tuple[str, float]]:
        if not after:
            self._delete_abandoned()
        found: list[tuple[str, float]] = []
        start = _position(after) if after else (False, "", "", "")
        for is_cached, prefix in ((False, ""), (True, "cache/")):
            for first in _names(self.folder / prefix, 2):
                if (is_cached, first) < start[:2]:
                    continue
                for second in _names(self.folder / prefix / first, 2):
                    if (is_cached, first, second) < start[:3]:
                        continue
                    folder = f"{prefix}{first}/{second}/"
                    for name in _names(self.folder / folder):
                        key = folder + name
                        if _CONTENT_KEY.fullmatch(key) and _position(key) > start:
                            with contextlib.suppress(FileNotFoundError):
                                found.append((key, os.stat(self.folder / key).st_mtime))
                        if len(found) >= limit:
                            return found
        return found

    def temporary_file(self) -> BinaryIO:
        return tempfile.TemporaryFile(dir=self._incoming, buffering=0)

    def _write(self, path: Path, data: bytes) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.utime(path)  # a sweep leaves alone what was put a moment ago
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = self._incoming / secrets.token_hex(16)
        try:
            with aside.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
        _flush_folder(path.parent)

    def _delete_abandoned(self) -> None:
        """Deletes the partial files of crashed writes; young ones stay, since another process may be writing them.

        A time far ahead is that of a clock which was wrong.
        """
        for file in self._incoming.iterdir():
            with contextlib.suppress(FileNotFoundError):  # another process has deleted or finished it
                if abs(time.time() - file.stat().st_mtime) > _ABANDONED_AFTER_SECONDS:
                    file.unlink()


def open_storage(url: str) -> Storage:
    """Opens the storage that a URL names: `file:data/media`, `file:///srv/media`.

    Makes the folder if need be.

    Raises ValueError for any other URL.
    """
    scheme, _, rest = url.partition(":")
    if scheme == "s3":
        raise ValueError(
            "Object storage (s3:) is not available in this version; use file:, such as file:data/media."
        )
    if scheme != "file" or not rest.strip("/"):
        raise ValueError(f"The media URL must begin with file:, such as file:data/media. It is {url!r}.")
    return LocalStorage(Path(rest.removeprefix("//")))


def content_key(secret: bytes, data: bytes, extension: str) -> str:
    """Returns `ab/cd/<rest of the name>.jpg`:
    HMAC-SHA256 of the bytes under the node's secret, in base 32."""
    name = b32encode(hmac.digest(secret, data, hashlib.sha256)).decode().rstrip("=").lower()
    return f"{name[:2]}/{name[2:4]}/{name[4:]}.{extension}"


def _position(key: str) -> tuple[bool, str, str, str]:
    """Returns the place of a key in the order of `keys_after`."""
    *prefix, first, second, name = key.split("/")
    return bool(prefix), first, second, name


def _names(folder: Path, length: int | None = None) -> list[str]:
    """Returns the names in a folder, those of one length only, in their order; none where there is no folder."""
    try:
        return sorted(name for name in os.listdir(folder) if length in (None, len(name)))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _flush_folder(folder: Path) -> None:
    """Flushes a folder to the disk: a rename is durable only when its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _bytes_under(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(parent, name)).st_size
            except FileNotFoundError:
                continue
    return total
