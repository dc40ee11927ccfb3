"""What each delivery reads from the database and writes to it, done for many deliveries at once.

Before the request: whether its server is blocked by now, which signature it takes, whether a retry lane holds
something before it, the document, and the version of the signing key. Afterwards: that it is finished, or
that its server is unavailable. `node.federation.deliveries` tells the rules; here they are only batched.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from activitypub.client import signing_keys
from activitypub.client.cache import FederationCache
from activitypub.delivery import audience
from activitypub.documents import activities
from activitypub.signatures import SigningKey, follower_digest
from node.accounts import accounts, keys
from node.database import Reader, Writer
from node.federation import deliveries, outbox, server_availability
from node.federation.deliveries import DeliveryResult, QueuedDelivery
from node.ids import now_ms
from node.interactions import follows
from node.jobs import lanes, queue
from node.jobs.batching import Batcher
from node.jobs.retrying import write_when_available
from node.moderation import domain_rules
from node.node import Node

RECHECK_AFTER_MS = 60_000
"""How long a delivery may be queued before its recipients are computed again."""

UnavailableResult = tuple[QueuedDelivery, int | None, str, int | None]
"""A delivery, the status if there was one, the reason, and `Retry-After` in milliseconds from now."""


@dataclass(frozen=True, slots=True)
class DeliveryLookup:
    """What the database says about one delivery just before its request.

    `is_withdrawn`: the post it is about was deleted, or hidden with its author. `is_excluded`: the inbox is
    no longer among the recipients. `is_queued_behind`: the retry lane holds a delivery with the same ordering
    key. `key_version`, `document` are None if there is none (yet); `synchronization_header` is '' for no
    header (FEP-8fcf); `unavailable_until` (milliseconds, or 0) is only looked up for deliveries in a retry
    lane.
    """

    is_blocked: bool
    is_withdrawn: bool
    is_excluded: bool
    is_queued_behind: bool
    signature_style: str
    key_version: int | None
    document: str | None
    synchronization_header: str
    unavailable_until: int


class BatchLookups:
    """One per node: `node.component(BatchLookups)`."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._cache = node.component(FederationCache)
        self._lookups: Batcher[QueuedDelivery, DeliveryLookup] = Batcher(self._look_up_batch)
        self._results: Batcher[DeliveryResult, None] = Batcher(self._write_results)
        self._unavailable: Batcher[UnavailableResult, None] = Batcher(self._write_unavailable)

    async def look_up(self, delivery: QueuedDelivery) -> DeliveryLookup:
        return await self._lookups(delivery)

    async def load_body(self, delivery: QueuedDelivery, lookup: DeliveryLookup) -> bytes | None:
        """Returns the request body, the same bytes at every attempt; None if there is nothing left to send.

        After a retry by hand it is rendered again first, since the post may have changed meanwhile.
        """
        key = _body_key(delivery)
        body = self._cache.rendered_activities.get(key)
        if body is None and lookup.document is not None:
            body = lookup.document.encode()
        if body is None:
            body = await self._node.db.read(_render_body, delivery.activity_id)
            if body is not None:
                await self._node.db.write(_save_body, delivery.activity_id, body)
        if body is not None:
            self._cache.rendered_activities.put(key, body)
        return body

    async def load_key(self, delivery: QueuedDelivery, lookup: DeliveryLookup) -> SigningKey | None:
        """Returns the current key of the sender; None if it has none any more."""
        if lookup.key_version is None:
            return None
        return await signing_keys.by_account(self._node, delivery.account_id, version=lookup.key_version)

    async def record_result(
        self, delivery: QueuedDelivery, state: str, status: int | None, reason: str, *, has_responded: bool
    ) -> None:
        """Finishes a delivery, see `deliveries.record_results`."""
        if state == "gone":
            self._cache.gone_inboxes.put(delivery.inbox, True)
        if has_responded:
            self._cache.available_hosts.put(delivery.host, True)
        await self._results(DeliveryResult(delivery, state, status, reason, has_responded))

    async def record_unavailable(
        self, delivery: QueuedDelivery, status: int | None, reason: str, retry_after_ms: int | None
    ) -> None:
        """Records that a server is unavailable or did not respond, see `deliveries.record_unavailable`."""
        self._cache.available_hosts.forget(delivery.host)
        await self._unavailable((delivery, status, reason, retry_after_ms))

    async def _write_unavailable(self, batch: list[UnavailableResult]) -> Sequence[None]:
        def unit(tx: Writer) -> None:
            for result in batch:
                deliveries.record_unavailable(tx, *result)

        await write_when_available(self._node.db, unit)
        return [None] * len(batch)

    async def _look_up_batch(self, batch: list[QueuedDelivery]) -> Sequence[DeliveryLookup]:
        known = self._cache.rendered_activities
        unrendered = {delivery.activity_id for delivery in batch if known.get(_body_key(delivery)) is None}
        return await self._node.db.read(_look_up, batch, unrendered)

    async def _write_results(self, batch: list[DeliveryResult]) -> Sequence[None]:
        await write_when_available(self._node.db, deliveries.record_results, batch)
        return [None] * len(batch)


def _body_key(delivery: QueuedDelivery) -> tuple[int, int]:
    """Returns the cache key of a body: its activity, and when it was last to be rendered again."""
    return delivery.activity_id, delivery.rerendered_at


def _render_body(tx: Reader, activity_id: int) -> bytes | None:
    activity = outbox.by_id(tx, activity_id)
    actor = None if activity is None else accounts.by_id(tx, activity.account_id)
    return None if activity is None or actor is None else activities.render_bytes(tx, activity, actor)


def _save_body(tx: Writer, activity_id: int, body: bytes) -> None:
    activity = outbox.by_id(tx, activity_id)
    if activity is not None and activity.document is None:
        outbox.save_document(tx, activity, body.decode())


def _look_up(tx: Reader, batch: list[QueuedDelivery], unrendered: set[int]) -> list[DeliveryLookup]:
    hosts = {delivery.host for delivery in batch}
    in_retry_lanes = [delivery for delivery in batch if delivery.is_in_retry_lane]
    in_host_lanes = [delivery for delivery in batch if not delivery.is_in_retry_lane]
    styles = server_availability.signature_styles(tx, hosts)
    blocked = domain_rules.blocked_among(tx, hosts)
    unavailable = server_availability.unavailable_until(
        tx, {delivery.host for delivery in in_retry_lanes}, now_ms()
    )
    retry_lanes = (
        lanes.nonempty(tx, [delivery.retry_lane for delivery in in_host_lanes])
        if queue.has_jobs(tx, deliveries.REDELIVER_KIND)
        else set()
    )
    versions = keys.versions_by_account(tx, {delivery.account_id for delivery in batch})
    documents = outbox.documents(tx, unrendered) if unrendered else {}
    withdrawn = outbox.withdrawn_ids(tx, {delivery.activity_id for delivery in batch})
    allowed = _recheck_recipients(tx, batch, withdrawn)
    headers = _synchronization_headers(tx, [delivery for delivery in batch if delivery.sends_follower_digest])
    return [
        DeliveryLookup(
            is_blocked=delivery.host in blocked,
            is_withdrawn=delivery.activity_id in withdrawn,
            is_excluded=delivery.inbox not in allowed.get(delivery.activity_id, (delivery.inbox,)),
            is_queued_behind=not delivery.is_in_retry_lane and delivery.retry_lane in retry_lanes,
            signature_style=styles.get(delivery.host, "cavage"),
            key_version=versions.get(delivery.account_id),
            document=documents.get(delivery.activity_id),
            synchronization_header=headers.get(delivery.id, ""),
            unavailable_until=unavailable.get(delivery.host, 0) if delivery.is_in_retry_lane else 0,
        )
        for delivery in batch
    ]


def _recheck_recipients(
    tx: Reader, batch: Iterable[QueuedDelivery], withdrawn: set[int]
) -> dict[int, set[str]]:
    """Returns the inboxes that may still get activities that were retried by hand or queued for long."""
    before = now_ms() - RECHECK_AFTER_MS
    is_retried: dict[int, bool] = {}
    for delivery in batch:
        id_, is_rerendered = delivery.activity_id, delivery.rerendered_at > 0
        if id_ not in withdrawn and (is_rerendered or delivery.queued_at < before):
            is_retried[id_] = is_retried.get(id_, False) or is_rerendered
    checked = {
        id_: audience.current_inboxes(tx, id_, includes_open=is_rerendered)
        for id_, is_rerendered in is_retried.items()
    }
    return {id_: inboxes for id_, inboxes in checked.items() if inboxes is not None}


def _synchronization_headers(tx: Reader, batch: Iterable[QueuedDelivery]) -> dict[int, str]:
    """Returns a header by delivery id: which followers of the sender we believe its server has (FEP-8fcf)."""
    by_sender: dict[int, list[QueuedDelivery]] = {}
    for delivery in batch:
        by_sender.setdefault(delivery.account_id, []).append(delivery)
    found: dict[int, str] = {}
    for account_id, group in by_sender.items():
        sender = accounts.get(tx, account_id)
        followers = follows.follower_uris_by_host(tx, sender, {delivery.host for delivery in group})
        for delivery in group:
            uris = follower_digest.filter_by_origin(followers.get(delivery.host, []), delivery.inbox)
            found[delivery.id] = follower_digest.render_header(
                sender.followers_uri, f"{sender.uri}/followers_synchronization", uris
            )
    return found
