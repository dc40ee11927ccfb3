from __future__ import annotations

from node.accounts import relationships
from node.accounts.relationships import Follow
from node.database import Database, Reader, Writer
from node.ids import now_ms
from node.interactions import follows, severed_follows
from node.models.account import Account
from tests.support.people import remote
from tests.support.posting import follow


def sever(tx: Writer, follower: Account, followed: Account) -> Follow:
    """What a suspension does with a follow."""
    ended = follows.remove_silently(tx, follower, followed)
    assert ended is not None
    severed_follows.record(tx, ended)
    return ended


def suspend_with_server(tx: Writer, account: Account, *, is_suspended: bool = True) -> None:
    tx.run("UPDATE accounts SET suspended_with_server = :to WHERE id = :id", to=is_suspended, id=account.id)


def stored(tx: Reader) -> int:
    return int(tx.value("SELECT COUNT(*) FROM severed_follows"))


async def test_a_severed_follow_is_restored_as_it_was(db: Database, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        follow(tx, alice, rita)
        before = relationships.follow_between(tx, alice, rita)
        ended = sever(tx, alice, rita)
        assert relationships.follow_between(tx, alice, rita) is None

        [restored] = severed_follows.take_restorable(tx, limit=10)
        assert restored == ended == before
        assert severed_follows.take_restorable(tx, limit=10) == []

    await db.write(unit)


async def test_a_follow_is_restored_only_once_its_server_is_not_suspended(
    db: Database, alice: Account
) -> None:
    def unit(tx: Writer) -> None:
        rita, sam = remote(tx), remote(tx, "sam", "other.example")
        for account in (rita, sam):
            follow(tx, account, alice)
            sever(tx, account, alice)
            suspend_with_server(tx, account)
        assert severed_follows.take_restorable(tx, limit=10) == []

        suspend_with_server(tx, sam, is_suspended=False)
        assert [one.follower_id for one in severed_follows.take_restorable(tx, limit=10)] == [sam.id]
        assert stored(tx) == 1

    await db.write(unit)


async def test_so_many_are_taken_at_a_time(db: Database, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        for name in ("rita", "sam", "tom"):
            account = remote(tx, name)
            follow(tx, account, alice)
            sever(tx, account, alice)
        assert [len(severed_follows.take_restorable(tx, limit=2)) for _ in range(3)] == [2, 1, 0]

    await db.write(unit)


async def test_the_same_pair_is_recorded_once(db: Database, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        for _ in range(2):
            follow(tx, alice, rita)
            sever(tx, alice, rita)
        assert stored(tx) == 1

    await db.write(unit)


async def test_follows_are_counted_by_server_and_direction(
    db: Database, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> None:
        rita, sam, other = remote(tx), remote(tx, "sam"), remote(tx, "tom", "other.example")
        follow(tx, rita, alice)
        follow(tx, bob, rita)
        follow(tx, bob, other)
        follow(tx, sam, bob)
        sever(tx, sam, bob)
        follow(tx, alice, bob)

        far, near = (rita.domain,) * 2, (other.domain,) * 2
        assert severed_follows.follow_counts(tx, [far]) == severed_follows.FollowCounts(1, 1, 1)
        assert severed_follows.follow_counts(tx, [far, near]) == severed_follows.FollowCounts(1, 2, 1)
        assert severed_follows.follow_counts(tx, []) == severed_follows.FollowCounts(0, 0, 0)

    await db.write(unit)


async def test_a_deleted_account_is_removed_in_both_directions(
    db: Database, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        for follower, followed in ((alice, rita), (rita, alice), (bob, rita)):
            follow(tx, follower, followed)
            sever(tx, follower, followed)

        severed_follows.delete_by_account(tx, alice)

        assert [one.follower_id for one in severed_follows.take_restorable(tx, limit=10)] == [bob.id]

    await db.write(unit)


async def test_after_a_year_they_are_deleted(db: Database, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        follow(tx, alice, rita)
        sever(tx, alice, rita)

        assert severed_follows.clean_up(tx, now_ms() + severed_follows.RETENTION_MS - 60_000) == 0
        assert severed_follows.clean_up(tx, now_ms() + severed_follows.RETENTION_MS + 60_000) == 1
        assert stored(tx) == 0

    await db.write(unit)
