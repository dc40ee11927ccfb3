"""Units of work: atomic, isolated, and the same on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.database import Reader, Site, Writer, build, build_all, columns
from node.database.core import bind, escape_like, number_parameters
from node.node import Node


def put(tx: Writer, key: str, value: str) -> None:
    tx.run("INSERT INTO settings (key, value) VALUES (:key, :value)", key=key, value=value)


def stored_keys(tx: Reader) -> list[str]:
    return [row["key"] for row in tx.all("SELECT key FROM settings WHERE key LIKE 'test%' ORDER BY key")]


async def test_the_changes_of_a_unit_are_committed_together_or_not_at_all(node: Node) -> None:
    def half(tx: Writer) -> None:
        put(tx, "test 1", "x")
        raise RuntimeError("failed half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        await node.db.write(half)

    assert await node.db.read(stored_keys) == []


async def test_a_unit_that_fails_rolls_back_no_other(node: Node) -> None:
    def bad(tx: Writer) -> None:
        put(tx, "test bad", "x")
        put(tx, "test bad", "twice")

    results = await asyncio.gather(
        *[node.db.write(put, f"test {n}", "x") for n in range(5)],
        node.db.write(bad),
        *[node.db.write(put, f"test {n}", "x") for n in range(5, 9)],
        return_exceptions=True,
    )

    assert [n for n, result in enumerate(results) if result is not None] == [5]
    assert await node.db.read(stored_keys) == [f"test {n}" for n in range(9)]


async def test_a_cancelled_caller_does_not_stop_a_unit_half_way(node: Node) -> None:
    def slow(tx: Writer) -> None:
        put(tx, "test first", "x")
        for _ in range(200):
            tx.value("SELECT COUNT(*) FROM accounts a, accounts b")
        put(tx, "test second", "x")

    for wait in (0, 0.0005, 0.002, 0.01):
        task = asyncio.create_task(node.db.write(slow))
        await asyncio.sleep(wait)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await node.db.write(put, f"test after {wait}", "x")  # behind it, not inside it
        both = {"test first", "test second"} & set(await node.db.read(stored_keys))
        assert len(both) in (0, 2)
        await node.db.write(lambda tx: tx.run("DELETE FROM settings WHERE key LIKE 'test%'"))


async def test_a_reader_cannot_write(node: Node) -> None:
    def insert(tx: Reader) -> None:
        tx.all("INSERT INTO settings (key, value) VALUES ('test', 'x') RETURNING key")

    with pytest.raises(Exception, match=r"(?i)read-?only"):
        await node.db.read(insert)

    assert await node.db.read(stored_keys) == []


async def test_a_list_is_expanded_and_an_empty_one_matches_nothing(node: Node) -> None:
    for n in range(7):
        await node.db.write(put, f"test {n}", str(n))

    def some(tx: Reader, keys: list[str]) -> list[str]:
        rows = tx.all(
            "SELECT value FROM settings WHERE key IN (:keys) AND key <> :but ORDER BY key",
            keys=keys,
            but="test 2",
        )
        return [row["value"] for row in rows]

    assert await node.db.read(some, ["test 1", "test 2", "test 5"]) == ["1", "5"]
    assert await node.db.read(some, []) == []


async def test_percent_signs_and_colons_in_literals_are_kept(node: Node) -> None:
    row = await node.db.read(
        lambda tx: tx.one("SELECT '100%' AS a, 'a:b' AS b, CAST(:x AS TEXT) AS c", x="y%s")
    )

    assert row is not None
    assert (row["a"], row["b"], row["c"]) == ("100%", "a:b", "y%s")


async def test_hooks_run_after_the_commit_and_never_after_a_failure(node: Node) -> None:
    called: list[str] = []

    def good(tx: Writer) -> None:
        tx.after_commit(lambda: called.append("good"))
        assert called == []

    def bad(tx: Writer) -> None:
        tx.after_commit(lambda: called.append("bad"))
        raise RuntimeError

    await node.db.write(good)
    with pytest.raises(RuntimeError):
        await node.db.write(bad)

    assert called == ["good"]


async def test_concurrent_writers_lose_no_update(node: Node) -> None:
    await node.db.write(put, "test count", "0")

    def count(tx: Writer) -> None:
        tx.run(
            "UPDATE settings SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) WHERE key = :key",
            key="test count",
        )

    await asyncio.gather(*[node.db.write(count) for _ in range(100)])

    assert (
        await node.db.read(lambda tx: tx.value("SELECT value FROM settings WHERE key = 'test count'"))
        == "100"
    )


@given(st.lists(st.integers(), max_size=40))
def test_a_list_takes_a_power_of_two_of_parameters(values: list[int]) -> None:
    sql, bound = bind("SELECT 1 WHERE 1 IN (:ids) AND :other = 1", {"ids": values, "other": 1})

    numbers = [value for name, value in bound.items() if name != "other"]
    assert sql.count(":ids_") == len(numbers)
    assert len(numbers) in (0, 1, 2, 4, 8, 16, 32, 64)
    assert set(numbers) == set(values)
    assert ("NULL" in sql) == (not values)


def test_named_parameters_are_numbered_once_each() -> None:
    assert number_parameters("SELECT :b, :a, :b::text") == (b"SELECT $1, $2, $1::text", ["b", "a"])


@dataclass(frozen=True)
class Sample:
    key: str
    flag: bool
    extra: str = "not a column"


async def test_rows_become_dataclasses_with_real_booleans(node: Node) -> None:
    def unit(tx: Reader) -> tuple[Sample, list[Sample]]:
        rows = tx.all("SELECT 1 AS other, uri AS key, is_local AS flag FROM accounts")
        return build(Sample, rows[0]), build_all(Sample, rows)

    one, several = await node.db.read(unit)

    assert columns(Sample, "a") == "a.key, a.flag"
    assert one == several[0] == Sample(node.site.uri("/actor"), flag=True)
    assert one.flag is several[0].flag is True
    assert build_all(Sample, []) == []


@given(st.text(alphabet="!%_ab", max_size=8))
def test_escaped_text_matches_only_itself_in_a_like_pattern(text: str) -> None:
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        query = "SELECT ? LIKE ? ESCAPE '!'"

        assert connection.execute(query, (text, escape_like(text))).fetchone() == (1,)
        assert connection.execute(query, (text + "a", escape_like(text))).fetchone() == (0,)


def test_a_site_knows_its_own_domains_and_derives_keys() -> None:
    site = Site("https", "www.a.test", b"secret", configured_handle_domain="a.test")

    assert (site.handle_domain, site.uri("/x")) == ("a.test", "https://www.a.test/x")
    assert site.is_own_domain("a.test")
    assert site.is_own_domain("www.a.test")
    assert not site.is_own_domain("b.test")
    assert len(site.subkey("keys")) == 32
    assert site.subkey("keys") != site.subkey("media")
    assert site.is_media_capability(site.media_capability("a/b.webp"), "a/b.webp")
    assert not site.is_media_capability(site.media_capability("a/b.webp"), "a/c.webp")
    assert "secret" not in repr(site)
