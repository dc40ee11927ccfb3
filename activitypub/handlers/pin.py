"""Add and Remove: what people of other servers pin to their profile.

An Add counts only for the actor's own collection and the actor's own posts.
"""

from __future__ import annotations

from activitypub.handlers.received_activity import Ignored, ReceivedActivity, fetch_or_ignore, parse_own_note
from activitypub.remote import notes as remote_notes
from activitypub.uris import same_origin
from node.database import Writer
from node.federation import recipients
from node.interactions import pins
from node.posts import posts


def handle_add(tx: Writer, heard: ReceivedActivity) -> None:
    _check_target(heard)
    ref, by = heard.activity.object, heard.actor
    post = posts.by_uri(tx, ref.uri) if ref.uri is not None else None
    if post is None:
        if not recipients.is_followed_locally(tx, by.id):
            raise Ignored("nobody here would see it")
        note = parse_own_note(tx, heard)
        if note is None:
            if not same_origin(ref.uri, by.uri):
                raise Ignored("a post of another server")
            raise fetch_or_ignore(heard, ref)
        post = remote_notes.import_note(tx, note, by)
    if post is None or not pins.receive_pin(tx, by, post):
        raise Ignored("not an open post of theirs, or one too many")


def handle_remove(tx: Writer, heard: ReceivedActivity) -> None:
    _check_target(heard)
    ref = heard.activity.object
    post = posts.by_uri(tx, ref.uri) if ref.uri is not None else None
    if post is None or not pins.receive_unpin(tx, heard.actor, post):
        raise Ignored("nothing that they had pinned")


def _check_target(heard: ReceivedActivity) -> None:
    target = heard.activity.target.uri
    if not heard.actor.featured_uri or target != heard.actor.featured_uri:
        raise Ignored("not about their own pinned posts")
