"""Fetching pictures of other servers: one fetch for all viewers, limits for each host, failures recorded."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace

import pytest

from media.images import EMOJI_VARIANTS, BadImage
from node.attachments import media_cache, remote_fetch, stored_files
from node.attachments.remote_fetch import PictureFetcher
from node.errors import TooManyRequests, Unreachable
from node.moderation import domain_rules
from node.node import Node
from tests.support.picture_server import HOSTS, PictureReply, PictureServer
from tests.support.ports import free_port

MAX_BYTES = 1_000_000


async def fetch(node: Node, url: str, server: str = "s.example") -> object:
    return await node.component(PictureFetcher).fetch_picture(
        url, server=server, max_bytes=MAX_BYTES, variants=EMOJI_VARIANTS
    )


async def store(node: Node, id_: int, url: str) -> remote_fetch.FetchedPicture | None:
    return await remote_fetch.fetch_and_store(
        node, ("emoji", id_), url, server="s.example", max_bytes=MAX_BYTES, variants=EMOJI_VARIANTS
    )


async def test_concurrent_callers_share_one_fetch_and_a_later_one_starts_anew(node: Node) -> None:
    fetcher, started, may_end = node.component(PictureFetcher), 0, asyncio.Event()

    async def slow() -> int:
        nonlocal started
        started += 1
        number = started
        await may_end.wait()
        return number

    callers = [asyncio.create_task(fetcher.fetch_once(("photo", 1), slow)) for _ in range(4)]
    other = asyncio.create_task(fetcher.fetch_once(("avatar", 1), slow))
    await asyncio.sleep(0)
    may_end.set()

    assert await asyncio.gather(*callers) == [1] * 4
    assert await other == 2
    assert await fetcher.fetch_once(("photo", 1), slow) == 3


async def test_an_error_reaches_every_caller_and_is_not_remembered(node: Node) -> None:
    fetcher, fails = node.component(PictureFetcher), True

    async def fail_once() -> str:
        await asyncio.sleep(0)
        if fails:
            raise Unreachable("not today")
        return "picture"

    results = await asyncio.gather(
        *[fetcher.fetch_once(("photo", 1), fail_once) for _ in range(3)], return_exceptions=True
    )
    assert [type(result) for result in results] == [Unreachable] * 3

    fails = False
    assert await fetcher.fetch_once(("photo", 1), fail_once) == "picture"


async def test_closing_cancels_what_is_in_flight(node: Node) -> None:
    fetcher = PictureFetcher(node)
    caller = asyncio.create_task(fetcher.fetch_once(("photo", 1), asyncio.Event().wait))
    await asyncio.sleep(0)

    await fetcher.close()

    with pytest.raises(asyncio.CancelledError):
        await caller


async def test_a_host_gets_few_requests_at_a_time(node: Node, picture_server: PictureServer) -> None:
    picture_server.may_answer.clear()
    fetches = [asyncio.create_task(fetch(node, f"{picture_server.url}/{n}.jpg")) for n in range(8)]
    await picture_server.wait_for_requests(remote_fetch.MAX_CONCURRENT_PER_HOST)

    picture_server.may_answer.set()
    await asyncio.gather(*fetches)

    assert picture_server.requests.total() == 8
    assert picture_server.max_concurrent == remote_fetch.MAX_CONCURRENT_PER_HOST


async def test_a_slow_host_delays_no_other_host(node: Node, picture_server: PictureServer) -> None:
    picture_server.may_answer.clear()
    waiting = [asyncio.create_task(fetch(node, f"{picture_server.url}/{n}.jpg")) for n in range(8)]
    await picture_server.wait_for_requests(remote_fetch.MAX_CONCURRENT_PER_HOST)

    other_host = picture_server.url.replace("127.0.0.1", "localhost")
    other = asyncio.create_task(fetch(node, f"{other_host}/other.jpg", "other.example"))
    await picture_server.wait_for_requests(remote_fetch.MAX_CONCURRENT_PER_HOST + 1)

    assert picture_server.requests["/other.jpg"] == 1
    picture_server.may_answer.set()
    await asyncio.gather(other, *waiting)


async def test_a_server_gets_few_requests_at_a_time_however_many_hosts_its_files_are_on(
    node: Node, picture_server: PictureServer
) -> None:
    port = picture_server.url.rpartition(":")[2]
    hosts = [f"127.0.0.{1 + n}" for n in range(HOSTS)]
    waiting = [asyncio.create_task(fetch(node, f"http://{host}:{port}/{host}.jpg")) for host in hosts]
    picture_server.may_answer.clear()
    await picture_server.wait_for_requests(remote_fetch.MAX_CONCURRENT_PER_HOST)

    other = asyncio.create_task(fetch(node, f"{picture_server.url}/other.jpg", "other.example"))
    await picture_server.wait_for_requests(remote_fetch.MAX_CONCURRENT_PER_HOST + 1)

    assert picture_server.requests["/other.jpg"] == 1
    picture_server.may_answer.set()
    await asyncio.gather(other, *waiting)
    assert picture_server.max_concurrent == remote_fetch.MAX_CONCURRENT_PER_HOST + 1


async def test_above_the_number_of_waiting_requests_a_host_is_not_tried(
    node: Node, picture_server: PictureServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_fetch, "MAX_WAITING_PER_HOST", 4)
    picture_server.may_answer.clear()
    waiting = [asyncio.create_task(fetch(node, f"{picture_server.url}/{n}.jpg")) for n in range(4)]
    await picture_server.wait_for_requests(3)

    with pytest.raises(TooManyRequests):
        await fetch(node, f"{picture_server.url}/late.jpg")

    picture_server.may_answer.set()
    await asyncio.gather(*waiting)
    await fetch(node, f"{picture_server.url}/late.jpg")


@pytest.mark.parametrize("limit", ["MAX_PICTURES_PER_HOUR", "MAX_MB_PER_HOUR"])
async def test_a_host_has_a_budget_that_starts_anew_each_hour(
    node: Node, picture_server: PictureServer, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    spent = {"MAX_PICTURES_PER_HOUR": 2, "MAX_MB_PER_HOUR": 1.5 * len(picture_server.reply.body) / 2**20}
    monkeypatch.setattr(remote_fetch, limit, spent[limit])
    for n in range(2):
        await fetch(node, f"{picture_server.url}/{n}.jpg")
    with pytest.raises(TooManyRequests):
        await fetch(node, f"{picture_server.url}/2.jpg")

    later = time.monotonic() + remote_fetch.HOUR_SECONDS + 1
    monkeypatch.setattr(remote_fetch, "time", SimpleNamespace(monotonic=lambda: later))

    await fetch(node, f"{picture_server.url}/3.jpg")
    assert set(picture_server.requests) == {"/0.jpg", "/1.jpg", "/3.jpg"}


async def test_an_unreachable_host_is_left_alone_for_a_moment(node: Node) -> None:
    url = f"http://127.0.0.1:{free_port()}/a.jpg"

    with pytest.raises(Unreachable):
        await fetch(node, url)
    with pytest.raises(TooManyRequests):
        await fetch(node, url)


async def test_a_host_that_answers_with_an_error_is_not_paused(
    node: Node, picture_server: PictureServer
) -> None:
    picture_server.replies["/a.jpg"] = PictureReply(status=503)

    with pytest.raises(Unreachable):
        await fetch(node, f"{picture_server.url}/a.jpg")

    await fetch(node, f"{picture_server.url}/b.jpg")


async def test_the_bytes_decide_and_no_declared_type(node: Node, picture_server: PictureServer) -> None:
    picture_server.reply.content_type = "text/html"
    picture_server.replies["/page.jpg"] = PictureReply(
        b"<script>alert(1)</script>", content_type="image/jpeg"
    )

    await fetch(node, f"{picture_server.url}/a.php")
    with pytest.raises(BadImage):
        await fetch(node, f"{picture_server.url}/page.jpg")


async def test_a_redirect_to_a_host_whose_media_are_rejected_is_refused(
    node: Node, picture_server: PictureServer
) -> None:
    target = picture_server.url.replace("127.0.0.1", "localhost") + "/a.jpg"
    picture_server.replies["/redirect.jpg"] = PictureReply(status=302, headers={"location": target})
    await fetch(node, f"{picture_server.url}/redirect.jpg")

    await node.db.write(domain_rules.block, "localhost", strength="none", rejects_media=True)

    with pytest.raises(Unreachable):
        await fetch(node, f"{picture_server.url}/redirect.jpg")


async def test_a_fetched_picture_is_stored_below_the_cache_folder(
    node: Node, picture_server: PictureServer
) -> None:
    fetched = await store(node, 1, f"{picture_server.url}/a.jpg")

    assert fetched is not None
    [file] = fetched.files.values()
    assert file.key.startswith(remote_fetch.CACHE_FOLDER)
    assert fetched.bytes == file.bytes == len(await node.storage.get(file.key))

    await node.storage.delete(file.key)
    await stored_files.restore_missing(node, fetched.files, fetched.picture.files)
    assert len(await node.storage.get(file.key)) == file.bytes


@pytest.mark.parametrize(
    ("reply", "wait"),
    [
        (PictureReply(status=503), media_cache.FIRST_RETRY_MS),
        (PictureReply(status=404), media_cache.FIRST_RETRY_PERMANENT_MS),
        (PictureReply(b"<html>"), media_cache.FIRST_RETRY_PERMANENT_MS),
        (PictureReply(b"x" * (MAX_BYTES + 1)), media_cache.FIRST_RETRY_PERMANENT_MS),
    ],
    ids=["unavailable", "not found", "no picture", "too large"],
)
async def test_a_failure_is_recorded_with_its_wait(
    node: Node, picture_server: PictureServer, reply: PictureReply, wait: int
) -> None:
    picture_server.reply = reply
    url = f"{picture_server.url}/a.jpg"

    assert await store(node, 1, url) is None

    row = await node.db.read(lambda tx: tx.one("SELECT looked_at, try_after FROM cached_media"))
    assert row is not None
    assert row["try_after"] - row["looked_at"] == wait
    assert not await node.db.read(media_cache.may_fetch, "emoji", 1, url)


async def test_a_limit_of_the_host_is_not_recorded_as_a_failure(
    node: Node, picture_server: PictureServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_fetch, "MAX_PICTURES_PER_HOUR", 0)

    assert await store(node, 1, f"{picture_server.url}/a.jpg") is None

    assert picture_server.requests.total() == 0
    assert await node.db.read(lambda tx: tx.all("SELECT id FROM cached_media")) == []
