"""The units of work whose queries are counted: what the worker, its jobs and the daily clean-up do, by their names."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from activitypub.delivery import fan_out
from node.attachments import file_sweep, media_cache, media_cache_eviction, stored_files
from node.database import Writer
from node.federation import deliveries, outbox, recipients, server_availability
from node.federation.deliveries import DeliveryResult, QueuedDelivery
from node.ids import new_id, now_ms
from node.interactions import blocks, boosts, follows, likes
from node.jobs import job_statistics, queue
from node.jobs.queue import Job
from node.maintenance import clean_up, old_conversations, unused_accounts
from node.models.post import Post
from node.posts import hashtags, posts
from node.publishing import post_deletion
from tests.support.crowd import Crowd
from tests.support.people import remote
from tests.support.posting import publish, receive_post
from web.wiring import JOB_HANDLERS

DAY_MS = 24 * 3_600_000
YEARS_MS = 4 * 365 * DAY_MS
"""Ahead of now, everything that has an age is outdated."""

Unit = Callable[[Writer], Any]


def units(crowd: Crowd) -> dict[str, Unit]:
    """All units of work, by a name that does not change from node to node."""
    now = now_ms()
    job = Job(crowd.post_id(4), "deliver", "s1.example", {}, 1, now + queue.LEASE_MS)
    delivery = QueuedDelivery(
        job, crowd.post_id(4) + 1, "https://s1.example/inbox", "s1.example", crowd.post_id(4), crowd.bob.id,
        "post:1", now, 0, False,
    )  # fmt: skip
    made: dict[str, Unit] = {
        "when each kind runs": lambda tx: queue.next_run_times(tx, list(JOB_HANDLERS)),
        "rescue": lambda tx: (
            queue.give_up_unknown_kinds(tx, JOB_HANDLERS, now),
            queue.bring_back(tx, now),
        ),
        "release of all claims": queue.release_all_claims,
        "renewal": lambda tx: queue.renew(tx, {job.id: now}, now + 1),
        "release": lambda tx: queue.release(tx, {job.id: now}),
        "release of what was lost": lambda tx: queue.release_lost(tx, "deliver", now),
        "a job that is put off": lambda tx: queue.reschedule(tx, job, now, "later"),
        "a job that is given up": lambda tx: queue.fail(tx, job, "never"),
        "a job that is tried again": lambda tx: queue.retry_failed(tx, crowd.post_id(7)),
        "jobs of each kind once": lambda tx: [queue.add_once(tx, kind, {}) for kind in ("end_mutes", "fetch")],
        "the end of a job in a long lane": lambda tx: queue.finish(tx, job),
        "the lane of a server that is back": lambda tx: server_availability.retry_now(tx, "s1.example"),
        "a delivery in a long lane": lambda tx: queue.add(tx, "deliver", {}, lane="s1.example"),
        "a delivery that arrived": lambda tx: deliveries.record_results(
            tx, [DeliveryResult(delivery, "delivered", 202, "")]
        ),
        "a delivery that is refused": lambda tx: deliveries.record_error_response(tx, delivery, 500, "no"),
        "a delivery without response": lambda tx: deliveries.record_unavailable(tx, delivery, None, "no", None),
        "a delivery that moves aside": lambda tx: deliveries.move_to_retry_lane(tx, delivery),
        "a host without failures": lambda tx: server_availability.record_contact(tx, ["s1.example"]),
        "failed jobs": job_statistics.failures,
        "ends of mutes": lambda tx: blocks.end_due_mutes(tx, job),
        "ends of many mutes": lambda tx: blocks.end_due_mutes(
            tx, Job(job.id, "end_mutes", "", {}, 1, now + YEARS_MS)
        ),
        "the next end of mutes": lambda tx: blocks.queue_next_end_of_mutes(tx, now),
        "cache within its capacity": lambda tx: media_cache_eviction.evict_batch(tx, 1 << 50),
        "cache over its capacity": lambda tx: media_cache_eviction.evict_batch(tx, 1_000_000),
        "views of cached pictures": lambda tx: media_cache.record_access(tx, {("photo", crowd.post_id(4)): now}),
        "a picture to cache": lambda tx: media_cache.record_stored(
            tx, "photo", new_id(), "https://s4.example/1", 1, capacity=1 << 50
        ),
        "a picture that was not there": lambda tx: media_cache.record_failure(
            tx, "photo", crowd.post_id(2), "https://s4.example/1", is_permanent=True
        ),
        "stored files": lambda tx: stored_files.referenced(tx, ["file10", "emoji1", "nowhere"]),
        "a sweep of files": file_sweep.start,
        "a post that is fanned out": lambda tx: _fan_out(tx, crowd),
        "a post that is deleted": lambda tx: post_deletion.delete(
            tx, crowd.carol, publish(tx, crowd.carol, "#loud")
        ),
        "a post that is received": lambda tx: receive_post(tx, crowd.rita, hashtags=["loud", "new"]),
        "a like that is received": lambda tx: likes.like(
            tx, remote(tx, "zoe"), _famous(tx, crowd), uri="like:new"
        ),
        "a boost that is received": lambda tx: boosts.boost(
            tx, remote(tx, "zoe"), _famous(tx, crowd), uri="boost:new"
        ),
        "a follow that is received": lambda tx: follows.follow(tx, remote(tx, "zoe"), crowd.bob, uri="follow:new"),
        "a block that is received": lambda tx: blocks.block(tx, remote(tx, "zoe"), crowd.alice, uri="block:new"),
        "whether a server without followers may fetch a photo": lambda tx: _may_fetch(tx, crowd),
        "hashtags that are suggested": lambda tx: hashtags.suggest(tx, "flood", 20),
    }  # fmt: skip
    for batch in clean_up.BATCHES:
        name = f"{batch.__module__.removeprefix('node.')}.{batch.__name__}"
        made[name] = functools.partial(_batch, batch, now)
        made[f"{name}, of what is outdated"] = functools.partial(_batch, batch, now + YEARS_MS)
    before = now + YEARS_MS
    walks: list[Callable[..., Any]] = [
        *clean_up.FIRST_WALKS,
        *clean_up.WALKS,
        functools.partial(old_conversations.delete_batch, before=before),
        functools.partial(unused_accounts.delete_batch, before=before),
        *clean_up.LAST_WALKS,
    ]
    for walk in walks:
        inner = getattr(walk, "func", walk)
        made[f"{inner.__module__.removeprefix('node.')}.{inner.__name__}"] = functools.partial(
            _steps, walk, now
        )
    for kind in ("deliver", "redeliver", "receive", "clean_up"):
        made[f"claim of {kind}"] = functools.partial(queue.claim, kind=kind, limit=64, now=now)
    return made


def _batch(batch: Callable[[Writer, int], int], now: int, tx: Writer) -> None:
    batch(tx, now)


def _steps(walk: Callable[..., Any], now: int, tx: Writer) -> None:
    """Goes the first two steps."""
    position = walk(tx, now, None)
    if position is not None:
        walk(tx, now, position)


def _fan_out(tx: Writer, crowd: Crowd) -> None:
    publish(tx, crowd.carol, "Morning #loud")
    newest = tx.value("SELECT MAX(id) FROM outbox")
    fan_out.plan_fan_out(tx, newest)
    activity = outbox.by_id(tx, newest)
    assert activity is not None
    deliveries.queue(tx, activity, [(f"https://s{n}.example/inbox", f"s{n}.example") for n in range(20)])
    deliveries.retry(tx, activity)


def _may_fetch(tx: Writer, crowd: Crowd) -> None:
    """Asks for a followers-only post of bob, who has followers on many other servers, and for its photo."""
    id_ = new_id()
    tx.run(
        """INSERT INTO posts (id, uri, url, account_id, is_local, visibility, root_id, photos_count, published_at,
               created_at) VALUES (:id, 'new', 'new', :bob, TRUE, 'followers', :id, 1, 1, 1)""",
        id=id_,
        bob=crowd.bob.id,
    )
    tx.run(
        "INSERT INTO photos (id, account_id, post_id, mime, created_at) VALUES (:id, :bob, :id, 'image/jpeg', 1)",
        id=id_,
        bob=crowd.bob.id,
    )
    tx.run("INSERT INTO photo_files VALUES (:id, 'medium', 'webp', 'a-file', 1, 1, 1)", id=id_)
    post = posts.by_id(tx, id_)
    assert post is not None
    for host in ("nobody.example", "s0.example"):
        has_follower = host == "s0.example"
        assert recipients.has_reader_on_server(tx, post, host) == has_follower
        assert recipients.has_reader_of_file(tx, "a-file", host) == has_follower


def _famous(tx: Writer, crowd: Crowd) -> Post:
    post = posts.by_id(tx, crowd.famous)
    assert post is not None
    return post
