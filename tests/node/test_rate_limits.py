"""Rate limits: a sliding window in two rows, without the addresses of people."""

from __future__ import annotations

import pytest

from node import rate_limits
from node.database import Database
from node.errors import TooManyRequests
from node.ids import now_ms


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    now = [1_700_000_000_000 - 1_700_000_000_000 % 60_000]
    monkeypatch.setattr(rate_limits, "now_ms", lambda: now[0])
    return now


async def test_attempts_beyond_the_limit_are_refused_per_key(db: Database, clock: list[int]) -> None:
    for _ in range(3):
        await db.write(rate_limits.count_attempt, "sign-in 192.0.2.1", limit=3, seconds=60)

    with pytest.raises(TooManyRequests) as refused:
        await db.write(rate_limits.count_attempt, "sign-in 192.0.2.1", limit=3, seconds=60)
    assert refused.value.retry_after == 60
    assert "60 seconds" in refused.value.message
    await db.write(rate_limits.count_attempt, "sign-in 192.0.2.2", limit=3, seconds=60)


async def test_the_window_slides_over_its_edge(db: Database, clock: list[int]) -> None:
    clock[0] += 59_000
    for _ in range(4):
        await db.write(rate_limits.count_attempt, "key", limit=4, seconds=60)
    clock[0] += 2_000

    with pytest.raises(TooManyRequests):
        await db.write(rate_limits.count_attempt, "key", limit=4, seconds=60)

    clock[0] += 120_000
    await db.write(rate_limits.count_attempt, "key", limit=4, seconds=60)


async def test_a_successful_attempt_resets_the_count(db: Database, clock: list[int]) -> None:
    for _ in range(3):
        await db.write(rate_limits.count_attempt, "key", limit=3, seconds=60)
    await db.write(rate_limits.reset, "key")

    await db.write(rate_limits.count_attempt, "key", limit=3, seconds=60)


async def test_keys_are_stored_hashed_and_old_attempts_deleted(db: Database) -> None:
    await db.write(rate_limits.count_attempt, "sign-in 192.0.2.1 alice", limit=3, seconds=60)
    [row] = await db.read(lambda tx: tx.all("SELECT key FROM attempts"))

    assert "192" not in row["key"]
    assert await db.write(rate_limits.clean_up, now_ms()) == 0
    assert await db.write(rate_limits.clean_up, now_ms() + 2 * rate_limits.RETENTION_MS) == 1


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix", "unix"),
    ],
)
def test_one_ipv6_household_is_one_client(address: str, network: str) -> None:
    assert rate_limits.client_network(address) == network
