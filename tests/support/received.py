"""Activities of remote accounts, handed to the handlers as the inbox does after verification."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any

from activitypub import vocab
from activitypub.handlers import registry
from activitypub.handlers.received_activity import Ignored, NeedsFetch, ReceivedActivity
from activitypub.vocab import PUBLIC, Note
from node.database import Reader, Writer
from node.errors import Refused
from node.federation import seen_activities
from node.models.account import Account


def handle(
    tx: Writer,
    actor: Account,
    kind: str,
    object_: Any,
    *,
    fetched: Mapping[str, tuple[Note, Account] | None] | None = None,
    signed_at: int = 0,
    **properties: Any,
) -> None:
    """Handles one activity by `actor`. Raises what the handler raises."""
    doc = {"type": kind, "actor": actor.uri, "object": object_, **properties}
    refusal: Exception | None = None
    activity = vocab.parse_activity(doc)
    requests = registry.keys_of(actor, activity, signed_at).requests()
    with seen_activities.unseen_activities(tx, requests) as unseen:
        received = ReceivedActivity(activity, actor, unseen, fetched or {}, signed_at)
        try:
            registry.handle_activity(tx, received)
        except (Ignored, NeedsFetch, Refused) as error:
            refusal = error
    if refusal is not None:
        raise refusal


def handle_batch(tx: Writer, actor: Account, requests: list[tuple[dict[str, Any], int]]) -> None:
    """Handles activities of an actor and when they were signed, as those that the inbox takes together."""
    parsed = [(vocab.parse_activity({**doc, "actor": actor.uri}), signed_at) for doc, signed_at in requests]
    prepared = {
        key: request
        for activity, signed_at in parsed
        for key, request in registry.keys_of(actor, activity, signed_at).requests().items()
    }
    with seen_activities.unseen_activities(tx, prepared) as unseen:
        for activity, signed_at in parsed:
            with contextlib.suppress(Ignored, Refused):
                registry.handle_activity(tx, ReceivedActivity(activity, actor, unseen, signed_at=signed_at))


def note(author: Account, number: int = 1, **properties: Any) -> dict[str, Any]:
    """A public post as the author's server describes it."""
    return {
        "id": f"{author.uri}/statuses/{number}",
        "type": "Note",
        "attributedTo": author.uri,
        "content": f"<p>Post {number}</p>",
        "published": "2026-01-01T12:00:00Z",
        "to": [PUBLIC],
        "cc": [author.followers_uri],
        **properties,
    }


def jobs(tx: Reader, kind: str) -> list[dict[str, Any]]:
    """The payloads of the jobs of a kind, oldest first."""
    rows = tx.all("SELECT payload FROM jobs WHERE kind = :kind ORDER BY id", kind=kind)
    return [json.loads(row["payload"]) for row in rows]


def seen_count(tx: Reader) -> int:
    """How many activities are remembered as handled."""
    return int(tx.value("SELECT COUNT(*) FROM seen_activities"))
