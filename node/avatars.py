"""Avatars: the faces of our own people, and those of others once somebody has looked at them. Owns `avatar_files`.

Others' avatars are fetched through the node's one door out, decoded in the sandbox and kept here, so
that reading a page tells no other server who reads it.
"""

from __future__ import annotations

from collections.abc import Sequence

from media.images import AVATAR_VARIANTS, BadImage
from node import accounts, cached_media, domains, names, outbox, remote_pictures
from node import files as storing
from node.accounts import Account
from node.cached_media import Room
from node.database import Reader, Writer
from node.errors import Invalid, NotFound
from node.files import File, Files
from node.jobs import GiveUp, Job
from node.node import Node
from node.remote_pictures import Brought, Fetches

LONGEST_ALT = 1500
MOST_BYTES = 8 * 1024 * 1024


def files(tx: Reader, account: Account) -> dict[tuple[str, str], File]:
    """The files of someone's present avatar, by (variant, format). Empty when none is kept here."""
    rows = tx.all(
        """SELECT variant, format, file, bytes FROM avatar_files
           WHERE account_id = :id AND source_url = :source""",
        id=account.id,
        source="" if account.is_local else account.avatar_url,
    )
    edges = {(variant.name, variant.format): variant.edge for variant in AVATAR_VARIANTS}
    found = {}
    for row in rows:
        edge = edges.get((row["variant"], row["format"]), 0)
        found[row["variant"], row["format"]] = File(row["file"], edge, edge, row["bytes"])
    return found


async def change(node: Node, who: Account, data: bytes, *, alt: str = "") -> None:
    """A new face for one of ours. Raises Invalid with the reason when the picture cannot be used."""
    alt = names.shown(alt, LONGEST_ALT)
    try:
        picture = await node.sandbox.render(data, AVATAR_VARIANTS)
    except BadImage as bad:
        raise Invalid(bad.message, field="avatar", detail=bad.detail) from bad
    stored = await storing.store(node, picture.files)

    def unit(tx: Writer) -> None:
        _replace(tx, who.id, stored, source_url="")
        accounts.set_avatar(tx, who.id, file=stored["avatar", "webp"].file, alt=alt)
        outbox.record(tx, who, "Update", who.uri)

    await node.db.write(unit)
    await storing.restore_lost(node, stored, picture.files)


def describe(tx: Writer, who: Account, alt: str) -> None:
    """Say what one's avatar shows."""
    alt = names.shown(alt, LONGEST_ALT)
    if alt != who.avatar_alt and who.avatar_file:
        accounts.set_avatar(tx, who.id, file=who.avatar_file, alt=alt)
        outbox.record(tx, who, "Update", who.uri)


def take_away(tx: Writer, who: Account) -> None:
    """Have no face again."""
    if who.avatar_file:
        remove(tx, who.id)
        accounts.set_avatar(tx, who.id, file="", alt="")
        outbox.record(tx, who, "Update", who.uri)


async def fetch_remote(node: Node, account_id: int) -> None:
    """Bring someone's avatar here, when it is looked at. Raises NotFound when there is none to be had."""
    await node.part(Fetches).once(("avatar", account_id), lambda: _fetch(node, account_id))


async def _fetch(node: Node, account_id: int) -> None:
    account = await node.db.read(_wanted, account_id)
    if account is None:
        return
    brought = await remote_pictures.bring(
        node, ("avatar", account_id), account.avatar_url, most_bytes=MOST_BYTES, variants=AVATAR_VARIANTS
    )
    if brought is None:
        raise NotFound(detail=f"{account.avatar_url} cannot be had")
    await node.db.write(_keep, account, brought, node.part(Room).bytes)
    await remote_pictures.settled(node, brought)


async def fetch(node: Node, job: Job) -> None:
    """Job fetch_avatar: as `fetch_remote`, ahead of anybody's look."""
    try:
        await fetch_remote(node, job.payload["id"])
    except NotFound as refused:
        raise GiveUp(refused.detail or refused.message) from refused


def _wanted(tx: Reader, account_id: int) -> Account | None:
    account = accounts.get(tx, account_id)
    if account.is_local or account.is_gone or not account.avatar_url:
        raise NotFound(detail=f"{account.full_handle} has no avatar elsewhere")
    if not domains.shows_media(tx, account, account.avatar_url):
        raise NotFound(detail=f"pictures of {account.domain} are not shown here")
    if files(tx, account):
        return None
    if not cached_media.may_be_tried(tx, "avatar", account.id, account.avatar_url):
        raise NotFound(detail=f"{account.avatar_url} could not be had lately")
    return account


def _keep(tx: Writer, account: Account, brought: Brought, room: int) -> None:
    # They, or the rule about their server, may have changed while the picture was on its way.
    now = accounts.get(tx, account.id)
    if now.avatar_url != account.avatar_url or not domains.shows_media(tx, now, account.avatar_url):
        storing.discard(tx, [file.file for file in brought.files.values()])
        return
    _replace(tx, account.id, brought.files, source_url=account.avatar_url)
    cached_media.kept(tx, "avatar", account.id, brought.url, brought.bytes, room=room)


def _replace(tx: Writer, account_id: int, stored: Files, *, source_url: str) -> None:
    remove(tx, account_id)
    tx.many(
        """INSERT INTO avatar_files (account_id, variant, format, file, source_url, bytes)
           VALUES (:account, :variant, :format, :file, :source_url, :bytes)""",
        [
            {
                "account": account_id,
                "variant": variant,
                "format": format_,
                "file": file.file,
                "source_url": source_url,
                "bytes": file.bytes,
            }
            for (variant, format_), file in stored.items()
        ],
    )


def remove(tx: Writer, account_id: int) -> None:
    """Forget someone's avatar, and its files unless they are needed elsewhere."""
    forget_files(tx, [account_id])


def forget_files(tx: Writer, account_ids: Sequence[int]) -> None:
    """Let go of the files of avatars; those of others are fetched again when somebody looks."""
    cached_media.forget(tx, "avatar", account_ids)
    rows = tx.all("DELETE FROM avatar_files WHERE account_id IN (:ids) RETURNING file", ids=list(account_ids))
    storing.discard(tx, [row["file"] for row in rows])
