"""Published block lists that admins follow, and files they import. Owns `block_lists`.

A list is read once a day through the node's one door out, with what its server needs to say "nothing new".
What it asks for is judged in `list_entries`. One that cannot be read, or holds no name, changes nothing: a
broken page must never lift a block.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any
from urllib.parse import urlsplit

from node.database import Reader, Writer, build, build_all, columns
from node.errors import Conflict, Invalid, NotFound, Refused
from node.ids import new_id, now_ms
from node.jobs import queue
from node.jobs.queue import Job
from node.models.account import Account
from node.models.domain_policy import STRENGTHS
from node.moderation import audit_log, block_list_csv, block_list_entries, domain_exclusions
from node.moderation.block_list_csv import Parsed
from node.moderation.block_list_entries import BlockList
from node.node import Node

log = logging.getLogger("tintype.block_lists")

MOST_LISTS = 50
LONGEST_TITLE = 200
LONGEST_URL = 2048
TYPES = ("text/*", "application/csv", "application/octet-stream", "binary/octet-stream")


_SELECT = f"SELECT {columns(BlockList)} FROM block_lists"  # noqa: S608


def all_of(tx: Reader) -> list[BlockList]:
    """Files that wait for an answer first, then lists that are followed."""
    rows = tx.all(_SELECT + " ORDER BY CASE WHEN url = '' THEN 0 ELSE 1 END, title, id")
    return build_all(BlockList, rows)


def get(tx: Reader, list_id: int) -> BlockList:
    row = tx.one(_SELECT + " WHERE id = :id", id=list_id)
    if row is None:
        raise NotFound("That list no longer exists.")
    return build(BlockList, row)


def subscribe(
    tx: Writer,
    url: str,
    title: str = "",
    *,
    is_automatic: bool = False,
    strength: str = "suspend",
    by: Account | None = None,
) -> BlockList:
    """Follow a published list from now on. Raises Invalid or Conflict."""
    url = url.strip()
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme != "https" or not parts.hostname or len(url) > LONGEST_URL or not url.isprintable():
        raise Invalid("Please enter the https URL of a list.", field="url")
    if tx.value("SELECT 1 FROM block_lists WHERE url = :url", url=url):
        raise Conflict("You are already subscribed to that list.")
    new = _make(tx, title or f"{parts.hostname}{parts.path}", url, is_automatic, _strength(strength))
    audit_log.record(tx, by, "subscribe", new.url, "automatic" if is_automatic else "")
    queue.add(tx, "fetch_list", {"id": new.id})
    return new


def _strength(wanted: str) -> str:
    if wanted not in STRENGTHS:
        raise Invalid("Please select a severity.", field="strength", detail=wanted)
    return wanted


def _make(tx: Writer, title: str, url: str, is_automatic: bool, strength: str) -> BlockList:
    if tx.value("SELECT COUNT(*) FROM block_lists") >= MOST_LISTS:
        raise Conflict(f"There are {MOST_LISTS} lists already. Please leave one first.")
    id_ = new_id()
    tx.run(
        """INSERT INTO block_lists (id, title, url, is_automatic, strength, created_at)
           VALUES (:id, :title, :url, :is_automatic, :strength, :now)""",
        id=id_,
        title=" ".join(title.split())[:LONGEST_TITLE],
        url=url,
        is_automatic=is_automatic,
        strength=strength,
        now=now_ms(),
    )
    return get(tx, id_)


def change(
    tx: Writer, list_id: int, *, title: str, is_automatic: bool, strength: str, by: Account | None = None
) -> None:
    """Follow a list in another way. What waits is looked at anew when the list is next read, which is soon."""
    of = get(tx, list_id)
    tx.run(
        """UPDATE block_lists SET title = :title, is_automatic = :is_automatic, strength = :strength,
                  etag = '', modified = '' WHERE id = :id""",
        id=of.id,
        title=" ".join(title.split())[:LONGEST_TITLE] or of.title,
        is_automatic=is_automatic,
        strength=_strength(strength),
    )
    audit_log.record(tx, by, "subscribe", of.url, "automatic" if is_automatic else "by hand")
    ask_now(tx, of.id)


def ask_now(tx: Writer, list_id: int) -> None:
    """Read a list without waiting for tomorrow."""
    if get(tx, list_id).url:
        queue.add(tx, "fetch_list", {"id": list_id})


def ask_all(tx: Writer) -> None:
    """Once a day: read every list."""
    for row in tx.all("SELECT id FROM block_lists WHERE url <> '' ORDER BY id"):
        queue.add(tx, "fetch_list", {"id": row["id"]})


def include(tx: Writer, domain: str, *, by: Account | None = None) -> None:
    """An exclusion ends: what the lists say about it is read again, even if they have not changed."""
    domain_exclusions.remove(tx, domain, by=by)
    tx.run("UPDATE block_lists SET etag = '', modified = '' WHERE url <> ''")


def leave(tx: Writer, list_id: int, *, keeps_rules: bool = False, by: Account | None = None) -> None:
    """Follow a list no longer, or throw an import away. Its rules go too, unless they are kept as our own."""
    of = get(tx, list_id)
    block_list_entries.remove_all_of(tx, of.id, keeps_rules=keeps_rules, by=by)
    tx.run("DELETE FROM block_lists WHERE id = :id", id=of.id)
    if of.url:
        audit_log.record(tx, by, "unsubscribe", of.url, "rules kept" if keeps_rules else "")


def take_file(tx: Writer, name: str, parsed: Parsed, *, by: Account | None = None) -> BlockList:
    """Keep an imported file, whose entries wait for an answer."""
    of = _make(tx, name or "A file", "", False, "suspend")
    excluded = block_list_entries.merge(tx, of, parsed.entries)
    _note_problems(tx, of.id, parsed, excluded)
    audit_log.record(tx, by, "import", of.title, f"{len(parsed.entries)}")
    return get(tx, of.id)


def accept(tx: Writer, list_id: int, names: list[str] | None, *, by: Account | None) -> int:
    """Do what these drafts ask for; None stands for all that end no follow. How many there were."""
    of = get(tx, list_id)
    done = block_list_entries.accept(
        tx, of, block_list_entries.safe(tx, of.id) if names is None else names, by=by
    )
    audit_log.record(tx, by, "accept", of.url or of.title, f"{done}")
    _end_import(tx, of)
    return done


def decline(tx: Writer, list_id: int, names: list[str], *, by: Account | None) -> int:
    """Leave things as they are, whatever the list says about these. How many there were."""
    of = get(tx, list_id)
    done = block_list_entries.decline(tx, of, names)
    audit_log.record(tx, by, "decline", of.url or of.title, f"{done}")
    _end_import(tx, of)
    return done


def _end_import(tx: Writer, of: BlockList) -> None:
    if not of.url and not block_list_entries.is_waiting(tx, of.id):
        block_list_entries.remove_all_of(tx, of.id, keeps_rules=True, by=None)
        tx.run("DELETE FROM block_lists WHERE id = :id", id=of.id)


async def fetch(node: Node, job: Job) -> None:
    """Job `fetch_list`: read a list and do what follows from it."""
    try:
        of = await node.db.read(get, job.payload["id"])
    except NotFound:
        return
    try:
        found = await node.client.get_published(
            of.url, types=TYPES, limit=block_list_csv.MOST_BYTES, etag=of.etag, modified=of.modified
        )
        if found is None:
            await node.db.write(_note_asked, of.id, "")
            return
        parsed = await asyncio.to_thread(
            block_list_csv.parse, found.body, node.site.own_domains, strength=of.strength
        )
        if not parsed.entries:
            raise Invalid("There is no server in that list.")
    except Refused as refused:
        log.info("the list %s cannot be read: %s %s", of.url, refused.message, refused.detail)
        await node.db.write(_note_asked, of.id, refused.detail or refused.message)
        return
    await node.db.write(_take_in, of.id, parsed, found)


def _take_in(tx: Writer, list_id: int, parsed: Parsed, found: Any) -> None:
    try:
        of = get(tx, list_id)
    except NotFound:
        return
    excluded = block_list_entries.merge(tx, of, parsed.entries, is_whole=parsed.is_whole)
    _note_problems(tx, of.id, parsed, excluded)
    _note_asked(tx, of.id, "")
    tx.run(
        "UPDATE block_lists SET etag = :etag, modified = :modified, fetched_at = :now WHERE id = :id",
        id=of.id,
        etag=found.etag,
        modified=found.modified,
        now=now_ms(),
    )


def _note_asked(tx: Writer, list_id: int, failure: str) -> None:
    tx.run(
        "UPDATE block_lists SET asked_at = :now, failure = :failure WHERE id = :id",
        id=list_id,
        now=now_ms(),
        failure=failure[:500],
    )


def _note_problems(tx: Writer, list_id: int, parsed: Parsed, excluded: set[str]) -> None:
    problems = [[one.line, one.text, one.why] for one in parsed.problems]
    problems += [[0, name, "An exclusion keeps lists away from it."] for name in sorted(excluded)]
    tx.run(
        "UPDATE block_lists SET problems = :problems WHERE id = :id",
        id=list_id,
        problems=json.dumps(problems[: block_list_csv.MOST_PROBLEMS]),
    )
