"""Parses activities of remote servers.

The signature check and the handlers get the actor from the same function, so that
they always see the same one. An activity that names two actors is refused, since it
would be unclear on whose behalf it acts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from activitypub.uris import Malformed
from activitypub.vocab.values import (
    Ref,
    document_id,
    items,
    recipients,
    ref,
    refs,
    text,
    timestamp_ms,
    type_name,
    uri,
)

MAX_OBJECTS = 100
TYPES = frozenset(
    {
        *("Accept", "Add", "Announce", "Arrive", "Block", "Create", "Delete", "Dislike", "EmojiReact"),
        *("Flag", "Follow", "Ignore", "Invite", "Join", "Leave", "Like", "Listen", "Move", "Offer"),
        *("Question", "QuoteRequest", "Read", "Reject", "Remove", "TentativeAccept", "TentativeReject"),
        *("Travel", "Undo", "Update", "View"),
    }
)


@dataclass(frozen=True, slots=True)
class Activity:
    """A parsed activity. `object` is the first of `objects`; only a Flag has several. `id` is None when transient."""

    id: str | None
    type: str
    actor: str
    object: Ref
    objects: list[Ref]
    target: Ref
    result: Ref
    to: list[str]
    cc: list[str]
    content: str
    published_ms: int | None
    raw: dict[str, Any] = field(repr=False)


def parse_type_and_actor(doc: dict[str, Any]) -> tuple[str, str]:
    """Returns the type and the actor id of an activity, which the inbox needs first.

    Raises Malformed where `parse_activity` does.
    """
    if not isinstance(doc, dict):
        raise Malformed("not a document")
    name = type_name(doc, TYPES)
    if name is None:
        raise Malformed("a document without a type")
    actors = {uri(item) for item in items(doc.get("actor"), 50)}
    actor = actors.pop() if len(actors) == 1 else None
    if actor is None:
        raise Malformed("an activity without an actor, or with several")
    if "id" in doc and doc["id"] is not None and document_id(doc) is None:
        raise Malformed("an activity whose id is not an address")
    return name, actor


def parse_activity(doc: dict[str, Any]) -> Activity:
    """Parses an activity; unknown types are returned for the caller to ignore. Raises Malformed."""
    name, actor = parse_type_and_actor(doc)
    objects = refs(doc.get("object"), MAX_OBJECTS)
    return Activity(
        id=document_id(doc),
        type=name,
        actor=actor,
        object=objects[0] if objects else Ref(),
        objects=objects,
        target=ref(doc.get("target")),
        result=ref(doc.get("result")),
        to=recipients(doc.get("to")),
        cc=recipients(doc.get("cc")),
        content=text(doc.get("content", doc.get("_misskey_reaction")), 5000),
        published_ms=timestamp_ms(doc.get("published")),
        raw=doc,
    )
