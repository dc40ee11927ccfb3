from __future__ import annotations

from node.accounts import accounts
from node.auth import access_tokens, sessions, users
from node.database import Database, Reader, Writer
from node.interactions import blocks, follows, likes
from node.jobs.queue import Job
from node.lifecycle import account_deletion
from node.models.account import Account
from node.node import Node
from node.posts.drafts import Draft
from node.publishing import publishing
from tests.support import people


def rows(tx: Reader, account: Account) -> dict[str, int]:
    """How many rows of each table still refer to an account."""
    conditions = {
        "follows": "follower_id = :id OR followed_id = :id",
        "blocks": "account_id = :id OR target_id = :id",
        "mutes": "account_id = :id OR target_id = :id",
        "notifications": "account_id = :id OR by_id = :id",
        "sessions": "account_id = :id",
        "tokens": "account_id = :id",
        "users": "account_id = :id",
        "likes": "account_id = :id",
        "feed": "by_id = :id AND account_id <> :id",
        "posts": "account_id = :id AND deleted_at IS NULL",
    }
    return {
        table: count
        for table, where in conditions.items()
        if (count := tx.value(f"SELECT COUNT(*) FROM {table} WHERE {where}", id=account.id))
    }


async def delete(node: Node, account: Account) -> None:
    await node.db.write(account_deletion.delete_account, account)
    await account_deletion.delete_content(node, Job(1, "forget_person", "", {"id": account.id}, 1))


async def test_a_deleted_account_keeps_nothing_but_its_name(
    node: Node, db: Database, alice: Account, bob: Account, mallory: Account
) -> None:
    def given(tx: Writer) -> None:
        users.create(tx, alice, email="alice@a.test", password_hash="x")
        sessions.start(tx, alice, "")
        access_tokens.create(tx, alice, {"read"}, "Camera")
        follows.follow(tx, alice, bob)
        follows.follow(tx, bob, alice)
        blocks.block(tx, alice, mallory)
        blocks.mute(tx, bob, alice)
        blocks.unmute(tx, bob, alice)
        for n in range(account_deletion.BATCH_SIZE + 5):
            publishing.publish(tx, alice, Draft(caption=f"Lake {n}"))
        likes.like(tx, alice, publishing.publish(tx, bob, Draft(caption="Hill")))

    await db.write(given)
    assert len(await db.read(rows, alice)) > 6

    await delete(node, alice)

    assert await db.read(rows, alice) == {}
    gone = await db.read(accounts.get, alice.id)
    assert gone.deleted_at is not None
    assert (gone.display_name, gone.bio, gone.posts_count) == ("", "", 0)
    assert (await db.read(accounts.get, bob.id)).followers_count == 0
    assert (
        await db.read(
            lambda tx: tx.value("SELECT MAX(likes_count) FROM posts WHERE account_id = :id", id=bob.id)
        )
        == 0
    )
    assert (await db.read(people.verbs_of, alice)).count("Delete") == 1


async def test_deleting_an_account_twice_sends_one_delete(node: Node, db: Database, alice: Account) -> None:
    await delete(node, alice)
    await delete(node, alice)

    assert await db.read(people.verbs_of, alice) == ["Delete"]


async def test_deleting_a_remote_account_sends_nothing(node: Node, db: Database, alice: Account) -> None:
    rita = await db.write(people.remote)
    await db.write(follows.follow, rita, alice, uri=rita.uri + "#f")

    await delete(node, rita)

    assert await db.read(rows, rita) == {}
    assert (await db.read(accounts.get, alice.id)).followers_count == 0
    assert await db.read(people.verbs_of, alice) == ["Accept"]


async def test_the_job_leaves_an_account_that_is_not_deleted(
    node: Node, db: Database, alice: Account
) -> None:
    await db.write(publishing.publish, alice, Draft(caption="Lake"))

    await account_deletion.delete_content(node, Job(1, "forget_person", "", {"id": alice.id}, 1))

    assert await db.read(rows, alice) == {"posts": 1}
