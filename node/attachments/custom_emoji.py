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
from node.attachments.media_cache import Key, Room
from node.attachments.remote_fetch import Brought, Fetches
from node.database import Reader, Writer, build, columns
from node.ids import new_id, now_ms
from node.models.remote_actor import RemoteEmoji
from node.moderation import domain_policy
from node.node import Node
from node.text import display_names, hostnames

LONGEST_URL = 2048
MOST_IN_A_TEXT = 50
MOST_OF_A_SERVER = 5000
MOST_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Emoji:
    """`file` is '' until somebody has looked."""

    id: int
    domain: str
    shortcode: str
    url: str
    updated_at: int
    file: str


def take_in(tx: Writer, domain: str, offered: Iterable[RemoteEmoji], *texts: str) -> str:
    """Know the offered emoji that the texts name; what the row of a post or a person keeps of them."""
    words = "\n".join(texts)
    wanted = {
        one.shortcode: one
        for one in offered
        if one.shortcode
        and display_names.is_keepable(one.shortcode)
        and len(one.url) <= LONGEST_URL
        and f":{one.shortcode}:" in words
    }
    named = list(wanted)[:MOST_IN_A_TEXT]
    if not named or not domain:
        return ""
    known = _known(tx, domain, named)
    for name in sorted(named):
        one, now = wanted[name], known.get(name)
        if now is not None:
            _follow(tx, now, one)
        elif (made := _add(tx, domain, one)) is not None:
            known[name] = made
    return json.dumps({name: known[name].id for name in named if name in known}) if known else ""


def used(kept: str) -> dict[str, int]:
    """What a row keeps, read back: short names and ids."""
    return dict(json.loads(kept)) if kept else {}


def _known(tx: Reader, domain: str, shortcodes: Sequence[str]) -> dict[str, Emoji]:
    rows = tx.all(
        f"SELECT {columns(Emoji)} FROM emoji WHERE domain = :domain AND shortcode IN (:names)",  # noqa: S608
        domain=domain,
        names=shortcodes,
    )
    return {row["shortcode"]: build(Emoji, row) for row in rows}


def _add(tx: Writer, domain: str, one: RemoteEmoji) -> Emoji | None:
    if tx.value("SELECT COUNT(*) FROM emoji WHERE domain = :domain", domain=domain) >= MOST_OF_A_SERVER:
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
    return _known(tx, domain, [one.shortcode]).get(one.shortcode)


def _follow(tx: Writer, known: Emoji, one: RemoteEmoji) -> None:
    """Take a newer picture. Where no times are told, the last word counts."""
    is_newer = one.updated_at > known.updated_at or (one.updated_at == 0 == known.updated_at)
    if not is_newer or (known.url, known.updated_at) == (one.url, one.updated_at):
        return
    forget_files(tx, [known.id])
    tx.run(
        "UPDATE emoji SET url = :url, updated_at = :updated WHERE id = :id",
        id=known.id,
        url=one.url,
        updated=one.updated_at,
    )


def shown(tx: Reader, id_: int) -> Emoji | None:
    """The emoji, if pictures of its server and of who keeps it are shown here."""
    row = tx.one(f"SELECT {columns(Emoji)} FROM emoji WHERE id = :id", id=id_)  # noqa: S608
    if row is None:
        return None
    found = build(Emoji, row)
    rules = domain_policy.policies(tx, {found.domain, hostnames.of(found.url)})
    return None if any(rule.rejects_media or rule.is_suspended for rule in rules.values()) else found


async def fetch(node: Node, id_: int) -> None:
    """Bring an emoji's picture here, when it is first looked at. Nothing happens when it cannot be had."""
    await node.part(Fetches).once(("emoji", id_), lambda: _fetch(node, id_))


async def _fetch(node: Node, id_: int) -> None:
    known = await node.db.read(_wanted, id_)
    if known is None:
        return
    brought = await remote_fetch.bring(
        node, ("emoji", id_), known.url, most_bytes=MOST_BYTES, variants=EMOJI_VARIANTS
    )
    if brought is not None:
        await node.db.write(_keep, known, brought, node.part(Room).bytes)
        await remote_fetch.settled(node, brought)


def _wanted(tx: Reader, id_: int) -> Emoji | None:
    found = shown(tx, id_)
    if found is None or found.file or not media_cache.may_be_tried(tx, "emoji", id_, found.url):
        return None
    return found


def _keep(tx: Writer, known: Emoji, brought: Brought, room: int) -> None:
    [file] = brought.files.values()
    # The rule about its server may have changed while the picture was on its way.
    changed = shown(tx, known.id) is not None and tx.run(
        "UPDATE emoji SET file = :file WHERE id = :id AND url = :url AND file = ''",
        id=known.id,
        url=known.url,
        file=file.file,
    )
    if changed:
        media_cache.kept(tx, "emoji", known.id, brought.url, brought.bytes, room=room)
    else:
        storing.discard(tx, [file.file])


def forget_files(tx: Writer, ids: Sequence[int]) -> None:
    """Let go of pictures; they are fetched again when somebody looks."""
    if not ids:
        return
    rows = tx.all("SELECT file FROM emoji WHERE id IN (:ids)", ids=list(ids))
    tx.run("UPDATE emoji SET file = '' WHERE id IN (:ids)", ids=list(ids))
    media_cache.forget(tx, "emoji", ids)
    storing.discard(tx, [row["file"] for row in rows])


def refused(tx: Reader, limit: int) -> list[Key]:
    """Some that are kept although pictures of their people's server are not shown here."""
    servers = [row["domain"] for row in tx.all("SELECT DISTINCT domain FROM emoji WHERE file <> ''")]
    rules = domain_policy.policies(tx, servers)
    rows = tx.all(
        "SELECT id FROM emoji WHERE file <> '' AND domain IN (:domains) LIMIT :limit",
        domains=[name for name, rule in rules.items() if rule.rejects_media],
        limit=limit,
    )
    return [("emoji", row["id"]) for row in rows]
