"""Wires the parts together: opens a node from its configuration, and lists the handler of each kind of job."""

from __future__ import annotations

import gc
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
from node.accounts import keys
from node.admin import domain_enforcement
from node.attachments import (
    avatars,
    deferred_variants,
    file_sweep,
    media_cache_eviction,
    remote_dimensions,
    stored_files,
)
from node.config import Config
from node.database import open_database
from node.ids import now_ms
from node.interactions import blocks
from node.jobs import queue
from node.jobs.worker import BatchHandler, Handler, JobHandler, JobWorker
from node.lifecycle import account_deletion, handle_domain, migration
from node.mail import outgoing_mail
from node.maintenance import clean_up
from node.moderation import block_lists, domain_rules
from node.node import Node, site_from_config
from node.publishing import saved_drafts
from node.version import VERSION
from web.files import media_files
from web.mail import send_mail

DAY_MS = 24 * 3_600_000

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
    "fetch_move_target": JobHandler(remote_migration.fetch_target, concurrency=2),
    "carry_over": JobHandler(migration.carry_over, concurrency=1),
    "read_featured": JobHandler(featured.update_pins, concurrency=4),
    "render_photo": JobHandler(deferred_variants.render_deferred_variants, concurrency=1),
    "measure_photos": JobHandler(remote_dimensions.measure, concurrency=4),
    "fetch_avatar": JobHandler(avatars.fetch_avatar, concurrency=2),
    "trim_cache": JobHandler(media_cache_eviction.trim_cache, concurrency=1),
    "publish_scheduled": JobHandler(saved_drafts.publish_scheduled, concurrency=1),
    "end_mutes": JobHandler(blocks.end_mutes, concurrency=1),
    outgoing_mail.JOB: JobHandler(send_mail.send_mail, concurrency=4),
    "forget_person": JobHandler(account_deletion.delete_content, concurrency=1),
    "withdraw_access": JobHandler(media_files.withdraw_access, concurrency=1),
    "delete_files": JobHandler(stored_files.delete_files, concurrency=2),
    "sweep_files": JobHandler(file_sweep.sweep, concurrency=1),
    "apply_policy": JobHandler(domain_enforcement.apply_policy, concurrency=1),
    "fetch_list": JobHandler(block_lists.fetch_list, concurrency=1),
    "clean_up": JobHandler(clean_up.clean_up, concurrency=1),
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
        await db.read(keys.check_secret)
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
    return JobWorker(node, JOB_HANDLERS)


async def run_due_jobs(node: Node, now: int | None = None) -> int:
    """Runs all jobs that are due (at `now`) to the end; returns how many ran."""
    worker = create_worker(node)
    await node.db.write(worker.rescue, now or now_ms())
    return await worker.drain(now)
