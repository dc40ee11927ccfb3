"""Row B15 of the security table: a move is believed only if both accounts say so themselves, just now."""

from __future__ import annotations

from typing import Any

import pytest

from activitypub import actors
from federation_tests.fediverse import Fediverse, Person
from federation_tests.security.scenes import alice_follows_rita
from federation_tests.strangers import Stranger


async def _follows(alice: Person, name: str) -> bool:
    def unit(tx: Any) -> bool:
        sql = """SELECT 1 FROM follows f JOIN accounts a ON a.id = f.followed_id
                 WHERE f.follower_id = :me AND a.name = :name"""
        return tx.value(sql, me=alice.id, name=name) is not None

    return await alice.node.db.read(unit)


@pytest.mark.parametrize(
    "case",
    ["right", "no alias", "alias only in what was known", "moved on", "not the signer", "elsewhere", "twice"],
)
async def test_B15_a_move_is_believed_only_if_both_accounts_say_so_now(
    fediverse: Fediverse, evil: Stranger, other: Stranger, case: str
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    rita = f"{evil.base}/users/rita"
    new = other.person("nina", alsoKnownAs=[rita])
    if case == "no alias":
        other.person("nina")
    if case == "alias only in what was known":
        await actors.find(alice.node, new)
        other.person("nina", alsoKnownAs=["https://elsewhere.example/rita"])
    if case == "moved on":
        other.person("nina", alsoKnownAs=[rita], movedTo=other.person("third", alsoKnownAs=[new]))
    if case == "elsewhere":
        evil.person("rita", movedTo=f"{other.base}/users/somebody")
    subject = rita
    if case == "not the signer":
        evil.person("mallory")
        move = evil.activity("mallory", "Move", rita, target=new)
        status = await evil.send(alice.node, "mallory", move)
    else:
        move = evil.activity("rita", "Move", subject, target=new)
        status = await evil.send(alice.node, "rita", move)
    assert status == 202
    await fediverse.settle()
    assert await _follows(alice, "nina") is (case in ("right", "twice"))
    assert await _follows(alice, "rita") is (case not in ("right", "twice"))
    if case == "twice":
        # Nobody is led round in circles.
        third = other.person("third", alsoKnownAs=[new, rita])
        await evil.send(alice.node, "rita", evil.activity("rita", "Move", rita, target=third))
        await fediverse.settle()
        assert not await _follows(alice, "third")
