"""The size of a remote photo is asked of its author's server when its post arrives."""

from __future__ import annotations

import pytest

from node.attachments import photo_rows, remote_dimensions
from node.database import Writer
from node.models.remote_post import RemotePhoto
from node.moderation import domain_rules
from node.node import Node
from tests.media.containers.test_dimensions import encode
from tests.support.http_server import opened, serving
from tests.support.people import remote
from tests.support.posting import receive_post
from web import wiring


@pytest.mark.parametrize("status", ["200 OK", "206 Partial Content"])
async def test_the_size_of_a_photo_is_known_before_anybody_views_it(node: Node, status: str) -> None:
    data = encode("JPEG", (1200, 900), quality=95)
    assert len(data) > 2 * remote_dimensions.HEAD_BYTES
    async with serving() as server, opened(own_host=node.site.domain) as client:
        node.client = client
        cut = len(data) if status.startswith("200") else remote_dimensions.HEAD_BYTES
        server.says("/a.jpg", data[:cut], kind="image/jpeg", status=status)

        def unit(tx: Writer) -> int:
            shown = RemotePhoto(url=server.url("/a.jpg"), mime="image/jpeg", alt="")
            declared = RemotePhoto(url=server.url("/b.jpg"), mime="image/jpeg", alt="", width=4, height=3)
            return receive_post(tx, remote(tx, uri=server.url("/rita")), photos=[shown, declared]).id

        post_id = await node.db.write(unit)
        await wiring.run_due_jobs(node)

        stored = (await node.db.read(photo_rows.by_posts, [post_id]))[post_id]
        assert [(photo.width, photo.height) for photo in stored] == [(1200, 900), (4, 3)]
        assert all(not photo.files for photo in stored)
        [(method, path, headers, _)] = server.requests
        assert (method, path) == ("GET", "/a.jpg")
        assert dict(headers)["range"] == f"bytes=0-{remote_dimensions.HEAD_BYTES - 1}"


async def _size_and_ranges(node: Node, data: bytes) -> tuple[tuple[int, int], list[str]]:
    """Returns the size that is known when a photo arrived, and what was asked for it."""
    async with serving() as server, opened(own_host=node.site.domain) as client:
        node.client = client
        server.says("/a.jpg", data, kind="image/jpeg")

        def unit(tx: Writer) -> int:
            shown = RemotePhoto(url=server.url("/a.jpg"), mime="image/jpeg", alt="")
            return receive_post(tx, remote(tx, uri=server.url("/rita")), photos=[shown]).id

        post_id = await node.db.write(unit)
        await wiring.run_due_jobs(node)
        [photo] = (await node.db.read(photo_rows.by_posts, [post_id]))[post_id]
        return (photo.width, photo.height), [dict(headers)["range"] for _, _, headers, _ in server.requests]


async def test_more_is_asked_where_the_size_is_behind_large_metadata(node: Node) -> None:
    data = encode("JPEG", (64, 48))
    segment = b"\xff\xe1\xff\xfd" + b"http://ns.adobe.com/xmp/extension/\0".ljust(65_531, b"z")

    size, ranges = await _size_and_ranges(node, data[:2] + segment * 6 + data[2:])

    assert size == (64, 48)
    limits = (remote_dimensions.HEAD_BYTES, remote_dimensions.LONG_HEAD_BYTES)
    assert ranges == [f"bytes=0-{limit - 1}" for limit in limits]


async def test_no_more_is_asked_than_twice_and_only_of_a_picture(node: Node) -> None:
    endless = b"\xff\xd8" + (b"\xff\xe1\xff\xfd" + bytes(65_531)) * 20
    assert len(endless) > remote_dimensions.LONG_HEAD_BYTES
    for data, requests in ((endless, 2), (b"<html>" + bytes(200_000), 1), (endless[:5000], 1)):
        size, ranges = await _size_and_ranges(node, data)
        assert (max(0, size[0]), len(ranges)) == (0, requests)


async def test_nothing_is_asked_of_a_server_whose_media_are_rejected(node: Node) -> None:
    async with serving() as server, opened(own_host=node.site.domain) as client:
        node.client = client
        server.says("/a.jpg", encode("JPEG", (64, 48)), kind="image/jpeg")

        def unit(tx: Writer) -> None:
            domain_rules.block(tx, "far.example", strength="limit", rejects_media=True)
            shown = RemotePhoto(url=server.url("/a.jpg"), mime="image/jpeg", alt="")
            receive_post(tx, remote(tx, uri=server.url("/rita")), photos=[shown])

        await node.db.write(unit)
        await wiring.run_due_jobs(node)
        assert server.requests == []


async def test_no_server_but_the_authors_is_asked(node: Node) -> None:
    async with serving() as server, opened(own_host=node.site.domain) as client:
        node.client = client
        server.says("/a.jpg", encode("JPEG", (64, 48)), kind="image/jpeg")

        def unit(tx: Writer) -> None:
            shown = RemotePhoto(url=server.url("/a.jpg"), mime="image/jpeg", alt="")
            receive_post(tx, remote(tx), photos=[shown])

        await node.db.write(unit)
        await wiring.run_due_jobs(node)
        assert server.requests == []


async def test_a_post_with_declared_sizes_causes_no_request(node: Node) -> None:
    def unit(tx: Writer) -> list[str]:
        declared = RemotePhoto(url="https://far.example/b.jpg", mime="image/jpeg", alt="", width=4, height=3)
        receive_post(tx, remote(tx), photos=[declared])
        return [row["kind"] for row in tx.all("SELECT kind FROM jobs")]

    assert "measure_photos" not in await node.db.write(unit)
