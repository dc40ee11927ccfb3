"""Outgoing activities: what local accounts did, as actor, verb and object. Owns the table `outbox`.

An action records its activity in the same unit of work that changes the tables, with a job beside it that
sends it to other servers later (`fan_out`). So a crash between the two is impossible, and the person who
posts never waits for a server that is unavailable.

The rule it guards: only activities of local accounts go out. For any other account `record` does nothing,
because its own server has sent the activity already. A forged or echoed activity cannot leave this node, and
no action needs to check who is local.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from node.database import Reader, Writer, build, columns
from node.ids import new_id, now_ms
from node.jobs import queue
from node.models.account import Account
from node.models.post import Post

RETENTION_MS = 30 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class OutgoingActivity:
    """One activity of a local account. `document` is its rendered JSON, the same bytes at every attempt.

    `post_id` is the post it is about, `target_id` the account; `extra` is JSON, see `details`.
    """

    id: int
    uri: str
    account_id: int
    verb: str
    object_uri: str
    post_id: int | None
    target_id: int | None
    extra: str
    document: str | None
    created_at: int

    @property
    def details(self) -> dict[str, Any]:
        """What the renderer needs once the rows themselves are deleted."""
        details: dict[str, Any] = json.loads(self.extra)
        return details


def record(
    tx: Writer,
    actor: Account,
    verb: str,
    object_uri: str,
    *,
    uri: str | None = None,
    post: Post | None = None,
    target: Account | None = None,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Records that `actor` did `verb` to `object_uri`, and queues its fan-out; nothing for a remote account.

    `uri` is the activity's id where its row has one (a like, a boost, a follow); otherwise one is made. That
    of a Create is derived from its post, so that the outbox collection can name it without this table.
    """
    if not actor.is_local:
        return
    id_ = new_id()
    if uri is None:
        uri = (
            f"{object_uri}/activity"
            if verb == "Create"
            else tx.site.uri(f"/users/{actor.name}/activities/{id_}")
        )
    tx.run(
        """INSERT INTO outbox (id, uri, account_id, verb, object_uri, post_id, target_id, extra, created_at)
           VALUES (:id, :uri, :account_id, :verb, :object_uri, :post_id, :target_id, :extra, :now)""",
        id=id_,
        uri=uri,
        account_id=actor.id,
        verb=verb,
        object_uri=object_uri,
        post_id=None if post is None else post.id,
        target_id=None if target is None else target.id,
        extra=json.dumps(extra or {}),
        now=now_ms(),
    )
    # One lane per account: its activities are queued for delivery in the order it did them.
    queue.add(tx, "fan_out", {"id": id_}, lane=f"outbox {actor.id}")


def forward(tx: Writer, account: Account, uri: str, object_uri: str, document: str) -> None:
    """Sends an activity of a remote account, as it was received, to the followers of a local one; once."""
    if not account.is_local:
        return
    id_ = tx.value(
        """INSERT INTO outbox (id, uri, account_id, verb, object_uri, document, created_at)
           VALUES (:id, :uri, :account_id, 'Forward', :object_uri, :document, :now)
           ON CONFLICT DO NOTHING RETURNING id""",
        id=new_id(),
        uri=uri,
        account_id=account.id,
        object_uri=object_uri,
        document=document,
        now=now_ms(),
    )
    if id_ is not None:
        queue.add(tx, "fan_out", {"id": id_}, lane=f"outbox {account.id}")


def has_forwarded(tx: Reader, account: Account, object_uri: str) -> bool:
    """Returns whether any activity about this object was forwarded to the followers of a local account."""
    found = tx.value(
        "SELECT 1 FROM outbox WHERE verb = 'Forward' AND object_uri = :uri AND account_id = :id LIMIT 1",
        uri=object_uri,
        id=account.id,
    )
    return found is not None


def by_id(tx: Reader, id_: int) -> OutgoingActivity | None:
    row = tx.one(f"SELECT {columns(OutgoingActivity)} FROM outbox WHERE id = :id", id=id_)  # noqa: S608
    return None if row is None else build(OutgoingActivity, row)


def by_uri(tx: Reader, uri: str) -> OutgoingActivity | None:
    row = tx.one(f"SELECT {columns(OutgoingActivity)} FROM outbox WHERE uri = :uri", uri=uri)  # noqa: S608
    return None if row is None else build(OutgoingActivity, row)


def documents(tx: Reader, ids: Iterable[int]) -> dict[int, str]:
    """Returns the documents of these activities, as far as they have been rendered."""
    rows = tx.all(
        "SELECT id, document FROM outbox WHERE id IN (:ids) AND document IS NOT NULL", ids=list(ids)
    )
    return {row["id"]: row["document"] for row in rows}


def save_document(tx: Writer, activity: OutgoingActivity, document: str) -> None:
    """Keeps the rendered document, so that every server and every attempt gets the same bytes."""
    tx.run("UPDATE outbox SET document = :document WHERE id = :id", document=document, id=activity.id)


def withdrawn_ids(tx: Reader, ids: Iterable[int]) -> set[int]:
    """Returns those of these activities that hold a post which is deleted,
    or its author suspended, by now."""
    rows = tx.all(
        """SELECT o.id FROM outbox o JOIN posts p ON p.id = o.post_id JOIN accounts a ON a.id = o.account_id
           WHERE o.id IN (:ids) AND o.verb IN ('Create', 'Update')
             AND (p.deleted_at IS NOT NULL OR a.suspended_at IS NOT NULL)""",
        ids=list(ids),
    )
    return {row["id"] for row in rows}


def clear_document(tx: Writer, activity: OutgoingActivity) -> None:
    """Lets the activity be rendered again, as things are now; a forwarded one cannot be."""
    tx.run("UPDATE outbox SET document = NULL WHERE id = :id AND verb <> 'Forward'", id=activity.id)


def is_superseded(tx: Reader, activity: OutgoingActivity) -> bool:
    """Returns whether the actor has undone or replaced this since, so that it must not be sent again."""
    rows = tx.all(
        f"""SELECT {columns(OutgoingActivity)} FROM outbox
            WHERE account_id = :actor AND id > :id AND (post_id = :post OR target_id = :target
                OR object_uri = :object OR verb = 'Undo')""",  # noqa: S608
        actor=activity.account_id,
        id=activity.id,
        post=activity.post_id,
        target=activity.target_id,
        object=activity.object_uri,
    )
    return any(_supersedes(build(OutgoingActivity, row), activity) for row in rows)


_SUPERSEDING_VERBS = [{"Accept", "Reject"}, {"Add", "Remove"}, {"Update"}]
"""Of the same object and target, a later activity replaces an earlier one if one of these sets holds both."""


def _supersedes(later: OutgoingActivity, earlier: OutgoingActivity) -> bool:
    if later.verb == "Undo" and later.details.get("uri") == earlier.uri:
        return True
    if earlier.verb == "Undo":
        undone = earlier.details
        return later.verb == undone.get("verb") and later.object_uri == undone.get("object_uri")
    is_about_post = earlier.post_id is not None and later.post_id == earlier.post_id
    if later.verb == "Delete":
        return is_about_post or later.object_uri == earlier.object_uri
    same = later.object_uri == earlier.object_uri and later.target_id == earlier.target_id
    return same and any({later.verb, earlier.verb} <= verbs for verbs in _SUPERSEDING_VERBS)


def clean_up(tx: Writer, now: int) -> int:
    """Deletes activities older than `RETENTION_MS` that have no deliveries left; returns how many."""
    return tx.run(
        """DELETE FROM outbox WHERE id IN (SELECT o.id FROM outbox o WHERE o.id < :end AND o.created_at < :before
               AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.outbox_id = o.id) ORDER BY o.id LIMIT 500)""",
        end=(now - RETENTION_MS + 1) << 16,
        before=now - RETENTION_MS,
    )
