"""The job `clean_up`: once a day it deletes what is outdated from every table that grows. Owns no table.

Each table is cleaned by the module that owns it, in batches: each is a short unit of work, so nobody who writes waits
for more than one, and stopping between two loses nothing. What fails is logged and does not keep the others from
their turn. `tests/rules/test_growth.py` names the bound of every table, and fails for a new one without.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from node import rate_limits
from node.accounts import keys
from node.admin import reports
from node.attachments import custom_emoji, file_sweep, media_cache, photos
from node.auth import idempotency_keys, invites, sessions, sign_in_log, sign_ups
from node.auth.oauth import app_tokens, apps, authorization_codes
from node.database import Database, Writer
from node.federation import (
    deliveries,
    early_updates,
    outbox,
    seen_activities,
    server_availability,
    tombstones,
)
from node.ids import now_ms
from node.interactions import blocks, severed_follows
from node.jobs import queue
from node.jobs.queue import Job
from node.maintenance import old_conversations, unused_accounts
from node.moderation import audit_log, block_lists
from node.node import Node
from node.notifications import notifications
from node.posts import hashtag_days, hashtags, home_feed, posts
from node.publishing import saved_drafts
from node.uploads import receiving, uploads

log = logging.getLogger("tintype.clean_up")

DAY_MS = 24 * 3_600_000
MAX_BATCHES = 20_000
"""Of one table in one run; the rest follows on the next day."""

FIRST_WALKS: tuple[Callable[[Writer, int, Any], Any], ...] = (deliveries.clean_up,)
"""Those after which there is more for `BATCHES`."""

BATCHES: tuple[Callable[[Writer, int], int], ...] = (
    outbox.clean_up,
    server_availability.clean_up,
    keys.clean_up,
    seen_activities.clean_up,
    early_updates.clean_up,
    rate_limits.clean_up,
    invites.clean_up,
    sign_ups.clean_up,
    tombstones.clean_up,
    photos.clean_up,
    uploads.clean_up,
    idempotency_keys.clean_up,
    authorization_codes.clean_up,
    severed_follows.clean_up,
    sign_in_log.clean_up,
    audit_log.clean_up,
    media_cache.clean_up,
    reports.clean_up,
    queue.clean_up,
    hashtags.clean_up_uses,
    hashtag_days.clean_up,
)
"""Functions that delete a batch of outdated rows at a time (in milliseconds), and return how many: 0 at the end."""

WALKS: tuple[Callable[[Writer, int, Any], Any], ...] = (
    sessions.clean_up,
    app_tokens.clean_up,
    apps.clean_up,
    home_feed.trim,
    notifications.trim,
    posts.clean_up,
)
"""Functions that go through a table from a position on (None: its beginning), and return the next; None at the end."""

LAST_WALKS: tuple[Callable[[Writer, int, Any], Any], ...] = (hashtags.clean_up, custom_emoji.clean_up)
"""Those that delete what the deletion of posts and accounts leaves unused."""


async def clean_up(node: Node, job: Job) -> None:
    """Job `clean_up`: deletes what is outdated, and queues itself for the next day.

    Other periodic jobs are queued too, so that none is missing for longer than a day.
    """
    await delete_outdated(
        node.db,
        now_ms(),
        keep_remote_posts_days=node.config.federation.keep_remote_posts_days,
        keep_originals=node.config.media.keep_originals,
    )
    await _log_errors(receiving.delete_unknown_files, receiving.delete_unknown_files(node))
    await node.db.write(_queue_next, job)


async def delete_outdated(
    db: Database, now: int, *, keep_remote_posts_days: int, keep_originals: bool = False
) -> None:
    """Deletes what is outdated at `now` (milliseconds). Errors are logged."""
    batches, walks = list(BATCHES), list(WALKS)
    if not keep_originals:
        batches.append(photos.clean_up_originals)
    if keep_remote_posts_days:
        before = now - keep_remote_posts_days * DAY_MS
        walks.append(functools.partial(old_conversations.delete_batch, before=before))
        walks.append(functools.partial(unused_accounts.delete_batch, before=before))
    walks += LAST_WALKS
    for first in FIRST_WALKS:
        await _log_errors(first, _walk(db, first, now))
    for batch in batches:
        await _log_errors(batch, _repeat(db, batch, now))
    for walk in walks:
        await _log_errors(walk, _walk(db, walk, now))


async def _repeat(db: Database, batch: Callable[[Writer, int], int], now: int) -> None:
    for _ in range(MAX_BATCHES):
        if not await db.write(batch, now):
            return


async def _walk(db: Database, walk: Callable[..., Any], now: int) -> None:
    position = None
    for _ in range(MAX_BATCHES):
        position = await db.write(walk, now, position)
        if position is None:
            return


async def _log_errors(function: Callable[..., Any], run: Coroutine[Any, Any, Any]) -> None:
    try:
        await run
    except Exception:
        inner = getattr(function, "func", function)
        log.exception("cleaning up failed: %s.%s", inner.__module__, inner.__qualname__)


def _queue_next(tx: Writer, job: Job) -> None:
    block_lists.queue_all_fetches(tx)
    file_sweep.start(tx)
    blocks.queue_next_end_of_mutes(tx, now_ms())
    saved_drafts.plan_next(tx, now_ms())
    queue.finish(tx, job)
    queue.add_once(tx, "clean_up", {}, run_at=now_ms() + DAY_MS)
