"""Sign-ups that wait are counted, and told from those that are decided."""

from __future__ import annotations

import pytest

from node.auth import sign_ups, users
from node.database import Database, Writer
from node.errors import NotAllowed
from node.models.account import Account


async def test_sign_ups_that_wait_are_counted_and_told_from_others(
    db: Database, alice: Account, bob: Account, mallory: Account
) -> None:
    def unit(tx: Writer) -> None:
        assert sign_ups.count_pending(tx) == 0
        for account, state in ((alice, "active"), (bob, "pending"), (mallory, "pending")):
            users.create(tx, account, email=f"{account.name}@a.test", password_hash="-", state=state)
        assert sign_ups.count_pending(tx) == 2
        assert sign_ups.pending_among(tx, [alice.id, bob.id]) == {bob.id}
        assert sign_ups.pending_among(tx, []) == set()
        sign_ups.check_decided(tx, alice)
        with pytest.raises(NotAllowed, match="approve or reject"):
            sign_ups.check_decided(tx, bob)

    await db.write(unit)
