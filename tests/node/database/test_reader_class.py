"""Who a read is for: visitors and other servers never take the connections of members, and slow queries are stopped."""

from __future__ import annotations

import asyncio
import logging
import threading

import pytest

from node.database import Reader
from node.database.reader_class import ReaderClass, reading_as
from node.errors import Overloaded
from node.node import Node

# Neither database finishes it, and it needs no table.
ENDLESS = """WITH RECURSIVE counter (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counter)
             SELECT COUNT(*) FROM counter WHERE n < 0"""


def number_one(tx: Reader) -> int:
    return int(tx.value("SELECT 1"))


@pytest.fixture
def short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ReaderClass, "limit", property(lambda kind: 0.1 if kind.value else 0.0))


@pytest.mark.usefixtures("short_limits")
@pytest.mark.parametrize("kind", [ReaderClass.MEMBER, ReaderClass.SERVER, ReaderClass.VISITOR])
@pytest.mark.parametrize("method", ["all", "one", "value"])
async def test_a_query_is_stopped_at_its_limit_and_the_log_names_it(
    node: Node, kind: ReaderClass, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    with reading_as(kind), caplog.at_level(logging.WARNING, "tintype.database"):
        with pytest.raises(Overloaded) as refused:
            await asyncio.wait_for(node.db.read(lambda tx: getattr(tx, method)(ENDLESS)), 20)

        assert refused.value.status == 503
        assert refused.value.retry_after > 0
        assert "WITH RECURSIVE counter (n)" in caplog.text
        assert kind.name.lower() in caplog.text
        assert await node.db.read(number_one) == 1, "the connection works after it"


@pytest.mark.usefixtures("short_limits")
async def test_a_limit_holds_only_for_the_unit_it_was_set_for(node: Node) -> None:
    with reading_as(ReaderClass.MEMBER):
        for _ in range(4):  # on every connection
            await node.db.read(number_one)

    ended = threading.Event()

    def slow(tx: Reader) -> int:
        query = ENDLESS.replace("WHERE n < 0", "WHERE n < 0 AND 1 = 0").replace(
            "FROM counter)", "FROM counter WHERE n < 400000)"
        )
        ended.wait(0.3)
        return int(tx.value(query))

    results = await asyncio.gather(*(node.db.read(slow) for _ in range(4)))

    assert results == [0, 0, 0, 0]


@pytest.mark.parametrize("kind", [ReaderClass.SERVER, ReaderClass.VISITOR])
async def test_no_number_of_other_reads_keeps_a_member_waiting(node: Node, kind: ReaderClass) -> None:
    go = threading.Event()

    def blocked(tx: Reader) -> int:
        assert go.wait(30)
        return number_one(tx)

    with reading_as(kind):
        waiting = [asyncio.create_task(node.db.read(blocked)) for _ in range(20)]
    await asyncio.sleep(0.1)
    try:
        for other in set(ReaderClass) - {kind}:
            with reading_as(other):
                assert await asyncio.wait_for(node.db.read(number_one), 10) == 1
        assert not any(one.done() for one in waiting)
    finally:
        go.set()
    assert await asyncio.wait_for(asyncio.gather(*waiting), 30) == [1] * 20


async def test_all_classes_see_what_was_written_before(node: Node) -> None:
    for number, kind in enumerate(ReaderClass):
        await node.db.write(
            lambda tx, key: tx.run("INSERT INTO settings (key, value) VALUES (:key, 'x')", key=key),
            f"test {number}",
        )
        with reading_as(kind):
            seen = await node.db.read(
                lambda tx: tx.value("SELECT COUNT(*) FROM settings WHERE key LIKE 'test %'")
            )
        assert seen == number + 1
