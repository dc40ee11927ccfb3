"""The pictures of a profile, face and header: those of our own people, and those of others once somebody has
looked at them. Owns `avatar_files`.

Others' are fetched through the node's one door out, decoded in the sandbox and kept here, so
that reading a page tells no other server who reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from media.images import AVATAR_VARIANTS, HEADER_VARIANTS, BadImage, Variant
from node.accounts import accounts
from node.attachments import media_cache, remote_fetch
from node.attachments import stored_files as storing
from node.attachments.media_cache import CacheCapacity
from node.attachments.remote_fetch import FetchedPicture, PictureFetcher
from node.attachments.stored_files import StoredFile, StoredFiles
from node.database import Reader, Writer
from node.errors import Invalid, NotFound
from node.federation import outbox
from node.jobs.queue import GiveUp, Job
from node.models.account import Account
from node.moderation import domain_rules
from node.node import Node
from node.text import display_names

MAX_ALT_LENGTH = 1500
MAX_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class PictureKind:
    """Which picture of a profile. `name` is also its kind among the cached, and in the columns of `accounts`."""

    name: str
    variants: tuple[Variant, ...]

    def file(self, account: Account) -> str:
        """What is kept of one of ours; '' for none."""
        return account.avatar_file if self is AVATAR else account.header_file

    def url(self, account: Account) -> str:
        """Where the picture of somebody elsewhere is; '' for none."""
        return account.avatar_url if self is AVATAR else account.header_url

    def alt(self, account: Account) -> str:
        return account.avatar_alt if self is AVATAR else account.header_alt

    def variant_names(self) -> list[str]:
        return list({variant.name for variant in self.variants})


AVATAR = PictureKind("avatar", AVATAR_VARIANTS)
HEADER = PictureKind("header", HEADER_VARIANTS)
PICTURE_KINDS = {kind.name: kind for kind in (AVATAR, HEADER)}


def files(tx: Reader, account: Account, kind: PictureKind = AVATAR) -> dict[tuple[str, str], StoredFile]:
    """The files of someone's present picture, by (variant, format). Empty when none is kept here."""
    rows = tx.all(
        """SELECT variant, format, file, bytes FROM avatar_files
           WHERE account_id = :id AND source_url = :source AND variant IN (:sizes)""",
        id=account.id,
        source="" if account.is_local else kind.url(account),
        sizes=kind.variant_names(),
    )
    edges = {(variant.name, variant.format): variant.edge for variant in kind.variants}
    found = {}
    for row in rows:
        edge = edges.get((row["variant"], row["format"]), 0)
        found[row["variant"], row["format"]] = StoredFile(row["file"], edge, edge, row["bytes"])
    return found


async def upload(node: Node, who: Account, data: bytes, *, alt: str = "", kind: PictureKind = AVATAR) -> None:
    """A new picture for one of ours. Raises Invalid with the reason when it cannot be used."""
    alt = display_names.clean_line(alt, MAX_ALT_LENGTH)
    try:
        picture = await node.sandbox.render(data, kind.variants)
    except BadImage as bad:
        raise Invalid(bad.message, field=kind.name, detail=bad.detail) from bad
    stored = await storing.store(node, picture.files)

    def unit(tx: Writer) -> None:
        _replace(tx, who.id, kind, stored, source_url="")
        accounts.set_picture(tx, who.id, kind.name, file=stored[kind.name, "webp"].key, alt=alt)
        outbox.record(tx, who, "Update", who.uri)

    await node.db.write(unit)
    await storing.restore_missing(node, stored, picture.files)


def set_alt(tx: Writer, who: Account, alt: str, kind: PictureKind = AVATAR) -> None:
    """Say what one's picture shows."""
    alt = display_names.clean_line(alt, MAX_ALT_LENGTH)
    if alt != kind.alt(who) and kind.file(who):
        accounts.set_picture(tx, who.id, kind.name, file=kind.file(who), alt=alt)
        outbox.record(tx, who, "Update", who.uri)


def remove_picture(tx: Writer, who: Account, kind: PictureKind = AVATAR) -> None:
    """Have no such picture again."""
    if kind.file(who):
        delete_files(tx, [who.id], kind)
        accounts.set_picture(tx, who.id, kind.name, file="", alt="")
        outbox.record(tx, who, "Update", who.uri)


async def fetch_remote(node: Node, account_id: int, kind: PictureKind = AVATAR) -> None:
    """Bring someone's picture here, when it is looked at. Raises NotFound when there is none to be had."""
    await node.component(PictureFetcher).fetch_once(
        (kind.name, account_id), lambda: _fetch(node, account_id, kind)
    )


async def _fetch(node: Node, account_id: int, kind: PictureKind) -> None:
    account = await node.db.read(_fetchable_account, account_id, kind)
    if account is None:
        return
    url = kind.url(account)
    brought = await remote_fetch.fetch_and_store(
        node, (kind.name, account_id), url, max_bytes=MAX_BYTES, variants=kind.variants
    )
    if brought is None:
        raise NotFound(detail=f"{url} cannot be had")
    await node.db.write(_store, account, kind, brought, node.component(CacheCapacity).bytes)
    await remote_fetch.restore_lost_files(node, brought)


async def fetch_avatar(node: Node, job: Job) -> None:
    """Job fetch_avatar: a face, ahead of anybody's look."""
    try:
        await fetch_remote(node, job.payload["id"])
    except NotFound as refused:
        raise GiveUp(refused.detail or refused.message) from refused


def _fetchable_account(tx: Reader, account_id: int, kind: PictureKind) -> Account | None:
    account = accounts.get(tx, account_id)
    url = kind.url(account)
    if account.is_local or account.is_inactive or not url:
        raise NotFound(detail=f"{account.full_handle} has no {kind.name} elsewhere")
    if not domain_rules.allows_media(tx, account, url):
        raise NotFound(detail=f"pictures of {account.domain} are not shown here")
    if files(tx, account, kind):
        return None
    if not media_cache.may_fetch(tx, kind.name, account.id, url):
        raise NotFound(detail=f"{url} could not be had lately")
    return account


def _store(tx: Writer, account: Account, kind: PictureKind, brought: FetchedPicture, room: int) -> None:
    # They, or the rule about their server, may have changed while the picture was on its way.
    now, url = accounts.get(tx, account.id), kind.url(account)
    if kind.url(now) != url or not domain_rules.allows_media(tx, now, url):
        storing.queue_deletion(tx, [file.key for file in brought.files.values()])
        return
    _replace(tx, account.id, kind, brought.files, source_url=url)
    media_cache.record_stored(tx, kind.name, account.id, brought.url, brought.bytes, capacity=room)


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
    """Forget someone's pictures, and their files unless they are needed elsewhere."""
    for kind in PICTURE_KINDS.values():
        delete_files(tx, [account_id], kind)


def delete_files(tx: Writer, account_ids: Sequence[int], kind: PictureKind) -> None:
    """Let go of the files of pictures of profiles; those of others are fetched again when somebody looks."""
    media_cache.delete(tx, kind.name, account_ids)
    rows = tx.all(
        "DELETE FROM avatar_files WHERE account_id IN (:ids) AND variant IN (:sizes) RETURNING file",
        ids=list(account_ids),
        sizes=kind.variant_names(),
    )
    storing.queue_deletion(tx, [row["file"] for row in rows])
