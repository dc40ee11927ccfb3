"""Setups that several security tests start from."""

from __future__ import annotations

from typing import Any

from activitypub.remote import actors
from federation_tests.fediverse import Fediverse, Person
from federation_tests.remote_server import RemoteServer
from node.accounts import accounts
from node.database import Reader, Writer
from node.interactions import follows
from node.node import Node


def _rows(tx: Reader) -> tuple[int, ...]:
    return tuple(
        tx.value(f"SELECT COUNT(*) FROM {table}")
        for table in ("accounts", "keys", "posts", "likes", "follows", "jobs", "seen_activities")
    )


async def rows_of(node: Node) -> tuple[int, ...]:
    return await node.db.read(_rows)


async def alice_follows_rita(fediverse: Fediverse, server: RemoteServer) -> Person:
    """Alice, who follows the remote account rita, so that the posts of rita are stored."""
    (alice,) = await fediverse.people("alice@a.test")
    uri = server.person("rita")
    rita = await actors.find(alice.node, uri)

    def unit(tx: Writer) -> None:
        follow = follows.follow(tx, accounts.get(tx, alice.id), rita)
        follows.accept(tx, follow)

    await alice.node.db.write(unit)
    await fediverse.settle()
    return alice


def create(
    server: RemoteServer, author: str = "rita", number: int | str = 1, **changes: Any
) -> dict[str, Any]:
    note = server.note(author, number, **changes)
    return server.activity(author, "Create", note, to=note["to"], cc=note["cc"])
