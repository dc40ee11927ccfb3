"""Parses collections and collection pages (all four types), and the collections embedded in a post."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from activitypub.uris import Malformed
from activitypub.vocab.values import Ref, count, document_id, items, ref, refs, type_name, uri

MAX_ITEMS = 1000
TYPES = frozenset({"Collection", "OrderedCollection", "CollectionPage", "OrderedCollectionPage"})


@dataclass(frozen=True, slots=True)
class CollectionDoc:
    """A parsed collection or page. `total` is what the remote server claims, bounded: for display only."""

    id: str | None
    type: str
    items: list[Ref]
    first: Ref
    next: str | None
    total: int | None
    part_of: str | None
    actor: str | None
    raw: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class CollectionCount:
    """A collection as embedded in a post: its address and its claimed total."""

    uri: str | None = None
    total: int | None = None


def parse_collection(doc: dict[str, Any]) -> CollectionDoc:
    """Parses a collection or one page of it, at most 1000 items. Raises Malformed for anything else."""
    if not isinstance(doc, dict):
        raise Malformed("not a document")
    name = type_name(doc, TYPES)
    members = doc.get("orderedItems", doc.get("items"))
    if name is None or (name not in TYPES and members is None and "first" not in doc):
        raise Malformed("not a collection")
    return CollectionDoc(
        id=document_id(doc),
        type=name,
        items=refs(members, MAX_ITEMS),
        first=ref(doc.get("first")),
        next=uri(doc.get("next")),
        total=count(doc.get("totalItems")),
        part_of=uri(doc.get("partOf")),
        actor=uri(doc.get("attributedTo")),
        raw=doc,
    )


def parse_collection_count(value: Any) -> CollectionCount:
    """Parses `likes` or `shares` of a post; never raises."""
    for item in items(value, 1):
        if isinstance(item, dict):
            return CollectionCount(document_id(item), count(item.get("totalItems")))
        return CollectionCount(uri(item))
    return CollectionCount()
