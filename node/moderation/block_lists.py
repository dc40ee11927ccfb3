"""Published block lists that admins subscribe to, and files they import. Owns `block_lists`.

The admin pages call it, and the job `fetch_list`, which fetches each list once a day through the node's guarded HTTP
client with a conditional request. `block_list_entries` decides what follows from a list. One that cannot be fetched
or parsed, or holds no name, changes nothing: a broken page must never lift a block.
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
from node.moderation.block_list_csv import ParsedList
from node.moderation.block_list_entries import BlockList
from node.node import Node

log = logging.getLogger("tintype.block_lists")

MAX_LISTS = 50
MAX_TITLE_LENGTH = 200
MAX_URL_LENGTH = 2048
ACCEPTED_MEDIA_TYPES = ("text/*", "application/csv", "application/octet-stream", "binary/octet-stream")


_SELECT = f"SELECT {columns(BlockList)} FROM block_lists"  # noqa: S608


def all_lists(tx: Reader) -> list[BlockList]:
    """Returns all block lists: imported files that wait for an admin first,
    then subscribed lists, by title."""
    rows = tx.all(_SELECT + " ORDER BY CASE WHEN url = '' THEN 0 ELSE 1 END, title, id")
    return build_all(BlockList, rows)


def get(tx: Reader, list_id: int) -> BlockList:
    """Returns one list. Raises NotFound."""
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
    moderator: Account | None = None,
) -> BlockList:
    """Subscribes to a published list and queues its first fetch. Raises Invalid or Conflict."""
    url = url.strip()
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme != "https" or not parts.hostname or len(url) > MAX_URL_LENGTH or not url.isprintable():
        raise Invalid("Please enter the https URL of a list.", field="url")
    if tx.value("SELECT 1 FROM block_lists WHERE url = :url", url=url):
        raise Conflict("You are already subscribed to that list.")
    new = _insert(
        tx, title or f"{parts.hostname}{parts.path}", url, is_automatic, _validated_strength(strength)
    )
    audit_log.record(tx, moderator, "subscribe", new.url, "automatic" if is_automatic else "")
    queue.add(tx, "fetch_list", {"id": new.id})
    return new


def _validated_strength(strength: str) -> str:
    if strength not in STRENGTHS:
        raise Invalid("Please select a severity.", field="strength", detail=strength)
    return strength


def _insert(tx: Writer, title: str, url: str, is_automatic: bool, strength: str) -> BlockList:
    if tx.value("SELECT COUNT(*) FROM block_lists") >= MAX_LISTS:
        raise Conflict(f"There are {MAX_LISTS} lists already. Please leave one first.")
    id_ = new_id()
    tx.run(
        """INSERT INTO block_lists (id, title, url, is_automatic, strength, created_at)
           VALUES (:id, :title, :url, :is_automatic, :strength, :now)""",
        id=id_,
        title=" ".join(title.split())[:MAX_TITLE_LENGTH],
        url=url,
        is_automatic=is_automatic,
        strength=strength,
        now=now_ms(),
    )
    return get(tx, id_)


def update(
    tx: Writer,
    list_id: int,
    *,
    title: str,
    is_automatic: bool,
    strength: str,
    moderator: Account | None = None,
) -> None:
    """Changes how a list is followed, and queues a fetch, in which all waiting entries are decided anew.

    An empty title keeps the old one. Raises Invalid or NotFound.
    """
    block_list = get(tx, list_id)
    tx.run(
        """UPDATE block_lists SET title = :title, is_automatic = :is_automatic, strength = :strength,
                  etag = '', modified = '' WHERE id = :id""",
        id=block_list.id,
        title=" ".join(title.split())[:MAX_TITLE_LENGTH] or block_list.title,
        is_automatic=is_automatic,
        strength=_validated_strength(strength),
    )
    audit_log.record(tx, moderator, "subscribe", block_list.url, "automatic" if is_automatic else "by hand")
    queue_fetch(tx, block_list.id)


def queue_fetch(tx: Writer, list_id: int) -> None:
    """Queues a fetch of a list now; does nothing for an imported file. Raises NotFound."""
    if get(tx, list_id).url:
        queue.add(tx, "fetch_list", {"id": list_id})


def queue_all_fetches(tx: Writer) -> None:
    """Queues a fetch of every subscribed list, as happens once a day."""
    for row in tx.all("SELECT id FROM block_lists WHERE url <> '' ORDER BY id"):
        queue.add(tx, "fetch_list", {"id": row["id"]})


def remove_exclusion(tx: Writer, domain: str, *, moderator: Account | None = None) -> None:
    """Removes an exclusion, and has every list fetched in full the next time, even if it has not changed."""
    domain_exclusions.remove(tx, domain, moderator=moderator)
    tx.run("UPDATE block_lists SET etag = '', modified = '' WHERE url <> ''")


def unsubscribe(
    tx: Writer, list_id: int, *, keeps_rules: bool = False, moderator: Account | None = None
) -> None:
    """Deletes a list or an import. Its rules go too, unless they are kept as the admins' own. Raises NotFound."""
    block_list = get(tx, list_id)
    block_list_entries.delete_by_list(tx, block_list.id, keeps_rules=keeps_rules, moderator=moderator)
    tx.run("DELETE FROM block_lists WHERE id = :id", id=block_list.id)
    if block_list.url:
        audit_log.record(tx, moderator, "unsubscribe", block_list.url, "rules kept" if keeps_rules else "")


def import_file(tx: Writer, name: str, parsed: ParsedList, *, moderator: Account | None = None) -> BlockList:
    """Stores an uploaded file, whose entries wait for an admin. It is deleted once all are decided."""
    block_list = _insert(tx, name or "A file", "", False, "suspend")
    excluded = block_list_entries.merge(tx, block_list, parsed.entries)
    _store_problems(tx, block_list.id, parsed, excluded)
    audit_log.record(tx, moderator, "import", block_list.title, f"{len(parsed.entries)}")
    return get(tx, block_list.id)


def accept_entries(tx: Writer, list_id: int, names: list[str] | None, *, moderator: Account | None) -> int:
    """Applies waiting entries, by domain; None stands for all that end no follow. Returns how many were applied."""
    block_list = get(tx, list_id)
    chosen = block_list_entries.pending_without_follows(tx, block_list.id) if names is None else names
    count = block_list_entries.accept(tx, block_list, chosen, moderator=moderator)
    audit_log.record(tx, moderator, "accept", block_list.url or block_list.title, f"{count}")
    _finish_import(tx, block_list)
    return count


def decline_entries(tx: Writer, list_id: int, names: list[str], *, moderator: Account | None) -> int:
    """Declines waiting entries, by domain: the current rules stay. Returns how many were declined."""
    block_list = get(tx, list_id)
    count = block_list_entries.decline(tx, block_list, names)
    audit_log.record(tx, moderator, "decline", block_list.url or block_list.title, f"{count}")
    _finish_import(tx, block_list)
    return count


def _finish_import(tx: Writer, block_list: BlockList) -> None:
    if not block_list.url and not block_list_entries.has_pending(tx, block_list.id):
        block_list_entries.delete_by_list(tx, block_list.id, keeps_rules=True, moderator=None)
        tx.run("DELETE FROM block_lists WHERE id = :id", id=block_list.id)


async def fetch_list(node: Node, job: Job) -> None:
    """Job `fetch_list`: fetches a list and merges it. A failure is stored with the list and changes no rule."""
    try:
        block_list = await node.db.read(get, job.payload["id"])
    except NotFound:
        return
    try:
        response = await node.client.get_if_modified(
            block_list.url,
            types=ACCEPTED_MEDIA_TYPES,
            max_bytes=block_list_csv.MAX_BYTES,
            etag=block_list.etag,
            last_modified=block_list.modified,
        )
        if response is None:
            await node.db.write(_record_fetch_attempt, block_list.id, "")
            return
        parsed = await asyncio.to_thread(
            block_list_csv.parse, response.body, node.site.own_domains, strength=block_list.strength
        )
        if not parsed.entries:
            raise Invalid("There is no server in that list.")
    except Refused as refused:
        log.info("the list %s cannot be fetched: %s %s", block_list.url, refused.message, refused.detail)
        await node.db.write(_record_fetch_attempt, block_list.id, refused.detail or refused.message)
        return
    await node.db.write(_store_fetched, block_list.id, parsed, response)


def _store_fetched(tx: Writer, list_id: int, parsed: ParsedList, response: Any) -> None:
    try:
        block_list = get(tx, list_id)
    except NotFound:
        return
    excluded = block_list_entries.merge(tx, block_list, parsed.entries, is_complete=parsed.is_complete)
    _store_problems(tx, block_list.id, parsed, excluded)
    _record_fetch_attempt(tx, block_list.id, "")
    tx.run(
        "UPDATE block_lists SET etag = :etag, modified = :modified, fetched_at = :now WHERE id = :id",
        id=block_list.id,
        etag=response.etag,
        modified=response.last_modified,
        now=now_ms(),
    )


def _record_fetch_attempt(tx: Writer, list_id: int, failure: str) -> None:
    tx.run(
        "UPDATE block_lists SET asked_at = :now, failure = :failure WHERE id = :id",
        id=list_id,
        now=now_ms(),
        failure=failure[:500],
    )


def _store_problems(tx: Writer, list_id: int, parsed: ParsedList, excluded: set[str]) -> None:
    problems = [[one.line, one.text, one.reason] for one in parsed.invalid_lines]
    problems += [[0, name, "An exclusion keeps lists away from it."] for name in sorted(excluded)]
    tx.run(
        "UPDATE block_lists SET problems = :problems WHERE id = :id",
        id=list_id,
        problems=json.dumps(problems[: block_list_csv.MAX_INVALID_LINES]),
    )
