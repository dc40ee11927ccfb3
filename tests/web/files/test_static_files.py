"""Static files: cached for ever under the version of all files, revalidated without it, compressed where smaller."""

from __future__ import annotations

import gzip

import pytest

from node.node import Node
from tests.support.asgi import Client
from web.files.asset_urls import STATIC_FOLDER, Assets

OLD = "/static/0123456789ab/avatar.svg"


async def test_a_file_is_cached_for_ever_under_the_current_version_only(node: Node, anybody: Client) -> None:
    url = node.component(Assets).url("avatar.svg")

    current, plain, old = (
        await anybody.get(url),
        await anybody.get("/static/avatar.svg"),
        await anybody.get(OLD),
    )

    assert (current.status, current.headers["content-type"]) == (200, "image/svg+xml")
    assert "immutable" in current.headers["cache-control"]
    assert current.body == plain.body == old.body == (STATIC_FOLDER / "avatar.svg").read_bytes()
    assert plain.headers["cache-control"] == old.headers["cache-control"] == "no-cache"


async def test_a_client_that_has_the_file_gets_none_of_it_again(node: Node, anybody: Client) -> None:
    url = node.component(Assets).url("avatar.svg")
    etag = (await anybody.get(url)).headers["etag"]

    again = await anybody.get(url, headers={"if-none-match": etag})

    assert (again.status, again.body, again.headers["etag"]) == (304, b"", etag)


async def test_a_text_is_compressed_for_who_accepts_that(node: Node, anybody: Client) -> None:
    url = node.component(Assets).url("css/main.css")
    plain = await anybody.get(url)

    small = await anybody.get(url, headers={"accept-encoding": "br, gzip"})

    assert "content-encoding" not in plain.headers
    assert small.headers["content-encoding"] == "gzip"
    assert len(small.body) < len(plain.body)
    assert gzip.decompress(small.body) == plain.body
    assert plain.headers["vary"] == small.headers["vary"] == "accept-encoding"


async def test_a_picture_of_ours_runs_no_script(anybody: Client) -> None:
    reply = await anybody.get("/static/avatar.svg")

    assert "sandbox" in reply.headers["content-security-policy"]
    assert reply.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/static/",
        "/static/none.css",
        "/static/../app.py",
        "/static/0123456789ab/none.css",
        "/static/0123456789ab/../../app.py",
        "/static/0123456789ab/0123456789ab/avatar.svg",
        "/static/css/base",
        "/static//etc/passwd",
    ],
)
async def test_only_files_of_the_folder_are_served(anybody: Client, path: str) -> None:
    reply = await anybody.get(path)

    assert reply.status == 404
    assert b"/" not in reply.body
