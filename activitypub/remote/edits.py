"""Applies an edit of a remote post, also one that was received before the post itself."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from activitypub import vocab
from activitypub.remote import notes as remote_notes
from activitypub.uris import Malformed, host_of
from activitypub.vocab import Activity, Note
from node.database import Writer
from node.federation import early_updates
from node.ids import now_ms
from node.jobs import queue
from node.models.account import Account
from node.publishing import remote_posts


def apply_edit(tx: Writer, activity: Activity, note: Note, author: Account) -> None:
    """Applies an edit to a stored post, unless a later one was applied before."""
    edited = remote_notes.to_remote_post(tx, note, author)
    if edited.edited_at is None and activity.published_ms is not None:
        # Some servers date only the Update and not the edit: an older edit must not win over a newer one either.
        edited = replace(edited, edited_at=activity.published_ms)
    changed = remote_posts.receive_update(tx, edited)
    if changed is not None:
        remote_notes.record_quote(tx, note, changed)


def keep_early_edit(tx: Writer, activity: Activity, note: Note, author: Account) -> None:
    """Keeps an edit until the Create of its post is received."""
    document = msgspec.json.encode(activity.raw).decode()
    edited_at = note.updated_ms or activity.published_ms or now_ms()
    early_updates.keep(tx, author, note.id, document, edited_at=edited_at)


def remember_early_edit(tx: Writer, activity: Activity, uri: str, author: Account) -> None:
    """Remembers that a post was edited whose Create is not received yet: it is fetched then."""
    early_updates.keep(tx, author, uri, "", edited_at=activity.published_ms or now_ms())


def apply_early_edit(tx: Writer, author: Account, note: Note) -> None:
    """Applies the edit that was received before this post, which is stored now, or has the post fetched."""
    document = early_updates.take(tx, author, note.id)
    if document is None:
        return
    if not document:
        # Without an id of its own it is no duplicate, and it is not passed on.
        update = {"type": "Update", "actor": author.uri, "object": note.id, "to": note.to, "cc": note.cc}
        payload = {"doc": update, "by": author.id, "host": host_of(author.uri), "uri": note.id}
        queue.add(tx, "fetch", payload, lane=f"fetch {host_of(note.id)}")
        return
    try:
        activity = vocab.parse_activity(vocab.parse_json(document.encode()))
        edited = vocab.parse_note(activity.object.doc or {})
    except Malformed:
        return
    if edited.id == note.id and edited.actor == author.uri:
        apply_edit(tx, activity, edited, author)
