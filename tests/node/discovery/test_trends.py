"""The cache of trending hashtags: how long it holds, and what it keeps apart."""

from __future__ import annotations

import pytest

from node.database import Writer
from node.discovery import trends
from node.discovery.trends import TrendCache
from node.models.account import Account
from node.node import Node
from node.posts import hashtags
from tests.support.people import remote
from tests.support.posting import publish, receive_post


@pytest.fixture
def authors(alice: Account, bob: Account, mallory: Account) -> list[Account]:
    """As many as a hashtag needs to trend."""
    found = [alice, bob, mallory]
    assert len(found) == hashtags.MIN_TREND_AUTHORS
    return found


def use(tx: Writer, authors: list[Account], tag: str) -> None:
    for author in authors:
        publish(tx, author, f"#{tag}")


async def current(node: Node, cache: TrendCache, limit: int = 10, *, only_local: bool = False) -> list[str]:
    found = await node.db.read(cache.current, limit, only_local=only_local)
    return [one.hashtag.name for one in found]


async def test_trends_are_computed_once_within_their_time(node: Node, authors: list[Account]) -> None:
    cache = TrendCache(node)
    await node.db.write(use, authors, "fog")
    assert await current(node, cache) == ["fog"]

    await node.db.write(use, authors, "lake")

    assert await current(node, cache) == ["fog"]


async def test_trends_are_computed_anew_after_their_time(
    node: Node, authors: list[Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trends, "CACHE_TTL_SECONDS", 0.0)
    cache = TrendCache(node)
    await node.db.write(use, authors, "fog")
    assert await current(node, cache) == ["fog"]

    await node.db.write(use, authors, "lake")

    assert set(await current(node, cache)) == {"fog", "lake"}


async def test_an_empty_result_is_not_cached(node: Node, authors: list[Account]) -> None:
    cache = TrendCache(node)
    assert await current(node, cache) == []

    await node.db.write(use, authors, "fog")

    assert await current(node, cache) == ["fog"]


async def test_local_trends_are_cached_apart_from_all(node: Node, authors: list[Account]) -> None:
    def given(tx: Writer) -> None:
        use(tx, authors, "local")
        for number in range(hashtags.MIN_TREND_AUTHORS):
            receive_post(tx, remote(tx, f"r{number}", f"s{number}.example"), hashtags=["remote"])

    cache = TrendCache(node)
    await node.db.write(given)

    assert set(await current(node, cache)) == {"local", "remote"}
    assert await current(node, cache, only_local=True) == ["local"]
    assert set(await current(node, cache)) == {"local", "remote"}


async def test_one_cache_serves_short_and_long_lists(node: Node, authors: list[Account]) -> None:
    cache = TrendCache(node)
    for tag in ("fog", "lake", "dawn"):
        await node.db.write(use, authors, tag)

    assert len(await current(node, cache, 1)) == 1
    assert len(await current(node, cache, 2)) == 2
    assert len(await current(node, cache, trends.MAX_TRENDS)) == 3
