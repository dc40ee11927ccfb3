"""The log of sign-ins: what is in it, from how near, and for how long."""

from __future__ import annotations

import pytest

from node.auth import passwords, sign_in_limits, sign_in_log, signing_in, users
from node.auth.sign_in_log import SignInKind
from node.errors import Invalid, TooManyRequests
from node.ids import now_ms
from node.models.account import Account
from node.node import Node
from tests.support.second_step import set_up

PASSWORD = "a lake in the morning"
FIREFOX = "Mozilla/5.0 (X11; Linux) Firefox/140"


@pytest.fixture
async def user(node: Node, alice: Account) -> None:
    hashed = passwords.hash_sync(PASSWORD)
    await node.db.write(users.create, alice, email="alice@a.test", password_hash=hashed)


async def _kinds(node: Node, account: Account) -> list[str]:
    return [one.kind for one in await node.db.read(sign_in_log.by_account, account)]


async def test_each_sign_in_is_in_the_log_of_its_account(
    node: Node, alice: Account, bob: Account, user: None
) -> None:
    where = {"address": "192.0.2.77", "user_agent": FIREFOX}
    await signing_in.sign_in(node, "alice", PASSWORD, **where)
    [entry] = await node.db.read(sign_in_log.by_account, alice)
    assert (entry.kind, entry.user_agent, entry.network) == ("password", FIREFOX, "192.0.2.x")
    assert not entry.has_failed

    _, codes = await set_up(node, alice)
    with pytest.raises(signing_in.SecondStepRequired) as needed:
        await signing_in.sign_in(node, "alice", PASSWORD, **where)
    with pytest.raises(Invalid):
        await signing_in.sign_in_with_code(node, needed.value.pending, "000000", **where)
    await signing_in.sign_in_with_code(node, needed.value.pending, codes[0], **where)
    assert await _kinds(node, alice) == ["recovery_code", "wrong_code", "password"]
    assert await _kinds(node, bob) == []


async def test_many_guesses_are_one_entry_an_hour(
    node: Node, alice: Account, user: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in_limits, "MAX_ATTEMPTS_PER_ACCOUNT", 2)
    for n in range(6):
        with pytest.raises((Invalid, TooManyRequests)):
            await signing_in.sign_in(node, "alice", "a guess", address=f"198.51.{n}.1", user_agent="")

    [entry] = await node.db.read(sign_in_log.by_account, alice)
    assert (entry.kind, entry.has_failed) == ("many_guesses", True)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("192.0.2.77", "192.0.2.x"),
        ("::ffff:192.0.2.77", "192.0.2.x"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("", ""),
        ("a socket", ""),
    ],
)
def test_only_the_network_of_an_address_is_kept(address: str, shown: str) -> None:
    assert sign_in_log.shorten(address) == shown


async def test_entries_are_kept_for_90_days(node: Node, alice: Account) -> None:
    await node.db.write(
        sign_in_log.record, alice, SignInKind.PASSKEY, user_agent=FIREFOX, address="192.0.2.1"
    )
    day = 24 * 3600 * 1000
    assert await node.db.write(sign_in_log.clean_up, now_ms() + 89 * day) == 0
    assert await node.db.write(sign_in_log.clean_up, now_ms() + 91 * day) == 1
