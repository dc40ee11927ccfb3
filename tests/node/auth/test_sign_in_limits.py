"""Limits on signing in: what they let through, and how a lock is taken off."""

from __future__ import annotations

import pytest

from node.auth import passwords, sessions, sign_in_limits, signing_in, users
from node.auth.passkeys import ceremonies
from node.database import Writer
from node.errors import Invalid, TooManyRequests
from node.models.account import Account
from node.node import Node
from tests.support.authenticator import with_passkey
from tests.support.second_step import code_of, set_up

PASSWORD = "a lake in the morning"


@pytest.fixture
async def user(node: Node, alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in_limits, "MAX_ATTEMPTS_PER_ACCOUNT", 3)
    hashed = passwords.hash_sync(PASSWORD)
    await node.db.write(users.create, alice, email="alice@a.test", password_hash=hashed)


async def _sign_in(node: Node, password: str, *, login: str = "alice", n: int = 1, known: str = "") -> str:
    return await signing_in.sign_in(
        node, login, password, address=f"198.51.{n}.1", user_agent="A browser", known_browser=known
    )


async def _guesses_from_everywhere(node: Node, login: str = "alice") -> None:
    for n in range(10, 14):
        with pytest.raises((Invalid, TooManyRequests)):
            await _sign_in(node, "a guess", login=login, n=n)
    with pytest.raises(TooManyRequests):
        await _sign_in(node, PASSWORD, login=login)


async def test_guesses_from_everywhere_keep_out_neither_a_known_browser_nor_a_passkey(
    node: Node, alice: Account, user: None
) -> None:
    device = await with_passkey(node, alice)
    await _guesses_from_everywhere(node)

    assert await _sign_in(node, PASSWORD, known=signing_in.known_browser_mark(node.site, alice))
    answer = device.use(ceremonies.options_to_use(node.site, signing_in.sign_in_purpose()))
    assert await signing_in.sign_in_with_passkey(node, answer, address="198.51.1.1", user_agent="")


@pytest.mark.parametrize("login", ["alice", "alice@a.test"])
async def test_an_admin_takes_the_lock_off(node: Node, alice: Account, user: None, login: str) -> None:
    await _guesses_from_everywhere(node, login)

    def unlock(tx: Writer) -> None:
        person = users.by_login(tx, "alice")
        assert person is not None
        sign_in_limits.unlock(tx, person)

    await node.db.write(unlock)
    assert await _sign_in(node, PASSWORD, login=login)


async def test_a_lock_of_a_network_is_taken_off_with_its_address(
    node: Node, alice: Account, user: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in_limits, "MAX_ATTEMPTS_PER_ACCOUNT", 1000)
    for _ in range(sign_in_limits.MAX_ATTEMPTS_PER_NAME):
        with pytest.raises(Invalid):
            await _sign_in(node, "a guess")
    for address in ("", "198.51.1.1"):
        with pytest.raises(TooManyRequests):
            await _sign_in(node, PASSWORD)

        def unlock(tx: Writer, address: str) -> None:
            person = users.by_login(tx, "alice")
            assert person is not None
            sign_in_limits.unlock(tx, person, address=address)

        await node.db.write(unlock, address)
    assert await _sign_in(node, PASSWORD)


async def test_a_new_password_ends_the_lock(node: Node, alice: Account, user: None) -> None:
    await _guesses_from_everywhere(node)
    await sessions.change_password(node, alice, "another morning", keep_token="")

    assert await _sign_in(node, "another morning")


async def test_a_lock_of_codes_is_taken_off_too(
    node: Node, alice: Account, user: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in_limits, "MAX_CODES_PER_ACCOUNT", 1)
    seed, _ = await set_up(node, alice)
    with pytest.raises(signing_in.SecondStepRequired) as needed:
        await _sign_in(node, PASSWORD)
    where = {"address": "192.0.2.1", "user_agent": ""}
    for code, refusal in (("000000", Invalid), (code_of(seed), TooManyRequests)):
        with pytest.raises(refusal):
            await signing_in.sign_in_with_code(node, needed.value.pending, code, **where)

    def unlock(tx: Writer) -> None:
        person = users.by_login(tx, "alice")
        assert person is not None
        sign_in_limits.unlock(tx, person)

    await node.db.write(unlock)
    assert await signing_in.sign_in_with_code(node, needed.value.pending, code_of(seed), **where)
