"""Job `fan_out`: renders an outgoing activity once, and queues one delivery per recipient inbox.

The rendered bytes are kept, so every server and every attempt gets the same. The rows of `deliveries`, their
jobs and the end of this job are one unit of work: a crash before it changes nothing, after it nothing is left
to do.
"""

from __future__ import annotations

from collections.abc import Collection

from activitypub.client.cache import FederationCache
from activitypub.delivery import audience
from activitypub.documents import activities
from node.accounts import accounts
from node.database import Reader, Writer
from node.federation import deliveries, outbox, server_availability
from node.federation.outbox import OutgoingActivity
from node.ids import now_ms
from node.jobs import queue
from node.jobs.queue import Job
from node.node import Node

FanOutPlan = tuple[OutgoingActivity, bytes, list[tuple[str, str]], bool]
"""An activity, its document, its (inbox, host) pairs, and whether to send the follower digest (FEP-8fcf)."""


async def fan_out(node: Node, job: Job) -> bool:
    """Queues the deliveries of an activity.

    Returns True when the job was finished together with what it queued.
    """
    cache = node.component(FederationCache)
    # The activity may have changed what this node answers about its own objects.
    cache.responses.clear()
    plan = await node.db.read(plan_fan_out, job.payload["id"])
    if plan is None:
        return False
    activity, body, inboxes, _ = plan
    cache.rendered_activities.put((activity.id, 0), body)
    # Servers that responded lately go first, so that nobody waits behind those that may be unavailable.
    inboxes.sort(key=lambda pair: cache.available_hosts.get(pair[1]) is None)
    gone = {inbox for inbox, _ in inboxes if cache.gone_inboxes.get(inbox)}
    await node.db.write(_queue_deliveries, job, plan, gone)
    return True


def plan_fan_out(tx: Reader, id_: int) -> FanOutPlan | None:
    """Computes the document and the inboxes of an activity; None when there are none, or nothing to send."""
    activity = outbox.by_id(tx, id_)
    actor = None if activity is None else accounts.by_id(tx, activity.account_id)
    if activity is None or actor is None:
        return None
    inboxes = audience.inboxes(tx, activity, actor)
    if not inboxes:
        return None
    sends_follower_digest = audience.is_followers_only(tx, activity)
    body = activities.render_bytes(tx, activity, actor)
    return None if body is None else (activity, body, inboxes, sends_follower_digest)


def _queue_deliveries(tx: Writer, job: Job, plan: FanOutPlan, gone: Collection[str]) -> None:
    if not queue.finish(tx, job):
        return
    activity, body, inboxes, sends_follower_digest = plan
    outbox.save_document(tx, activity, body.decode())
    given_up = server_availability.given_up(tx, {host for _, host in inboxes}, now_ms())
    queued = [(inbox, host) for inbox, host in inboxes if host not in given_up and inbox not in gone]
    deliveries.queue(tx, activity, queued, sends_follower_digest=sends_follower_digest)
    deliveries.record_refused(
        tx,
        activity,
        [(inbox, host) for inbox, host in inboxes if host in given_up],
        "the server has not answered for a week",
    )
    deliveries.record_refused(
        tx,
        activity,
        [(inbox, host) for inbox, host in inboxes if inbox in gone and host not in given_up],
        "the inbox was gone within the last hour",
    )
