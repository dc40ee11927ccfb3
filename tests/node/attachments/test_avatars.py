"""Avatars and headers: uploads of local accounts, and remote pictures that are fetched and replaced."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from node.accounts import accounts
from node.attachments import avatars, stored_files
from node.errors import Invalid, NotFound
from node.jobs import queue
from node.jobs.queue import Job
from node.lifecycle import account_deletion
from node.models import visibility
from node.models.account import Account
from node.moderation import domain_rules
from node.node import Node
from tests.support import people
from tests.support.picture_server import PictureReply, PictureServer

PhotoMaker = Callable[..., bytes]
AVATAR_FILES = {("avatar", "jpeg"), ("avatar", "webp"), ("small", "webp")}


def png(body: bytes) -> PictureReply:
    return PictureReply(body, content_type="image/png")


async def test_an_upload_is_stored_in_all_variants_and_federated(
    node: Node, alice: Account, photo: PhotoMaker
) -> None:
    await avatars.upload(node, alice, photo(600, 400, "PNG"), alt="Alice by a lake")

    changed = await node.db.read(accounts.get, alice.id)
    stored = await node.db.read(avatars.files, changed)
    assert set(stored) == AVATAR_FILES
    assert changed.avatar_file == stored["avatar", "webp"].key
    assert changed.avatar_alt == "Alice by a lake"
    for file in stored.values():
        assert len(await node.storage.get(file.key)) == file.bytes
        assert await node.db.read(visibility.may_see_file, 0, file.key) == "public"
    assert await node.db.read(people.verbs_of, alice) == ["Update"]


async def test_the_previous_avatar_is_deleted_when_nobody_else_has_it(
    node: Node, alice: Account, bob: Account, photo: PhotoMaker
) -> None:
    async def jpeg_key(account: Account) -> str:
        current = await node.db.read(accounts.get, account.id)
        return (await node.db.read(avatars.files, current))["avatar", "jpeg"].key

    async def delete_queued_files() -> None:
        while jobs := await node.db.write(queue.claim, "delete_files", 1, 2**61):
            await stored_files.delete_files(node, jobs[0])
            await node.db.write(queue.finish, jobs[0])

    for account in (alice, bob):
        await avatars.upload(node, account, photo(seed=1))
    shared = await jpeg_key(alice)
    assert await jpeg_key(bob) == shared
    await avatars.upload(node, alice, photo(seed=2))
    second = await jpeg_key(alice)
    await delete_queued_files()
    assert await node.storage.get(shared)

    await node.db.write(avatars.remove_picture, await node.db.read(accounts.get, alice.id))
    await delete_queued_files()

    with pytest.raises(KeyError):
        await node.storage.get(second)
    assert (await node.db.read(accounts.get, alice.id)).avatar_file == ""


async def test_a_file_that_is_no_picture_is_refused(node: Node, alice: Account) -> None:
    with pytest.raises(Invalid) as refused:
        await avatars.upload(node, alice, b"<svg onload='x()'>")

    assert refused.value.field == "avatar"
    assert (await node.db.read(accounts.get, alice.id)).avatar_file == ""


async def test_an_avatar_can_be_described_later(node: Node, alice: Account, photo: PhotoMaker) -> None:
    await node.db.write(avatars.set_alt, alice, "nothing to describe")
    assert (await node.db.read(accounts.get, alice.id)).avatar_alt == ""
    await avatars.upload(node, alice, photo())

    await node.db.write(avatars.set_alt, await node.db.read(accounts.get, alice.id), "In a hat")

    assert (await node.db.read(accounts.get, alice.id)).avatar_alt == "In a hat"


async def test_a_remote_avatar_is_fetched_once(
    node: Node, picture_server: PictureServer, photo: PhotoMaker
) -> None:
    picture_server.reply = png(photo(500, 500, "PNG"))
    rita = await node.db.write(people.remote, avatar_url=f"{picture_server.url}/avatar.png")

    await avatars.fetch_remote(node, rita.id)
    await avatars.fetch_remote(node, rita.id)

    assert picture_server.requests.total() == 1
    assert set(await node.db.read(avatars.files, rita)) == AVATAR_FILES


async def test_a_new_remote_avatar_replaces_the_old_one(
    node: Node, picture_server: PictureServer, photo: PhotoMaker
) -> None:
    url = f"{picture_server.url}/avatar.png"
    picture_server.reply = png(photo(kind="PNG", seed=1))
    rita = await node.db.write(people.remote, avatar_url=url)
    await avatars.fetch_remote(node, rita.id)
    before = await node.db.read(avatars.files, rita)

    picture_server.reply = png(photo(kind="PNG", seed=2))
    rita = await node.db.write(people.remote, avatar_url=url + "?2")
    assert await node.db.read(avatars.files, rita) == {}
    await avatars.fetch_remote(node, rita.id)

    assert (await node.db.read(avatars.files, rita)).keys() == before.keys()
    assert await node.db.read(avatars.files, rita) != before


async def test_a_failed_avatar_is_not_requested_at_every_view(
    node: Node, picture_server: PictureServer
) -> None:
    picture_server.reply = PictureReply(status=503)
    rita = await node.db.write(people.remote, avatar_url=f"{picture_server.url}/avatar.png")
    with pytest.raises(NotFound):
        await avatars.fetch_remote(node, rita.id)
    with pytest.raises(NotFound):
        await avatars.fetch_remote(node, rita.id)
    with pytest.raises(queue.GiveUp):
        await avatars.fetch_avatar(node, Job(1, "fetch_avatar", "", {"id": rita.id}, 1))

    assert picture_server.requests.total() == 1


async def test_a_new_avatar_is_tried_although_the_old_one_failed(
    node: Node, picture_server: PictureServer, photo: PhotoMaker
) -> None:
    url = f"{picture_server.url}/avatar.png"
    picture_server.reply = PictureReply(status=503)
    rita = await node.db.write(people.remote, avatar_url=url)
    with pytest.raises(NotFound):
        await avatars.fetch_remote(node, rita.id)

    picture_server.reply = png(photo(kind="PNG"))
    rita = await node.db.write(people.remote, avatar_url=url + "?new")
    await avatars.fetch_remote(node, rita.id)

    assert set(await node.db.read(avatars.files, rita)) == AVATAR_FILES


async def test_a_remote_file_that_is_no_picture_is_not_stored(
    node: Node, picture_server: PictureServer
) -> None:
    picture_server.reply = png(b"\x89PNG\r\n\x1a\n but not really")
    rita = await node.db.write(people.remote, avatar_url=f"{picture_server.url}/avatar.png")

    with pytest.raises(NotFound):
        await avatars.fetch_remote(node, rita.id)
    assert await node.db.read(avatars.files, rita) == {}


async def test_nothing_is_fetched_for_local_pictureless_or_blocked_accounts(
    node: Node, picture_server: PictureServer, alice: Account
) -> None:
    rita = await node.db.write(people.remote, avatar_url=f"{picture_server.url}/avatar.png")
    plain = await node.db.write(people.remote, "plain")
    await node.db.write(domain_rules.block, "far.example")

    for account in (alice, rita, plain):
        with pytest.raises(NotFound):
            await avatars.fetch_remote(node, account.id)
    assert picture_server.requests.total() == 0


async def test_avatar_and_header_are_stored_and_removed_apart(
    node: Node, alice: Account, photo: PhotoMaker
) -> None:
    async def stored(kind: avatars.PictureKind) -> set[tuple[str, str]]:
        return set(await node.db.read(avatars.files, await node.db.read(accounts.get, alice.id), kind))

    await avatars.upload(node, alice, photo(seed=1), alt="Alice")
    await avatars.upload(node, alice, photo(1500, 500, seed=2), alt="A shore", kind=avatars.HEADER)
    assert await stored(avatars.AVATAR) == AVATAR_FILES
    assert await stored(avatars.HEADER) == {("header", "jpeg"), ("header", "webp")}
    current = await node.db.read(accounts.get, alice.id)
    assert (current.avatar_alt, current.header_alt) == ("Alice", "A shore")

    await avatars.upload(node, current, photo(seed=3), alt="Alice again")
    await node.db.write(avatars.remove_picture, current, avatars.HEADER)
    current = await node.db.read(accounts.get, alice.id)
    assert (current.header_file, current.header_alt, current.avatar_alt) == ("", "", "Alice again")
    assert await stored(avatars.AVATAR) == AVATAR_FILES
    assert await stored(avatars.HEADER) == set()


async def test_deleting_an_account_deletes_both_pictures(
    node: Node, alice: Account, photo: PhotoMaker
) -> None:
    await avatars.upload(node, alice, photo(seed=1))
    await avatars.upload(node, alice, photo(seed=2), kind=avatars.HEADER)
    await node.db.write(account_deletion.delete_account, await node.db.read(accounts.get, alice.id))

    assert await node.db.read(lambda tx: tx.value("SELECT COUNT(*) FROM avatar_files")) == 0
    deleted = await node.db.read(accounts.get, alice.id)
    assert (deleted.avatar_file, deleted.header_file) == ("", "")
