"""Passwords: argon2id with 19 MiB, two passes and one lane.

A check costs tens of milliseconds and that memory, so doors use the async forms, which run in a thread.
For a name that nobody has, `verify` costs the same as for a wrong password, so that time tells nothing.
"""

from __future__ import annotations

import asyncio
import functools

import argon2

from node.errors import Invalid

SHORTEST = 8
LONGEST = 256
# The hash of random bytes that nobody kept: what is verified when there is no such person.
_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$clFKPjNACzTWwHQsTmpUbA$YPGIUne0LVciPIGrlwKEeNXeGvifPPnEQReE2LoBWms"


@functools.cache
def _hasher() -> argon2.PasswordHasher:
    return argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def check(password: str, *, field: str = "password") -> str:
    """The password, if it may be one; raises Invalid."""
    if len(password) < SHORTEST:
        raise Invalid(
            f"A password needs at least {SHORTEST} characters. A short sentence is good.", field=field
        )
    if len(password) > LONGEST:
        raise Invalid(f"A password can have {LONGEST} characters at most.", field=field)
    return password


def hash_now(password: str) -> str:
    return _hasher().hash(password)


def verify_now(hashed: str | None, password: str) -> bool:
    """Whether the password is the one; `hashed` is None when nobody goes by that name."""
    try:
        _hasher().verify(hashed or _NOBODY, password[:LONGEST])
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False
    return hashed is not None


def needs_rehash(hashed: str) -> bool:
    """Whether the hash was made with other costs than those of today."""
    return _hasher().check_needs_rehash(hashed)


async def hash(password: str) -> str:
    return await asyncio.to_thread(hash_now, password)


async def verify(hashed: str | None, password: str) -> bool:
    return await asyncio.to_thread(verify_now, hashed, password)
