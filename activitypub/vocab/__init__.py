"""Untrusted JSON to typed values: what another server says, understood or refused.

`parse_json` turns bytes into a document, and `activity`, `note`, `actor`, `keys`
and `collection` read one. They raise Malformed and nothing else, whatever arrives.
No JSON-LD processor runs and no context is ever fetched: the short names in use
are read by hand in every form seen (missing, null, text, object, list of mixed),
and each field is cut or dropped at its limit. What is returned is safe to store,
not safe to show: `content` and the other HTML fields are still foreign HTML.
"""

from __future__ import annotations

from activitypub.uris import Malformed, host_of, normal_id, same_origin
from activitypub.vocab.activities import Activity, activity, head
from activitypub.vocab.actors import ActorDoc, Key, actor, keys
from activitypub.vocab.attachments import Attachment, Place, licence
from activitypub.vocab.collections import CollectionDoc, Tally, collection
from activitypub.vocab.documents import parse_json
from activitypub.vocab.emoji import Emoji
from activitypub.vocab.notes import Note, note
from activitypub.vocab.values import PUBLIC, Ref

__all__ = [
    "PUBLIC",
    "Activity",
    "ActorDoc",
    "Attachment",
    "CollectionDoc",
    "Emoji",
    "Key",
    "Malformed",
    "Note",
    "Place",
    "Ref",
    "Tally",
    "activity",
    "actor",
    "collection",
    "head",
    "host_of",
    "keys",
    "licence",
    "normal_id",
    "note",
    "parse_json",
    "same_origin",
]
