"""The phone of somebody who signs in with two steps."""

from __future__ import annotations

import pyotp

from node.auth.second_step import authenticator_apps, ways_in
from node.database import Writer
from node.ids import now_ms
from node.models.account import Account
from node.node import Node


def code_of(seed: str, steps_later: int = 0) -> str:
    """The code that an app shows now, or some steps of 30 seconds later."""
    return pyotp.TOTP(seed).generate_otp(now_ms() // 30_000 + steps_later)


async def set_up(node: Node, account: Account) -> tuple[str, list[str]]:
    """Turns two-step sign-in on with the code of half a minute ago; returns the seed and the recovery codes."""

    def unit(tx: Writer) -> tuple[str, list[str]]:
        offered = authenticator_apps.offer(tx.site, account)
        seed = authenticator_apps.offered_seed(tx.site, account, offered)
        return seed, ways_in.set_up_app(tx, account, offered, code_of(seed, -1))

    return await node.db.write(unit)
