"""Custom emoji of other servers, and their pictures once somebody has viewed them. Owns `emoji`.

An emoji is identified by the server whose accounts use it and its shortcode. A post and an account keep which emoji
their text names, as JSON {shortcode: id}, so showing them costs no further query. Other servers decide how many
there are, so the number is bounded per text and per server; above it the shortcode stays plain text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from media.images import EMOJI_VARIANTS
from node.attachments import media_cache, remote_fetch, stored_files
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
    """An emoji of one server. `file` is '' until somebody has viewed it."""

    id: int
    domain: str
    shortcode: str
    url: str
    updated_at: int
    file: str


def record_used(tx: Writer, domain: str, offered: Iterable[RemoteEmoji], *texts: str) -> str:
    """Stores those of the offered emoji that the texts name.

    Returns the JSON that the row of the post or account keeps of them; '' for none.
    """
    text = "\n".join(texts)
    wanted = {
        emoji.shortcode: emoji
        for emoji in offered
        if emoji.shortcode
        and display_names.is_storable_username(emoji.shortcode)
        and len(emoji.url) <= MAX_URL_LENGTH
        and f":{emoji.shortcode}:" in text
    }
    named = list(wanted)[:MAX_PER_TEXT]
    if not named or not domain:
        return ""
    known = _by_shortcodes(tx, domain, named)
    for name in sorted(named):
        emoji, existing = wanted[name], known.get(name)
        if existing is not None:
            _update_picture(tx, existing, emoji)
        elif (added := _add(tx, domain, emoji)) is not None:
            known[name] = added
    return json.dumps({name: known[name].id for name in named if name in known}) if known else ""


def ids_by_shortcode(stored: str) -> dict[str, int]:
    """Parses the JSON that a row keeps: ids by shortcode."""
    return dict(json.loads(stored)) if stored else {}


def _by_shortcodes(tx: Reader, domain: str, shortcodes: Sequence[str]) -> dict[str, Emoji]:
    rows = tx.all(
        f"SELECT {columns(Emoji)} FROM emoji WHERE domain = :domain AND shortcode IN (:names)",  # noqa: S608
        domain=domain,
        names=shortcodes,
    )
    return {row["shortcode"]: build(Emoji, row) for row in rows}


def _add(tx: Writer, domain: str, emoji: RemoteEmoji) -> Emoji | None:
    if tx.value("SELECT COUNT(*) FROM emoji WHERE domain = :domain", domain=domain) >= MAX_PER_SERVER:
        return None
    tx.run(
        """INSERT INTO emoji (id, domain, shortcode, url, updated_at, created_at)
           VALUES (:id, :domain, :name, :url, :updated, :now) ON CONFLICT DO NOTHING""",
        id=new_id(),
        domain=domain,
        name=emoji.shortcode,
        url=emoji.url,
        updated=emoji.updated_at,
        now=now_ms(),
    )
    return _by_shortcodes(tx, domain, [emoji.shortcode]).get(emoji.shortcode)


def _update_picture(tx: Writer, known: Emoji, emoji: RemoteEmoji) -> None:
    """Replaces an older picture by a newer one. Where neither has a time, the last received counts."""
    is_newer = emoji.updated_at > known.updated_at or (emoji.updated_at == 0 == known.updated_at)
    if not is_newer or (known.url, known.updated_at) == (emoji.url, emoji.updated_at):
        return
    delete_files(tx, [known.id])
    tx.run(
        "UPDATE emoji SET url = :url, updated_at = :updated WHERE id = :id",
        id=known.id,
        url=emoji.url,
        updated=emoji.updated_at,
    )


def visible_by_id(tx: Reader, id_: int) -> Emoji | None:
    """Returns the emoji, if media of its server and of the host of its file are shown here."""
    row = tx.one(f"SELECT {columns(Emoji)} FROM emoji WHERE id = :id", id=id_)  # noqa: S608
    if row is None:
        return None
    found = build(Emoji, row)
    policies = domain_rules.policies(tx, {found.domain, hostnames.from_uri(found.url)})
    return None if any(policy.rejects_media or policy.is_suspended for policy in policies.values()) else found


async def fetch_remote(node: Node, id_: int) -> None:
    """Fetches an emoji's picture, when somebody first views it. Nothing happens when it is not available."""
    await node.component(PictureFetcher).fetch_once(("emoji", id_), lambda: _fetch(node, id_))


async def _fetch(node: Node, id_: int) -> None:
    known = await node.db.read(_fetchable_emoji, id_)
    if known is None:
        return
    fetched = await remote_fetch.fetch_and_store(
        node,
        ("emoji", id_),
        known.url,
        server=known.domain,
        max_bytes=MAX_BYTES,
        variants=EMOJI_VARIANTS,
    )
    if fetched is not None:
        await node.db.write(_store, known, fetched, node.component(CacheCapacity).bytes)
        await stored_files.restore_missing(node, fetched.files, fetched.picture.files)


def _fetchable_emoji(tx: Reader, id_: int) -> Emoji | None:
    found = visible_by_id(tx, id_)
    if found is None or found.file or not media_cache.may_fetch(tx, "emoji", id_, found.url):
        return None
    return found


def _store(tx: Writer, known: Emoji, fetched: FetchedPicture, capacity: int) -> None:
    [file] = fetched.files.values()
    # The policy for its server may have changed during the fetch.
    changed = visible_by_id(tx, known.id) is not None and tx.run(
        "UPDATE emoji SET file = :file WHERE id = :id AND url = :url AND file = ''",
        id=known.id,
        url=known.url,
        file=file.key,
    )
    if changed:
        media_cache.record_stored(tx, "emoji", known.id, fetched.url, fetched.bytes, capacity=capacity)
    else:
        stored_files.queue_deletion(tx, [file.key])


def delete_files(tx: Writer, ids: Sequence[int]) -> None:
    """Deletes the files of emoji; they are fetched again when somebody views them."""
    if not ids:
        return
    rows = tx.all("SELECT file FROM emoji WHERE id IN (:ids)", ids=list(ids))
    tx.run("UPDATE emoji SET file = '' WHERE id IN (:ids)", ids=list(ids))
    media_cache.delete(tx, "emoji", ids)
    stored_files.queue_deletion(tx, [row["file"] for row in rows])


def from_rejected_servers(tx: Reader, limit: int) -> list[MediaKey]:
    """Returns up to `limit` emoji that are stored although media of their server are rejected."""
    servers = [row["domain"] for row in tx.all("SELECT DISTINCT domain FROM emoji WHERE file <> ''")]
    policies = domain_rules.policies(tx, servers)
    rows = tx.all(
        "SELECT id FROM emoji WHERE file <> '' AND domain IN (:domains) LIMIT :limit",
        domains=[name for name, policy in policies.items() if policy.rejects_media],
        limit=limit,
    )
    return [("emoji", row["id"]) for row in rows]


def clean_up(tx: Writer, now: int, after: str | None) -> str | None:
    """Deletes the emoji of the next server if no account of it is known; returns which it is, None at the end."""
    domain: str | None = tx.value("SELECT MIN(domain) FROM emoji WHERE domain > :after", after=after or "")
    if domain is None or tx.value(
        "SELECT 1 FROM accounts WHERE host = :host AND NOT is_local LIMIT 1", host=domain
    ):
        return domain
    rows = tx.all("SELECT id FROM emoji WHERE domain = :domain LIMIT 500", domain=domain)
    ids = [row["id"] for row in rows]
    delete_files(tx, ids)
    tx.run("DELETE FROM emoji WHERE id IN (:ids)", ids=ids)
    return after or ""
