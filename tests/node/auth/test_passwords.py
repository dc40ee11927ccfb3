"""Passwords: bounds, salted hashes, and the same work for an unknown name."""

from __future__ import annotations

import argon2
import pytest

from node.auth import passwords
from node.errors import Invalid

PASSWORD = "a lake in the morning"


@pytest.mark.parametrize(
    "password", ["x" * passwords.MIN_LENGTH, "x" * passwords.MAX_LENGTH, "ä" * 8, " " * 8]
)
def test_a_password_within_the_bounds_is_returned_unchanged(password: str) -> None:
    assert passwords.check(password) == password


@pytest.mark.parametrize(
    ("password", "message"),
    [("", "at least 8"), ("x" * 7, "at least 8"), ("x" * 257, "256 characters at most")],
)
def test_a_password_outside_the_bounds_is_refused_with_its_field(password: str, message: str) -> None:
    with pytest.raises(Invalid, match=message) as refused:
        passwords.check(password, field="new")

    assert refused.value.field == "new"


async def test_only_the_right_password_verifies() -> None:
    hashed = await passwords.hash(PASSWORD)

    assert await passwords.verify(hashed, PASSWORD)
    assert not await passwords.verify(hashed, PASSWORD + " ")
    assert not await passwords.verify(hashed, "")
    assert PASSWORD not in hashed
    assert await passwords.hash(PASSWORD) != hashed  # another salt


@pytest.mark.parametrize("password", [PASSWORD, "", "x" * 100_000])
def test_no_password_verifies_for_an_unknown_name(password: str) -> None:
    assert passwords.verify_sync(None, password) is False


def test_an_unknown_name_costs_the_same_parameters_as_a_known_one() -> None:
    known, unknown = passwords.hash_sync(PASSWORD), passwords._DUMMY_HASH

    assert argon2.extract_parameters(known) == argon2.extract_parameters(unknown)


@pytest.mark.parametrize("broken", ["-", "$argon2id$", "plain text"])
def test_a_broken_hash_verifies_nothing(broken: str) -> None:
    assert passwords.verify_sync(broken, broken) is False


def test_a_hash_with_other_parameters_needs_a_new_one() -> None:
    weak = argon2.PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)

    assert passwords.needs_rehash(weak)
    assert passwords.verify_sync(weak, PASSWORD)
    assert not passwords.needs_rehash(passwords.hash_sync(PASSWORD))


def test_nothing_is_the_password_of_somebody_without_one() -> None:
    first, second = passwords.no_password(), passwords.no_password()

    assert first != second
    assert not passwords.is_set(first)
    assert not any(passwords.verify_sync(first, typed) for typed in ("", first, PASSWORD))
