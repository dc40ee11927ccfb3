"""Outgoing activities: recorded for local actors only, sent once, and replaced by later ones."""

from __future__ import annotations

from typing import Any

import pytest

from node.accounts import accounts
from node.database import Reader, Writer
from node.federation import deliveries, outbox
from node.federation.outbox import OutgoingActivity
from node.ids import now_ms
from node.jobs import queue
from node.models.account import Account
from node.node import Node
from node.posts.drafts import Draft
from node.publishing import post_deletion, publishing
from tests.support import people

LIKES = "https://tintype.test/likes"


def record(tx: Writer, actor: Account, verb: str, object_uri: str, **extra: Any) -> OutgoingActivity:
    """Records an activity and returns it."""
    outbox.record(tx, actor, verb, object_uri, **extra)
    activity = outbox.by_id(tx, tx.value("SELECT MAX(id) FROM outbox"))
    assert activity is not None
    return activity


def count(tx: Reader) -> tuple[int, int]:
    """Activities, and jobs that will fan them out."""
    activities: int = tx.value("SELECT COUNT(*) FROM outbox")
    jobs: int = tx.value("SELECT COUNT(*) FROM jobs WHERE kind = 'fan_out'")
    return activities, jobs


async def test_an_activity_of_a_local_account_is_queued_with_it(node: Node, alice: Account) -> None:
    before = await node.db.read(count)

    activity = await node.db.write(record, alice, "Like", f"{LIKES}/1", extra={"why": "light"})

    assert activity.details == {"why": "light"}
    assert activity.uri.startswith("https://tintype.test/users/alice/activities/")
    assert await node.db.read(count) == (before[0] + 1, before[1] + 1)


async def test_an_activity_of_a_remote_account_never_goes_out(node: Node) -> None:
    rita = await node.db.write(people.remote)
    before = await node.db.read(count)

    await node.db.write(outbox.record, rita, "Like", f"{LIKES}/1")
    await node.db.write(outbox.forward, rita, "https://far.example/a", "https://far.example/o", "{}")

    assert await node.db.read(count) == before


async def test_an_action_that_fails_records_nothing(node: Node, alice: Account) -> None:
    before = await node.db.read(count)

    def action(tx: Writer) -> None:
        outbox.record(tx, alice, "Like", f"{LIKES}/1")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await node.db.write(action)
    assert await node.db.read(count) == before


async def test_a_create_is_named_after_its_post(node: Node, alice: Account) -> None:
    activity = await node.db.write(record, alice, "Create", "https://tintype.test/posts/1")

    assert activity.uri == "https://tintype.test/posts/1/activity"
    assert await node.db.read(outbox.by_uri, activity.uri) == activity


async def test_activities_of_one_account_fan_out_in_order(node: Node, alice: Account, bob: Account) -> None:
    await node.db.write(lambda tx: tx.run("DELETE FROM jobs"))
    first = await node.db.write(record, alice, "Like", f"{LIKES}/1")
    await node.db.write(record, alice, "Like", f"{LIKES}/2")
    other = await node.db.write(record, bob, "Like", f"{LIKES}/1")

    jobs = await node.db.write(queue.claim, "fan_out", 10, now_ms())

    assert [job.payload["id"] for job in jobs] == [first.id, other.id]


async def test_an_activity_is_forwarded_once_as_it_was_received(node: Node, alice: Account) -> None:
    before = await node.db.read(count)
    args = (alice, "https://far.example/a", "https://far.example/o")

    await node.db.write(outbox.forward, *args, '{"as": "received"}')
    await node.db.write(outbox.forward, *args, '{"something": "else"}')

    activity = await node.db.read(outbox.by_uri, "https://far.example/a")
    assert activity is not None
    assert activity.document == '{"as": "received"}'
    assert await node.db.read(count) == (before[0] + 1, before[1] + 1)
    assert await node.db.read(outbox.has_forwarded, alice, "https://far.example/o")
    assert not await node.db.read(outbox.has_forwarded, alice, "https://far.example/p")


async def test_a_document_is_kept_until_it_must_be_rendered_again(node: Node, alice: Account) -> None:
    like = await node.db.write(record, alice, "Like", f"{LIKES}/1")
    await node.db.write(outbox.forward, alice, "https://far.example/a", "https://far.example/o", "{}")
    forwarded = await node.db.read(outbox.by_uri, "https://far.example/a")
    assert forwarded is not None
    ids = [like.id, forwarded.id]
    assert await node.db.read(outbox.documents, ids) == {forwarded.id: "{}"}

    await node.db.write(outbox.save_document, like, '{"type": "Like"}')
    assert await node.db.read(outbox.documents, ids) == {like.id: '{"type": "Like"}', forwarded.id: "{}"}

    for activity in (like, forwarded):
        await node.db.write(outbox.clear_document, activity)
    # What another account wrote can never be rendered here.
    assert await node.db.read(outbox.documents, ids) == {forwarded.id: "{}"}


async def test_a_deleted_post_withdraws_its_create_but_not_its_delete(node: Node, alice: Account) -> None:
    kept, deleted = [
        await node.db.write(publishing.publish, alice, Draft(caption=text)) for text in ("One", "Two")
    ]
    await node.db.write(post_deletion.delete, alice, deleted)

    def withdrawn(tx: Reader) -> list[tuple[int, str]]:
        ids = outbox.withdrawn_ids(tx, [row["id"] for row in tx.all("SELECT id FROM outbox")])
        rows = tx.all("SELECT post_id, verb FROM outbox WHERE id IN (:ids)", ids=ids)
        return [(row["post_id"], row["verb"]) for row in rows]

    assert await node.db.read(withdrawn) == [(deleted.id, "Create")]
    assert kept.id != deleted.id


async def test_a_suspended_author_withdraws_all_their_posts(node: Node, alice: Account) -> None:
    post = await node.db.write(publishing.publish, alice, Draft(caption="One"))
    created = await node.db.read(outbox.by_uri, f"{post.uri}/activity")
    assert created is not None
    assert await node.db.read(outbox.withdrawn_ids, [created.id]) == set()

    await node.db.write(accounts.set_visible, alice.id, is_visible=False)

    assert await node.db.read(outbox.withdrawn_ids, [created.id]) == {created.id}


@pytest.mark.parametrize(
    ("earlier", "later", "is_superseded"),
    [
        (("Like", "o", {}), ("Undo", f"{LIKES}/first", {"uri": f"{LIKES}/first"}), True),
        (("Like", "o", {}), ("Undo", f"{LIKES}/other", {"uri": f"{LIKES}/other"}), False),
        (("Undo", f"{LIKES}/0", {"verb": "Like", "object_uri": "o"}), ("Like", "o", {}), True),
        (("Undo", f"{LIKES}/0", {"verb": "Like", "object_uri": "o"}), ("Announce", "o", {}), False),
        (("Create", "o", {}), ("Delete", "o", {}), True),
        (("Create", "o", {}), ("Delete", "p", {}), False),
        (("Update", "o", {}), ("Update", "o", {}), True),
        (("Accept", "o", {}), ("Reject", "o", {}), True),
        (("Accept", "o", {}), ("Reject", "p", {}), False),
        (("Add", "o", {}), ("Remove", "o", {}), True),
        (("Like", "o", {}), ("Announce", "o", {}), False),
    ],
)
async def test_a_later_activity_may_supersede_an_earlier_one(
    node: Node,
    alice: Account,
    bob: Account,
    earlier: tuple[str, str, dict[str, Any]],
    later: tuple[str, str, dict[str, Any]],
    is_superseded: bool,
) -> None:
    def recorded(tx: Writer, actor: Account, values: tuple[str, str, dict[str, Any]], name: str) -> Any:
        verb, object_uri, extra = values
        return record(tx, actor, verb, object_uri, uri=f"{LIKES}/{name}", target=bob, extra=extra)

    first = await node.db.write(recorded, alice, earlier, "first")
    # What somebody else does later changes nothing.
    await node.db.write(recorded, bob, later, "of bob")
    assert not await node.db.read(outbox.is_superseded, first)

    second = await node.db.write(recorded, alice, later, "second")

    assert await node.db.read(outbox.is_superseded, first) is is_superseded
    assert not await node.db.read(outbox.is_superseded, second)


async def test_an_activity_is_forgotten_only_after_its_deliveries(node: Node, alice: Account) -> None:
    kept = await node.db.write(record, alice, "Like", f"{LIKES}/1")
    forgotten = await node.db.write(record, alice, "Like", f"{LIKES}/2")
    await node.db.write(deliveries.queue, kept, [("https://lake.example/inbox", "lake.example")])
    later = now_ms() + outbox.RETENTION_MS + 1000

    await node.db.write(outbox.clean_up, later)

    assert await node.db.read(outbox.by_id, kept.id) == kept
    assert await node.db.read(outbox.by_id, forgotten.id) is None
