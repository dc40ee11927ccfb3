"""A node: its identity comes from the options, it makes each component once, and closing ends all parts."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from node.config import BadConfig, Config, DatabaseOptions, FederationOptions, NodeOptions
from node.errors import DatabaseUnavailable
from node.node import Node, site_from_config
from web import wiring

SECRET = "a secret that only the tests know"


def test_the_site_is_named_by_the_options() -> None:
    options = Config(
        node=NodeOptions(domain="www.a.test", handle_domain="a.test", secret=SECRET),
        federation=FederationOptions(mode="allowlist"),
    )

    site = site_from_config(options)

    assert (site.base_url, site.handle_domain, site.secret) == (
        "https://www.a.test",
        "a.test",
        SECRET.encode(),
    )
    assert site.is_allowlist_mode
    assert not site_from_config(Config(node=NodeOptions(secret=SECRET))).is_allowlist_mode


def test_a_node_without_a_usable_secret_has_no_site(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("short")

    with pytest.raises(BadConfig):
        site_from_config(Config(database=DatabaseOptions(url=f"sqlite:{tmp_path}/a.db")))


class Counter:
    """A component that counts how often it is made."""

    made = 0

    def __init__(self, node: Node) -> None:
        type(self).made += 1
        self.node = node


async def test_a_component_is_made_once_for_each_node(node: Node, tmp_path: Path) -> None:
    other = await wiring.open_node(
        Config(
            node=NodeOptions(domain="b.test", secret=SECRET),
            database=DatabaseOptions(url=f"sqlite:{tmp_path}/b.db"),
        )
    )
    before = Counter.made

    assert node.component(Counter) is node.component(Counter)
    assert other.component(Counter).node is other
    assert Counter.made == before + 2
    await other.close()


async def test_closing_runs_the_callbacks_before_the_database_is_closed(options: Config) -> None:
    node = await wiring.open_node(options)
    results: list[int] = []

    async def count_accounts() -> None:
        results.append(await node.db.read(lambda tx: tx.value("SELECT COUNT(*) FROM accounts")))

    node.close_callbacks.append(count_accounts)
    await node.close()

    assert results == [1]


async def test_a_node_closes_although_its_last_writes_cannot_be_made(options: Config) -> None:
    node = await wiring.open_node(options)
    closed: list[str] = []

    async def fail() -> None:
        raise DatabaseUnavailable("it is away")

    async def hang() -> None:
        await asyncio.sleep(60)

    async def note() -> None:
        closed.append("noted")

    node.close_callbacks += [fail, hang, note]

    await asyncio.wait_for(node.close(), 10)

    assert closed == ["noted"]
