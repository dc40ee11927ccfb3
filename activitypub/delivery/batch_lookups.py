"""What every delivery wants of the database, asked for and written down for many deliveries at once.

Before a letter goes: whether its server is blocked by now, which signature it takes, whether something about
the same is stuck already, the words themselves, and the signing key. Afterwards: that it is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from activitypub.client import signing_keys
from activitypub.client.cache import Memory
from activitypub.delivery import audience
from activitypub.documents import activities
from activitypub.signatures import SigningKey, follower_digest
from node.accounts import accounts, keys
from node.database import Reader, Writer
from node.federation import delivery_results, outbox, server_availability
from node.federation.delivery_results import Outcome
from node.ids import now_ms
from node.interactions import follows
from node.jobs import queue
from node.jobs.batching import Gathering
from node.jobs.queue import Job
from node.moderation import domain_policy
from node.node import Node
from node.posts import posts

LONG_MS = 60_000
"""How long something may be on its way before it is asked again who may hear it."""

Silence = tuple[Job, int | None, str, int | None]
"""A job, the status if there was one, the reason, and the `Retry-After` in milliseconds."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the tables say about one delivery. `synchronization` is the header to send with it, or ''.

    `is_withdrawn`: the post it tells of is deleted, or hidden with its author, by now. `is_left_out`: it was asked
    for once more by hand, or is not for everybody and has waited for long, and this inbox would not be told any more.
    """

    is_blocked: bool
    is_withdrawn: bool
    is_left_out: bool
    is_behind: bool
    style: str
    key_version: int | None
    document: str | None
    synchronization: str
    asleep_until: int


class Desk:
    """One per node: `node.part(Desk)`."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._memory = node.part(Memory)
        self._look: Gathering[Job, Facts] = Gathering(self._facts)
        self._over: Gathering[Outcome, None] = Gathering(self._all_over)
        self._silent: Gathering[Silence, None] = Gathering(self._all_silent)

    async def look(self, job: Job) -> Facts:
        return await self._look(job)

    async def body(self, job: Job, facts: Facts) -> bytes | None:
        """The words as they are sent, the same at every try; None if they are gone.

        What is asked for again by hand is written anew first, since it may have been changed meanwhile.
        """
        name = _version(job)
        body = self._memory.sentences.get(name)
        if body is None and facts.document is not None:
            body = facts.document.encode()
        if body is None:
            body = await self._node.db.read(_words, job.payload["sentence"])
            if body is not None:
                await self._node.db.write(_keep_words, job.payload["sentence"], body)
        if body is not None:
            self._memory.sentences.put(name, body)
        return body

    async def key(self, job: Job, facts: Facts) -> SigningKey | None:
        """The sender's key of today; None if they have none any more."""
        if facts.key_version is None:
            return None
        return await signing_keys.of_account(self._node, job.payload["by"], version=facts.key_version)

    async def over(self, job: Job, state: str, status: int | None, reason: str, *, answered: bool) -> None:
        if state == "gone":
            self._memory.gone.put(job.payload["inbox"], True)
        if answered:
            self._memory.awake.put(job.payload["host"], True)
        await self._over(Outcome(job, state, status, reason, answered))

    async def silent(self, job: Job, status: int | None, reason: str, retry_after: int | None) -> None:
        """The server did not answer, or says that it is not there."""
        self._memory.awake.forget(job.payload["host"])
        await self._silent((job, status, reason, retry_after))

    async def _all_silent(self, group: list[Silence]) -> Sequence[None]:
        def unit(tx: Writer) -> None:
            for silence in group:
                delivery_results.silent(tx, *silence)

        await self._node.db.write(unit)
        return [None] * len(group)

    async def _facts(self, group: list[Job]) -> Sequence[Facts]:
        known = self._memory.sentences
        wanted = {job.payload["sentence"] for job in group if known.get(_version(job)) is None}
        return await self._node.db.read(_facts, group, wanted)

    async def _all_over(self, group: list[Outcome]) -> Sequence[None]:
        await self._node.db.write(delivery_results.close, group)
        return [None] * len(group)


def _version(job: Job) -> tuple[int, int]:
    """Which words a job brings: those of a sentence, as they were when it was last asked for by hand."""
    return job.payload["sentence"], job.payload.get("anew", 0)


def _words(tx: Reader, number: int) -> bytes | None:
    sentence = outbox.by_id(tx, number)
    who = None if sentence is None else accounts.by_id(tx, sentence.account_id)
    return None if sentence is None or who is None else activities.words(tx, sentence, who)


def _keep_words(tx: Writer, number: int, body: bytes) -> None:
    sentence = outbox.by_id(tx, number)
    if sentence is not None and sentence.document is None:
        outbox.keep_document(tx, sentence, body.decode())


def _facts(tx: Reader, group: list[Job], wanted: set[int]) -> list[Facts]:
    names = {job.payload["host"] for job in group}
    styles = server_availability.styles(tx, names)
    blocked = domain_policy.blocked_among(tx, names)
    asleep = server_availability.asleep(
        tx, {job.payload["host"] for job in group if delivery_results.is_aside(job)}, now_ms()
    )
    in_line = [delivery_results.aside(job) for job in group if not delivery_results.is_aside(job)]
    behind = queue.among_lanes(tx, in_line) if queue.holds(tx, delivery_results.AGAIN) else set()
    versions = keys.versions(tx, {job.payload["by"] for job in group})
    words = outbox.documents(tx, wanted) if wanted else {}
    withdrawn = outbox.withdrawn(tx, {job.payload["sentence"] for job in group})
    told = _told_now(tx, group, withdrawn)
    headers = _synchronizations(tx, [job for job in group if job.payload.get("synchronized")])
    return [
        Facts(
            is_blocked=job.payload["host"] in blocked,
            is_withdrawn=job.payload["sentence"] in withdrawn,
            is_left_out=job.payload["inbox"] not in told.get(job.payload["sentence"], {job.payload["inbox"]}),
            is_behind=not delivery_results.is_aside(job) and delivery_results.aside(job) in behind,
            style=styles.get(job.payload["host"], "cavage"),
            key_version=versions.get(job.payload["by"]),
            document=words.get(job.payload["sentence"]),
            synchronization=headers.get(job.id, ""),
            asleep_until=asleep.get(job.payload["host"], 0) if delivery_results.is_aside(job) else 0,
        )
        for job in group
    ]


def _told_now(tx: Reader, group: Iterable[Job], withdrawn: set[int]) -> dict[int, set[str]]:
    """The inboxes that would hear it now, of what was asked for again and of what for long was for few."""
    asked: dict[int, bool] = {}
    before = now_ms() - LONG_MS
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


def _synchronizations(tx: Reader, group: Iterable[Job]) -> dict[int, str]:
    """For each of these jobs, whom of its server we believe to follow the sender (FEP-8fcf)."""
    by_sender: dict[int, list[Job]] = {}
    for job in group:
        by_sender.setdefault(job.payload["by"], []).append(job)
    found: dict[int, str] = {}
    for sender, jobs_ in by_sender.items():
        who = accounts.get(tx, sender)
        there = follows.followers_at(tx, who, {job.payload["host"] for job in jobs_})
        for job in jobs_:
            ids = follower_digest.part(there.get(job.payload["host"], []), job.payload["inbox"])
            found[job.id] = follower_digest.header(
                who.followers_uri, f"{who.uri}/followers_synchronization", ids
            )
    return found
