"""Any order of what people do to their ways in: never without one, and never one more than the rules say."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from node.auth import sessions, signing_in, users
from node.auth.passkeys import ceremonies, passkeys
from node.auth.second_step import authenticator_apps, recovery_codes, ways_in
from node.auth.signing_in import Browser, UnknownPasskey
from node.database import Database, Writer
from node.errors import Conflict
from node.models.account import Account
from tests.support.authenticator import Device, register
from tests.support.second_step import code_of

ACTIONS = (
    "set password",
    "remove password",
    "set up app",
    "ask for passkeys",
    "turn off",
    "add passkey",
    "remove passkey",
    "make codes",
    "use code",
    "end sessions",
    "sign in",
)
OFTEN = ("add passkey", "remove passkey", "remove passkey", "remove password", "remove password", "use code")
"""What has to come several times, or after something else, to matter."""

steps = st.lists(st.tuples(st.sampled_from(ACTIONS + OFTEN), st.integers(0, 3)), max_size=25)


BROWSER = Browser("192.0.2.1", "A browser")


class Enough(Exception):
    """Takes a whole sequence back, so that each begins on an empty node."""


@dataclass
class Rules:
    """The ways in, in a few lines. What is in a list once let somebody in; what is named beside it does now."""

    passwords: int = 1
    password: int | None = 0
    second: bool = False
    seeds: list[str] = field(default_factory=list)
    seed: str = ""
    codes: list[str] = field(default_factory=list)
    good_codes: set[str] = field(default_factory=set)
    devices: list[Device] = field(default_factory=list)
    present: list[Device] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)

    def end_sessions(self) -> None:
        self.ended |= self.tokens
        self.tokens.clear()

    def has_new_codes(self, codes: list[str]) -> None:
        self.codes += codes[:1]
        self.good_codes = set(codes)


class Person:
    """Does to a real account what the rules are told, and finds out who can sign in to it."""

    def __init__(self, tx: Writer, account: Account) -> None:
        self.tx, self.account, self.rules = tx, account, Rules()
        users.create(tx, account, email="alice@a.test", password_hash="password 0")

    def do(self, action: str, n: int) -> None:
        getattr(self, f"_{action.replace(' ', '_')}")(n)

    def _set_password(self, n: int) -> None:
        sessions.replace_password(self.tx, self.account, f"password {self.rules.passwords}")
        self.rules.password = self.rules.passwords
        self.rules.passwords += 1
        self.rules.end_sessions()

    def _remove_password(self, n: int) -> None:
        if len(self.rules.present) >= ways_in.MIN_PASSKEYS:
            ways_in.remove_password(self.tx, self.account)
            self.rules.password = None
        else:
            self._is_refused(ways_in.remove_password)

    def _is_refused(self, unit: Callable[..., object], *values: object) -> None:
        with contextlib.suppress(Conflict):
            unit(self.tx, self.account, *values)
            raise AssertionError(f"{unit.__name__} was not refused")

    def _set_up_app(self, n: int) -> None:
        offered = authenticator_apps.offer(self.tx.site, self.account)
        seed = authenticator_apps.offered_seed(self.tx.site, self.account, offered)
        codes = ways_in.set_up_app(self.tx, self.account, offered, code_of(seed, -1))
        self.rules.second, self.rules.seed = True, seed
        self.rules.seeds.append(seed)
        self.rules.has_new_codes(codes)

    def _ask_for_passkeys(self, n: int) -> None:
        if not self.rules.present or self.rules.second:
            if not self.rules.present:
                self._is_refused(ways_in.turn_on_with_passkeys)
            return
        self.rules.has_new_codes(ways_in.turn_on_with_passkeys(self.tx, self.account))
        self.rules.second = True

    def _turn_off(self, n: int) -> None:
        ways_in.turn_off_second_step(self.tx, self.account)
        if self.rules.second:
            self.rules.second, self.rules.seed = False, ""
            self.rules.good_codes = set()

    def _add_passkey(self, n: int) -> None:
        device = Device(self.tx.site.base_url)
        register(self.tx, self.account, device)
        self.rules.devices.append(device)
        self.rules.present.append(device)

    def _remove_passkey(self, n: int) -> None:
        listed = passkeys.by_account(self.tx, self.account.id)
        if not listed:
            return
        at = n % len(listed)
        is_last = len(listed) == 1
        if is_last and (self.rules.password is None or (self.rules.second and not self.rules.seed)):
            self._is_refused(ways_in.remove_passkey, listed[at].id)
        else:
            ways_in.remove_passkey(self.tx, self.account, listed[at].id)
            del self.rules.present[at]

    def _make_codes(self, n: int) -> None:
        if self.rules.second:
            self.rules.has_new_codes(recovery_codes.replace(self.tx, self.account))

    def _use_code(self, n: int) -> None:
        """Signs in with the password and a recovery code, of now or of an earlier list."""
        pending = self._with_password(self.rules.password)[1] if self.rules.password is not None else ""
        if pending and self.rules.codes:
            code = self.rules.codes[n % len(self.rules.codes)]
            token = signing_in.after_code(self.tx, pending, code, BROWSER)
            assert (token is not None) is (code in self.rules.good_codes)
            self.rules.good_codes.discard(code)
            self.rules.tokens |= {token} if token else set()

    def _end_sessions(self, n: int) -> None:
        sessions.end_all(self.tx, self.account)
        self.rules.end_sessions()

    def _sign_in(self, n: int) -> None:
        if self.rules.present:
            self._with_device(self.rules.present[n % len(self.rules.present)])

    def _with_password(self, number: int | None) -> tuple[str, str]:
        """Types a password; returns a session, or a half-finished sign-in, or neither."""
        found = users.by_account_id(self.tx, self.account.id)
        assert found is not None
        if found.password_hash != f"password {number}":
            return "", ""
        return signing_in.after_password(self.tx, found, BROWSER)

    def _with_device(self, device: Device) -> bool:
        options = ceremonies.options_to_use(self.tx.site, signing_in.sign_in_purpose())
        try:
            token = signing_in.after_passkey(self.tx, device.use(options), BROWSER)
        except UnknownPasskey:
            return False
        self.rules.tokens.add(token)
        return True

    def check(self) -> None:
        rules = self.rules
        for number in range(rules.passwords):
            token, pending = self._with_password(number)
            assert bool(token) is (number == rules.password and not rules.second)
            assert bool(pending) is (number == rules.password and rules.second)
            rules.tokens |= {token} if token else set()
            for seed in rules.seeds if pending else []:
                let_in = signing_in.after_code(self.tx, pending, code_of(seed), BROWSER)
                assert (let_in is not None) is (seed == rules.seed)
                rules.tokens |= {let_in} if let_in else set()
        lets_in = [self._with_device(device) for device in rules.devices]
        assert lets_in == [any(device is one for one in rules.present) for device in rules.devices]
        assert recovery_codes.count(self.tx, self.account.id) == len(rules.good_codes)
        assert any(lets_in) or rules.password is not None
        if rules.second and rules.password is not None:
            assert rules.seed or any(lets_in)
        for token in list(rules.tokens)[:3]:
            assert sessions.by_token(self.tx, token) is not None
        for token in list(rules.ended)[:3]:
            assert sessions.by_token(self.tx, token) is None


@example(devices=2, steps=[("remove password", 0), ("remove passkey", 0), ("remove passkey", 0)])
@given(devices=st.integers(0, 2), steps=steps)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_any_order_leaves_a_way_in_and_none_too_many(
    db: Database, alice: Account, clock: Callable[[int], None], devices: int, steps: list[tuple[str, int]]
) -> None:
    def play(tx: Writer) -> None:
        person = Person(tx, alice)
        for _ in range(devices):
            person.do("add passkey", 0)
        for minute, (action, n) in enumerate(steps):
            clock(minute * 120_000)
            person.do(action, n)
            clock(minute * 120_000 + 60_000)  # a code that set an app up is over
            person.check()
        raise Enough

    with contextlib.suppress(Enough):
        await db.write(play)
