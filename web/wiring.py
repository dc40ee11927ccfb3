"""Wires the parts together: opens a node from its configuration, and lists the handler of each kind of job."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

from activitypub.client.client import Client
from activitypub.delivery import deliver, fan_out
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
from node.auth import idempotency_keys, invites, sessions
from node.config import Config
from node.database import Writer, open_database
from node.federation import deliveries, outbox, seen_activities, server_availability, tombstones
from node.ids import now_ms
from node.interactions import severed_follows
from node.jobs import queue
from node.jobs.queue import Job
from node.jobs.worker import BatchHandler, Handler, JobHandler, JobWorker
from node.lifecycle import account_deletion, handle_domain, migration
from node.moderation import audit_log, block_lists, domain_rules
from node.node import Node, site_from_config
from node.version import VERSION

DAY_MS = 24 * 3_600_000
FAILED_JOBS_RETENTION_MS = 30 * DAY_MS

JOB_HANDLERS: dict[str, Handler] = {
    "fan_out": JobHandler(fan_out.fan_out, concurrency=4),
    "deliver": JobHandler(deliver.deliver, concurrency=128, slow_after_seconds=0.5, max_concurrency=2000),
    "redeliver": JobHandler(deliver.deliver, concurrency=32, slow_after_seconds=0.5, max_concurrency=200),
    "receive": BatchHandler(process.process_batch, size=64),
    "fetch": JobHandler(process.fetch_and_process, concurrency=8),
    "look_up": JobHandler(forwarding.look_up_post, concurrency=4),
    "synchronize": JobHandler(follower_sync.synchronize, concurrency=4),
    "check_post": JobHandler(remote_notes.check_deleted, concurrency=4),
    "check_quote": JobHandler(remote_quotes.check, concurrency=4),
    "climb": JobHandler(conversations.fetch_ancestors, concurrency=4),
    "crawl": JobHandler(conversations.crawl_replies, concurrency=4),
    "look_at_person": JobHandler(profile_preview.refresh, concurrency=4),
    "refresh_actor": JobHandler(actors.refresh, concurrency=4),
    "check_move": JobHandler(remote_migration.check, concurrency=2),
    "carry_over": JobHandler(migration.carry_over, concurrency=1),
    "read_featured": JobHandler(featured.update_pins, concurrency=4),
    "render_photo": JobHandler(photos.render_deferred_variants, concurrency=1),
    "fetch_avatar": JobHandler(avatars.fetch_avatar, concurrency=2),
    "trim_cache": JobHandler(media_cache_eviction.trim_cache, concurrency=1),
    "forget_person": JobHandler(account_deletion.delete_content, concurrency=1),
    "delete_files": JobHandler(stored_files.delete_files, concurrency=2),
    "apply_policy": JobHandler(domain_enforcement.apply_policy, concurrency=1),
    "fetch_list": JobHandler(block_lists.fetch_list, concurrency=1),
}


async def open_node(options: Config, *, read_only: bool = False, **client_options: Any) -> Node:
    """Opens a node: migrates its database, opens its storage and HTTP client. Close it with `node.close()`.

    `client_options` go to the HTTP client: tests give it a resolver of their own. Raises DatabaseInUse when another
    process has the SQLite file; `read_only` is for reading from a node that runs.
    """
    site = site_from_config(options)
    storage = open_storage(options.media.url)
    db = await open_database(options.database.url, site, read_only=read_only)
    client = Client(
        user_agent=f"Tintype/{VERSION} (+{site.base_url}/)",
        allow_private=options.federation.allow_private_addresses,
        allow_http=options.federation.allow_http,
        ca_file=options.federation.ca_file or None,
        own_host=site.domain,
        is_blocked=lambda host: db.read(domain_rules.is_blocked, host),
        **client_options,
    )
    node = Node(config=options, site=site, db=db, storage=storage, sandbox=Sandbox(), client=client)
    if read_only:
        return node
    try:
        await actors.ensure_instance_actor(node)
        await db.write(handle_domain.apply_handle_domain)
        await db.write(domain_rules.apply_federation_mode)
        await db.write(queue.add_once, "clean_up", {}, run_at=now_ms() + DAY_MS)
    except BaseException:
        await node.close()
        raise
    return node


def tune_garbage_collection() -> None:
    """Makes Python's garbage collector run less often, and never over imported modules; for a serving process.

    A fan-out holds some 6,000 objects at a time. A collection for each 700 of them frees nothing, and now and then
    goes through everything that was ever imported, which stops the process for tens of milliseconds.
    """
    gc.freeze()
    gc.set_threshold(10_000)


def create_worker(node: Node) -> JobWorker:
    """Creates the node's job worker: start it beside the web server, or alone in `tintype worker`."""
    return JobWorker(node, JOB_HANDLERS | {"clean_up": JobHandler(clean_up, concurrency=1)})


async def run_due_jobs(node: Node, now: int | None = None) -> int:
    """Runs all jobs that are due (at `now`) to the end; returns how many ran."""
    return await create_worker(node).drain(now)


_CLEAN_UPS: tuple[Callable[[Writer, int], Any], ...] = (
    deliveries.clean_up,
    outbox.clean_up,
    server_availability.clean_up,
    keys.clean_up,
    seen_activities.clean_up,
    rate_limits.clean_up,
    sessions.clean_up,
    invites.clean_up,
    tombstones.clean_up,
    photos.clean_up,
    idempotency_keys.clean_up,
    severed_follows.clean_up,
    audit_log.clean_up,
    media_cache.clean_up,
    reports.clean_up,
)


async def clean_up(node: Node, job: Job) -> None:
    """Deletes outdated rows of every table that only grows, once a day. Bounded work, one transaction each."""
    now = now_ms()
    for clean_table in _CLEAN_UPS:
        await node.db.write(clean_table, now)
    await node.db.write(_queue_next_clean_up, job, now)


def _queue_next_clean_up(tx: Writer, job: Job, now: int) -> None:
    queue.delete_failed(tx, now - FAILED_JOBS_RETENTION_MS)
    block_lists.queue_all_fetches(tx)
    queue.finish(tx, job)
    queue.add(tx, "clean_up", {}, run_at=now + DAY_MS)
