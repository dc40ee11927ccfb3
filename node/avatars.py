"""Avatars: the faces of our own people, and those of others once somebody has looked at them. Owns `avatar_files`.

Others' avatars are fetched through the node's one door out, decoded in the sandbox and kept here, so
that reading a page tells no other server who reads it.
"""

from __future__ import annotations

from collections import OrderedDict

from media.images import AVATAR_VARIANTS, BadImage
from node import accounts, domains, names, outbox
from node import files as storing
from node.accounts import Account
from node.database import Reader, Writer
from node.errors import Invalid, NotFound, Unreachable
from node.files import File, Files
from node.ids import now_ms
from node.jobs import GiveUp, Job
from node.node import Node

LONGEST_ALT = 1500
MOST_BYTES = 8 * 1024 * 1024
ASK_AGAIN_AFTER = 60 * 60 * 1000  # ms, after an avatar could not be had
MOST_FAILURES = 2000


class Failures:
    """Avatars that could not be had lately, so that a broken one is not asked for at every look."""

    def __init__(self, node: Node) -> None:
        self._until: OrderedDict[str, int] = OrderedDict()

    def has(self, url: str) -> bool:
        return self._until.get(url, 0) > now_ms()

    def add(self, url: str) -> None:
        self._until[url] = now_ms() + ASK_AGAIN_AFTER
        self._until.move_to_end(url)
        while len(self._until) > MOST_FAILURES:
            self._until.popitem(last=False)


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
    """Bring someone's avatar here, when it is first looked at. Raises NotFound or Unreachable."""
    account = await node.db.read(_wanted, account_id)
    if account is None:
        return
    failures = node.part(Failures)
    if failures.has(account.avatar_url):
        raise NotFound(detail=f"{account.avatar_url} could not be had lately")
    try:
        found = await node.client.get_bytes(account.avatar_url, limit=MOST_BYTES, types=("image/*",))
        picture = await node.sandbox.render(found.body, AVATAR_VARIANTS)
    except Unreachable:
        failures.add(account.avatar_url)
        raise
    except BadImage as bad:
        failures.add(account.avatar_url)
        raise NotFound(detail=f"{account.avatar_url}: {bad.detail or bad.message}") from bad
    stored = await storing.store(node, picture.files)
    await node.db.write(_replace, account.id, stored, source_url=account.avatar_url)
    await storing.restore_lost(node, stored, picture.files)


async def fetch(node: Node, job: Job) -> None:
    """Job fetch_avatar: as `fetch_remote`, ahead of anybody's look."""
    try:
        await fetch_remote(node, job.payload["id"])
    except (NotFound, Unreachable) as refused:
        raise GiveUp(refused.detail or refused.message) from refused


def _wanted(tx: Reader, account_id: int) -> Account | None:
    account = accounts.get(tx, account_id)
    if account.is_local or account.is_gone or not account.avatar_url:
        raise NotFound(detail=f"{account.full_handle} has no avatar elsewhere")
    if not domains.shows_media(tx, account, account.avatar_url):
        raise NotFound(detail=f"pictures of {account.domain} are not shown here")
    return None if files(tx, account) else account


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
    rows = tx.all("SELECT file FROM avatar_files WHERE account_id = :id", id=account_id)
    tx.run("DELETE FROM avatar_files WHERE account_id = :id", id=account_id)
    storing.discard(tx, [row["file"] for row in rows])
