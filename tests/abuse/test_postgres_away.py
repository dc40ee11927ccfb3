"""PostgreSQL that is refused, hangs, or restarts: nothing waits for it for ever, and all goes on by itself."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from node.config import Config, DatabaseOptions, FederationOptions, MediaOptions, NodeOptions, ServerOptions
from tests.abuse.served_process import ServedProcess, run_command
from tests.support import postgres
from tests.support.database_proxy import DatabaseProxy
from tests.support.databases import Databases
from tests.support.parallel import ONE_AT_A_TIME
from tests.support.ports import free_port

pytestmark = ONE_AT_A_TIME
ENGINES = ("postgresql",)

COMMANDS = (["migrate"], ["account", "list"], ["token", "create", "alice"], ["check"], ["worker"])

ASKED = (
    ("/explore", "text/html"),
    ("/users/nobody", "application/activity+json"),
    ("/media/avatar/7/small.webp", "image/*"),
    ("/api/v1/timelines/tag/lake", "application/json"),
)


def served_options(folder: Path) -> Config:
    port = free_port()
    return Config(
        node=NodeOptions(domain=f"localhost:{port}", secret="a secret that only the tests know"),
        server=ServerOptions(bind=(f"127.0.0.1:{port}",), scheme="http"),
        media=MediaOptions(url=f"file:{folder / 'media'}"),
        federation=FederationOptions(allow_private_addresses=True, allow_http=True),
    )


def with_url(options: Config, url: str) -> Config:
    return dataclasses.replace(options, database=DatabaseOptions(url=url))


@pytest.fixture
def options(databases: Databases, tmp_path: Path) -> Config:
    return databases.fresh(served_options(tmp_path))


@pytest.fixture
async def proxy(options: Config) -> AsyncIterator[DatabaseProxy]:
    async with DatabaseProxy(options.database.url) as proxy:
        yield proxy


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
async def test_a_command_ends_with_a_message_while_the_database_swallows_everything(
    options: Config, proxy: DatabaseProxy, tmp_path: Path, command: list[str]
) -> None:
    proxy.swallow()

    ended = await run_command(with_url(options, proxy.url), tmp_path, *command)

    assert ended.code == 1, ended.output
    assert "Traceback" not in ended.output
    assert len(ended.output.splitlines()) == (1 if command != ["check"] else 2), ended.output
    assert "annot be " in ended.output


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda url: url.replace("/tintype_", "/missing_"), "does not exist"),
        (lambda url: url.replace("tintype@", "nobody_of_that_name@"), "does not exist"),
        (lambda url: url.split("?")[0] + "?host=/nowhere", "No such file"),
        (lambda url: "postgresql://tintype@127.0.0.1:1/none", "refused"),
        (lambda url: "postgresql://tintype@127.0.0.1:notaport/none", "port"),
    ],
)
async def test_a_database_that_refuses_is_explained_in_a_message(
    options: Config, tmp_path: Path, change: Callable[[str], str], says: str
) -> None:
    ended = await run_command(with_url(options, change(options.database.url)), tmp_path, "migrate")

    assert ended.code in (1, 2)
    assert len(ended.output.splitlines()) == 1, ended.output
    assert ended.output.startswith("tintype: The database cannot be used: ")
    assert says in ended.output


async def test_serve_refuses_to_start_with_what_only_a_person_can_correct(
    options: Config, tmp_path: Path
) -> None:
    wrong = with_url(options, options.database.url.replace("/tintype_", "/missing_"))

    ended = await run_command(wrong, tmp_path, "serve")

    assert ended.code == 1
    assert "does not exist" in ended.output.splitlines()[-1]


async def test_a_node_started_without_its_database_says_so_and_begins_when_it_answers(
    options: Config, proxy: DatabaseProxy, tmp_path: Path
) -> None:
    await proxy.refuse()
    async with ServedProcess(with_url(options, proxy.url), tmp_path) as node:
        await node.wait_for_status("/about", 503)
        _, headers, page = await node.get("/about")
        assert headers["Retry-After"]
        assert "cannot reach its database" in page
        assert '{"error": ' in (await node.get("/api/v1/instance", "*/*"))[2]

        await proxy.accept()

        await node.wait_for_status("/about", 200)
        assert (await node.stop()).code == 0


async def test_a_node_that_waits_for_its_database_at_its_start_stops_in_time(
    options: Config, proxy: DatabaseProxy, tmp_path: Path
) -> None:
    proxy.swallow()
    async with ServedProcess(with_url(options, proxy.url), tmp_path) as node:
        await node.wait_for_status("/about", 503)

        assert "Traceback" not in (await node.stop()).output


async def test_a_database_that_hangs_while_serving_is_503_until_it_answers_again(
    options: Config, proxy: DatabaseProxy, tmp_path: Path
) -> None:
    async with ServedProcess(with_url(options, proxy.url), tmp_path) as node:
        await node.wait_for_status("/about", 200)

        proxy.swallow()
        statuses = await asyncio.gather(*[node.get("/explore") for _ in range(20)])
        assert {status for status, _, _ in statuses} == {503}, statuses
        status, headers, page = await node.get("/")
        assert (status, "cannot reach its database" in page) == (503, True)
        assert headers["Retry-After"]
        api = await node.get("/api/v1/timelines/public", "application/json")
        assert (api[0], api[1]["Content-Type"]) == (503, "application/json; charset=utf-8")
        actor = await node.get("/actor", "application/activity+json")
        assert (actor[0], bool(actor[1]["Retry-After"])) == (503, True)
        assert (await node.get("/media/avatar/7/small.webp"))[0] == 503

        proxy.flow()
        assert await node.wait_for_status("/about", 200) < 10
        ended = await node.stop()
        assert ended.code == 0
        assert "Traceback" not in ended.output


async def test_a_node_whose_database_hangs_stops_in_time(
    options: Config, proxy: DatabaseProxy, tmp_path: Path
) -> None:
    async with ServedProcess(with_url(options, proxy.url), tmp_path) as node:
        await node.wait_for_status("/about", 200)
        for path, accept in ASKED:  # each class of reads has a connection
            await node.get(path, accept)
        proxy.swallow()
        asking = [asyncio.create_task(node.get(*one)) for _ in range(8) for one in ASKED]
        await asyncio.sleep(0.5)

        await node.stop()

        await asyncio.gather(*asking, return_exceptions=True)


async def test_cut_connections_are_replaced_without_anybody_noticing(
    options: Config, proxy: DatabaseProxy, tmp_path: Path
) -> None:
    async with ServedProcess(with_url(options, proxy.url), tmp_path) as node:
        await node.wait_for_status("/about", 200)
        for _ in range(5):
            proxy.cut()
            await asyncio.sleep(0.3)
            answers = await asyncio.gather(*[node.get("/explore") for _ in range(8)])
            assert [status for status, _, _ in answers] == [200] * 8, node.log.read_text()


async def test_one_server_process_that_hangs_stops_nobody_else(
    options: Config, tmp_path: Path, postgres_url: Callable[[str], str]
) -> None:
    """The others are served at once, and who waited for it is told in the end."""
    async with ServedProcess(options, tmp_path) as node:
        await node.wait_for_status("/about", 200)
        await asyncio.gather(*[node.get("/explore") for _ in range(8)])
        with psycopg.connect(options.database.url, autocommit=True) as admin:
            pids = [
                row[0]
                for row in admin.execute(
                    "SELECT pid FROM pg_stat_activity WHERE application_name = 'tintype'"
                    " AND datname = current_database()"
                )
            ]
        os.kill(pids[0], signal.SIGSTOP)
        try:
            answers = await asyncio.gather(*[node.get("/explore") for _ in range(24)])
            assert {status for status, _, _ in answers} <= {200, 503}
            assert sum(status == 200 for status, _, _ in answers) >= 20
            assert (await node.get("/explore"))[0] == 200
        finally:
            os.kill(pids[0], signal.SIGCONT)
        await node.stop()


@pytest.fixture
def own_server(engine: str) -> Iterator[postgres.Server]:
    """A PostgreSQL server for one test, which may stop it."""
    programs = postgres.binaries()
    assert programs is not None
    server = postgres.Server(programs)
    yield server
    server.resume()
    server.stop()


async def test_a_server_that_is_stopped_whole_is_503_and_serves_again_when_continued(
    own_server: postgres.Server, tmp_path: Path
) -> None:
    options = with_url(served_options(tmp_path), own_server.url("postgres"))
    async with ServedProcess(options, tmp_path) as node:
        await node.wait_for_status("/about", 200)
        own_server.suspend()
        assert (await node.get("/explore"))[0] == 503
        ended = await run_command(options, tmp_path, "account", "list")
        assert (ended.code, len(ended.output.splitlines())) == (1, 1), ended.output

        own_server.resume()

        await node.wait_for_status("/explore", 200)
        own_server.suspend()
        await node.stop()
