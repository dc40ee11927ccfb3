from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from node.accounts import accounts
from node.attachments import avatars, stored_files
from node.config import Config, FederationOptions
from node.errors import Invalid, NotFound
from node.jobs import queue
from node.jobs.queue import Job
from node.lifecycle import account_deletion
from node.models import visibility
from node.models.account import Account
from node.moderation import domain_rules
from node.node import Node
from tests.support import people

Photo = Callable[..., bytes]
ALL = {("avatar", "jpeg"), ("avatar", "webp"), ("small", "webp")}


@pytest.fixture
def options(options: Config) -> Config:
    return dataclasses.replace(
        options, federation=FederationOptions(allow_private_addresses=True, allow_http=True)
    )


class Elsewhere:
    """Another server, with one picture."""

    def __init__(self) -> None:
        self.picture = b""
        self.asked = 0
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        if not self.picture:
            raise web.HTTPServiceUnavailable
        return web.Response(body=self.picture, content_type="image/png")


@pytest.fixture
async def elsewhere() -> AsyncIterator[Elsewhere]:
    far = Elsewhere()
    app = web.Application()
    app.router.add_get("/avatar.png", far.answer)
    server = TestServer(app)
    await server.start_server()
    far.url = str(server.make_url("/avatar.png"))
    yield far
    await server.close()


async def test_a_new_face_is_kept_in_all_sizes_and_told(node: Node, alice: Account, photo: Photo) -> None:
    await avatars.upload(node, alice, photo(600, 400, "PNG"), alt="Alice by a lake")

    changed = await node.db.read(accounts.get, alice.id)
    kept = await node.db.read(avatars.files, changed)
    assert set(kept) == ALL
    assert changed.avatar_file == kept["avatar", "webp"].key
    assert changed.avatar_alt == "Alice by a lake"
    for file in kept.values():
        assert len(await node.storage.get(file.key)) == file.bytes
        assert await node.db.read(visibility.may_see_file, 0, file.key) == "public"
    assert await node.db.read(people.verbs, alice) == ["Update"]


async def test_the_face_before_goes_when_nobody_needs_it(
    node: Node, alice: Account, bob: Account, photo: Photo
) -> None:
    async def face(who: Account) -> str:
        now = await node.db.read(accounts.get, who.id)
        return (await node.db.read(avatars.files, now))["avatar", "jpeg"].key

    async def tidy() -> None:
        for row in await node.db.read(
            lambda tx: tx.all("SELECT id, payload FROM jobs WHERE kind = 'delete_files'")
        ):
            [job] = await node.db.write(queue.claim, "delete_files", 1, 2**61)
            assert job.id == row["id"]
            await stored_files.delete_files(node, job)
            await node.db.write(queue.finish, job)

    for who in (alice, bob):
        await avatars.upload(node, who, photo(seed=1))
    shared = await face(alice)
    assert await face(bob) == shared
    await avatars.upload(node, alice, photo(seed=2))
    second = await face(alice)
    await tidy()
    assert await node.storage.get(shared)

    await node.db.write(avatars.remove_picture, await node.db.read(accounts.get, alice.id))
    await tidy()

    with pytest.raises(KeyError):
        await node.storage.get(second)
    assert (await node.db.read(accounts.get, alice.id)).avatar_file == ""


async def test_what_is_no_picture_is_refused_with_a_sentence(node: Node, alice: Account) -> None:
    with pytest.raises(Invalid) as refused:
        await avatars.upload(node, alice, b"<svg onload='x()'>")

    assert refused.value.field == "avatar"
    assert (await node.db.read(accounts.get, alice.id)).avatar_file == ""


async def test_a_face_can_be_described_later(node: Node, alice: Account, photo: Photo) -> None:
    await node.db.write(avatars.set_alt, alice, "nothing to describe")
    assert (await node.db.read(accounts.get, alice.id)).avatar_alt == ""
    await avatars.upload(node, alice, photo())

    await node.db.write(avatars.set_alt, await node.db.read(accounts.get, alice.id), "In a hat")

    assert (await node.db.read(accounts.get, alice.id)).avatar_alt == "In a hat"


async def test_someone_elses_face_is_fetched_once(node: Node, elsewhere: Elsewhere, photo: Photo) -> None:
    elsewhere.picture = photo(500, 500, "PNG")
    rita = await node.db.write(people.remote, avatar_url=elsewhere.url)

    await avatars.fetch_remote(node, rita.id)
    await avatars.fetch_remote(node, rita.id)

    assert elsewhere.asked == 1
    assert set(await node.db.read(avatars.files, rita)) == ALL


async def test_a_new_face_elsewhere_replaces_the_old_one(
    node: Node, elsewhere: Elsewhere, photo: Photo
) -> None:
    elsewhere.picture = photo(kind="PNG", seed=1)
    rita = await node.db.write(people.remote, avatar_url=elsewhere.url)
    await avatars.fetch_remote(node, rita.id)
    before = await node.db.read(avatars.files, rita)

    elsewhere.picture = photo(kind="PNG", seed=2)
    rita = await node.db.write(people.remote, avatar_url=elsewhere.url + "?2")
    assert await node.db.read(avatars.files, rita) == {}
    await avatars.fetch_remote(node, rita.id)

    assert (await node.db.read(avatars.files, rita)).keys() == before.keys()
    assert await node.db.read(avatars.files, rita) != before


async def test_a_face_that_cannot_be_had_is_not_asked_for_at_every_look(
    node: Node, elsewhere: Elsewhere
) -> None:
    rita = await node.db.write(people.remote, avatar_url=elsewhere.url)
    with pytest.raises(NotFound):
        await avatars.fetch_remote(node, rita.id)
    with pytest.raises(NotFound):
        await avatars.fetch_remote(node, rita.id)
    with pytest.raises(queue.GiveUp):
        await avatars.fetch_avatar(node, Job(1, "fetch_avatar", "", {"id": rita.id}, 1))

    assert elsewhere.asked == 1


async def test_a_new_face_is_tried_although_the_old_one_could_not_be_had(
    node: Node, elsewhere: Elsewhere, photo: Photo
) -> None:
    rita = await node.db.write(people.remote, avatar_url=elsewhere.url)
    with pytest.raises(NotFound):
        await avatars.fetch_remote(node, rita.id)

    elsewhere.picture = photo(kind="PNG")
    rita = await node.db.write(people.remote, avatar_url=elsewhere.url + "?new")
    await avatars.fetch_remote(node, rita.id)

    assert set(await node.db.read(avatars.files, rita)) == ALL


async def test_what_comes_from_elsewhere_must_be_a_picture(node: Node, elsewhere: Elsewhere) -> None:
    elsewhere.picture = b"\x89PNG\r\n\x1a\n but not really"
    rita = await node.db.write(people.remote, avatar_url=elsewhere.url)

    with pytest.raises(NotFound):
        await avatars.fetch_remote(node, rita.id)
    assert await node.db.read(avatars.files, rita) == {}


async def test_nothing_is_fetched_for_our_own_for_the_faceless_or_from_blocked_servers(
    node: Node, elsewhere: Elsewhere, alice: Account
) -> None:
    rita = await node.db.write(people.remote, avatar_url=elsewhere.url)
    plain = await node.db.write(people.remote, "plain")
    await node.db.write(domain_rules.block, "far.example")

    for account in (alice, rita, plain):
        with pytest.raises(NotFound):
            await avatars.fetch_remote(node, account.id)
    assert elsewhere.asked == 0


async def test_face_and_header_are_kept_and_taken_away_apart(
    node: Node, alice: Account, photo: Photo
) -> None:
    async def kept(kind: avatars.PictureKind) -> set[tuple[str, str]]:
        return set(await node.db.read(avatars.files, await node.db.read(accounts.get, alice.id), kind))

    await avatars.upload(node, alice, photo(seed=1), alt="Alice")
    await avatars.upload(node, alice, photo(1500, 500, seed=2), alt="A shore", kind=avatars.HEADER)
    assert await kept(avatars.AVATAR) == ALL
    assert await kept(avatars.HEADER) == {("header", "jpeg"), ("header", "webp")}
    now = await node.db.read(accounts.get, alice.id)
    assert (now.avatar_alt, now.header_alt) == ("Alice", "A shore")

    await avatars.upload(node, now, photo(seed=3), alt="Alice again")
    await node.db.write(avatars.remove_picture, now, avatars.HEADER)
    now = await node.db.read(accounts.get, alice.id)
    assert (now.header_file, now.header_alt, now.avatar_alt) == ("", "", "Alice again")
    assert await kept(avatars.AVATAR) == ALL
    assert await kept(avatars.HEADER) == set()


async def test_who_leaves_takes_both_pictures_along(node: Node, alice: Account, photo: Photo) -> None:
    await avatars.upload(node, alice, photo(seed=1))
    await avatars.upload(node, alice, photo(seed=2), kind=avatars.HEADER)
    await node.db.write(account_deletion.delete_account, await node.db.read(accounts.get, alice.id))

    assert await node.db.read(lambda tx: tx.value("SELECT COUNT(*) FROM avatar_files")) == 0
    gone = await node.db.read(accounts.get, alice.id)
    assert (gone.avatar_file, gone.header_file) == ("", "")
