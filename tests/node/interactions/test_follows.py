from __future__ import annotations

import pytest

from node.accounts import accounts, relationships
from node.database import Database, Reader, Writer
from node.errors import Conflict, Invalid, NotAllowed, NotFound
from node.ids import now_ms
from node.interactions import blocks, follows
from node.lifecycle import account_deletion, profiles
from node.models.account import Account
from node.moderation import domain_rules
from node.paging import Page
from tests.support import people


def counts(tx: Reader, account: Account) -> tuple[int, int]:
    """(following, followers)"""
    now = accounts.get(tx, account.id)
    return now.following_count, now.followers_count


async def test_following_an_open_local_account_is_accepted_at_once(
    db: Database, alice: Account, bob: Account
) -> None:
    made = await db.write(follows.follow, bob, alice)

    assert made.is_accepted
    assert await db.read(counts, bob) == (1, 0)
    assert await db.read(counts, alice) == (0, 1)
    assert await db.read(people.notifications_of, alice) == [("follow", bob.id)]
    assert await db.read(people.verbs_of, bob) == []  # no remote account needs to know


async def test_following_twice_changes_nothing_but_whether_boosts_show(
    db: Database, alice: Account, bob: Account
) -> None:
    first = await db.write(follows.follow, bob, alice)
    second = await db.write(follows.follow, bob, alice, shows_boosts=False)

    assert (first.id, first.uri) == (second.id, second.uri)
    assert not second.shows_boosts
    assert await db.read(counts, alice) == (0, 1)
    assert len(await db.read(people.notifications_of, alice)) == 1


async def test_a_locked_account_gets_a_request_and_accepts_it(
    db: Database, alice: Account, bob: Account
) -> None:
    locked = await db.write(people.lock, alice)
    request = await db.write(follows.follow, bob, locked)

    assert not request.is_accepted
    assert await db.read(counts, alice) == (0, 0)
    assert await db.read(people.notifications_of, alice) == [("follow_request", bob.id)]
    assert [one.account for one in await db.read(follows.requests, alice, Page())] == [bob]
    assert await db.read(follows.requests_count, alice) == 1

    await db.write(follows.accept, request)

    assert await db.read(counts, alice) == (0, 1)
    assert await db.read(people.notifications_of, alice) == [("follow", bob.id)]
    assert await db.read(follows.requests, alice, Page()) == []


async def test_accepting_twice_counts_once_and_a_withdrawn_request_cannot_be_accepted(
    db: Database, alice: Account, bob: Account
) -> None:
    locked = await db.write(people.lock, alice)
    request = await db.write(follows.follow, bob, locked)
    await db.write(follows.accept, request)
    again = await db.write(follows.accept, request)

    assert again.is_accepted
    assert await db.read(counts, alice) == (0, 1)

    await db.write(follows.unfollow, bob, alice)
    with pytest.raises(NotFound):
        await db.write(follows.accept, request)


async def test_unlocking_accepts_no_request_by_itself(db: Database, alice: Account, bob: Account) -> None:
    locked = await db.write(people.lock, alice)
    await db.write(follows.follow, bob, locked)
    await db.write(
        profiles.update_profile,
        locked,
        display_name="",
        bio="",
        is_locked=False,
        is_discoverable=True,
        is_indexable=False,
    )

    kept = await db.read(relationships.follow_between, bob, alice)
    assert kept is not None
    assert not kept.is_accepted


async def test_a_remote_account_is_not_followed_before_its_accept(db: Database, alice: Account) -> None:
    rita = await db.write(people.remote, is_locked=False)
    request = await db.write(follows.follow, alice, rita)

    assert not request.is_accepted
    assert request.uri == f"{alice.uri}#follows/{request.id}"
    assert await db.read(counts, alice) == (0, 0)
    assert await db.read(people.activities_of, alice) == [("Follow", rita.uri, {})]

    await db.write(follows.accept, request)

    assert await db.read(counts, alice) == (1, 0)
    assert await db.read(people.verbs_of, rita) == []  # their own server has said it
    assert await db.read(people.notifications_of, rita) == []


async def test_a_reject_after_the_accept_ends_the_follow(db: Database, alice: Account) -> None:
    rita = await db.write(people.remote)
    request = await db.write(follows.follow, alice, rita)
    await db.write(follows.accept, request)

    await db.write(follows.reject, request)

    assert await db.read(relationships.follow_between, alice, rita) is None
    assert await db.read(counts, alice) == (0, 0)


async def test_a_remote_follow_received_again_is_answered_again(db: Database, alice: Account) -> None:
    rita = await db.write(people.remote)
    follow_uri = rita.uri + "#follow-1"
    await db.write(follows.follow, rita, alice, uri=follow_uri)

    answer = {"follow": {"uri": follow_uri, "actor": rita.uri, "object": alice.uri}}
    assert await db.read(people.activities_of, alice) == [("Accept", follow_uri, answer)]

    again = rita.uri + "#follow-2"
    await db.write(follows.follow, rita, alice, uri=again)

    last = (await db.read(people.activities_of, alice))[-1]
    assert last[0] == "Accept"
    assert last[2]["follow"]["uri"] == again
    assert await db.read(counts, alice) == (0, 1)
    found = await db.read(relationships.follow_by_uri, again)
    assert found is not None


async def test_a_locked_account_answers_a_remote_request_once_decided(db: Database, alice: Account) -> None:
    locked = await db.write(people.lock, alice)
    rita, sam = await db.write(people.remote), await db.write(people.remote, "sam")
    one = await db.write(follows.follow, rita, locked, uri=rita.uri + "#f")
    two = await db.write(follows.follow, sam, locked, uri=sam.uri + "#f")
    await db.write(follows.follow, sam, locked, uri=sam.uri + "#f")
    assert await db.read(people.verbs_of, alice) == ["Update"]

    await db.write(follows.accept, one)
    await db.write(follows.reject, two)

    assert await db.read(people.verbs_of, alice) == ["Update", "Accept", "Reject"]
    assert await db.read(relationships.follow_between, sam, alice) is None
    assert await db.read(people.notifications_of, alice) == [("follow", rita.id)]


async def test_unfollowing_a_remote_account_sends_an_undo_of_the_follow(db: Database, alice: Account) -> None:
    rita = await db.write(people.remote)
    request = await db.write(follows.follow, alice, rita)
    await db.write(follows.unfollow, alice, rita)
    await db.write(follows.unfollow, alice, rita)

    undone = {"verb": "Follow", "uri": request.uri, "object_uri": rita.uri}
    assert await db.read(people.activities_of, alice) == [
        ("Follow", rita.uri, {}),
        ("Undo", request.uri, undone),
    ]


async def test_a_follower_can_be_removed_without_a_block(db: Database, alice: Account) -> None:
    rita = await db.write(people.remote)
    await db.write(follows.follow, rita, alice, uri=rita.uri + "#f")
    await db.write(follows.remove_follower, alice, rita)

    assert await db.read(people.verbs_of, alice) == ["Accept", "Reject"]
    assert await db.read(counts, alice) == (0, 0)
    assert await db.read(people.notifications_of, alice) == []


GOTOSOCIAL_FOLLOW = "/follow/01J5QVB9TFE0XHR6RPKZ1VN4ZQ"


async def test_gotosocial_ends_a_removed_follow_by_a_block_that_is_taken_back(
    db: Database, alice: Account
) -> None:
    rita = await db.write(people.remote)
    await db.write(follows.follow, rita, alice, uri=rita.uri + GOTOSOCIAL_FOLLOW)
    await db.write(follows.remove_follower, alice, rita)

    assert await db.read(people.verbs_of, alice) == ["Accept", "Reject", "Block", "Undo"]
    assert not await db.read(relationships.is_block_between, alice, rita)


async def test_a_follow_back_that_the_block_ends_there_is_requested_again(
    db: Database, alice: Account
) -> None:
    rita = await db.write(people.remote)
    await db.write(follows.follow, rita, alice, uri=rita.uri + GOTOSOCIAL_FOLLOW)
    first = await db.write(follows.follow, alice, rita)
    await db.write(follows.accept, first)
    await db.write(follows.remove_follower, alice, rita)

    verbs = ["Accept", "Follow", "Reject", "Block", "Undo", "Follow"]
    assert await db.read(people.verbs_of, alice) == verbs
    kept = await db.read(relationships.follow_between, alice, rita)
    assert kept is not None
    assert kept.is_accepted
    assert kept.uri != first.uri


async def test_a_follow_back_that_needs_approval_is_not_put_at_risk(db: Database, alice: Account) -> None:
    rita = await db.write(people.remote, is_locked=True)
    await db.write(follows.follow, rita, alice, uri=rita.uri + GOTOSOCIAL_FOLLOW)
    await db.write(follows.accept, await db.write(follows.follow, alice, rita))
    await db.write(follows.remove_follower, alice, rita)

    assert await db.read(people.verbs_of, alice) == ["Accept", "Follow", "Reject"]


async def test_a_block_in_either_direction_refuses_the_follow(
    db: Database, alice: Account, mallory: Account
) -> None:
    await db.write(blocks.block, alice, mallory)

    for follower, followed in ((mallory, alice), (alice, mallory)):
        with pytest.raises(NotFound):
            await db.write(follows.follow, follower, followed)


async def test_a_blocked_remote_follower_gets_a_reject(db: Database, alice: Account) -> None:
    rita = await db.write(people.remote)
    await db.write(blocks.block, alice, rita)
    await db.write(follows.send_reject, rita, alice, rita.uri + "#f")

    assert [(verb, object_uri) for verb, object_uri, _ in await db.read(people.activities_of, alice)] == [
        ("Block", rita.uri),
        ("Reject", rita.uri + "#f"),
    ]


async def test_who_cannot_be_followed_at_all(db: Database, alice: Account, bob: Account) -> None:
    rita = await db.write(people.remote)
    node_itself = await db.read(accounts.instance_actor)
    with pytest.raises(Invalid):
        await db.write(follows.follow, alice, alice)
    with pytest.raises(NotFound):
        await db.write(follows.follow, alice, node_itself)
    await db.write(domain_rules.block, "far.example")
    for follower, followed in ((alice, rita), (rita, alice)):
        with pytest.raises(NotAllowed):
            await db.write(follows.follow, follower, followed)
    await db.write(account_deletion.delete_account, bob)
    with pytest.raises(NotFound):
        await db.write(follows.follow, alice, await db.read(accounts.get, bob.id))


async def test_one_account_follows_only_so_many(
    db: Database, alice: Account, bob: Account, mallory: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follows, "MAX_FOLLOWED", 1)
    await db.write(follows.follow, mallory, alice)

    with pytest.raises(NotAllowed, match="Unfollow some"):
        await db.write(follows.follow, mallory, bob)
    assert await db.write(follows.follow, mallory, alice, shows_boosts=False)


async def test_a_follow_between_two_remote_accounts_is_refused(db: Database) -> None:
    rita, sam = await db.write(people.remote), await db.write(people.remote, "sam")

    with pytest.raises(Invalid):
        await db.write(follows.follow, rita, sam, uri=rita.uri + "#f")


async def test_one_follow_id_cannot_stand_for_two_follows(db: Database, alice: Account, bob: Account) -> None:
    rita = await db.write(people.remote)
    await db.write(follows.follow, rita, alice, uri=rita.uri + "#f")

    with pytest.raises(Conflict):
        await db.write(follows.follow, rita, bob, uri=rita.uri + "#f")
    await db.write(follows.follow, rita, bob, uri=rita.uri + "#g")
    with pytest.raises(Conflict):
        await db.write(follows.follow, rita, bob, uri=rita.uri + "#f")


async def test_an_unanswered_request_is_sent_again_only_after_a_day(db: Database, alice: Account) -> None:
    rita = await db.write(people.remote)
    request = await db.write(follows.follow, alice, rita)
    await db.write(follows.follow, alice, rita)
    assert await db.read(people.verbs_of, alice) == ["Follow"]

    def yesterday(tx: Writer) -> None:
        before = now_ms() - follows.RESEND_REQUEST_AFTER_MS - 1000
        tx.run("UPDATE follows SET created_at = :at WHERE id = :id", at=before, id=request.id)

    await db.write(yesterday)
    await db.write(follows.follow, alice, rita)
    await db.write(follows.follow, alice, rita)

    assert await db.read(people.verbs_of, alice) == ["Follow", "Follow"]


async def test_lists_leave_out_deleted_accounts_and_blocks_with_the_viewer(
    db: Database, alice: Account, bob: Account, mallory: Account
) -> None:
    rita = await db.write(people.remote)
    for follower in (bob, mallory):
        await db.write(follows.follow, follower, alice)
    await db.write(follows.follow, rita, alice, uri=rita.uri + "#f")
    await db.write(blocks.block, bob, mallory)

    async def names(viewer: Account | None) -> list[str]:
        return [one.account.name for one in await db.read(follows.followers, alice, viewer, Page())]

    assert await names(None) == ["rita", "mallory", "bob"]
    assert await names(bob) == ["rita", "bob"]
    await db.write(accounts.set_visible, rita.id, is_visible=False)
    assert await names(alice) == ["mallory", "bob"]
    assert [one.account for one in await db.read(follows.following, bob, None, Page())] != []


async def test_lists_are_paged_both_ways(db: Database, alice: Account) -> None:
    def given(tx: Writer) -> None:
        for n in range(7):
            rita = people.remote(tx, f"r{n}")
            follows.follow(tx, rita, alice, uri=rita.uri + "#f")

    await db.write(given)

    def listed(tx: Reader, page: Page) -> list[int]:
        return [int(one.account.name[1:]) for one in follows.followers(tx, alice, None, page)]

    def id_of(tx: Reader, n: int) -> int:
        return int(
            tx.value(
                "SELECT f.id FROM follows f JOIN accounts a ON a.id = f.follower_id WHERE a.name = :name",
                name=f"r{n}",
            )
        )

    fourth = await db.read(id_of, 4)
    assert await db.read(listed, Page(limit=3)) == [6, 5, 4]
    assert await db.read(listed, Page(max_id=fourth, limit=3)) == [3, 2, 1]
    assert await db.read(listed, Page(since_id=await db.read(id_of, 1), limit=3)) == [6, 5, 4]
    assert await db.read(listed, Page(min_id=await db.read(id_of, 1), limit=3)) == [4, 3, 2]
    assert await db.read(listed, Page(max_id=0, limit=2)) == [6, 5]
    assert await db.read(listed, Page(max_id=2**70, limit=2)) == [6, 5]


async def test_the_follows_of_a_deleted_account_are_deleted(
    db: Database, alice: Account, bob: Account
) -> None:
    rita = await db.write(people.remote)
    await db.write(follows.follow, alice, bob)
    await db.write(follows.follow, bob, alice)
    await db.write(follows.follow, rita, alice, uri=rita.uri + "#f")

    await db.write(account_deletion.delete_account, alice)

    assert await db.read(counts, bob) == (0, 0)
    assert await db.read(lambda tx: tx.value("SELECT COUNT(*) FROM follows")) == 0
    farewell = (await db.read(people.activities_of, alice))[-1]
    assert farewell == ("Delete", alice.uri, {"inboxes": ["https://far.example/inbox"]})
    assert await db.read(people.notifications_of, bob) == []
