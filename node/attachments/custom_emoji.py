"""Custom emoji of other servers: which there are, and their pictures once somebody has looked. Owns `emoji`.

An emoji is known by the server whose people use it and its short name. A post and a profile keep which ones
their words name, as JSON {short name: id}, so showing them asks nothing more. A stranger decides how many
there are, so what is taken in is bounded per text and per server; what is over it stays the words it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from media.images import EMOJI_VARIANTS
from node.attachments import media_cache, remote_fetch
from node.attachments import stored_files as storing
from node.attachments.media_cache import CacheCapacity, MediaKey
from node.attachments.remote_fetch import FetchedPicture, PictureFetcher
from node.database import Reader, Writer, build, columns
from node.ids import new_id, now_ms
from node.models.remote_actor import RemoteEmoji
from node.moderation import domain_rules
from node.node import Node
from node.text import display_names, hostnames

MAX_URL_LENGTH = 2048
MAX_PER_TEXT = 50
MAX_PER_SERVER = 5000
MAX_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Emoji:
    """`file` is '' until somebody has looked."""

    id: int
    domain: str
    shortcode: str
    url: str
    updated_at: int
    file: str


def record_used(tx: Writer, domain: str, offered: Iterable[RemoteEmoji], *texts: str) -> str:
    """Know the offered emoji that the texts name; what the row of a post or a person keeps of them."""
    words = "\n".join(texts)
    wanted = {
        one.shortcode: one
        for one in offered
        if one.shortcode
        and display_names.is_storable_username(one.shortcode)
        and len(one.url) <= MAX_URL_LENGTH
        and f":{one.shortcode}:" in words
    }
    named = list(wanted)[:MAX_PER_TEXT]
    if not named or not domain:
        return ""
    known = _by_shortcodes(tx, domain, named)
    for name in sorted(named):
        one, now = wanted[name], known.get(name)
        if now is not None:
            _update_picture(tx, now, one)
        elif (made := _add(tx, domain, one)) is not None:
            known[name] = made
    return json.dumps({name: known[name].id for name in named if name in known}) if known else ""


def ids_by_shortcode(kept: str) -> dict[str, int]:
    """What a row keeps, read back: short names and ids."""
    return dict(json.loads(kept)) if kept else {}


def _by_shortcodes(tx: Reader, domain: str, shortcodes: Sequence[str]) -> dict[str, Emoji]:
    rows = tx.all(
        f"SELECT {columns(Emoji)} FROM emoji WHERE domain = :domain AND shortcode IN (:names)",  # noqa: S608
        domain=domain,
        names=shortcodes,
    )
    return {row["shortcode"]: build(Emoji, row) for row in rows}


def _add(tx: Writer, domain: str, one: RemoteEmoji) -> Emoji | None:
    if tx.value("SELECT COUNT(*) FROM emoji WHERE domain = :domain", domain=domain) >= MAX_PER_SERVER:
        return None
    tx.run(
        """INSERT INTO emoji (id, domain, shortcode, url, updated_at, created_at)
           VALUES (:id, :domain, :name, :url, :updated, :now) ON CONFLICT DO NOTHING""",
        id=new_id(),
        domain=domain,
        name=one.shortcode,
        url=one.url,
        updated=one.updated_at,
        now=now_ms(),
    )
    return _by_shortcodes(tx, domain, [one.shortcode]).get(one.shortcode)


def _update_picture(tx: Writer, known: Emoji, one: RemoteEmoji) -> None:
    """Take a newer picture. Where no times are told, the last word counts."""
    is_newer = one.updated_at > known.updated_at or (one.updated_at == 0 == known.updated_at)
    if not is_newer or (known.url, known.updated_at) == (one.url, one.updated_at):
        return
    delete_files(tx, [known.id])
    tx.run(
        "UPDATE emoji SET url = :url, updated_at = :updated WHERE id = :id",
        id=known.id,
        url=one.url,
        updated=one.updated_at,
    )


def visible_by_id(tx: Reader, id_: int) -> Emoji | None:
    """The emoji, if pictures of its server and of who keeps it are shown here."""
    row = tx.one(f"SELECT {columns(Emoji)} FROM emoji WHERE id = :id", id=id_)  # noqa: S608
    if row is None:
        return None
    found = build(Emoji, row)
    rules = domain_rules.policies(tx, {found.domain, hostnames.from_uri(found.url)})
    return None if any(rule.rejects_media or rule.is_suspended for rule in rules.values()) else found


async def fetch_remote(node: Node, id_: int) -> None:
    """Bring an emoji's picture here, when it is first looked at. Nothing happens when it cannot be had."""
    await node.component(PictureFetcher).fetch_once(("emoji", id_), lambda: _fetch(node, id_))


async def _fetch(node: Node, id_: int) -> None:
    known = await node.db.read(_fetchable_emoji, id_)
    if known is None:
        return
    brought = await remote_fetch.fetch_and_store(
        node, ("emoji", id_), known.url, max_bytes=MAX_BYTES, variants=EMOJI_VARIANTS
    )
    if brought is not None:
        await node.db.write(_store, known, brought, node.component(CacheCapacity).bytes)
        await remote_fetch.restore_lost_files(node, brought)


def _fetchable_emoji(tx: Reader, id_: int) -> Emoji | None:
    found = visible_by_id(tx, id_)
    if found is None or found.file or not media_cache.may_fetch(tx, "emoji", id_, found.url):
        return None
    return found


def _store(tx: Writer, known: Emoji, brought: FetchedPicture, room: int) -> None:
    [file] = brought.files.values()
    # The rule about its server may have changed while the picture was on its way.
    changed = visible_by_id(tx, known.id) is not None and tx.run(
        "UPDATE emoji SET file = :file WHERE id = :id AND url = :url AND file = ''",
        id=known.id,
        url=known.url,
        file=file.key,
    )
    if changed:
        media_cache.record_stored(tx, "emoji", known.id, brought.url, brought.bytes, capacity=room)
    else:
        storing.queue_deletion(tx, [file.key])


def delete_files(tx: Writer, ids: Sequence[int]) -> None:
    """Let go of pictures; they are fetched again when somebody looks."""
    if not ids:
        return
    rows = tx.all("SELECT file FROM emoji WHERE id IN (:ids)", ids=list(ids))
    tx.run("UPDATE emoji SET file = '' WHERE id IN (:ids)", ids=list(ids))
    media_cache.delete(tx, "emoji", ids)
    storing.queue_deletion(tx, [row["file"] for row in rows])


def from_rejected_servers(tx: Reader, limit: int) -> list[MediaKey]:
    """Some that are kept although pictures of their people's server are not shown here."""
    servers = [row["domain"] for row in tx.all("SELECT DISTINCT domain FROM emoji WHERE file <> ''")]
    rules = domain_rules.policies(tx, servers)
    rows = tx.all(
        "SELECT id FROM emoji WHERE file <> '' AND domain IN (:domains) LIMIT :limit",
        domains=[name for name, rule in rules.items() if rule.rejects_media],
        limit=limit,
    )
    return [("emoji", row["id"]) for row in rows]
