"""Follower synchronization (FEP-8fcf): which headers queue a job, and what a list corrects."""

from __future__ import annotations

import time

import pytest

from activitypub import signatures
from activitypub.inbox import follower_sync
from activitypub.remote import actors
from activitypub.signatures import follower_digest
from activitypub.signatures.follower_digest import SynchronizationHeader
from node.accounts import relationships
from node.database import Writer
from node.ids import now_ms
from node.interactions import follows
from node.models.account import Account
from node.node import Node
from tests.support.people import remote, verbs_of
from tests.support.posting import follow
from tests.support.received import jobs
from tests.support.signed import inbox_request, signer

PARTIAL = "https://far.example/users/rita/followers?domain=tintype.test"


def _header(rita: Account, *follower_uris: str) -> SynchronizationHeader:
    return SynchronizationHeader(
        rita.followers_uri or "", PARTIAL, follower_digest.compute_digest(follower_uris)
    )


async def _check(node: Node, rita: Account, sync: SynchronizationHeader, *, is_signed: bool = True) -> None:
    value = f'collectionId="{sync.collection}", url="{sync.url}", digest="{sync.digest}"'
    field = (follower_digest.HEADER, value)
    request = inbox_request(rita, node.site, {}, extra=[field] if is_signed else ())
    if not is_signed:
        assert isinstance(request.headers, list)
        request.headers.append((field[0].lower(), value))
    claim = signatures.parse_claim(request, time.time())
    await follower_sync.check_header(node, request, claim, await actors.find_key(node, claim.key_id))


async def _rita_followed_by(node: Node, follower: Account) -> Account:
    def unit(tx: Writer) -> Account:
        rita = signer(tx)
        follow(tx, follower, rita)
        return rita

    return await node.db.write(unit)


async def test_a_digest_that_differs_queues_one_job(node: Node, alice: Account) -> None:
    rita = await _rita_followed_by(node, alice)
    for _ in range(2):
        await _check(node, rita, _header(rita))
    (job,) = await node.db.read(jobs, "synchronize")
    assert (job["by"], job["url"]) == (rita.id, PARTIAL)


@pytest.mark.parametrize("case", ["the same followers", "not signed", "of another account"])
async def test_a_header_that_is_not_acted_on(node: Node, alice: Account, case: str) -> None:
    rita = await _rita_followed_by(node, alice)
    sync = _header(rita, *([alice.uri] if case == "the same followers" else []))
    if case == "of another account":
        sync = SynchronizationHeader("https://far.example/users/omar/followers", sync.url, sync.digest)
    await _check(node, rita, sync, is_signed=case != "not signed")
    assert await node.db.read(jobs, "synchronize") == []


async def test_a_follow_that_the_server_does_not_list_is_removed_unless_it_is_new(
    node: Node, alice: Account, bob: Account
) -> None:
    rita = await _rita_followed_by(node, alice)

    def unit(tx: Writer) -> None:
        follow(tx, bob, rita)
        old = now_ms() - 2 * follower_sync.MIN_FOLLOW_AGE_MS
        tx.run("UPDATE follows SET accepted_at = :at WHERE follower_id = :id", at=old, id=alice.id)
        follower_sync._apply_correction(tx, rita, _header(rita), [])
        assert relationships.follow_between(tx, alice, rita) is None
        assert relationships.follow_between(tx, bob, rita) is not None

    await node.db.write(unit)


async def test_a_listed_follow_is_accepted_or_undone(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        follows.follow(tx, alice, rita)
        listed = [alice.uri, bob.uri]
        follower_sync._apply_correction(tx, rita, _header(rita, *listed), listed)
        pending = relationships.follow_between(tx, alice, rita)
        assert pending is not None
        assert pending.is_accepted
        assert verbs_of(tx, bob) == ["Undo"], "bob does not follow"

    await node.db.write(unit)


async def test_a_list_that_does_not_match_its_digest_changes_nothing(node: Node, alice: Account) -> None:
    rita = await _rita_followed_by(node, alice)

    def unit(tx: Writer) -> None:
        tx.run("UPDATE follows SET accepted_at = 1")
        follower_sync._apply_correction(tx, rita, _header(rita, "https://tintype.test/users/x"), [])
        assert relationships.follow_between(tx, alice, rita) is not None

    await node.db.write(unit)


async def test_a_server_gets_only_its_own_accounts_of_the_followers(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        for name, host in (("rita", "far.example"), ("anna", "far.example"), ("omar", "third.example")):
            follow(tx, remote(tx, name, host), alice)
        found = follower_sync.followers_on_server(tx, alice, "https://far.example/users/rita")
        assert found == ["https://far.example/users/anna", "https://far.example/users/rita"]

    await node.db.write(unit)
