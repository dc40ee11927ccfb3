"""Files are whole or absent, and no key leads out of the folder."""

from __future__ import annotations

import asyncio
import os
import time

import pytest

from media.storage import LocalStorage, content_key, open_storage

KEY = "ab/cd/efgh.jpg"


@pytest.fixture
def storage(tmp_path):
    return open_storage(f"file:{tmp_path / 'data' / 'media'}")


async def test_a_file_is_stored_until_it_is_deleted(storage):
    await storage.put(KEY, b"bytes", "image/jpeg")

    assert await storage.get(KEY) == b"bytes"
    assert storage.path(KEY).read_bytes() == b"bytes"
    assert storage.url(KEY) is None
    assert await storage.total_bytes() == 5

    await storage.delete(KEY)
    await storage.delete(KEY)
    with pytest.raises(KeyError):
        await storage.get(KEY)
    assert await storage.total_bytes() == 0


@pytest.mark.parametrize(
    "key",
    [
        "", "/", "..", "../secret.jpg", "ab/../../secret.jpg", "/etc/passwd", "ab//cd.jpg", "ab/./c.jpg",
        ".incoming/x.jpg", "ab/cd", "ab/cd/", "ab\\cd.jpg", "ab/cd.jpg\n", "ab/cd.jpg\0", "AB/cd.jpg", "é/a.jpg",
        "a/b/c/d/e/f.jpg", "a" * 200 + ".jpg", "ab/%2e%2e/cd.jpg", "ab/cd.jpg/../x.jpg", "~/a.jpg", "c:/a.jpg",
    ],
)  # fmt: skip
async def test_a_malformed_key_names_no_file(storage, key):
    assert storage.path(key) is None
    with pytest.raises(KeyError):
        await storage.get(key)
    with pytest.raises(ValueError, match="key"):
        await storage.put(key, b"x", "image/jpeg")
    await storage.delete(key)


async def test_concurrent_writes_of_one_key_are_one_whole_file(storage):
    await asyncio.gather(*(storage.put(KEY, b"x" * 100_000, "image/jpeg") for _ in range(20)))

    assert await storage.get(KEY) == b"x" * 100_000
    assert list((storage.folder / ".incoming").iterdir()) == []
    assert await storage.total_bytes() == 100_000


async def test_a_write_that_fails_leaves_nothing(storage):
    (storage.folder / "ab").write_text("a file where a folder should be")

    with pytest.raises((NotADirectoryError, FileExistsError)):
        await storage.put(KEY, b"bytes", "image/jpeg")

    assert list((storage.folder / ".incoming").iterdir()) == []


def test_old_partial_files_are_deleted_and_young_ones_stay(storage):
    old, new, ahead = (storage.folder / ".incoming" / name for name in ("old", "new", "ahead"))
    for file in (old, new, ahead):
        file.write_bytes(b"half")
    os.utime(old, (time.time() - 7200,) * 2)
    os.utime(ahead, (time.time() + 365 * 86_400,) * 2)  # of a time when the clock was wrong

    LocalStorage(storage.folder)

    assert not old.exists()
    assert not ahead.exists()
    assert new.exists()


def test_a_key_comes_from_the_bytes_and_cannot_be_guessed_without_the_secret(storage):
    key = content_key(b"secret", b"bytes", "webp")

    assert key == content_key(b"secret", b"bytes", "webp")
    assert key not in (content_key(b"other", b"bytes", "webp"), content_key(b"secret", b"byte", "webp"))
    assert len(key) == len("ab/cd/") + 48 + len(".webp")
    assert storage.path(key) is not None


@pytest.mark.parametrize("url", ["s3://bucket", "data/media", "file:", "file:///", "https://x.example"])
def test_an_unknown_storage_url_is_refused_with_the_reason(url):
    with pytest.raises(ValueError, match="file:"):
        open_storage(url)


def test_a_media_url_may_be_relative_or_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert open_storage("file:data/media").folder.resolve() == tmp_path / "data" / "media"
    assert open_storage(f"file://{tmp_path}/other").folder == tmp_path / "other"
