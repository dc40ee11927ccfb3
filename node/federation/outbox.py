"""What our own people have said: who, verb, object. Owns the table `outbox`.

A deed records its sentence in the same unit of work that changes the tables, and a job beside it tells
other servers later. So a crash between the two is impossible, and a server that is down is invisible to
the person posting.

The rule it guards: only what our own people do goes out. For anyone else `record` does nothing, because
their server has already said it. A forged or echoed activity cannot leave the house, and no deed needs
to ask who is local.
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

KEPT_MS = 30 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Sentence:
    """One thing one of our people said. `document` is its rendered form, the same bytes at every retry."""

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
    def facts(self) -> dict[str, Any]:
        """What the renderer needs once the rows themselves are gone."""
        facts: dict[str, Any] = json.loads(self.extra)
        return facts


def record(
    tx: Writer,
    who: Account,
    verb: str,
    object_uri: str,
    *,
    uri: str | None = None,
    post: Post | None = None,
    target: Account | None = None,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Say that `who` did `verb` to `object_uri`, if `who` is one of ours.

    `uri` is the activity's id where the deed has one (a like, a boost, a follow); otherwise one is made.
    A Create is found under its post, so that the outbox collection can name it without this table.
    """
    if not who.is_local:
        return
    id_ = new_id()
    if uri is None:
        uri = (
            f"{object_uri}/activity"
            if verb == "Create"
            else tx.site.uri(f"/users/{who.name}/activities/{id_}")
        )
    tx.run(
        """INSERT INTO outbox (id, uri, account_id, verb, object_uri, post_id, target_id, extra, created_at)
           VALUES (:id, :uri, :account_id, :verb, :object_uri, :post_id, :target_id, :extra, :now)""",
        id=id_,
        uri=uri,
        account_id=who.id,
        verb=verb,
        object_uri=object_uri,
        post_id=None if post is None else post.id,
        target_id=None if target is None else target.id,
        extra=json.dumps(extra or {}),
        now=now_ms(),
    )
    # One lane per person: what somebody said first is also queued first.
    queue.add(tx, "fan_out", {"id": id_}, lane=f"outbox {who.id}")


def forward(tx: Writer, who: Account, uri: str, object_uri: str, document: str) -> None:
    """Pass on to the followers of one of ours what somebody else has said, as it came, once."""
    if not who.is_local:
        return
    id_ = tx.value(
        """INSERT INTO outbox (id, uri, account_id, verb, object_uri, document, created_at)
           VALUES (:id, :uri, :account_id, 'Forward', :object_uri, :document, :now)
           ON CONFLICT DO NOTHING RETURNING id""",
        id=new_id(),
        uri=uri,
        account_id=who.id,
        object_uri=object_uri,
        document=document,
        now=now_ms(),
    )
    if id_ is not None:
        queue.add(tx, "fan_out", {"id": id_}, lane=f"outbox {who.id}")


def has_forwarded(tx: Reader, who: Account, object_uri: str) -> bool:
    """Whether something about this was passed on to the followers of one of ours."""
    found = tx.value(
        "SELECT 1 FROM outbox WHERE verb = 'Forward' AND object_uri = :uri AND account_id = :who LIMIT 1",
        uri=object_uri,
        who=who.id,
    )
    return found is not None


def by_id(tx: Reader, id_: int) -> Sentence | None:
    row = tx.one(f"SELECT {columns(Sentence)} FROM outbox WHERE id = :id", id=id_)  # noqa: S608
    return None if row is None else build(Sentence, row)


def by_uri(tx: Reader, uri: str) -> Sentence | None:
    row = tx.one(f"SELECT {columns(Sentence)} FROM outbox WHERE uri = :uri", uri=uri)  # noqa: S608
    return None if row is None else build(Sentence, row)


def documents(tx: Reader, ids: Iterable[int]) -> dict[int, str]:
    """The rendered forms of these sentences, as far as they have been rendered."""
    rows = tx.all(
        "SELECT id, document FROM outbox WHERE id IN (:ids) AND document IS NOT NULL", ids=list(ids)
    )
    return {row["id"]: row["document"] for row in rows}


def keep_document(tx: Writer, sentence: Sentence, document: str) -> None:
    """Keep the rendered form, so that every server and every retry hears the same bytes."""
    tx.run("UPDATE outbox SET document = :document WHERE id = :id", document=document, id=sentence.id)


def withdrawn(tx: Reader, ids: Iterable[int]) -> set[int]:
    """Those of these sentences that tell what a post says, though it is deleted or its author suspended by now."""
    rows = tx.all(
        """SELECT o.id FROM outbox o JOIN posts p ON p.id = o.post_id JOIN accounts a ON a.id = o.account_id
           WHERE o.id IN (:ids) AND o.verb IN ('Create', 'Update')
             AND (p.deleted_at IS NOT NULL OR a.suspended_at IS NOT NULL)""",
        ids=list(ids),
    )
    return {row["id"] for row in rows}


def forget_document(tx: Writer, sentence: Sentence) -> None:
    """It is to be said once more, as things are now."""
    tx.run("UPDATE outbox SET document = NULL WHERE id = :id AND verb <> 'Forward'", id=sentence.id)


def is_overtaken(tx: Reader, sentence: Sentence) -> bool:
    """Whether its author has since taken back or replaced what this says, so that it must not be said again."""
    rows = tx.all(
        f"""SELECT {columns(Sentence)} FROM outbox
            WHERE account_id = :who AND id > :id AND (post_id = :post OR target_id = :target
                OR object_uri = :object OR verb = 'Undo')""",  # noqa: S608
        who=sentence.account_id,
        id=sentence.id,
        post=sentence.post_id,
        target=sentence.target_id,
        object=sentence.object_uri,
    )
    return any(_overtakes(build(Sentence, row), sentence) for row in rows)


_ANSWERS = [{"Accept", "Reject"}, {"Add", "Remove"}, {"Update"}]


def _overtakes(later: Sentence, earlier: Sentence) -> bool:
    if later.verb == "Undo" and later.facts.get("uri") == earlier.uri:
        return True
    if earlier.verb == "Undo":
        said = earlier.facts
        return later.verb == said.get("verb") and later.object_uri == said.get("object_uri")
    is_about_post = earlier.post_id is not None and later.post_id == earlier.post_id
    if later.verb == "Delete":
        return is_about_post or later.object_uri == earlier.object_uri
    same = later.object_uri == earlier.object_uri and later.target_id == earlier.target_id
    return same and any({later.verb, earlier.verb} <= answers for answers in _ANSWERS)


def clean_up(tx: Writer, now: int) -> int:
    """Forget sentences that nobody is still to hear and that are old enough to be history."""
    return tx.run(
        """DELETE FROM outbox WHERE created_at < :before
             AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.outbox_id = outbox.id)""",
        before=now - KEPT_MS,
    )
