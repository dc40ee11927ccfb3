"""Passwords: argon2id with 19 MiB, two passes and one lane (OWASP's minimum).

A verification costs tens of milliseconds and that memory, so handlers use the async forms, which run in a thread.
For an unknown name `verify` takes as long as for a wrong password, so that timing does not reveal names.
"""

from __future__ import annotations

import asyncio
import functools
import secrets

import argon2

from node.errors import Invalid

MIN_LENGTH = 8
MAX_LENGTH = 256
_NO_PASSWORD = "none "  # noqa: S105
# The hash of random bytes that nobody kept: verified when no user has the name.
_DUMMY_HASH = (
    "$argon2id$v=19$m=19456,t=2,p=1$clFKPjNACzTWwHQsTmpUbA$YPGIUne0LVciPIGrlwKEeNXeGvifPPnEQReE2LoBWms"
)


@functools.cache
def _hasher() -> argon2.PasswordHasher:
    return argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def check(password: str, *, field: str = "password") -> str:
    """Returns the password if its length is allowed; raises Invalid, naming `field`, otherwise."""
    if len(password) < MIN_LENGTH:
        raise Invalid(
            f"A password needs at least {MIN_LENGTH} characters. A few words are good.", field=field
        )
    if len(password) > MAX_LENGTH:
        raise Invalid(f"A password can have {MAX_LENGTH} characters at most.", field=field)
    return password


def hash_sync(password: str) -> str:
    return _hasher().hash(password)


def no_password() -> str:
    """Returns what stands in place of a hash for somebody without a password: each time another text.

    So a link that was made for an earlier state of the account does not work again.
    """
    return _NO_PASSWORD + secrets.token_hex(8)


def is_set(hashed: str | None) -> bool:
    """Returns whether this is a password's hash, and not what stands in its place."""
    return bool(hashed) and not str(hashed).startswith(_NO_PASSWORD)


def verify_sync(hashed: str | None, password: str) -> bool:
    """Returns whether the password is right; `hashed` is None when no user has the name."""
    try:
        _hasher().verify(hashed if hashed and is_set(hashed) else _DUMMY_HASH, password[:MAX_LENGTH])
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False
    return is_set(hashed)


def needs_rehash(hashed: str) -> bool:
    """Returns whether the hash was made with other parameters than the current ones."""
    return _hasher().check_needs_rehash(hashed)


async def hash(password: str) -> str:
    return await asyncio.to_thread(hash_sync, password)


async def verify(hashed: str | None, password: str) -> bool:
    return await asyncio.to_thread(verify_sync, hashed, password)
