"""E5: documents that other software really emits, through the inbox's job, as they are and spoilt.

Nothing may raise, no job may be left over, and every page must still be shown afterwards. The documents are
read from the folder beside the project when it is there; the project ships none of them.
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
LETTERS = Path(__file__).parent / "documents" / "received"
# The jobs that ask something of other servers.
ASKS = (
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
    """The documents in a file: one, or a list of cases."""
    try:
        found = json.loads(path.read_bytes())
    except ValueError:
        return []
    documents = found if isinstance(found, list) else [found]
    return [document for document in documents if isinstance(document, dict)]


def activities(document: dict[str, Any]) -> list[dict[str, Any]]:
    """What a server might POST about a document: the activity it is, or ones that carry it."""
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
    """The actor, made known and followed by the reader, so that what they say matters here."""
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


def hand_over(tx: Writer, document: dict[str, Any], reader_id: int) -> bool:
    """Queue an activity as if its actor had signed for it."""
    try:
        uri = vocab.parse_activity(document).actor
    except Malformed:
        return False
    by = _known(tx, uri, accounts.get(tx, reader_id))
    if by is None:
        return False
    queue.add(tx, "receive", {"doc": document, "by": by.id, "host": vocab.host_of(uri)})
    return True


async def work_off(node: Node) -> None:
    """Do the receive jobs, and the fetches they cause without a network; nothing may be left of them."""
    while batch := await node.db.write(queue.claim, "receive", 64, now_ms()):
        await process.process_batch(node, batch)
    kinds = [*ASKS, "fan_out", "deliver"]
    await node.db.write(lambda tx: tx.run("DELETE FROM jobs WHERE kind IN (:kinds)", kinds=kinds))
    assert await node.db.read(lambda tx: tx.value("SELECT COUNT(*) FROM jobs WHERE kind = 'receive'")) == 0


def _pages(tx: Reader, reader_id: int) -> int:
    """Everything a reader can be shown."""
    me = accounts.get(tx, reader_id)
    shown = post_views.by_entries(tx, me, timelines.home(tx, me, Page(limit=80)))
    shown += post_views.by_entries(tx, None, timelines.public(tx, None, Page(limit=80)))
    return len(shown)


async def _through(reader: Person, documents: list[dict[str, Any]]) -> None:
    def unit(tx: Writer) -> int:
        return sum(hand_over(tx, said, reader.id) for document in documents for said in activities(document))

    await reader.node.db.write(unit)
    await work_off(reader.node)
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
    await _through(reader, documents)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.skipif(not FOLDERS, reason="the documents of other software are not beside the project")
async def test_E5_spoilt_documents_go_through_the_inbox(fediverse: Fediverse, seed: int) -> None:
    (reader,) = await fediverse.people("reader@a.test")
    chance = random.Random(seed)
    every = [document for folder in FOLDERS for path in folder.rglob("*.json") for document in read(path)]
    chosen = [mutated(document, chance) for document in chance.sample(every, min(300, len(every)))]
    await _through(reader, [document for document in chosen if isinstance(document, dict)])


def _askings(tx: Reader) -> int:
    """How many things are about to be asked of other servers."""
    return int(tx.value("SELECT COUNT(*) FROM jobs WHERE kind IN (:kinds)", kinds=list(ASKS)))


def _whole(tx: Reader) -> None:
    """Nothing is half stored: what is counted is there, and what is there belongs to something."""
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
async def test_no_spoilt_document_asks_for_much_or_is_half_stored(
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
        for said in activities(document):
            hand_over(tx, said, reader)

    await node.db.write(unit)
    before = await node.db.read(_askings)
    while batch := await node.db.write(queue.claim, "receive", 64, now_ms()):
        await process.process_batch(node, batch)
    # Each asks for one thing of a server at most, and what comes of that has 20 requests (D10).
    assert await node.db.read(_askings) - before <= len(activities(document)) + 1
    await node.db.read(_whole)
    await work_off(node)
    await node.db.read(_pages, reader)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_nothing_whole_of_a_kind_that_is_spoken_here_is_lost(folder: Path) -> None:
    for path, document in documents(folder):
        verdict, reason = judge(document)
        assert verdict != "lost", f"{path.name}: {reason}"


@pytest.mark.parametrize("path", sorted(LETTERS.glob("*.json")), ids=lambda path: path.stem)
async def test_a_letter_is_understood(fediverse: Fediverse, path: Path) -> None:
    """Documents written for these tests in the shapes of several peers: each says what must come of it."""
    (reader,) = await fediverse.people("reader@a.test")
    letter = json.loads(path.read_text().replace("https://a.test", reader.node.site.base_url))
    await _through(reader, [letter["document"]])
    found = await reader.node.db.read(_summary, letter["expect"]["uri"], reader.id)
    assert found == letter["expect"]


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
