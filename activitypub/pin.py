"""Add and Remove: what people of other servers pin to their profile.

An Add counts only for the actor's own collection and the actor's own posts.
"""

from __future__ import annotations

from activitypub import remote_posts
from activitypub.heard import Heard, Ignored, own_note, to_fetch
from activitypub.uris import same_origin
from node import pins, posts, reach
from node.database import Writer


def add(tx: Writer, heard: Heard) -> None:
    _check(heard)
    ref, by = heard.activity.object, heard.by
    post = posts.by_uri(tx, ref.uri) if ref.uri is not None else None
    if post is None:
        if not reach.is_followed_here(tx, by.id):
            raise Ignored("nobody here would see it")
        note = own_note(tx, heard)
        if note is None:
            if not same_origin(ref.uri, by.uri):
                raise Ignored("a post of another server")
            raise to_fetch(heard, ref)
        post = remote_posts.take_in(tx, note, by)
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
