"""Challenges: for one purpose, for ten minutes, once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from node.auth.passkeys import challenges
from node.errors import Invalid
from node.node import Node


async def test_a_challenge_is_good_for_its_purpose_and_time(node: Node, clock: Callable[[int], None]) -> None:
    made = challenges.make(node.site, "sign in")
    challenges.check(node.site, "sign in", made)
    for purpose, challenge in (
        ("sign in 1", made),
        ("sign in", made[:-1] + bytes([made[-1] ^ 1])),
        ("sign in", b""),
        ("sign in", bytes(100)),
    ):
        with pytest.raises(Invalid):
            challenges.check(node.site, purpose, challenge)

    clock((challenges.LIFETIME_SECONDS + 2) * 1000)
    with pytest.raises(Invalid):
        challenges.check(node.site, "sign in", made)


async def test_a_challenge_is_used_once_for_as_long_as_it_is_good(
    node: Node, clock: Callable[[int], None]
) -> None:
    made = challenges.make(node.site, "sign in")
    await node.db.write(challenges.use, made)
    for seconds in (0, 1, challenges.LIFETIME_SECONDS // 2, challenges.LIFETIME_SECONDS):
        clock(seconds * 1000)
        with pytest.raises(Invalid):
            await node.db.write(challenges.use, made)
    await node.db.write(challenges.use, challenges.make(node.site, "sign in"))
