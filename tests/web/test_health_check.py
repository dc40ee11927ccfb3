from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from node.accounts import keys
from node.cli import control_socket
from node.config import Config, MediaOptions, NodeOptions, ServerOptions
from node.errors import Refused
from node.lifecycle import registration
from tests.support.ports import free_port
from web import health_check, wiring
from web.server import serve


@pytest.fixture
def options(options: Config) -> Config:
    """A node with two names that really lead to it: its host, and the domain of its people's handles."""
    port = free_port()
    return dataclasses.replace(
        options,
        node=dataclasses.replace(options.node, domain=f"localhost:{port}", handle_domain=f"127.0.0.1:{port}"),
        server=ServerOptions(bind=(f"127.0.0.1:{port}",), scheme="http"),
    )


@pytest.fixture
async def serving(options: Config) -> AsyncIterator[None]:
    node = await wiring.open_node(options)
    await node.db.write(
        registration.create_user,
        name="ada",
        email="ada@a.test",
        password_hash="x",
        pair=keys.generate(),
        role="admin",
    )
    stopping, ready = asyncio.Event(), asyncio.Event()
    served = asyncio.create_task(serve.serve(node, stopping, ready=ready))
    await asyncio.wait_for(ready.wait(), 10)
    yield
    stopping.set()
    await served
    await node.close()


async def findings(options: Config) -> dict[str, health_check.CheckResult]:
    return {finding.name: finding async for finding in health_check.run_checks(options)}


@pytest.mark.usefixtures("serving")
async def test_every_part_of_a_working_node_passes(options: Config) -> None:
    found = await findings(options)

    assert {name: finding.message for name, finding in found.items() if not finding.is_ok} == {}
    assert set(found) == {
        "database",
        "storage",
        "clock",
        "signatures",
        "addresses",
        "webfinger",
        "handles",
        "inbox",
        "admin",
    }


@pytest.mark.usefixtures("serving")
async def test_another_node_at_the_domain_is_noticed(options: Config, tmp_path: object) -> None:
    other = dataclasses.replace(
        options,
        database=dataclasses.replace(options.database, url=f"sqlite:{tmp_path}/other.db"),
        media=MediaOptions(url=f"file:{tmp_path}/other"),
    )
    await (await wiring.open_node(other)).close()
    found = await findings(other)

    assert not found["webfinger"].is_ok
    assert "Another node" in found["webfinger"].message
    assert not found["admin"].is_ok


async def test_an_unreachable_node_fails_only_the_checks_over_the_network(options: Config) -> None:
    await (await wiring.open_node(options)).close()
    found = await findings(options)

    assert not found["webfinger"].is_ok
    assert not found["inbox"].is_ok
    assert found["database"].is_ok
    assert found["storage"].is_ok
    assert found["signatures"].is_ok


async def test_a_node_that_cannot_be_opened_is_one_result(options: Config, tmp_path: object) -> None:
    broken = dataclasses.replace(
        options,
        node=NodeOptions(domain="a.test", secret="x" * 32),
        database=dataclasses.replace(options.database, url="sqlite:/proc/no/such.db"),
    )
    found = await findings(broken)

    assert [finding.is_ok for finding in found.values()] == [False]


@pytest.mark.usefixtures("serving")
async def test_the_handle_domain_has_to_redirect_to_the_node(options: Config) -> None:
    def called(domain: str) -> Config:
        return dataclasses.replace(options, node=dataclasses.replace(options.node, handle_domain=domain))

    silent = (await findings(called("127.0.0.1:1")))["handles"]
    assert not silent.is_ok
    assert "redirect http://127.0.0.1:1/.well-known/webfinger to" in silent.message
    assert "handles" not in await findings(called(""))


async def test_people_of_another_domain_are_noticed(
    options: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    """As after a trial on one machine, whose folder of data is then used with the domain of the node."""
    node = await wiring.open_node(options)
    await node.db.write(
        registration.create_user, name="ada", email="ada@a.test", password_hash="x", pair=keys.generate()
    )
    await node.close()
    moved = dataclasses.replace(options, node=dataclasses.replace(options.node, domain="photos.example"))

    found = (await findings(moved))["addresses"]
    node = await wiring.open_node(moved)
    await serve.print_welcome(node)
    await node.close()

    assert "`tintype check` tells more" in capsys.readouterr().err
    assert not found.is_ok
    assert f"http://{options.node.domain}/users/ada" in found.message
    assert "photos.example" in found.message


async def test_a_check_creates_nothing(options: Config, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    here = dataclasses.replace(
        options,
        node=dataclasses.replace(options.node, secret=""),
        database=dataclasses.replace(options.database, url=f"sqlite:{folder}/tintype.db"),
        media=MediaOptions(url=f"file:{folder}/media"),
    )

    found = await findings(here)

    assert [(name, one.is_ok) for name, one in found.items()] == [("node", False)]
    assert "Is this the right folder?" in found["node"].message
    assert not folder.exists()

    await (await wiring.open_node(here)).close()
    (folder / "secret").unlink()
    assert "secret" in (await findings(here))["node"].message
    assert not (folder / "secret").exists()


async def test_a_wrong_secret_is_said_and_nothing_is_opened_with_it(options: Config) -> None:
    await (await wiring.open_node(options)).close()
    other = dataclasses.replace(options, node=dataclasses.replace(options.node, secret="another one " * 4))

    with pytest.raises(Refused, match="does not decrypt what it encrypted"):
        await wiring.open_node(other)
    assert "does not decrypt what it encrypted" in (await findings(other))["node"].message
    with pytest.raises(Refused, match="does not decrypt what it encrypted"):
        await control_socket.run_command(other, "account list", max_id=0)
    await (await wiring.open_node(options)).close()


async def test_how_to_become_admin_is_a_whole_command(options: Config) -> None:
    await (await wiring.open_node(options)).close()

    assert "create NAME --email ADDRESS --role admin" in (await findings(options))["admin"].message
