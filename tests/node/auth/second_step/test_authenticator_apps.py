"""Codes of authenticator apps: set up by the first one, right for a minute and a half, and used once."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from node.auth.second_step import authenticator_apps
from node.errors import Invalid
from node.models.account import Account
from node.node import Node
from tests.support.second_step import code_of, set_up


async def test_an_app_is_set_up_by_its_first_code(node: Node, alice: Account) -> None:
    offered = authenticator_apps.offer(node.site, alice)
    seed = authenticator_apps.offered_seed(node.site, alice, offered)
    with pytest.raises(Invalid) as refused:
        await node.db.write(authenticator_apps.set_up, alice, offered, "000000")
    assert refused.value.field == "code"
    assert not await node.db.read(authenticator_apps.is_on, alice.id)

    code = code_of(seed)
    assert len(await node.db.write(authenticator_apps.set_up, alice, offered, f"{code[:3]} {code[3:]}")) == 10

    assert await node.db.read(authenticator_apps.is_on, alice.id)
    stored = await node.db.read(lambda tx: tx.value("SELECT seed FROM second_steps"))
    assert seed not in stored


async def test_what_an_app_reads_names_the_account_and_the_node(node: Node, alice: Account) -> None:
    seed = authenticator_apps.offered_seed(node.site, alice, authenticator_apps.offer(node.site, alice))

    address = urlsplit(authenticator_apps.app_address(node.site, alice, seed, "Silver & Light"))

    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    assert address.path.endswith(":alice%40tintype.test")
    assert parse_qs(address.query) == {"secret": [seed], "issuer": ["Silver & Light"]}


async def test_an_offer_ends_and_is_good_for_its_account_only(
    node: Node, alice: Account, bob: Account, clock: Callable[[int], None]
) -> None:
    offered = authenticator_apps.offer(node.site, alice)
    with pytest.raises(Invalid):
        authenticator_apps.offered_seed(node.site, bob, offered)
    with pytest.raises(Invalid):
        authenticator_apps.offered_seed(node.site, alice, "made up")

    clock(authenticator_apps.SET_UP_LIFETIME_MS + 1000)
    with pytest.raises(Invalid):
        authenticator_apps.offered_seed(node.site, alice, offered)


async def test_a_code_works_once_and_never_after_a_newer_one(
    node: Node, alice: Account, bob: Account
) -> None:
    seed, _ = await set_up(node, alice)

    async def use(steps_later: int, who: Account = alice) -> bool:
        return await node.db.write(authenticator_apps.use_code, who.id, code_of(seed, steps_later))

    assert not await use(0, bob)
    assert not await use(-1)  # it set the app up
    assert not await use(2)
    assert not await use(-2)
    assert await use(0)
    assert not await use(0)
    assert await use(1)
    assert not await use(0)
    assert not await node.db.write(authenticator_apps.use_code, alice.id, "")


async def test_turning_it_off_forgets_seed_and_recovery_codes(node: Node, alice: Account) -> None:
    await set_up(node, alice)
    await node.db.write(authenticator_apps.turn_off, alice)

    left = "SELECT (SELECT COUNT(*) FROM second_steps) + (SELECT COUNT(*) FROM recovery_codes)"
    assert await node.db.read(lambda tx: tx.value(left)) == 0
