"""Activities: somebody does something to something.

`actor` is one value for everyone who asks: the check of the signature and the
deed see the same. An activity that names two actors is refused, since nobody
could say whose it is.
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
    """`object` is the first of `objects`; only a report has several. `id` is None when it is transient."""

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
    """The type and the actor of an activity: all that is asked at the door. Raises Malformed where `activity` does."""
    if not isinstance(doc, dict):
        raise Malformed("not a document")
    name = type_name(doc, TYPES)
    if name is None:
        raise Malformed("a document without a type")
    actors = {uri(item) for item in items(doc.get("actor"), 50)}
    actor = actors.pop() if len(actors) == 1 else None
    if actor is None:
        raise Malformed("an activity of no one, or of several")
    if "id" in doc and doc["id"] is not None and document_id(doc) is None:
        raise Malformed("an activity whose id is not an address")
    return name, actor


def parse_activity(doc: dict[str, Any]) -> Activity:
    """The activity in a document; unknown types are returned for the caller to ignore. Raises Malformed."""
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
