"""E5: documents of other software, as they are and corrupted, go through the job of the inbox.

Nothing may raise, no job may be left over, and every page must still render afterwards. The documents are
read from the folder beside the project where it exists; the project ships none of them.
"""

from __future__ import annotations

import json
import logging
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activitypub import vocab
from activitypub.inbox import process
from activitypub.remote import actors
from activitypub.uris import Malformed
from federation_tests.documents.__main__ import documents, judge
from federation_tests.fediverse import Fediverse, Person
from node.accounts import accounts, relationships
from node.database import Reader, Writer
from node.errors import Refused
from node.ids import now_ms
from node.interactions import follows
from node.jobs import queue
from node.lifecycle import remote_accounts
from node.models.account import Account
from node.models.remote_actor import RemoteActor
from node.node import Node
from node.paging import Page
from node.posts import posts
from node.text import formatting
from node.timelines import post_views, timelines
from tests.activitypub.vocab.test_fixtures_parse import mutated

FIXTURES = Path(__file__).parents[1].parent / "shared" / "fixtures"
RECEIVED = Path(__file__).parent / "documents" / "received"
# The kinds of jobs that send requests to other servers.
FETCH_KINDS = (
    "fetch",
    "look_up",
    "synchronize",
    "check_post",
    "check_quote",
    "climb",
    "crawl",
    "look_at_person",
    "refresh_actor",
    "check_move",
    "read_featured",
    "fetch_avatar",
)
FOLDERS = sorted(path for path in FIXTURES.glob("*") if path.is_dir() and any(path.rglob("*.json")))


def read(path: Path) -> list[dict[str, Any]]:
    """The documents in a file, which holds one or a list of them."""
    try:
        found = json.loads(path.read_bytes())
    except ValueError:
        return []
    documents = found if isinstance(found, list) else [found]
    return [document for document in documents if isinstance(document, dict)]


def activities(document: dict[str, Any]) -> list[dict[str, Any]]:
    """What a server might POST about a document: the activity it is, or activities that embed it."""
    try:
        if vocab.parse_activity(document).type in vocab.activities.TYPES:
            return [document]
    except Malformed:
        pass
    try:
        note = vocab.parse_note(document)
    except Malformed:
        note = None
    if note is not None:
        return [
            {
                "id": f"{note.id}#{verb}",
                "type": verb,
                "actor": note.actor,
                "object": document,
                "to": document.get("to"),
            }
            for verb in ("Create", "Update", "Announce", "Delete")
        ]
    try:
        actor = vocab.parse_actor(document)
    except Malformed:
        return []
    return [{"id": f"{actor.id}#update", "type": "Update", "actor": actor.id, "object": document}]


def _known(tx: Writer, uri: str, reader: Account) -> Account | None:
    """The actor, stored and followed by the reader, so that its activities are relevant."""
    try:
        known = remote_accounts.upsert(
            tx,
            RemoteActor(
                uri=uri,
                name="someone",
                domain=vocab.host_of(uri),
                inbox=f"{uri}/inbox",
                followers_uri=f"{uri}/followers",
            ),
        )
        if relationships.follow_between(tx, reader, known) is None:
            follows.accept(tx, follows.follow(tx, reader, known))
    except (Malformed, Refused):
        return None
    return known


def enqueue(tx: Writer, document: dict[str, Any], reader_id: int) -> bool:
    """Queues an activity as if its actor had signed it; False if it is none or its actor cannot be stored."""
    try:
        uri = vocab.parse_activity(document).actor
    except Malformed:
        return False
    actor = _known(tx, uri, accounts.get(tx, reader_id))
    if actor is None:
        return False
    queue.add(tx, "receive", {"doc": document, "by": actor.id, "host": vocab.host_of(uri)})
    return True


async def run_jobs(node: Node) -> None:
    """Runs the receive jobs and drops the requests they queue; no job may be left."""
    while batch := await node.db.write(queue.claim, "receive", 64, now_ms()):
        await process.process_batch(node, batch)
    kinds = [*FETCH_KINDS, "fan_out", "deliver"]
    await node.db.write(lambda tx: tx.run("DELETE FROM jobs WHERE kind IN (:kinds)", kinds=kinds))
    assert await node.db.read(lambda tx: tx.value("SELECT COUNT(*) FROM jobs WHERE kind = 'receive'")) == 0


def _pages(tx: Reader, reader_id: int) -> int:
    """Renders everything the reader can see; how many posts that are."""
    reader = accounts.get(tx, reader_id)
    shown = post_views.by_entries(tx, reader, timelines.home(tx, reader, Page(limit=80)))
    shown += post_views.by_entries(tx, None, timelines.public(tx, None, Page(limit=80)))
    return len(shown)


async def _process(reader: Person, documents: list[dict[str, Any]]) -> None:
    def unit(tx: Writer) -> int:
        return sum(
            enqueue(tx, activity, reader.id) for document in documents for activity in activities(document)
        )

    await reader.node.db.write(unit)
    await run_jobs(reader.node)
    for document in documents:
        try:
            remote = actors.to_remote_actor(vocab.parse_actor(document), "somewhere.example")
            await reader.node.db.write(remote_accounts.upsert, remote)
        except (Malformed, Refused):
            continue
    await reader.node.db.read(_pages, reader.id)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
async def test_documents_of_other_software_go_through_the_inbox(
    fediverse: Fediverse, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (reader,) = await fediverse.people("reader@a.test")
    caplog.set_level(logging.ERROR)
    documents = [document for path in sorted(folder.rglob("*.json")) for document in read(path)]
    await _process(reader, documents)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.skipif(not FOLDERS, reason="the documents of other software are not beside the project")
async def test_E5_corrupted_documents_go_through_the_inbox(fediverse: Fediverse, seed: int) -> None:
    (reader,) = await fediverse.people("reader@a.test")
    chance = random.Random(seed)
    every = [document for folder in FOLDERS for path in folder.rglob("*.json") for document in read(path)]
    chosen = [mutated(document, chance) for document in chance.sample(every, min(300, len(every)))]
    await _process(reader, [document for document in chosen if isinstance(document, dict)])


def _queued_fetches(tx: Reader) -> int:
    """How many requests to other servers are queued."""
    return int(tx.value("SELECT COUNT(*) FROM jobs WHERE kind IN (:kinds)", kinds=list(FETCH_KINDS)))


def _check_consistent(tx: Reader) -> None:
    """Asserts that nothing is half stored: counts match their rows, and every row has its owner."""
    for what, rows in {
        "photos_count": "SELECT COUNT(*) FROM photos x WHERE x.post_id = p.id",
        "likes_count": "SELECT COUNT(*) FROM likes x WHERE x.post_id = p.id",
    }.items():
        wrong = f"SELECT COUNT(*) FROM posts p WHERE p.deleted_at IS NULL AND p.{what} <> ({rows})"
        assert tx.value(wrong) == 0, what
    for table, column, of in (
        ("posts", "account_id", "accounts"),
        ("photos", "post_id", "posts"),
        ("mentions", "post_id", "posts"),
        ("post_hashtags", "post_id", "posts"),
        ("keys", "account_id", "accounts"),
    ):
        missing = f"""SELECT COUNT(*) FROM {table} x WHERE x.{column} IS NOT NULL
                      AND NOT EXISTS (SELECT 1 FROM {of} y WHERE y.id = x.{column})"""
        assert tx.value(missing) == 0, f"{table}.{column}"


EVERY = [document for folder in FOLDERS for path in folder.rglob("*.json") for document in read(path)]


@pytest.mark.skipif(not FOLDERS, reason="the documents of other software are not beside the project")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    document=st.sampled_from(EVERY or [{}]), chance=st.randoms(use_true_random=False), times=st.integers(0, 3)
)
async def test_no_corrupted_document_causes_many_requests_or_is_half_stored(
    fediverse: Fediverse, document: dict[str, Any], chance: random.Random, times: int
) -> None:
    node = await fediverse.node("a.test")
    found = await node.db.read(accounts.by_handle, "reader")
    reader = found.id if found is not None else (await fediverse.person("reader@a.test")).id
    for _ in range(times):
        document = mutated(document, chance)
        if not isinstance(document, dict):
            return

    def unit(tx: Writer) -> None:
        for activity in activities(document):
            enqueue(tx, activity, reader)

    await node.db.write(unit)
    before = await node.db.read(_queued_fetches)
    while batch := await node.db.write(queue.claim, "receive", 64, now_ms()):
        await process.process_batch(node, batch)
    # Each queues one fetch at most, and that makes 20 requests at most (D10).
    assert await node.db.read(_queued_fetches) - before <= len(activities(document)) + 1
    await node.db.read(_check_consistent)
    await run_jobs(node)
    await node.db.read(_pages, reader)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_no_complete_document_of_a_supported_type_is_lost(folder: Path) -> None:
    for path, document in documents(folder):
        verdict, reason = judge(document)
        assert verdict != "lost", f"{path.name}: {reason}"


@pytest.mark.parametrize("path", sorted(RECEIVED.glob("*.json")), ids=lambda path: path.stem)
async def test_a_document_of_a_peer_is_understood(fediverse: Fediverse, path: Path) -> None:
    """Documents written for these tests in the forms of several peers, each with the expected result."""
    (reader,) = await fediverse.people("reader@a.test")
    case = json.loads(path.read_text().replace("https://a.test", reader.node.site.base_url))
    await _process(reader, [case["document"]])
    found = await reader.node.db.read(_summary, case["expect"]["uri"], reader.id)
    assert found == case["expect"]


def _summary(tx: Reader, uri: str, reader_id: int) -> dict[str, Any]:
    post = posts.by_uri(tx, uri)
    if post is None:
        return {"uri": uri, "visibility": None}
    view = post_views.by_entries(tx, accounts.get(tx, reader_id), [post.id])[0]
    return {
        "uri": uri,
        "visibility": post.visibility,
        "caption": formatting.html_to_text(post.caption),
        "warning": post.warning,
        "alts": [photo.alt for photo in view.photos],
        "sizes": [[photo.width, photo.height] for photo in view.photos],
        "hashtags": sorted(name for name, _ in view.hashtags),
    }
