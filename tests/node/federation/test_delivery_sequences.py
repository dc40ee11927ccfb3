"""Whatever servers respond, in whatever order: rows, jobs and lanes follow the rules told in `deliveries`."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.accounts import accounts
from node.database import Database, Writer
from node.federation import deliveries, outbox, server_availability
from node.federation.deliveries import DeliveryResult, QueuedDelivery
from node.federation.server_availability import DAY_MS, GIVE_UP_AFTER_MS
from node.ids import now_ms
from node.jobs import lanes, queue
from node.models.account import Account
from tests.support import people

INBOXES = {
    "https://lake.example/a": "lake.example",
    "https://lake.example/b": "lake.example",
    "https://sea.example/c": "sea.example",
}
HOSTS = sorted(set(INBOXES.values()))
FINAL = {"delivered": "delivered", "gone": "gone", "refused": "failed", "blocked": "failed"}
OUTCOMES = (*FINAL, "unavailable", "error", "error", "local error")

host = st.sampled_from(HOSTS)
queued = st.tuples(
    st.just("queue"), st.integers(0, 1), st.lists(st.sampled_from(sorted(INBOXES)), min_size=1, max_size=3)
)
attempts = st.tuples(
    st.just("attempt"),
    st.lists(st.sampled_from(OUTCOMES), min_size=1, max_size=4),
    st.integers(1, 3),  # times
    st.sampled_from([False, False, False, True]),  # whether it is the last attempt
)
by_hand = st.one_of(
    st.tuples(st.sampled_from(["contact", "give up", "retry host"]), host),
    st.tuples(st.just("retry"), st.integers(0, 3)),
)
rounds = st.lists(st.tuples(queued, queued, attempts, attempts, by_hand | attempts), min_size=2, max_size=6)
"""Each round queues twice, attempts, and now and then somebody intervenes."""


class RollBack(Exception):
    """Undoes a whole sequence, so that each begins on an empty node."""


@dataclass
class Expected:
    """What a row should be. `order`: which of all jobs its job was added as."""

    key: int
    inbox: str
    order: int
    state: str = "waiting"
    attempts: int = 0
    is_in_retry_lane: bool = False

    def is_like(self, other: Expected) -> bool:
        return (self.key, self.inbox) == (other.key, other.inbox)


class Rules:
    """The same rules in a few lines, without tables: (activity, inbox) → what its row should be."""

    def __init__(self) -> None:
        self.rows: dict[tuple[int, str], Expected] = {}
        self.failures = dict.fromkeys(HOSTS, 0)
        self.jobs_added = 0

    def waiting(self) -> Iterator[Expected]:
        return (row for row in self.rows.values() if row.state == "waiting")

    def queue(self, activity: int, key: int, inboxes: list[str]) -> None:
        for inbox in dict.fromkeys(inboxes):
            self.jobs_added += 1
            self.rows[activity, inbox] = Expected(key, inbox, self.jobs_added)

    def must_queue_behind(self, row: Expected) -> bool:
        return not row.is_in_retry_lane and any(
            other.is_in_retry_lane and other.is_like(row) for other in self.waiting()
        )

    def attempt(self, row: Expected, outcome: str, *, is_expired: bool) -> None:
        at = INBOXES[row.inbox]
        row.attempts += 1
        if outcome == "unavailable" and not row.is_in_retry_lane:
            self.failures[at] += 1
        if outcome in ("delivered", "gone", "refused", "error"):
            self.failures[at] = 0
        if outcome in FINAL:
            row.state = FINAL[outcome]
        elif is_expired:
            row.state = "failed"
        elif outcome == "error":
            has_retry_lane = any(
                other.is_in_retry_lane and other.inbox == row.inbox for other in self.waiting()
            )
            row.is_in_retry_lane |= has_retry_lane or row.attempts >= 3

    def give_up(self, at: str) -> None:
        for row in self.waiting():
            if INBOXES[row.inbox] == at:
                row.state = "failed"

    def retry(self, activity: int, at: str | None = None) -> None:
        for (id_, inbox), row in self.rows.items():
            if id_ == activity and at in (None, INBOXES[inbox]) and row.state in ("failed", "gone"):
                self.jobs_added += 1
                row.state, row.order, row.is_in_retry_lane = "waiting", self.jobs_added, False


def record(tx: Writer, delivery: QueuedDelivery, outcome: str) -> None:
    if outcome in FINAL:
        result = DeliveryResult(delivery, FINAL[outcome], None, outcome, outcome != "blocked")
        deliveries.record_results(tx, [result, result])
    elif outcome == "unavailable":
        deliveries.record_unavailable(tx, delivery, 503, outcome, None)
    elif outcome == "error":
        deliveries.record_error_response(tx, delivery, 500, outcome)
    else:
        deliveries.record_local_error(tx, delivery, outcome)


def attempt_first_of_each_lane(tx: Writer, rules: Rules, outcomes: list[str], *, is_expired: bool) -> int:
    """Claims whatever is due within two days, longer than any pause, and lets each attempt end."""
    kinds = ("deliver", deliveries.REDELIVER_KIND)
    jobs = [job for kind in kinds for job in queue.claim(tx, kind, 100, now_ms() + 2 * DAY_MS)]
    assert len({job.lane for job in jobs}) == len(jobs)
    for job, outcome in zip(jobs, outcomes * len(jobs), strict=False):
        delivery = QueuedDelivery.from_job(job)
        row = rules.rows[delivery.activity_id, delivery.inbox]
        if rules.must_queue_behind(row):
            assert lanes.nonempty(tx, [delivery.retry_lane])
            deliveries.move_to_retry_lane(tx, delivery)
            row.is_in_retry_lane = True
            continue
        # The one promise behind all lanes: what has the same ordering key arrives in order.
        assert all(row.order <= other.order for other in rules.waiting() if other.is_like(row))
        if is_expired:
            delivery = dataclasses.replace(delivery, queued_at=now_ms() - GIVE_UP_AFTER_MS - 1000)
        record(tx, delivery, outcome)
        rules.attempt(row, outcome, is_expired=is_expired)
    return len(jobs)


def check_contact(tx: Writer, at: str) -> None:
    """A server that contacts us gets the first delivery of each of its lanes now, if it was unavailable."""
    known = server_availability.by_host(tx, at)
    server_availability.record_contact(tx, [at])
    if known is not None and known.sleeps_until:
        rows = tx.all("SELECT lane, MIN(run_at) AS run_at FROM jobs WHERE lane <> '' GROUP BY lane")
        assert all(row["run_at"] <= now_ms() for row in rows if row["lane"].split(" ")[0] == at)


def compare(tx: Writer, rules: Rules) -> None:
    rows = tx.all("SELECT id, outbox_id, inbox, host, state, attempts FROM deliveries")
    assert {(row["outbox_id"], row["inbox"]): (row["state"], row["attempts"]) for row in rows} == {
        key: (row.state, row.attempts) for key, row in rules.rows.items()
    }
    jobs = tx.all("SELECT lane, run_at, payload FROM jobs WHERE kind IN ('deliver', 'redeliver')")
    queued: dict[tuple[int, str], list[bool]] = {}
    in_lanes: dict[str, list[int]] = {}
    for job in jobs:
        payload: dict[str, Any] = json.loads(job["payload"])
        in_lanes.setdefault(job["lane"], []).append(job["run_at"])
        queued.setdefault((payload["sentence"], payload["inbox"]), []).append(job["lane"] != payload["host"])
    assert queued == {
        key: [row.is_in_retry_lane] for key, row in rules.rows.items() if row.state == "waiting"
    }
    for times in in_lanes.values():
        assert sum(at < queue.PARKED_RUN_AT for at in times) == 1
    counted = tx.all("SELECT lane, jobs FROM lanes WHERE lane NOT LIKE 'outbox %'")
    assert {row["lane"]: row["jobs"] for row in counted} == {
        lane: len(times) for lane, times in in_lanes.items()
    }
    known = server_availability.by_hosts(tx, HOSTS)
    assert {at: known[at].failures if at in known else 0 for at in HOSTS} == rules.failures


class Sequence:
    """One sequence of steps on an empty node: alice's activities, about two other accounts."""

    def __init__(self, tx: Writer, alice: Account) -> None:
        self.tx, self.alice, self.rules = tx, alice, Rules()
        self.targets = [people.remote(tx, name) for name in ("rita", "rob")]
        self.activities: list[outbox.OutgoingActivity] = []

    def queue(self, key: int, inboxes: list[str]) -> None:
        uri = f"https://tintype.test/likes/{len(self.activities)}"
        outbox.record(self.tx, self.alice, "Like", uri, uri=uri, target=self.targets[key])
        activity = outbox.by_uri(self.tx, uri)
        assert activity is not None
        self.activities.append(activity)
        deliveries.queue(self.tx, activity, [(inbox, INBOXES[inbox]) for inbox in inboxes])
        self.rules.queue(activity.id, key, inboxes)

    def do(self, step: tuple[Any, ...]) -> None:
        match step:
            case ("queue", key, inboxes):
                self.queue(key, inboxes)
            case ("attempt", outcomes, times, is_expired):
                for _ in range(times):
                    attempt_first_of_each_lane(self.tx, self.rules, outcomes, is_expired=is_expired)
            case ("contact", at):
                check_contact(self.tx, at)
            case ("give up", at):
                deliveries.give_up_host(self.tx, at, "given up by an admin")
                self.rules.give_up(at)
            case ("retry host", at):
                deliveries.retry_host(self.tx, at)
                for activity in self.activities:
                    self.rules.retry(activity.id, at)
            case ("retry", number) if number < len(self.activities):
                deliveries.retry(self.tx, self.activities[number])
                self.rules.retry(self.activities[number].id)

    def finish(self) -> None:
        """Once every server is available, everything that waits is delivered: no lane is stuck."""
        rounds = 2 * len(self.rules.rows) + 1
        while attempt_first_of_each_lane(self.tx, self.rules, ["delivered"], is_expired=False):
            compare(self.tx, self.rules)
            rounds -= 1
            assert rounds > 0
        assert not list(self.rules.waiting())


@given(rounds=rounds)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_any_sequence_of_responses_keeps_rows_jobs_and_lanes_consistent(
    db: Database, pairs: dict[str, Any], rounds: list[tuple[Any, ...]]
) -> None:
    def play(tx: Writer) -> None:
        sequence = Sequence(tx, accounts.create_local(tx, "alice", pair=pairs["alice"]))
        for step in itertools.chain.from_iterable(rounds):
            sequence.do(step)
            compare(tx, sequence.rules)
        sequence.finish()
        raise RollBack

    with contextlib.suppress(RollBack):
        await db.write(play)
