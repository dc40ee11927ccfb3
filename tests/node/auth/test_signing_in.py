"""Signing in: what is refused, limits on guessing, and the second step."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import argon2
import pytest

from node.admin import account_actions
from node.auth import passwords, sessions, sign_in_limits, signing_in, users
from node.auth.passkeys import ceremonies, passkeys
from node.auth.passkeys.ceremonies import DeviceAnswer
from node.auth.second_step import ways_in
from node.auth.signing_in import SecondStepRequired, SignInExpired, UnknownPasskey
from node.database import Database, Writer
from node.errors import Invalid, NotAllowed, TooManyRequests
from node.models.account import Account
from node.node import Node
from tests.support.authenticator import Device, with_passkey
from tests.support.second_step import code_of, set_up

PASSWORD = "a lake in the morning"
CLIENT = {"address": "192.0.2.1", "user_agent": "Test browser"}


@pytest.fixture
async def user(db: Database, alice: Account) -> users.User:
    hashed = passwords.hash_sync(PASSWORD)
    return await db.write(users.create, alice, email="alice@a.test", password_hash=hashed)


async def test_a_wrong_name_and_a_wrong_password_get_the_same_error(
    node: Node, alice: Account, user: users.User
) -> None:
    errors = set()
    for login, password in (("alice", "wrong password"), ("nobody", PASSWORD), ("", ""), ("alice", "")):
        with pytest.raises(Invalid) as refused:
            await signing_in.sign_in(node, login, password, **CLIENT)
        errors.add((refused.value.message, refused.value.field))

    assert len(errors) == 1


async def test_guessing_is_limited_by_name_and_network(node: Node, alice: Account, user: users.User) -> None:
    for _ in range(sign_in_limits.MAX_ATTEMPTS_PER_NAME):
        with pytest.raises(Invalid):
            await signing_in.sign_in(node, "alice", "wrong password", **CLIENT)
    with pytest.raises(TooManyRequests) as refused:
        await signing_in.sign_in(node, "alice", "wrong password", **CLIENT)

    assert refused.value.retry_after > 0
    with pytest.raises(TooManyRequests):
        await signing_in.sign_in(node, "Alice ", PASSWORD, **CLIENT)
    assert await signing_in.sign_in(node, "alice", PASSWORD, address="192.0.2.2", user_agent="")


async def test_signing_in_by_address_costs_the_same_whoever_is_registered(
    node: Node, alice: Account, bob: Account, user: users.User, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = passwords.hash_sync("another password")
    await node.db.write(users.create, bob, email="alice@a.test", password_hash=other)
    calls: list[str] = []
    real = argon2.PasswordHasher.verify

    def counted(self: argon2.PasswordHasher, hashed: str, password: str) -> bool:
        calls.append(hashed)
        return real(self, hashed, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)
    mark = signing_in.known_browser_mark(node.site, bob)
    costs = set()
    for login, password, known in (
        ("nobody@a.test", "wrong password", ""),
        ("alice@a.test", "wrong password", ""),
        ("alice@a.test", "wrong password", mark),
        ("alice@a.test", PASSWORD, ""),
        ("Alice@A.test", "another password", ""),
    ):
        calls.clear()
        with contextlib.suppress(Invalid):
            await signing_in.sign_in(node, login, password, **CLIENT, known_browser=known)
        costs.add(len(calls))

    assert costs == {users.MAX_SAME_EMAIL}


async def test_a_browser_known_to_one_account_guesses_no_more_at_another_with_its_address(
    node: Node, alice: Account, bob: Account, user: users.User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in_limits, "MAX_ATTEMPTS_PER_ACCOUNT", 3)
    await node.db.write(
        users.create, bob, email="alice@a.test", password_hash=passwords.hash_sync("bob's password")
    )
    mark = signing_in.known_browser_mark(node.site, bob)

    async def guess(n: int, password: str) -> str:
        return await signing_in.sign_in(
            node, "alice@a.test", password, address=f"198.51.{n}.1", user_agent="", known_browser=mark
        )

    for n in range(3):
        with pytest.raises(Invalid):
            await guess(n, "wrong password")
    with pytest.raises(TooManyRequests):
        await guess(4, PASSWORD)
    assert await guess(5, "bob's password")


async def test_the_limit_of_an_account_does_not_tell_whose_an_address_is(
    node: Node, alice: Account, user: users.User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in_limits, "MAX_ATTEMPTS_PER_ACCOUNT", 3)
    for n in range(4):
        with pytest.raises(TooManyRequests if n == 3 else Invalid):
            await signing_in.sign_in(node, "alice", "wrong", address=f"198.51.{n}.1", user_agent="")
    with pytest.raises(Invalid):
        await signing_in.sign_in(node, "alice@a.test", "wrong", address="198.51.9.1", user_agent="")


async def test_successful_sign_ins_do_not_count_as_guesses(
    node: Node, alice: Account, user: users.User
) -> None:
    for _ in range(sign_in_limits.MAX_ATTEMPTS_PER_NAME + 2):
        await signing_in.sign_in(node, "alice", PASSWORD, **CLIENT)


async def test_an_outdated_hash_is_replaced_when_its_user_signs_in(node: Node, alice: Account) -> None:
    old = argon2.PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    await node.db.write(users.create, alice, email="alice@a.test", password_hash=old)

    await signing_in.sign_in(node, "alice", PASSWORD, **CLIENT)

    hashed = await node.db.read(users.password_hash, alice.id)
    assert hashed is not None
    assert "m=19456" in hashed
    assert await signing_in.sign_in(node, "alice", PASSWORD, **CLIENT)


async def test_a_suspended_user_is_signed_out_and_cannot_sign_in(
    node: Node, alice: Account, bob: Account, user: users.User
) -> None:
    def given(tx: Writer) -> str:
        users.create(tx, bob, email="bob@a.test", password_hash="x", role="moderator")
        return sessions.start(tx, alice, "")

    token = await node.db.write(given)

    await node.db.write(account_actions.suspend, bob, alice)

    assert await node.db.read(sessions.by_token, token) is None
    with pytest.raises(NotAllowed, match="suspended by the moderators"):
        await signing_in.sign_in(node, "alice", PASSWORD, **CLIENT)


async def _half(node: Node, **more: str) -> str:
    with pytest.raises(SecondStepRequired) as needed:
        await signing_in.sign_in(node, "alice", PASSWORD, **(CLIENT | more))
    return needed.value.pending


async def test_a_password_alone_is_not_enough_where_a_second_step_is_on(
    node: Node, alice: Account, bob: Account, user: users.User
) -> None:
    seed, codes = await set_up(node, alice)
    pending = await _half(node)
    assert await node.db.read(sessions.by_account, alice) == []
    with pytest.raises(Invalid, match="Wrong username"):
        await signing_in.sign_in(node, "alice", "wrong password", **CLIENT)
    with pytest.raises(Invalid) as refused:
        await signing_in.sign_in_with_code(node, pending, "000000", **CLIENT)
    assert refused.value.field == "code"

    code = code_of(seed)
    for typed, works in ((code, True), (code, False), (codes[0], True), (codes[0], False)):
        if works:
            token = await signing_in.sign_in_with_code(node, pending, typed, **CLIENT)
            found = await node.db.read(sessions.by_token, token)
            assert found is not None
            assert found[0].id == alice.id
        else:
            with pytest.raises(Invalid):
                await signing_in.sign_in_with_code(node, pending, typed, **CLIENT)


async def test_a_half_finished_sign_in_ends_by_time_and_with_its_password(
    node: Node, alice: Account, user: users.User, clock: Callable[[int], None]
) -> None:
    seed, codes = await set_up(node, alice)
    pending = await _half(node)
    clock(signing_in.PENDING_LIFETIME_MS + 2000)
    with pytest.raises(SignInExpired):
        await signing_in.sign_in_with_code(node, pending, code_of(seed), **CLIENT)

    pending = await _half(node)
    await sessions.change_password(node, alice, "another morning", keep_token="")
    for made_up in (pending, "", "1.2.3", pending[:-1] + "x"):
        with pytest.raises(SignInExpired):
            await signing_in.sign_in_with_code(node, made_up, codes[0], **CLIENT)


async def test_who_stole_a_password_guesses_few_codes_and_keeps_nobody_out(
    node: Node, alice: Account, user: users.User
) -> None:
    seed, codes = await set_up(node, alice)
    pending = await _half(node)
    outcomes = []
    for n in range(sign_in_limits.MAX_CODES_PER_ACCOUNT + 5):
        try:
            await signing_in.sign_in_with_code(
                node, pending, "000000", address=f"198.51.{n}.1", user_agent="A thief"
            )
        except (Invalid, TooManyRequests) as refused:
            outcomes.append(type(refused))
    assert outcomes == [Invalid] * sign_in_limits.MAX_CODES_PER_ACCOUNT + [TooManyRequests] * 5

    # Their own browser lets the owner in, and anywhere else a recovery code does.
    mark = signing_in.known_browser_mark(node.site, alice)
    assert await signing_in.sign_in_with_code(node, pending, code_of(seed), **CLIENT, known_browser=mark)
    assert await signing_in.sign_in_with_code(node, pending, codes[0], **CLIENT)


async def test_a_suspended_person_is_not_let_in_by_a_code(
    node: Node, alice: Account, bob: Account, user: users.User
) -> None:
    seed, _ = await set_up(node, alice)
    pending = await _half(node)
    await node.db.write(users.create, bob, email="bob@a.test", password_hash="x", role="moderator")
    await node.db.write(account_actions.suspend, bob, alice)

    with pytest.raises(NotAllowed):
        await signing_in.sign_in_with_code(node, pending, code_of(seed), **CLIENT)


async def test_who_is_signed_in_proves_again_who_they_are(
    node: Node, alice: Account, user: users.User, clock: Callable[[int], None]
) -> None:
    token = await node.db.write(sessions.start, alice, "")
    seed, codes = await set_up(node, alice)
    clock(sessions.PROOF_LIFETIME_MS + 1000)

    async def prove(password: str, code: str) -> None:
        await signing_in.prove_again(node, alice, token, password=password, code=code, address="192.0.2.1")

    for password, code, field in (("wrong", codes[0], "password"), (PASSWORD, "000000", "code")):
        with pytest.raises(Invalid) as refused:
            await prove(password, code)
        assert refused.value.field == field
        assert not await node.db.read(sessions.is_proved, token)
    await prove(PASSWORD, code_of(seed))
    assert await node.db.read(sessions.is_proved, token)
    await prove(PASSWORD, codes[0])


def _use(node: Node, device: Device, account_id: int = 0) -> DeviceAnswer:
    purpose = signing_in.sign_in_purpose(account_id)
    return device.use(ceremonies.options_to_use(node.site, purpose))


async def test_a_passkey_signs_in_without_a_name_and_without_a_second_step(
    node: Node, alice: Account, bob: Account, user: users.User
) -> None:
    device = await with_passkey(node, alice)
    await with_passkey(node, bob)
    await set_up(node, alice)
    answer = _use(node, device)

    token = await signing_in.sign_in_with_passkey(node, answer, **CLIENT)

    found = await node.db.read(sessions.by_token, token)
    assert found is not None
    assert found[0].id == alice.id
    [kept] = await node.db.read(passkeys.by_account, alice.id)
    assert kept.used_at is not None
    with pytest.raises(Invalid, match="too long"):  # the same answer again
        await signing_in.sign_in_with_passkey(node, answer, **CLIENT)


async def test_a_passkey_is_the_second_step_of_its_own_account_alone(
    node: Node, alice: Account, bob: Account, user: users.User
) -> None:
    hers, his = await with_passkey(node, alice), await with_passkey(node, bob)
    await node.db.write(users.create, bob, email="bob@a.test", password_hash="-")
    await node.db.write(ways_in.turn_on_with_passkeys, alice)
    pending = await _half(node)
    for device, purpose in ((his, alice.id), (his, bob.id), (hers, 0)):
        answer = _use(node, device, purpose)
        with pytest.raises((UnknownPasskey, Invalid)):
            await signing_in.sign_in_with_passkey(node, answer, pending=pending, **CLIENT)

    answer = _use(node, hers, alice.id)
    assert await signing_in.sign_in_with_passkey(node, answer, pending=pending, **CLIENT)
    answer = _use(node, hers, alice.id)
    with pytest.raises(SignInExpired):
        await signing_in.sign_in_with_passkey(node, answer, pending="none", **CLIENT)


async def test_a_removed_passkey_and_a_suspended_person_are_not_let_in(
    node: Node, alice: Account, bob: Account, user: users.User
) -> None:
    device, other = await with_passkey(node, alice), await with_passkey(node, alice)
    first, _ = await node.db.read(passkeys.by_account, alice.id)
    await node.db.write(ways_in.remove_passkey, alice, first.id)
    with pytest.raises(UnknownPasskey):
        await signing_in.sign_in_with_passkey(node, _use(node, device), **CLIENT)

    other.handle = device.handle[::-1]
    with pytest.raises(Invalid):
        await signing_in.sign_in_with_passkey(node, _use(node, other), **CLIENT)
    other.handle = device.handle
    await node.db.write(users.create, bob, email="bob@a.test", password_hash="x", role="moderator")
    await node.db.write(account_actions.suspend, bob, alice)
    with pytest.raises(NotAllowed):
        await signing_in.sign_in_with_passkey(node, _use(node, other), **CLIENT)


async def test_an_account_without_a_password_takes_as_long_and_says_the_same(
    node: Node, alice: Account, user: users.User
) -> None:
    await with_passkey(node, alice)
    await with_passkey(node, alice)
    await node.db.write(ways_in.remove_password, alice)

    for password in ("", PASSWORD):
        with pytest.raises(Invalid, match="Wrong username"):
            await signing_in.sign_in(node, "alice", password, **CLIENT)


async def test_a_passkey_proves_who_is_signed_in(
    node: Node, alice: Account, user: users.User, clock: Callable[[int], None]
) -> None:
    device = await with_passkey(node, alice)
    token = await node.db.write(sessions.start, alice, "")
    clock(sessions.PROOF_LIFETIME_MS + 1000)
    with pytest.raises(Invalid):
        await signing_in.prove_with_passkey(node, alice, token, _use(node, device))
    assert not await node.db.read(sessions.is_proved, token)

    options = ceremonies.options_to_use(node.site, signing_in.proof_purpose(alice))
    await signing_in.prove_with_passkey(node, alice, token, device.use(options))
    assert await node.db.read(sessions.is_proved, token)
