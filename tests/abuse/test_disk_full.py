"""A disk without any space left, a real one of a few megabytes: what still works, and what people are told."""

from __future__ import annotations

import contextlib
import dataclasses
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from media.storage import LocalStorage
from node.attachments import disk_space, photos, stored_files
from node.attachments.disk_space import DiskSpace
from node.auth import access_tokens, passwords, users
from node.config import Config, DatabaseOptions, MediaOptions
from node.database import Writer
from node.errors import DatabaseUnavailable, DiskFull
from node.jobs import queue
from node.models.account import Account
from node.node import Node
from tests.support import missing_parts
from tests.support.asgi import Client
from tests.support.parallel import ONE_AT_A_TIME
from tests.support.pictures import picture
from tests.support.visitors import Visitor
from web import wiring
from web.app import App, create_app

pytestmark = ONE_AT_A_TIME

SIZE = "48m"
PASSWORD = "a password that is long enough"


@pytest.fixture
def disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A file system of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounting = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder], capture_output=True, text=True
    )
    if mounting.returncode:
        missing_parts.report(request.config, "on a full disk", "only root can mount a file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def options(options: Config, disk: Path) -> Config:
    options = dataclasses.replace(options, media=MediaOptions(url=f"file:{disk / 'media'}"))
    if options.database.url.startswith("sqlite:"):
        options = dataclasses.replace(options, database=DatabaseOptions(url=f"sqlite:{disk / 'tintype.db'}"))
    return options


@pytest.fixture
async def node(options: Config) -> AsyncIterator[Node]:
    node = await wiring.open_node(options)
    yield node
    await node.close()


@pytest.fixture
def app(node: Node) -> App:
    return create_app(node)


@pytest.fixture
async def token(node: Node, alice: Account) -> str:
    """Alice can sign in, and has an app."""
    hashed = await passwords.hash(PASSWORD)

    def unit(tx: Writer) -> str:
        users.create(tx, alice, email="alice@example.org", password_hash=hashed)
        return access_tokens.create(tx, alice, {"read", "write"}, "test")

    return await node.db.write(unit)


def fill(disk: Path) -> None:
    """Takes all that is left."""
    with (disk / "filler").open("ab", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            with contextlib.suppress(OSError):
                while file.write(b"x" * size) == size:
                    pass


def files(disk: Path) -> set[str]:
    """The stored files, and those that are being stored."""
    return {str(file.relative_to(disk)) for file in (disk / "media").rglob("*") if file.is_file()}


async def sign_in(app: App) -> Visitor:
    visitor = Visitor(app)
    await visitor.get("/sign-in")
    await visitor.post("/sign-in", {"login": "alice", "password": PASSWORD})
    return visitor


async def test_people_can_still_sign_in_and_read(node: Node, app: App, disk: Path, token: str) -> None:
    fill(disk)

    for _ in range(10):
        visitor = await sign_in(app)
        assert visitor.page is not None
        assert visitor.page.status == 200
        assert "tintype_session" in visitor.cookies

    home = await visitor.get("/")
    assert home.status == 200
    assert home.all("a", href="/compose")
    app_home = await Client(app, {"authorization": f"Bearer {token}"}).get("/api/v1/timelines/home")
    assert app_home.status == 200


async def test_reading_goes_on_when_the_space_that_was_kept_is_used_up(
    node: Node, app: App, disk: Path, token: str
) -> None:
    visitor = await sign_in(app)
    api = Client(app, {"authorization": f"Bearer {token}"})
    fill(disk)
    if node.config.database.url.startswith("sqlite:"):
        with pytest.raises(DatabaseUnavailable, match="full"):
            await _write_without_end(node)
        reply = await api.post("/api/v1/statuses", sent={"status": "x" * 4000})
        assert reply.status == 507
        assert reply.json["error"].startswith("The server's disk is full")
    assert (await visitor.get("/")).status == 200
    assert (await api.get("/api/v1/timelines/home")).status == 200
    (disk / "filler").unlink()
    assert (await api.post("/api/v1/statuses", sent={"status": "there is room again"})).status == 200


async def _write_without_end(node: Node) -> None:
    for _ in range(1000):
        await node.db.write(queue.add, "nothing", {"text": "x" * 100_000})


async def test_an_upload_says_why_it_is_refused_and_leaves_nothing(
    node: Node, app: App, alice: Account, disk: Path, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    visitor = await sign_in(app)
    before = files(disk)
    fill(disk)
    node.component(DiskSpace).__init__(node)  # type: ignore[misc]  # it looks once a second only

    reply = await Client(app, {"authorization": f"Bearer {token}"}).post(
        "/api/v2/media", files={"file": picture(900, 600)}
    )
    assert reply.status == 507
    assert reply.json["error"].startswith("The server's disk is full")

    await visitor.get("/compose")
    page = await visitor.post(
        "/compose", {"caption": "a lake"}, files=[("photos", "lake.jpg", picture(900, 600))]
    )
    assert page.status == 507
    assert "The server's disk is full" in page.main_text

    with pytest.raises(DiskFull):
        await photos.upload(node, alice, picture(900, 600))
    assert files(disk) == before
    assert any("disk is full" in record.message for record in caplog.records if record.levelname == "ERROR")


@pytest.mark.parametrize("kilobytes", [0, 8, 30, 60, 100])
async def test_a_disk_that_fills_up_during_an_upload_keeps_no_half_of_it(
    node: Node, alice: Account, disk: Path, kilobytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_space, "KEPT_BYTES", 0)
    before = files(disk)
    fill(disk)
    with (disk / "filler").open("ab") as file:
        file.truncate(file.tell() - kilobytes * 1024)

    try:
        await photos.upload(node, alice, picture(1600, 1200))
    except (DiskFull, DatabaseUnavailable):
        assert files(disk) == before
    else:
        assert kilobytes > 8
    assert not [file for file in (disk / "media" / ".incoming").iterdir() if file.is_file()]


async def test_of_a_picture_stored_twice_the_first_keeps_its_files(
    node: Node, alice: Account, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_space, "KEPT_BYTES", 0)
    first = await photos.upload(node, alice, picture(1600, 1200))
    fill(disk)

    with pytest.raises((DiskFull, DatabaseUnavailable)):
        await photos.upload(node, alice, picture(1600, 1200))

    storage = LocalStorage(disk / "media")
    for file in first.files.values():
        assert len(await storage.get(file.key)) == file.bytes
    assert stored_files.file_size(await storage.get(first.original_file)) > 0


async def test_other_servers_are_asked_to_come_again_later(app: App, disk: Path, token: str) -> None:
    fill(disk)

    reply = await Client(app).call("POST", "/inbox", sent={"type": "Follow"})

    assert reply.status == 503
    assert reply.headers["retry-after"]


async def test_a_node_starts_on_a_full_disk(options: Config, disk: Path) -> None:
    node = await wiring.open_node(options)
    await node.close()
    fill(disk)

    node = await wiring.open_node(options)
    await node.close()
