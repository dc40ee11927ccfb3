"""Uploading, describing and deleting photos that are in no post yet."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from node.attachments import photo_rows
from node.auth import users
from node.interactions import blocks, follows
from node.models.account import Account
from node.node import Node
from tests.support.asgi import Client
from tests.web.api.conftest import App
from web.files.media_files import MediaApp

Picture = Callable[..., bytes]
FIELDS = {
    "id",
    "type",
    "url",
    "preview_url",
    "remote_url",
    "preview_remote_url",
    "text_url",
    "meta",
    "description",
    "blurhash",
}


def path_of(url: str) -> str:
    return url.removeprefix("https://tintype.test")


async def test_a_photo_can_be_seen_as_soon_as_it_is_uploaded(
    node: Node, app: App, alice: Account, photo: Picture
) -> None:
    client, files = await app(alice), Client(MediaApp(node))
    reply = await client.post(
        "/api/v2/media",
        form={"description": "a lake", "focus": "0.5,-0.25"},
        files={"file": photo(1600, 1200)},
    )
    media = reply.json
    assert reply.status == 200
    assert set(media) == FIELDS
    assert (media["type"], media["description"], media["remote_url"]) == ("image", "a lake", None)
    assert media["meta"]["original"] == {
        "width": 1600,
        "height": 1200,
        "size": "1600x1200",
        "aspect": 1600 / 1200,
    }
    assert media["meta"]["small"]["width"] == 1080
    assert media["meta"]["focus"] == {"x": 0.5, "y": -0.25}
    assert len(media["blurhash"]) > 6
    for url, kind in ((media["url"], "image/jpeg"), (media["preview_url"], "image/webp")):
        seen = await files.get(path_of(url))
        assert (seen.status, seen.headers["content-type"]) == (200, kind)


async def test_a_description_may_come_later_in_any_form(app: App, alice: Account, photo: Picture) -> None:
    client = await app(alice)
    media = (await client.post("/api/v2/media", files={"file": photo(320, 240)})).json
    path = f"/api/v1/media/{media['id']}"
    assert media["description"] is None
    by_query = (await client.call("PUT", path, {"description": "a sea"})).json
    assert by_query["description"] == "a sea"
    moved = (await client.call("PUT", path, sent={"focus": "-1,1"})).json
    assert (moved["description"], moved["meta"]["focus"]) == ("a sea", {"x": -1, "y": 1})
    assert (await client.get(path)).json["description"] == "a sea"
    assert (await client.call("PUT", path, sent={"focus": "2,2"})).status == 422


async def test_an_album_keeps_its_order_and_descriptions(app: App, alice: Account, photo: Picture) -> None:
    client = await app(alice)
    made = [
        (await client.post("/api/v2/media", files={"file": photo(320, 240, seed=n)})).json["id"]
        for n in range(3)
    ]
    order = [made[2], made[0], made[1]]
    described = [{"id": made[0], "description": "the first"}]
    status = (
        await client.post("/api/v1/statuses", sent={"media_ids": order, "media_attributes": described})
    ).json
    assert [one["id"] for one in status["media_attachments"]] == order
    assert status["media_attachments"][1]["description"] == "the first"
    assert status["media_attachments"][0]["url"].startswith("https://tintype.test/media/")
    assert "/media/p/" not in status["media_attachments"][0]["url"]
    assert (await client.get(f"/api/v1/media/{made[0]}")).status == 404
    fewer = (
        await client.call(
            "PUT", f"/api/v1/statuses/{status['id']}", sent={"media_ids": [made[0]], "status": "One"}
        )
    ).json
    assert [one["description"] for one in fewer["media_attachments"]] == ["the first"]


async def test_photos_of_a_private_post_have_unguessable_urls(
    node: Node, app: App, alice: Account, photo: Picture
) -> None:
    client, files = await app(alice), Client(MediaApp(node))
    media = (await client.post("/api/v2/media", files={"file": photo(320, 240)})).json
    status = (
        await client.post("/api/v1/statuses", sent={"media_ids": [media["id"]], "visibility": "private"})
    ).json
    url = path_of(status["media_attachments"][0]["url"])
    assert url.startswith("/media/p/")
    assert (await files.get(url)).status == 200
    capability = url.split("/")[3]
    assert (await files.get(url.replace(f"/p/{capability}", ""))).status == 404
    assert (await files.get(url.replace(capability, "0" * len(capability)))).status == 404


async def test_the_photo_of_another_account_is_404(
    app: App, alice: Account, bob: Account, photo: Picture
) -> None:
    media = (await (await app(alice)).post("/api/v2/media", files={"file": photo(320, 240)})).json
    client, path = await app(bob), f"/api/v1/media/{media['id']}"
    assert (await client.get(path)).status == 404
    assert (await client.call("PUT", path, sent={"description": "mine"})).status == 404
    assert (await client.call("DELETE", path)).status == 404
    assert (await client.post("/api/v1/statuses", sent={"media_ids": [media["id"]]})).status == 422


@pytest.mark.parametrize(
    "data", [b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\xff\xd8\xff no photo", b"GIF89a"]
)
async def test_a_file_that_is_no_photo_is_refused_with_a_message(
    app: App, alice: Account, data: bytes
) -> None:
    reply = await (await app(alice)).post("/api/v2/media", files={"file": data})
    assert reply.status == 422
    assert reply.json["error"].endswith(".")


async def test_an_upload_without_a_file_is_422(app: App, alice: Account) -> None:
    client = await app(alice)
    assert (await client.post("/api/v2/media")).status == 422
    assert (await client.post("/api/v2/media", form={"file": "words"})).status == 422


async def test_too_many_uploads_get_429_with_retry_after(
    app: App, alice: Account, photo: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from web.api.v1 import media

    monkeypatch.setattr(media, "MAX_UPLOADS_PER_HOUR", 1)
    client = await app(alice)
    assert (await client.post("/api/v2/media", files={"file": photo(320, 240)})).status == 200
    refused = await client.post("/api/v2/media", files={"file": photo(320, 240)})
    assert (refused.status, list(refused.json)) == (429, ["error"])
    assert 0 < int(refused.headers["retry-after"]) <= 3600


async def test_each_account_is_given_addresses_of_its_own(
    node: Node, app: App, alice: Account, bob: Account, mallory: Account, photo: Picture
) -> None:
    await node.db.write(follows.follow, bob, alice)
    await node.db.write(follows.follow, mallory, alice)
    hers, files = await app(alice), Client(MediaApp(node))
    media = (await hers.post("/api/v2/media", files={"file": photo(320, 240)})).json
    made = {"media_ids": [media["id"]], "visibility": "private", "status": "Friends"}
    status = (await hers.post("/api/v1/statuses", sent=made)).json
    urls: dict[str, set[str]] = {}
    for who in (alice, bob, mallory):
        client = await app(who)
        for path in (f"/api/v1/statuses/{status['id']}", "/api/v1/timelines/home", "/api/v1/timelines/home"):
            found = (await client.get(path)).json
            shown = found[0] if isinstance(found, list) else found
            for name in ("url", "preview_url"):
                url = path_of(shown["media_attachments"][0][name])
                assert (await files.get(url)).status == 200
                urls.setdefault(who.name, set()).add(url)
    assert all(len(found) == 2 for found in urls.values())
    assert len(set.union(*urls.values())) == 6

    await node.db.write(blocks.block, alice, bob)

    assert {(await files.get(url)).status for url in urls["bob"]} == {404}
    assert {(await files.get(url)).status for url in urls["alice"] | urls["mallory"]} == {200}


async def test_the_history_of_a_private_post_has_addresses_for_its_reader(
    node: Node, app: App, alice: Account, photo: Picture
) -> None:
    client, files = await app(alice), Client(MediaApp(node))
    media = (await client.post("/api/v2/media", files={"file": photo(320, 240)})).json
    made = {"media_ids": [media["id"]], "visibility": "direct", "status": "Note"}
    status = (await client.post("/api/v1/statuses", sent=made)).json
    versions = (await client.get(f"/api/v1/statuses/{status['id']}/history")).json
    assert (await files.get(path_of(versions[-1]["media_attachments"][0]["url"]))).status == 200


async def test_a_photo_whose_file_broke_off_says_so(app: App, alice: Account, photo: Picture) -> None:
    client, whole = await app(alice), photo(800, 900)

    broken = await client.post("/api/v2/media", files={"file": whole[: len(whole) * 98 // 100]})
    complete = await client.post("/api/v2/media", files={"file": whole})

    assert broken.status == complete.status == 200
    assert broken.json["meta"]["incomplete"] is True
    assert "incomplete" not in complete.json["meta"]
    assert broken.json["meta"]["original"]["size"] == "800x900"


async def test_a_photo_posted_by_an_app_has_the_licence_of_the_settings(
    node: Node, app: App, alice: Account, photo: Picture
) -> None:
    client = await app(alice)
    await node.db.write(users.set_preferences, alice, default_licence="CC BY")
    media = (await client.post("/api/v2/media", files={"file": photo()})).json

    reply = await client.post("/api/v1/statuses", form={"status": "Fog", "media_ids[]": media["id"]})
    words = await client.post("/api/v1/statuses", form={"status": "Words alone"})

    assert (reply.status, words.status) == (200, 200)
    [kept] = (await node.db.read(photo_rows.by_posts, [int(reply.json["id"])]))[int(reply.json["id"])]
    assert kept.public_metadata == {"license": "CC BY"}


async def test_a_photo_taken_out_by_an_edit_can_be_put_back(app: App, alice: Account, photo: Picture) -> None:
    client = await app(alice)
    media = (await client.post("/api/v2/media", files={"file": photo()})).json["id"]
    sent = {"status": "Fog", "media_ids": [media]}
    path = f"/api/v1/statuses/{(await client.post('/api/v1/statuses', sent=sent)).json['id']}"

    without = await client.call("PUT", path, sent={"status": "Fog", "media_ids": []})
    again = await client.call("PUT", path, sent=sent)

    assert (without.status, without.json["media_attachments"]) == (200, [])
    assert (again.status, [one["id"] for one in again.json["media_attachments"]]) == (200, [media])
