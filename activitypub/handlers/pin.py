"""Add and Remove: what people of other servers pin to their profile.

An Add counts only for the actor's own collection and the actor's own posts.
"""

from __future__ import annotations

from activitypub.handlers.received_activity import Heard, Ignored, own_note, to_fetch
from activitypub.remote import notes as remote_notes
from activitypub.uris import same_origin
from node.database import Writer
from node.federation import recipients
from node.interactions import pins
from node.posts import posts


def add(tx: Writer, heard: Heard) -> None:
    _check(heard)
    ref, by = heard.activity.object, heard.by
    post = posts.by_uri(tx, ref.uri) if ref.uri is not None else None
    if post is None:
        if not recipients.is_followed_here(tx, by.id):
            raise Ignored("nobody here would see it")
        note = own_note(tx, heard)
        if note is None:
            if not same_origin(ref.uri, by.uri):
                raise Ignored("a post of another server")
            raise to_fetch(heard, ref)
        post = remote_notes.take_in(tx, note, by)
    if post is None or not pins.receive(tx, by, post):
        raise Ignored("not an open post of theirs, or one too many")


def remove(tx: Writer, heard: Heard) -> None:
    _check(heard)
    ref = heard.activity.object
    post = posts.by_uri(tx, ref.uri) if ref.uri is not None else None
    if post is None or not pins.end(tx, heard.by, post):
        raise Ignored("nothing that they had pinned")


def _check(heard: Heard) -> None:
    target = heard.activity.target.uri
    if not heard.by.featured_uri or target != heard.by.featured_uri:
        raise Ignored("not about their own pinned posts")
