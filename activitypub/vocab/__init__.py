"""Parses untrusted JSON of remote servers into typed objects.

`parse_json` turns bytes into a document, and `parse_activity`, `parse_note`,
`parse_actor`, `parse_keys` and `parse_collection` read one. They raise Malformed and
nothing else, whatever arrives. No JSON-LD processor runs and no context is ever
fetched: the compact names in use are read in every form seen (missing, null, text,
object, mixed list), and each field is cut or dropped at its limit. The results are
safe to store, not safe to show: `content` and the other HTML fields are unsanitised.
"""

from __future__ import annotations

from activitypub.uris import Malformed, host_of, normalize_id, same_origin
from activitypub.vocab.activities import Activity, parse_activity, parse_type_and_actor
from activitypub.vocab.actors import ActorDoc, Key, parse_actor, parse_keys
from activitypub.vocab.attachments import Attachment, Place, parse_licence
from activitypub.vocab.collections import CollectionCount, CollectionDoc, parse_collection
from activitypub.vocab.documents import parse_json
from activitypub.vocab.emoji import EmojiTag
from activitypub.vocab.notes import Note, parse_note
from activitypub.vocab.values import PUBLIC, Ref

__all__ = [
    "PUBLIC",
    "Activity",
    "ActorDoc",
    "Attachment",
    "CollectionCount",
    "CollectionDoc",
    "EmojiTag",
    "Key",
    "Malformed",
    "Note",
    "Place",
    "Ref",
    "host_of",
    "normalize_id",
    "parse_activity",
    "parse_actor",
    "parse_collection",
    "parse_json",
    "parse_keys",
    "parse_licence",
    "parse_note",
    "parse_type_and_actor",
    "same_origin",
]
