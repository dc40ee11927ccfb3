from __future__ import annotations

import pytest

from node import rate_limits
from node.database import Database
from node.errors import TooMuch
from node.ids import now_ms


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    now = [1_700_000_000_000 - 1_700_000_000_000 % 60_000]
    monkeypatch.setattr(rate_limits, "now_ms", lambda: now[0])
    return now


async def test_so_many_attempts_are_let_through_and_no_more(db: Database, clock: list[int]) -> None:
    for _ in range(3):
        await db.write(rate_limits.count, "sign-in 192.0.2.1", limit=3, seconds=60)

    with pytest.raises(TooMuch) as refused:
        await db.write(rate_limits.count, "sign-in 192.0.2.1", limit=3, seconds=60)
    assert refused.value.retry_after == 60
    assert "60 seconds" in refused.value.message
    await db.write(rate_limits.count, "sign-in 192.0.2.2", limit=3, seconds=60)


async def test_the_window_slides_so_that_its_edge_gives_nothing_away(db: Database, clock: list[int]) -> None:
    clock[0] += 59_000
    for _ in range(4):
        await db.write(rate_limits.count, "key", limit=4, seconds=60)
    clock[0] += 2_000

    with pytest.raises(TooMuch):
        await db.write(rate_limits.count, "key", limit=4, seconds=60)

    clock[0] += 120_000
    await db.write(rate_limits.count, "key", limit=4, seconds=60)


async def test_a_right_attempt_is_forgiven_the_wrong_ones(db: Database, clock: list[int]) -> None:
    for _ in range(3):
        await db.write(rate_limits.count, "key", limit=3, seconds=60)
    await db.write(rate_limits.forgive, "key")

    await db.write(rate_limits.count, "key", limit=3, seconds=60)


async def test_addresses_are_not_kept_and_old_attempts_are_forgotten(db: Database) -> None:
    await db.write(rate_limits.count, "sign-in 192.0.2.1 alice", limit=3, seconds=60)
    [row] = await db.read(lambda tx: tx.all("SELECT key FROM attempts"))

    assert "192" not in row["key"]
    assert await db.write(rate_limits.clean_up, now_ms()) == 0
    assert await db.write(rate_limits.clean_up, now_ms() + 2 * rate_limits.KEPT_MS) == 1


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix", "unix"),
    ],
)
def test_one_household_is_one_place(address: str, place: str) -> None:
    assert rate_limits.network(address) == place
