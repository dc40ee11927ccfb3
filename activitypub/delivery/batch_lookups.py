"""What every delivery wants of the database, asked for and written down for many deliveries at once.

Before a letter goes: whether its server is blocked by now, which signature it takes, whether something about
the same is stuck already, the words themselves, and the signing key. Afterwards: that it is over.
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
from node.federation import delivery_results, outbox, server_availability
from node.federation.delivery_results import DeliveryResult
from node.ids import now_ms
from node.interactions import follows
from node.jobs import queue
from node.jobs.batching import Batcher
from node.jobs.queue import Job
from node.moderation import domain_rules
from node.node import Node
from node.posts import posts

RECHECK_AFTER_MS = 60_000
"""How long something may be on its way before it is asked again who may hear it."""

UnavailableResult = tuple[Job, int | None, str, int | None]
"""A job, the status if there was one, the reason, and the `Retry-After` in milliseconds."""


@dataclass(frozen=True, slots=True)
class DeliveryLookup:
    """What the tables say about one delivery. `synchronization_header` is the header to send with it, or ''.

    `is_withdrawn`: the post it tells of is deleted, or hidden with its author, by now. `is_excluded`: it was asked
    for once more by hand, or is not for everybody and has waited for long, and this inbox would not be told any more.
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
    """One per node: `node.part(Desk)`."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._cache = node.component(FederationCache)
        self._lookups: Batcher[Job, DeliveryLookup] = Batcher(self._look_up_batch)
        self._results: Batcher[DeliveryResult, None] = Batcher(self._write_results)
        self._unavailable: Batcher[UnavailableResult, None] = Batcher(self._write_unavailable)

    async def look_up(self, job: Job) -> DeliveryLookup:
        return await self._lookups(job)

    async def load_body(self, job: Job, lookup: DeliveryLookup) -> bytes | None:
        """The words as they are sent, the same at every try; None if they are gone.

        What is asked for again by hand is written anew first, since it may have been changed meanwhile.
        """
        name = _body_key(job)
        body = self._cache.rendered_activities.get(name)
        if body is None and lookup.document is not None:
            body = lookup.document.encode()
        if body is None:
            body = await self._node.db.read(_render_body, job.payload["sentence"])
            if body is not None:
                await self._node.db.write(_save_body, job.payload["sentence"], body)
        if body is not None:
            self._cache.rendered_activities.put(name, body)
        return body

    async def load_key(self, job: Job, lookup: DeliveryLookup) -> SigningKey | None:
        """The sender's key of today; None if they have none any more."""
        if lookup.key_version is None:
            return None
        return await signing_keys.by_account(self._node, job.payload["by"], version=lookup.key_version)

    async def record_result(
        self, job: Job, state: str, status: int | None, reason: str, *, has_responded: bool
    ) -> None:
        if state == "gone":
            self._cache.gone_inboxes.put(job.payload["inbox"], True)
        if has_responded:
            self._cache.available_hosts.put(job.payload["host"], True)
        await self._results(DeliveryResult(job, state, status, reason, has_responded))

    async def record_unavailable(
        self, job: Job, status: int | None, reason: str, retry_after: int | None
    ) -> None:
        """The server did not answer, or says that it is not there."""
        self._cache.available_hosts.forget(job.payload["host"])
        await self._unavailable((job, status, reason, retry_after))

    async def _write_unavailable(self, group: list[UnavailableResult]) -> Sequence[None]:
        def unit(tx: Writer) -> None:
            for silence in group:
                delivery_results.record_unavailable(tx, *silence)

        await self._node.db.write(unit)
        return [None] * len(group)

    async def _look_up_batch(self, group: list[Job]) -> Sequence[DeliveryLookup]:
        known = self._cache.rendered_activities
        wanted = {job.payload["sentence"] for job in group if known.get(_body_key(job)) is None}
        return await self._node.db.read(_look_up, group, wanted)

    async def _write_results(self, group: list[DeliveryResult]) -> Sequence[None]:
        await self._node.db.write(delivery_results.record_results, group)
        return [None] * len(group)


def _body_key(job: Job) -> tuple[int, int]:
    """Which words a job brings: those of a sentence, as they were when it was last asked for by hand."""
    return job.payload["sentence"], job.payload.get("anew", 0)


def _render_body(tx: Reader, number: int) -> bytes | None:
    sentence = outbox.by_id(tx, number)
    who = None if sentence is None else accounts.by_id(tx, sentence.account_id)
    return None if sentence is None or who is None else activities.render_bytes(tx, sentence, who)


def _save_body(tx: Writer, number: int, body: bytes) -> None:
    sentence = outbox.by_id(tx, number)
    if sentence is not None and sentence.document is None:
        outbox.save_document(tx, sentence, body.decode())


def _look_up(tx: Reader, group: list[Job], wanted: set[int]) -> list[DeliveryLookup]:
    names = {job.payload["host"] for job in group}
    styles = server_availability.signature_styles(tx, names)
    blocked = domain_rules.blocked_among(tx, names)
    asleep = server_availability.unavailable_until(
        tx, {job.payload["host"] for job in group if delivery_results.is_in_retry_lane(job)}, now_ms()
    )
    in_line = [
        delivery_results.retry_lane(job) for job in group if not delivery_results.is_in_retry_lane(job)
    ]
    behind = (
        queue.nonempty_lanes(tx, in_line) if queue.has_jobs(tx, delivery_results.REDELIVER_KIND) else set()
    )
    versions = keys.versions_by_account(tx, {job.payload["by"] for job in group})
    words = outbox.documents(tx, wanted) if wanted else {}
    withdrawn = outbox.withdrawn_ids(tx, {job.payload["sentence"] for job in group})
    told = _current_inboxes(tx, group, withdrawn)
    headers = _synchronization_headers(tx, [job for job in group if job.payload.get("synchronized")])
    return [
        DeliveryLookup(
            is_blocked=job.payload["host"] in blocked,
            is_withdrawn=job.payload["sentence"] in withdrawn,
            is_excluded=job.payload["inbox"] not in told.get(job.payload["sentence"], {job.payload["inbox"]}),
            is_queued_behind=not delivery_results.is_in_retry_lane(job)
            and delivery_results.retry_lane(job) in behind,
            signature_style=styles.get(job.payload["host"], "cavage"),
            key_version=versions.get(job.payload["by"]),
            document=words.get(job.payload["sentence"]),
            synchronization_header=headers.get(job.id, ""),
            unavailable_until=asleep.get(job.payload["host"], 0)
            if delivery_results.is_in_retry_lane(job)
            else 0,
        )
        for job in group
    ]


def _current_inboxes(tx: Reader, group: Iterable[Job], withdrawn: set[int]) -> dict[int, set[str]]:
    """The inboxes that would hear it now, of what was asked for again and of what for long was for few."""
    asked: dict[int, bool] = {}
    before = now_ms() - RECHECK_AFTER_MS
    for job in group:
        number, is_anew = job.payload["sentence"], "anew" in job.payload
        if number not in withdrawn and (is_anew or job.payload["since"] < before):
            asked[number] = asked.get(number, False) or is_anew
    found: dict[int, set[str]] = {}
    for number, is_anew in asked.items():
        sentence = outbox.by_id(tx, number)
        if sentence is None or sentence.verb not in ("Create", "Update") or sentence.post_id is None:
            continue
        post, who = posts.by_id(tx, sentence.post_id), accounts.by_id(tx, sentence.account_id)
        if post is not None and who is not None and (is_anew or not post.is_open):
            found[number] = {inbox for inbox, _ in audience.inboxes(tx, sentence, who)}
    return found


def _synchronization_headers(tx: Reader, group: Iterable[Job]) -> dict[int, str]:
    """For each of these jobs, whom of its server we believe to follow the sender (FEP-8fcf)."""
    by_sender: dict[int, list[Job]] = {}
    for job in group:
        by_sender.setdefault(job.payload["by"], []).append(job)
    found: dict[int, str] = {}
    for sender, jobs_ in by_sender.items():
        who = accounts.get(tx, sender)
        there = follows.follower_uris_by_host(tx, who, {job.payload["host"] for job in jobs_})
        for job in jobs_:
            ids = follower_digest.filter_by_origin(there.get(job.payload["host"], []), job.payload["inbox"])
            found[job.id] = follower_digest.render_header(
                who.followers_uri, f"{who.uri}/followers_synchronization", ids
            )
    return found
