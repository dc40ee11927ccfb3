"""The one place that knows every part: a node from its options, and what to do for each kind of job."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

from activitypub.client.client import Client
from activitypub.delivery import deliver
from activitypub.delivery import fan_out as outgoing
from activitypub.inbox import follower_sync, forwarding, process
from activitypub.remote import actors, conversations, featured, profile_preview
from activitypub.remote import migration as remote_migration
from activitypub.remote import notes as remote_notes
from activitypub.remote import quotes as remote_quotes
from media.sandbox import Sandbox
from media.storage import open_storage
from node import rate_limits
from node.accounts import keys
from node.admin import domain_enforcement, reports
from node.attachments import avatars, media_cache, media_cache_eviction, photos, stored_files
from node.auth import idempotency_keys, sessions
from node.config import Config
from node.database import Writer, open_database
from node.federation import deliveries, outbox, seen_activities, server_availability, tombstones
from node.ids import now_ms
from node.interactions import severed_follows
from node.jobs import queue
from node.jobs.queue import Job
from node.jobs.worker import Batch, Each, Handler, Worker
from node.lifecycle import account_deletion, handle_domain, migration, registration
from node.moderation import audit_log, block_lists, domain_policy
from node.node import Node, site_of
from node.version import VERSION

DAY = 24 * 3_600_000
FAILED_JOBS_KEPT = 30 * DAY

JOBS: dict[str, Handler] = {
    "fan_out": Each(outgoing.fan_out, at_once=4),
    "deliver": Each(deliver.deliver, at_once=128, patience=0.5, most=2000),
    "redeliver": Each(deliver.deliver, at_once=32, patience=0.5, most=200),
    "receive": Batch(process.receive, size=64),
    "fetch": Each(process.fetch_first, at_once=8),
    "look_up": Each(forwarding.look_up, at_once=4),
    "synchronize": Each(follower_sync.synchronize, at_once=4),
    "check_post": Each(remote_notes.check, at_once=4),
    "check_quote": Each(remote_quotes.check, at_once=4),
    "climb": Each(conversations.climb, at_once=4),
    "crawl": Each(conversations.crawl, at_once=4),
    "look_at_person": Each(profile_preview.look, at_once=4),
    "refresh_actor": Each(actors.refresh, at_once=4),
    "check_move": Each(remote_migration.check, at_once=2),
    "carry_over": Each(migration.carry_over, at_once=1),
    "read_featured": Each(featured.read, at_once=4),
    "render_photo": Each(photos.render_later, at_once=1),
    "fetch_avatar": Each(avatars.fetch, at_once=2),
    "trim_cache": Each(media_cache_eviction.trim, at_once=1),
    "forget_person": Each(account_deletion.forget, at_once=1),
    "delete_files": Each(stored_files.delete_files, at_once=2),
    "apply_policy": Each(domain_enforcement.apply_policy, at_once=1),
    "fetch_list": Each(block_lists.fetch, at_once=1),
}


async def open_node(options: Config, *, reads_only: bool = False, **client_options: Any) -> Node:
    """A node with its database migrated, its storage and its client ready. Close it with `node.close()`.

    `client_options` go to the HTTP client: tests give it a resolver of their own. Raises InUse when another
    process has the SQLite file; `reads_only` is for a look at a node that runs.
    """
    site = site_of(options)
    storage = open_storage(options.media.url)
    db = await open_database(options.database.url, site, reads_only=reads_only)
    client = Client(
        user_agent=f"Tintype/{VERSION} (+{site.base_url}/)",
        allow_private=options.federation.allow_private_addresses,
        allow_http=options.federation.allow_http,
        ca_file=options.federation.ca_file or None,
        own_host=site.domain,
        refuses=lambda host: db.read(domain_policy.is_blocked, host),
        **client_options,
    )
    node = Node(config=options, site=site, db=db, storage=storage, sandbox=Sandbox(), client=client)
    if reads_only:
        return node
    try:
        await actors.ensure_instance_actor(node)
        await db.write(handle_domain.adopt_handle_domain)
        await db.write(domain_policy.adopt_mode)
        await db.write(queue.add_once, "clean_up", {}, run_at=now_ms() + DAY)
    except BaseException:
        await node.close()
        raise
    return node


def collect_seldom() -> None:
    """Let Python look for unreachable cycles less often, and never among its modules; for a process that serves.

    A fan-out holds some 6,000 objects at a time. A search for each 700 of them finds nothing, and now and then
    goes through everything that was ever imported, which stops the process for tens of milliseconds.
    """
    gc.freeze()
    gc.set_threshold(10_000)


def make_worker(node: Node) -> Worker:
    """The node's worker: start it beside the web, or alone in `tintype worker`."""
    return Worker(node, JOBS | {"clean_up": Each(clean_up, at_once=1)})


async def settle(node: Node, now: int | None = None) -> int:
    """Run all jobs that are due (at `now`) to the end; return how many ran."""
    return await make_worker(node).drain(now)


_FORGETTING: tuple[Callable[[Writer, int], Any], ...] = (
    deliveries.clean_up,
    outbox.clean_up,
    server_availability.clean_up,
    keys.clean_up,
    seen_activities.clean_up,
    rate_limits.clean_up,
    sessions.clean_up,
    registration.clean_up,
    tombstones.clean_up,
    photos.clean_up,
    idempotency_keys.clean_up,
    severed_follows.clean_up,
    audit_log.clean_up,
    media_cache.clean_up,
    reports.clean_up,
)


async def clean_up(node: Node, job: Job) -> None:
    """Once a day: every table that only grows forgets what is past use. Bounded work, one unit each."""
    now = now_ms()
    for forget in _FORGETTING:
        await node.db.write(forget, now)
    await node.db.write(_tomorrow, job, now)


def _tomorrow(tx: Writer, job: Job, now: int) -> None:
    queue.forget_failed(tx, now - FAILED_JOBS_KEPT)
    block_lists.ask_all(tx)
    queue.finish(tx, job)
    queue.add(tx, "clean_up", {}, run_at=now + DAY)
