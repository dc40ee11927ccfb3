"""The job `apply_policy`: what a change of domain rules does to follows, deliveries and files."""

from __future__ import annotations

import pytest

from node.accounts import accounts, relationships
from node.admin import domain_enforcement
from node.attachments import avatars, photo_rows, photos
from node.attachments.stored_files import StoredFile
from node.database import Database, Reader, Writer
from node.federation import deliveries, outbox
from node.interactions import blocks
from node.jobs.queue import Job
from node.models.account import Account
from node.moderation import domain_rules
from node.node import Node
from tests.support.people import remote, verbs_of
from tests.support.posting import follow, picture, receive_post


async def run_job(node: Node, *, everybody: bool = False) -> None:
    payload = {"everybody": True} if everybody else {}
    await domain_enforcement.apply_policy(node, Job(1, "apply_policy", "", payload, 1))


async def follow_count(db: Database) -> int:
    return int(await db.read(lambda tx: tx.value("SELECT COUNT(*) FROM follows")))


async def severed_count(db: Database) -> int:
    return int(await db.read(lambda tx: tx.value("SELECT COUNT(*) FROM severed_follows")))


def waiting_hosts(tx: Reader) -> list[str]:
    rows = tx.all("SELECT host FROM deliveries WHERE state = 'waiting' ORDER BY host")
    return [row["host"] for row in rows]


@pytest.fixture
async def circle(node: Node, alice: Account, bob: Account) -> list[Account]:
    """Five accounts of one server; each follows alice and is followed by bob."""

    def given(tx: Writer) -> list[Account]:
        people = [remote(tx, f"r{number}") for number in range(5)]
        for person in people:
            follow(tx, person, alice)
            follow(tx, bob, person)
        return people

    return await node.db.write(given)


async def test_all_follows_of_a_suspended_server_end_in_batches(
    node: Node, circle: list[Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domain_enforcement, "BATCH_SIZE", 2)
    await node.db.write(domain_rules.block, "far.example")

    await run_job(node)

    assert (await follow_count(node.db), await severed_count(node.db)) == (0, 10)


async def test_ending_and_restoring_follows_sends_no_activity(
    node: Node, alice: Account, bob: Account, circle: list[Account]
) -> None:
    before = [await node.db.read(verbs_of, one) for one in (alice, bob)]

    await node.db.write(domain_rules.block, "far.example")
    await run_job(node)
    await node.db.write(domain_rules.unblock, "far.example")
    await run_job(node)

    assert [await node.db.read(verbs_of, one) for one in (alice, bob)] == before
    assert await follow_count(node.db) == 10


async def test_the_job_may_run_twice(node: Node, circle: list[Account]) -> None:
    await node.db.write(domain_rules.block, "far.example")
    await run_job(node)
    await run_job(node)
    assert (await follow_count(node.db), await severed_count(node.db)) == (0, 10)

    await node.db.write(domain_rules.unblock, "far.example")
    await run_job(node)
    await run_job(node)

    assert (await follow_count(node.db), await severed_count(node.db)) == (10, 0)


async def test_a_follow_is_not_restored_to_a_blocked_or_deleted_account(
    node: Node, alice: Account, bob: Account, circle: list[Account]
) -> None:
    await node.db.write(domain_rules.block, "far.example")
    await run_job(node)
    await node.db.write(blocks.block, bob, circle[0])
    await node.db.write(accounts.mark_deleted, circle[1].id)
    await node.db.write(domain_rules.unblock, "far.example")

    await run_job(node)

    assert await node.db.read(relationships.follow_between, bob, circle[0]) is None
    assert await node.db.read(relationships.follow_between, circle[0], alice) is not None
    assert await node.db.read(relationships.follow_between, circle[1], alice) is None
    assert await node.db.read(relationships.follow_between, bob, circle[2]) is not None
    assert await severed_count(node.db) == 0


async def test_follows_stay_severed_while_one_side_is_suspended(
    node: Node, alice: Account, circle: list[Account]
) -> None:
    await node.db.write(domain_rules.block, "far.example")
    await run_job(node)
    await node.db.write(domain_rules.block, "example")
    await node.db.write(domain_rules.unblock, "far.example")

    await run_job(node)

    assert (await follow_count(node.db), await severed_count(node.db)) == (0, 10)


async def test_deliveries_to_a_host_without_other_accounts_are_given_up(node: Node, alice: Account) -> None:
    def given(tx: Writer) -> None:
        remote(tx, "rita", "loud.example", uri="https://social.test/users/rita")
        remote(tx, "ron", "loud.example", uri="https://shared.test/users/ron")
        remote(tx, "kim", "calm.example", uri="https://shared.test/users/kim")
        outbox.record(tx, alice, "Update", alice.uri)
        activity = outbox.by_id(tx, tx.value("SELECT MAX(id) FROM outbox"))
        assert activity is not None
        hosts = ("social.test", "shared.test", "other.test")
        deliveries.queue(tx, activity, [(f"https://{host}/inbox", host) for host in hosts])

    await node.db.write(given)
    await node.db.write(domain_rules.block, "loud.example")

    await run_job(node)

    assert await node.db.read(waiting_hosts) == ["other.test", "shared.test"]


async def test_files_of_accounts_without_media_are_removed(node: Node) -> None:
    stored = StoredFile("aa/bb/cc.webp", 1, 1, 1)

    def given(tx: Writer) -> list[int]:
        people = [remote(tx, "rita"), remote(tx, "kim", "calm.example")]
        for person in people:
            post = receive_post(tx, person, photos=[picture()])
            [photo] = photo_rows.by_posts(tx, [post.id])[post.id]
            photos.add_files(tx, photo.id, {("medium", "webp"): stored})
            tx.run(
                """INSERT INTO avatar_files (account_id, variant, format, file, source_url, bytes)
                   VALUES (:id, :variant, 'webp', 'aa/bb/cc.webp', '', 1)""",
                id=person.id,
                variant=avatars.AVATAR.variant_names()[0],
            )
        return [person.id for person in people]

    def with_files(tx: Reader) -> tuple[list[int], list[int]]:
        shown = tx.all(
            """SELECT DISTINCT p.account_id FROM photo_files f JOIN photos ph ON ph.id = f.photo_id
               JOIN posts p ON p.id = ph.post_id"""
        )
        return (
            [row["account_id"] for row in shown],
            [row["account_id"] for row in tx.all("SELECT account_id FROM avatar_files")],
        )

    _, kim = await node.db.write(given)
    await node.db.write(domain_rules.block, "far.example", strength="none", rejects_media=True)

    await run_job(node)

    assert await node.db.read(with_files) == ([kim], [kim])


async def test_with_everybody_all_remote_accounts_are_marked_first(
    node: Node, circle: list[Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domain_rules, "MAX_SERVERS_IN_TRANSACTION", 0)
    monkeypatch.setattr(domain_rules, "ACCOUNTS_PER_BATCH", 2)
    await node.db.write(domain_rules.block, "far.example")
    assert not (await node.db.read(accounts.get, circle[0].id)).is_inactive

    await run_job(node, everybody=True)

    assert all([(await node.db.read(accounts.get, one.id)).is_inactive for one in circle])
    assert await follow_count(node.db) == 0
