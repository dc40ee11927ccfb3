"""Section B of the security table: moves, reused handles and deleted names, through the socket of a running node."""

from __future__ import annotations

from typing import Any

import pytest

from activitypub.remote import actors
from federation_tests.fediverse import Fediverse, Person
from federation_tests.remote_server import RemoteServer
from federation_tests.security.scenes import alice_follows_rita
from node.accounts import accounts, relationships
from node.database import Reader
from node.errors import Conflict
from node.interactions import follows
from node.moderation import domain_rules
from node.paging import Page


async def follows_uri(person: Person, uri: str) -> bool:
    def unit(tx: Reader) -> bool:
        other = accounts.by_uri(tx, uri)
        found = (
            None if other is None else relationships.follow_between(tx, accounts.get(tx, person.id), other)
        )
        return found is not None

    return await person.node.db.read(unit)


SPOOFS = [
    "the target does not name the old account",
    "the target named it once",
    "only an embedded document names it",
    "another actor signs",
    "another account is moved",
    "the old account moved to a third",
    "the target has moved itself",
    "to a suspended server",
    "to itself",
    "a chain",
]


@pytest.mark.parametrize("spoof", SPOOFS)
async def test_B15_a_move_counts_only_if_both_actors_confirm_it_now(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer, spoof: str
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    rita, new = f"{evil.base}/users/rita", f"{other.base}/users/new"
    confirms: dict[str, Any] = {"alsoKnownAs": [rita]}
    other.person("new", **confirms)
    author, object_, target = "rita", rita, new
    claimed_target: Any = new
    match spoof:
        case "the target does not name the old account":
            other.person("new")
        case "the target named it once":
            await actors.find(alice.node, new)
            other.person("new", alsoKnownAs=[])
        case "only an embedded document names it":
            other.person("new")
            claimed_target = {"id": new, "type": "Person", "preferredUsername": "new", **confirms}
        case "another actor signs":
            author = "mark"
            evil.person("mark")
        case "another account is moved":
            author = "mark"
            evil.person("mark")
            other.person("new", alsoKnownAs=[rita, f"{evil.base}/users/mark"])
        case "the old account moved to a third":
            evil.person("rita", movedTo=f"{other.base}/users/third")
        case "the target has moved itself":
            other.person("new", **confirms, movedTo=rita)
        case "to a suspended server":
            await alice.node.db.write(lambda tx: domain_rules.block(tx, other.domain, strength="suspend"))
        case "to itself":
            claimed_target = target = rita
            evil.person("rita", alsoKnownAs=[rita])
        case "a chain":
            pass
    move = evil.activity("rita", "Move", object_, target=claimed_target)
    if spoof == "another account is moved":
        move = evil.activity("mark", "Move", object_, target=claimed_target)
    if spoof == "another actor signs":
        assert await evil.send(alice.node, "mark", move) == 401
    else:
        assert await evil.send(alice.node, author, move) == 202
    await fediverse.settle()
    if spoof == "a chain":
        # The first move is valid. The next ones, right after it, move no followers.
        assert await follows_uri(alice, new)
        third = evil.person("third", alsoKnownAs=[new])
        other.person("new", **confirms, movedTo=third)
        onward = other.activity("new", "Move", new, target=third)
        assert await other.send(alice.node, "new", onward) == 202
        other.person("back", alsoKnownAs=[rita])
        await evil.send(
            alice.node, "rita", evil.activity("rita", "Move", rita, target=f"{other.base}/users/back")
        )
        await fediverse.settle()
        assert await follows_uri(alice, new)
        assert not await follows_uri(alice, third)
        assert not await follows_uri(alice, f"{other.base}/users/back")
        return
    assert await follows_uri(alice, rita)
    if target != rita:
        assert not await follows_uri(alice, new)
    assert await alice.node.db.read(lambda tx: tx.value("SELECT COUNT(*) FROM moves")) == 0
    assert sum(evil.requests.values()) + sum(other.requests.values()) < 20


async def test_B13_posts_and_follows_stay_with_the_id_of_an_actor(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    first = f"{evil.base}/users/rita"
    note = evil.note("rita", 1)
    await evil.send(alice.node, "rita", evil.activity("rita", "Create", note, to=note["to"], cc=note["cc"]))
    await fediverse.settle()
    second = evil.person("2", preferredUsername="rita")
    found = await actors.find(alice.node, second)
    assert found.name == "rita"

    def unit(tx: Reader) -> tuple[str, str]:
        post = tx.one("SELECT account_id FROM posts WHERE uri = :uri", uri=note["id"])
        assert post is not None
        followed = follows.following(tx, accounts.get(tx, alice.id), None, Page())
        return accounts.get(tx, post["account_id"]).uri, followed[0].account.uri

    assert await alice.node.db.read(unit) == (first, first)
    assert found.id != (await actors.find(alice.node, first)).id


async def test_B16_the_name_of_a_deleted_account_is_never_free_again(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@a.test")
    other.person("rita")
    uri = (await bob.account()).uri
    await bob.leaves()
    await fediverse.settle()
    status, body, _ = await other.get(uri)
    assert status == 410
    assert b"Tombstone" in body
    finger = alice.node.site.uri(f"/.well-known/webfinger?resource=acct:bob@{alice.node.site.domain}")
    assert (await other.get(finger, accept="application/jrd+json"))[0] == 410
    with pytest.raises(Conflict):
        await fediverse.person("BOB@a.test")
