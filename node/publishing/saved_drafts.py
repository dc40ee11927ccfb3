"""Drafts kept on the server, and posts that are published at a time. Owns `saved_drafts` and `draft_photos`.

A draft holds whatever was typed, complete or not; only its author sees it. Its photos stay as long as it does. One with
a time (`publish_at`) is published then by the job `publish_scheduled`, in the unit of work that deletes the draft, so
never twice. What cannot be published then stays as a draft, with the reason.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import msgspec

from node.accounts import accounts
from node.attachments import photo_rows
from node.attachments.photo_metadata import SharedMetadata
from node.attachments.photo_rows import Photo
from node.database import Reader, Writer
from node.database.core import Row
from node.errors import N_, Conflict, DatabaseUnavailable, Invalid, NotAllowed, NotFound, Refused
from node.ids import new_id, now_ms
from node.jobs import queue
from node.jobs.queue import Job
from node.models import deletion_hooks
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from node.paging import Page
from node.posts.drafts import MAX_PHOTOS, Draft, validate
from node.publishing import publishing
from node.text.formatting import clean_text

log = logging.getLogger("tintype.publishing")

MAX_DRAFTS = 100
MAX_TEXT_LENGTH = 20_000
"""Characters of a text that is kept, longer than a post may be: too long a caption is not cut while it is written."""

MIN_AHEAD_MS, MAX_AHEAD_MS = 5 * 60_000, 366 * 24 * 3_600_000
"""How far ahead of now a post may be scheduled. Mastodon asks for at least five minutes too."""

FAILED = N_("It could not be posted because of a fault of this server. Please try again.")

MAX_PUBLISHED_AT_ONCE = 20
LONGEST_WAIT_MS = 24 * 3_600_000  # a job put off for longer is taken for one of a wrong clock
_COLUMNS = "id, content, publish_at, problem, updated_at"


@dataclass(frozen=True, slots=True)
class SavedDraft:
    """A draft as it is kept. `missing` names photos that were chosen and never arrived; times in milliseconds."""

    id: int
    draft: Draft
    missing: Sequence[str] = ()
    publish_at: int | None = None
    problem: str = ""
    updated_at: int = 0
    photos: Sequence[Photo] = field(default=(), compare=False)


class _Content(msgspec.Struct, omit_defaults=True):
    """What the column `content` holds."""

    draft: Draft
    missing: list[str] = []


def save(
    tx: Writer,
    author: Account,
    draft: Draft,
    *,
    draft_id: int | None = None,
    missing: Sequence[str] = (),
    publish_at: int | None = None,
) -> SavedDraft:
    """Saves a draft, over an earlier one (`draft_id`) where there is one, and plans when it is published.

    Texts over `MAX_TEXT_LENGTH` are cut. A draft with a time has to be complete: raises Invalid as `publish` would,
    also for a time too near or too far; for more than `MAX_DRAFTS` drafts; NotAllowed for an account that cannot post.
    """
    if author.is_inactive or not author.is_local:
        raise NotAllowed("This account cannot post.")
    now = now_ms()
    kept = _cut(draft)
    if publish_at is not None:
        _check_time(publish_at, now)
        validate(draft)
        if missing:
            raise Invalid("Some photos are missing. Please add them again, or remove them.", field="photos")
    kept = replace(kept, photo_ids=_own_photos(tx, author, kept.photo_ids))
    if publish_at is not None and len(kept.photo_ids) != len(draft.photo_ids):
        raise Invalid("One of the photos no longer exists. Please add it again.", field="photos")
    names = [clean_text(name, 100) for name in missing[:MAX_PHOTOS]]
    known = None if draft_id is None else _row(tx, author, draft_id)
    if known is None and count(tx, author) >= MAX_DRAFTS:
        raise Invalid(f"There are {MAX_DRAFTS} drafts already. Please post or delete some.")
    id_ = new_id() if known is None else known["id"]
    content = msgspec.json.encode(_Content(kept, names)).decode()
    tx.run(
        """INSERT INTO saved_drafts (id, account_id, content, publish_at, updated_at)
           VALUES (:id, :account, :content, :publish_at, :now)
           ON CONFLICT (id) DO UPDATE SET content = excluded.content, publish_at = excluded.publish_at,
                  problem = '', updated_at = excluded.updated_at""",
        id=id_,
        account=author.id,
        content=content,
        publish_at=publish_at,
        now=now,
    )
    tx.run("DELETE FROM draft_photos WHERE draft_id = :id", id=id_)
    tx.many(
        "INSERT INTO draft_photos (draft_id, photo_id) VALUES (:id, :photo)",
        [{"id": id_, "photo": photo_id} for photo_id in kept.photo_ids],
    )
    if publish_at is not None:
        _plan(tx, publish_at, now)
    return SavedDraft(id_, kept, names, publish_at, "", now)


def move(tx: Writer, author: Account, draft_id: int, publish_at: int) -> SavedDraft:
    """Changes when a scheduled post is published. Raises NotFound, and Invalid as `save` does."""
    saved = by_id(tx, author, draft_id)
    return save(tx, author, saved.draft, draft_id=saved.id, missing=saved.missing, publish_at=publish_at)


def by_id(tx: Reader, author: Account, draft_id: int) -> SavedDraft:
    """Returns a draft of this account with its photos. Raises NotFound."""
    row = _row(tx, author, draft_id)
    if row is None:
        raise NotFound
    return _with_photos(tx, [row])[0]


def photos_beside(tx: Reader, author: Account, photo_id: int) -> Sequence[Photo]:
    """Returns the photos of the draft of this account that holds a photo, in their order; nothing if there is none."""
    row = tx.one(
        """SELECT s.id FROM draft_photos d JOIN saved_drafts s ON s.id = d.draft_id
           WHERE d.photo_id = :photo AND s.account_id = :account ORDER BY s.updated_at DESC LIMIT 1""",
        photo=photo_id,
        account=author.id,
    )
    return () if row is None else by_id(tx, author, row["id"]).photos


def by_author(tx: Reader, author: Account) -> list[SavedDraft]:
    """Returns all drafts of an account: first those that are scheduled, in the order of their times, then the others,
    the last edited first."""
    saved = _with_photos(
        tx,
        tx.all(
            f"SELECT {_COLUMNS} FROM saved_drafts WHERE account_id = :account LIMIT :most",  # noqa: S608
            account=author.id,
            most=MAX_DRAFTS,
        ),
    )
    waiting = sorted(
        (one for one in saved if one.publish_at is not None), key=lambda one: one.publish_at or 0
    )
    others = sorted((one for one in saved if one.publish_at is None), key=lambda one: -one.updated_at)
    return waiting + others


def scheduled(tx: Reader, author: Account, page: Page) -> list[SavedDraft]:
    """Returns a page of the drafts of an account that have a time, by id, newest first."""
    rows = tx.all(
        f"""SELECT {_COLUMNS} FROM saved_drafts
            WHERE account_id = :account AND publish_at IS NOT NULL {page.clause("id")}""",  # noqa: S608
        account=author.id,
        **page.values,
    )
    return _with_photos(tx, page.newest_first(rows))


def is_scheduled(tx: Reader, author: Account, draft_id: int | None) -> bool:
    """Returns whether this account has such a draft, and it has a time."""
    row = None if draft_id is None else _row(tx, author, draft_id)
    return row is not None and row["publish_at"] is not None


def count(tx: Reader, author: Account) -> int:
    """Returns how many drafts an account has."""
    found: int = tx.value("SELECT COUNT(*) FROM saved_drafts WHERE account_id = :account", account=author.id)
    return found


def delete(tx: Writer, author: Account, draft_id: int) -> None:
    """Deletes a draft of this account. Its photos are deleted within a day. Without one, nothing changes."""
    if _row(tx, author, draft_id) is not None:
        tx.run("DELETE FROM draft_photos WHERE draft_id = :id", id=draft_id)
        tx.run("DELETE FROM saved_drafts WHERE id = :id", id=draft_id)


async def publish_scheduled(node: Node, job: Job) -> bool:
    """Job `publish_scheduled`: publishes what is due, and queues itself for the next time.

    What cannot be published stays as a draft without a time.
    """
    now = max(now_ms(), job.claimed_until - queue.LEASE_MS)
    for draft_id in await node.db.read(_due, now):
        try:
            await node.db.write(_publish, draft_id, now)
        except Conflict as changed:
            log.info("the scheduled post %d: %s", draft_id, changed.message)
        except Refused as refused:
            log.warning(
                "the scheduled post %d is not published: %s %s", draft_id, refused.message, refused.detail
            )
            await node.db.write(_record_problem, draft_id, refused.message)
        except DatabaseUnavailable:
            raise
        except Exception:  # one that always fails must not keep all others waiting
            log.exception("the scheduled post %d is not published", draft_id)
            await node.db.write(_record_problem, draft_id, FAILED)
    await node.db.write(_finish, job, now)
    return True


def _due(tx: Reader, now: int) -> list[int]:
    rows = tx.all(
        "SELECT id FROM saved_drafts WHERE publish_at <= :now ORDER BY publish_at LIMIT :most",
        now=now,
        most=MAX_PUBLISHED_AT_ONCE,
    )
    return [row["id"] for row in rows]


def _publish(tx: Writer, draft_id: int, now: int) -> Post:
    # Deleted first, so that of two processes one finds it gone.
    tx.run("DELETE FROM draft_photos WHERE draft_id = :id", id=draft_id)
    row = tx.one(
        "DELETE FROM saved_drafts WHERE id = :id AND publish_at <= :now RETURNING account_id, content",
        id=draft_id,
        now=now,
    )
    if row is None:
        raise Conflict("This draft was changed or published a moment ago.")
    draft = msgspec.json.decode(row["content"], type=_Content).draft
    return publishing.publish(tx, accounts.get(tx, row["account_id"]), draft)


def _record_problem(tx: Writer, draft_id: int, problem: str) -> None:
    tx.run(
        "UPDATE saved_drafts SET publish_at = NULL, problem = :problem WHERE id = :id",
        id=draft_id,
        problem=problem,
    )


def _finish(tx: Writer, job: Job, now: int) -> None:
    queue.finish(tx, job)
    plan_next(tx, now)


def plan_next(tx: Writer, now: int) -> None:
    """Queues the job that publishes what is due for the next post that is scheduled, if there is one."""
    next_at = tx.value("SELECT MIN(publish_at) FROM saved_drafts WHERE publish_at IS NOT NULL")
    if next_at is not None:
        _plan(tx, next_at, now)


def _plan(tx: Writer, publish_at: int, now: int) -> None:
    queue.add_once(tx, "publish_scheduled", {}, run_at=min(publish_at, now + LONGEST_WAIT_MS))


@deletion_hooks.on_account_content_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes the drafts of an account."""
    tx.run(
        "DELETE FROM draft_photos WHERE draft_id IN (SELECT id FROM saved_drafts WHERE account_id = :account)",
        account=account.id,
    )
    tx.run("DELETE FROM saved_drafts WHERE account_id = :account", account=account.id)


def _row(tx: Reader, author: Account, draft_id: int) -> Row | None:
    return tx.one(
        f"SELECT {_COLUMNS} FROM saved_drafts WHERE id = :id AND account_id = :account",  # noqa: S608
        id=draft_id,
        account=author.id,
    )


def _with_photos(tx: Reader, rows: Sequence[Row]) -> list[SavedDraft]:
    contents = [msgspec.json.decode(row["content"], type=_Content) for row in rows]
    ids = [photo_id for content in contents for photo_id in content.draft.photo_ids]
    # One that was posted or deleted meanwhile is no longer in the draft.
    there = {id_: photo for id_, photo in photo_rows.by_ids(tx, ids).items() if photo.post_id is None}
    saved = []
    for row, content in zip(rows, contents, strict=True):
        photos = [there[id_] for id_ in content.draft.photo_ids if id_ in there]
        draft = replace(content.draft, photo_ids=[photo.id for photo in photos])
        saved.append(
            SavedDraft(
                row["id"],
                draft,
                content.missing,
                row["publish_at"],
                row["problem"],
                row["updated_at"],
                photos,
            )
        )
    return saved


def _check_time(publish_at: int, now: int) -> None:
    if not now + MIN_AHEAD_MS <= publish_at <= now + MAX_AHEAD_MS:
        raise Invalid(
            "A post can be scheduled for a time between five minutes and a year from now.", field="publish_at"
        )


def _cut(draft: Draft) -> Draft:
    shared = draft.shared_metadata
    photo_ids = list(dict.fromkeys(draft.photo_ids))[:MAX_PHOTOS]
    return replace(
        draft,
        caption=clean_text(draft.caption, MAX_TEXT_LENGTH),
        warning=clean_text(draft.warning, MAX_TEXT_LENGTH),
        photo_ids=photo_ids,
        alts={id_: clean_text(draft.alts[id_], MAX_TEXT_LENGTH) for id_ in photo_ids if id_ in draft.alts},
        focuses={id_: draft.focuses[id_] for id_ in photo_ids if id_ in draft.focuses},
        language=clean_text(draft.language, 35),
        shared_metadata=None
        if shared is None
        else SharedMetadata(
            frozenset(clean_text(group, 20) for group in sorted(shared.groups)[:10]),
            clean_text(shared.licence, 100),
            clean_text(shared.place, MAX_TEXT_LENGTH),
        ),
    )


def _own_photos(tx: Reader, author: Account, photo_ids: Sequence[int]) -> list[int]:
    known = photo_rows.by_ids(tx, list(photo_ids))
    return [
        id_
        for id_ in photo_ids
        if id_ in known and known[id_].account_id == author.id and known[id_].post_id is None
    ]
