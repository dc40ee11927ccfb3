"""The federation cache: concurrent fetches of one name are one fetch, and its result belongs to every caller."""

from __future__ import annotations

import asyncio

import pytest

from activitypub.client.cache import FederationCache
from node.node import Node


@pytest.fixture
def cache(node: Node) -> FederationCache:
    return node.component(FederationCache)


def test_a_node_has_one_cache(node: Node, cache: FederationCache) -> None:
    assert node.component(FederationCache) is cache


async def test_concurrent_calls_with_one_name_are_one_fetch(cache: FederationCache) -> None:
    release, fetches = asyncio.Event(), 0

    async def fetch() -> int:
        nonlocal fetches
        fetches += 1
        await release.wait()
        return fetches

    calls = [asyncio.create_task(cache.run_once("key 1", fetch)) for _ in range(5)]
    await asyncio.sleep(0)
    release.set()

    assert await asyncio.gather(*calls) == [1] * 5


async def test_other_names_are_other_fetches(cache: FederationCache) -> None:
    async def fetch(name: str) -> str:
        await asyncio.sleep(0)
        return name

    found = await asyncio.gather(*(cache.run_once(name, lambda name=name: fetch(name)) for name in "abc"))

    assert found == ["a", "b", "c"]


async def test_a_result_is_not_kept_after_its_fetch(cache: FederationCache) -> None:
    results = iter(range(2))

    async def fetch() -> int:
        return next(results)

    assert [await cache.run_once("key 1", fetch), await cache.run_once("key 1", fetch)] == [0, 1]


async def test_a_cancelled_caller_does_not_cancel_the_fetch_of_others(cache: FederationCache) -> None:
    release = asyncio.Event()

    async def fetch() -> str:
        await release.wait()
        return "found"

    first = asyncio.create_task(cache.run_once("key 1", fetch))
    second = asyncio.create_task(cache.run_once("key 1", fetch))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    release.set()

    assert await second == "found"
    assert first.cancelled()


async def test_a_failure_reaches_every_caller_and_ends_with_them(cache: FederationCache) -> None:
    async def fail() -> str:
        await asyncio.sleep(0)
        raise ValueError("no such key")

    async def succeed() -> str:
        return "found"

    failures = await asyncio.gather(
        cache.run_once("key 1", fail), cache.run_once("key 1", fail), return_exceptions=True
    )

    assert [str(error) for error in failures] == ["no such key"] * 2
    assert await cache.run_once("key 1", succeed) == "found"
