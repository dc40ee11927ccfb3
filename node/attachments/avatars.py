"""Avatars and headers: uploads of local accounts, and the pictures of remote accounts once somebody has viewed them.

Owns `avatar_files`. A remote picture is fetched through the node's one HTTP client for other servers, decoded in
the sandbox and kept here, so that reading a page tells no other server who reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from media.images import AVATAR_VARIANTS, HEADER_VARIANTS, Variant
from node.accounts import accounts
from node.attachments import media_cache, remote_fetch, stored_files
from node.attachments.media_cache import CacheCapacity
from node.attachments.remote_fetch import FetchedPicture, PictureFetcher
from node.attachments.stored_files import StoredFile, StoredFiles, UploadedFile
from node.database import Reader, Writer
from node.errors import Invalid, NotFound
from node.federation import outbox
from node.jobs.queue import GiveUp, Job
from node.models import deletion_hooks
from node.models.account import Account
from node.moderation import domain_rules
from node.node import Node
from node.text import display_names

MAX_ALT_LENGTH = 1500
MAX_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class PictureKind:
    """Names a picture of a profile. `name` is also its kind in `cached_media`, and in the columns of `accounts`."""

    name: str
    variants: tuple[Variant, ...]

    def file(self, account: Account) -> str:
        """Returns the storage key of a local account's picture; '' for none."""
        return account.avatar_file if self is AVATAR else account.header_file

    def url(self, account: Account) -> str:
        """Returns the address of a remote account's picture on its server; '' for none."""
        return account.avatar_url if self is AVATAR else account.header_url

    def alt(self, account: Account) -> str:
        return account.avatar_alt if self is AVATAR else account.header_alt

    def variant_names(self) -> list[str]:
        return list({variant.name for variant in self.variants})


AVATAR = PictureKind("avatar", AVATAR_VARIANTS)
HEADER = PictureKind("header", HEADER_VARIANTS)
PICTURE_KINDS = {kind.name: kind for kind in (AVATAR, HEADER)}


def files(tx: Reader, account: Account, kind: PictureKind = AVATAR) -> dict[tuple[str, str], StoredFile]:
    """Returns the files of an account's current picture, by (variant, format). Empty when none is stored."""
    rows = tx.all(
        """SELECT variant, format, file, bytes FROM avatar_files
           WHERE account_id = :id AND source_url = :source AND variant IN (:sizes)""",
        id=account.id,
        source="" if account.is_local else kind.url(account),
        sizes=kind.variant_names(),
    )
    edges = {(variant.name, variant.format): variant.edge for variant in kind.variants}
    stored = {}
    for row in rows:
        edge = edges.get((row["variant"], row["format"]), 0)
        stored[row["variant"], row["format"]] = StoredFile(row["file"], edge, edge, row["bytes"])
    return stored


async def upload(
    node: Node, account: Account, file: UploadedFile, *, alt: str = "", kind: PictureKind = AVATAR
) -> None:
    """Sets the picture of a local account. Raises Invalid with the reason when it cannot be used.

    Raises TooManyRequests where the account's pictures took too long; DiskFull.
    """
    alt = _checked_alt(alt)
    picture = await stored_files.render_upload(node, account, file, kind.variants, field=kind.name)
    stored = await stored_files.store(node, picture.files)

    def unit(tx: Writer) -> None:
        _replace(tx, account.id, kind, stored, source_url="")
        accounts.set_picture(tx, account.id, kind.name, file=stored[kind.name, "webp"].key, alt=alt)
        outbox.record(tx, account, "Update", account.uri)

    async with stored_files.discarded_on_failure(node, *(one.key for one in stored.values())):
        await node.db.write(unit)
    await stored_files.restore_missing(node, stored, picture.files)


def set_alt(tx: Writer, account: Account, alt: str, kind: PictureKind = AVATAR) -> None:
    """Changes the description of a local account's picture. Without a picture nothing happens.

    Raises Invalid for one that is too long.
    """
    alt = _checked_alt(alt)
    if alt != kind.alt(account) and kind.file(account):
        accounts.set_picture(tx, account.id, kind.name, file=kind.file(account), alt=alt)
        outbox.record(tx, account, "Update", account.uri)


def _checked_alt(alt: str) -> str:
    alt = display_names.clean_line(alt, MAX_ALT_LENGTH + 1)
    if len(alt) > MAX_ALT_LENGTH:
        raise Invalid(f"The description of a picture can have {MAX_ALT_LENGTH} characters.", field="alt")
    return alt


def remove_picture(tx: Writer, account: Account, kind: PictureKind = AVATAR) -> None:
    """Removes the picture of a local account. Without a picture nothing happens."""
    if kind.file(account):
        delete_files(tx, [account.id], kind)
        accounts.set_picture(tx, account.id, kind.name, file="", alt="")
        outbox.record(tx, account, "Update", account.uri)


async def fetch_remote(node: Node, account_id: int, kind: PictureKind = AVATAR) -> None:
    """Fetches a remote account's picture, when somebody views it. Raises NotFound when it is not available.

    Nothing happens when it is stored already.
    """
    await node.component(PictureFetcher).fetch_once(
        (kind.name, account_id), lambda: _fetch(node, account_id, kind)
    )


async def _fetch(node: Node, account_id: int, kind: PictureKind) -> None:
    account = await node.db.read(_fetchable_account, account_id, kind)
    if account is None:
        return
    url = kind.url(account)
    fetched = await remote_fetch.fetch_and_store(
        node,
        (kind.name, account_id),
        url,
        server=account.domain,
        max_bytes=MAX_BYTES,
        variants=kind.variants,
    )
    if fetched is None:
        raise NotFound(detail=f"{url} is not available")
    await node.db.write(_store, account, kind, fetched, node.component(CacheCapacity).bytes)
    await stored_files.restore_missing(node, fetched.files, fetched.picture.files)


async def fetch_avatar(node: Node, job: Job) -> None:
    """Job `fetch_avatar`: fetches an avatar before anybody views it."""
    try:
        await fetch_remote(node, job.payload["id"])
    except NotFound as refused:
        raise GiveUp(refused.detail or refused.message) from refused


def _fetchable_account(tx: Reader, account_id: int, kind: PictureKind) -> Account | None:
    account = accounts.get(tx, account_id)
    url = kind.url(account)
    if account.is_local or account.is_inactive or not url:
        raise NotFound(detail=f"{account.full_handle} has no remote {kind.name}")
    if not domain_rules.allows_media(tx, account, url):
        raise NotFound(detail=f"pictures of {account.domain} are not shown here")
    if files(tx, account, kind):
        return None
    if not media_cache.may_fetch(tx, kind.name, account.id, url):
        raise NotFound(detail=f"{url} failed recently and is not tried again yet")
    return account


def _store(tx: Writer, account: Account, kind: PictureKind, fetched: FetchedPicture, capacity: int) -> None:
    # The account, or the policy for its server, may have changed during the fetch.
    current, url = accounts.get(tx, account.id), kind.url(account)
    if kind.url(current) != url or not domain_rules.allows_media(tx, current, url):
        stored_files.queue_deletion(tx, [file.key for file in fetched.files.values()])
        return
    _replace(tx, account.id, kind, fetched.files, source_url=url)
    media_cache.record_stored(tx, kind.name, account.id, fetched.url, fetched.bytes, capacity=capacity)


def _replace(tx: Writer, account_id: int, kind: PictureKind, stored: StoredFiles, *, source_url: str) -> None:
    delete_files(tx, [account_id], kind)
    tx.many(
        """INSERT INTO avatar_files (account_id, variant, format, file, source_url, bytes)
           VALUES (:account, :variant, :format, :file, :source_url, :bytes)""",
        [
            {
                "account": account_id,
                "variant": variant,
                "format": format_,
                "file": file.key,
                "source_url": source_url,
                "bytes": file.bytes,
            }
            for (variant, format_), file in stored.items()
        ],
    )


def delete_all_files(tx: Writer, account_id: int) -> None:
    """Deletes an account's pictures, and their files unless other rows need them."""
    for kind in PICTURE_KINDS.values():
        delete_files(tx, [account_id], kind)


@deletion_hooks.on_account_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes the pictures of an account's profile."""
    delete_all_files(tx, account.id)


def delete_files(tx: Writer, account_ids: Sequence[int], kind: PictureKind) -> None:
    """Deletes the files of profile pictures; remote ones are fetched again when somebody views them."""
    media_cache.delete(tx, kind.name, account_ids)
    rows = tx.all(
        "DELETE FROM avatar_files WHERE account_id IN (:ids) AND variant IN (:sizes) RETURNING file",
        ids=list(account_ids),
        sizes=kind.variant_names(),
    )
    stored_files.queue_deletion(tx, [row["file"] for row in rows])
