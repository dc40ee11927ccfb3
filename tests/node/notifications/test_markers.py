"""Markers of what is read; how apps set them: `tests/web/api/test_markers.py`."""

from __future__ import annotations

from node.database import Writer
from node.models.account import Account
from node.node import Node
from node.notifications import markers


async def test_a_marker_counts_how_often_it_was_changed(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        for id_ in (5, 5, 3, 9):
            markers.store(tx, alice, "home", id_)
        found = markers.by_account(tx, alice, ["home", "notifications", "lists"])
        assert set(found) == {"home"}
        assert (found["home"].last_read_id, found["home"].version) == (9, 3)

    await node.db.write(unit)


async def test_markers_of_a_deleted_account_are_deleted(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        for who in (alice, bob):
            markers.store(tx, who, "home", 5)
        markers.delete_by_account(tx, alice)
        assert markers.by_account(tx, alice, ["home"]) == {}
        assert set(markers.by_account(tx, bob, ["home"])) == {"home"}

    await node.db.write(unit)
