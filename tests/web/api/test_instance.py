"""The instance, in both versions of the entity."""

from __future__ import annotations

import dataclasses
import logging
import struct

import pytest

from media import images
from media.images import BadImage, too_many_pixels_error
from media.pixels import render
from node.accounts import accounts
from node.auth import users
from node.models.account import Account
from node.node import Node
from tests.media import samples
from tests.support.asgi import Client
from tests.web.api.conftest import App
from web.api.routes import ROUTES


async def test_both_forms_describe_the_same_node(app: App, anonymous: Client, alice: Account) -> None:
    await app(alice)
    first = (await anonymous.get("/api/v1/instance")).json
    second = (await anonymous.get("/api/v2/instance")).json
    assert first["uri"] == second["domain"] == "tintype.test"
    assert first["title"] == second["title"] == "Test"
    assert first["version"] == second["version"]
    assert first["stats"]["user_count"] == 1
    assert first["configuration"]["statuses"] == second["configuration"]["statuses"]
    assert first["configuration"]["statuses"]["max_media_attachments"] == 20
    assert "image/heic" in second["configuration"]["media_attachments"]["supported_mime_types"]
    assert second["registrations"]["enabled"] is True
    assert first["configuration"]["media_attachments"] == second["configuration"]["media_attachments"]
    assert first["registrations"] is True
    assert "streaming" not in second["configuration"]["urls"]


async def test_the_limits_told_to_apps_are_the_limits_kept(
    app: App, anonymous: Client, alice: Account
) -> None:
    await app(alice)
    told = (await anonymous.get("/api/v2/instance")).json["configuration"]["media_attachments"]

    assert set(told["image_matrix_limits"]) == set(told["supported_mime_types"])
    # tests/abuse/test_largest_pictures.py shows that pictures of these sizes are accepted.
    assert told["image_matrix_limits"] == images.MAX_PIXELS
    assert told["image_matrix_limit"] == min(told["image_matrix_limits"].values())
    assert told["image_size_limit"] <= images.MAX_BYTES
    for kind in ("JPEG", "PNG", "WEBP", "GIF"):
        data = samples.encoded(samples.quarters(96, 64), kind)
        limit = told["image_matrix_limits"][f"image/{kind.lower()}"]
        refusal = too_many_pixels_error(*claimed_size(limit)).message
        with pytest.raises(BadImage, match=refusal.partition(":")[0]):
            render(with_claimed_size(data, kind, *claimed_size(limit)), images.VARIANTS[:1])


def claimed_size(limit: int) -> tuple[int, int]:
    """A size just over a limit, that fits a format of 14 bits a side."""
    return 10_000, limit // 10_000 + 1


def with_claimed_size(data: bytes, kind: str, width: int, height: int) -> bytes:
    """A picture of 96 × 64 whose header claims another size."""
    if kind == "PNG":
        header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + data[24:29]
        return data[:8] + samples.chunk(b"IHDR", header) + data[33:]
    if kind == "JPEG":
        return data.replace(struct.pack(">HH", 64, 96), struct.pack(">HH", height, width), 1)
    return data.replace(struct.pack("<HH", 96, 64), struct.pack("<HH", width, height), 1)


def _configure(node: Node, **values: str) -> None:
    node.config = dataclasses.replace(node.config, node=dataclasses.replace(node.config.node, **values))


async def test_the_contact_is_who_the_options_name_or_else_the_first_admin(
    node: Node, app: App, anonymous: Client, alice: Account, bob: Account
) -> None:
    async def contact() -> tuple[str, str | None]:
        first = (await anonymous.get("/api/v1/instance")).json
        second = (await anonymous.get("/api/v2/instance")).json["contact"]
        assert (first["email"], first["contact_account"]) == (second["email"], second["account"])
        account = second["account"]
        return second["email"], account and account["username"]

    await app(alice)
    await app(bob)
    assert await contact() == ("", None)
    await node.db.write(users.set_role, None, bob, "admin")
    _configure(node, contact_email="hello@tintype.test")
    assert await contact() == ("hello@tintype.test", "bob")
    for name in ("alice", "@alice", "ALICE"):
        _configure(node, contact_account=name)
        assert await contact() == ("hello@tintype.test", "alice")
    await node.db.write(accounts.set_visible, alice.id, is_visible=False)
    assert await contact() == ("hello@tintype.test", None)
    _configure(node, contact_account="nobody")
    assert await contact() == ("hello@tintype.test", None)


STREAMS = (
    "",
    "/health",
    "/user",
    "/user/notification",
    "/public",
    "/public/local",
    "/hashtag",
    "/list",
    "/direct",
)


async def test_apps_can_read_where_streaming_would_be_and_are_told_there_that_there_is_none(
    app: App, anonymous: Client, alice: Account, caplog: pytest.LogCaptureFixture
) -> None:
    urls = (await anonymous.get("/api/v1/instance")).json["urls"]
    # Apps that decode it strictly refuse the whole entity, and so the sign-in, without an absolute URL.
    assert urls == {"streaming_api": "wss://tintype.test"}
    assert "streaming" not in (await anonymous.get("/api/v2/instance")).json["configuration"]["urls"]

    with caplog.at_level(logging.DEBUG, "tintype"):
        for client in (anonymous, await app(alice)):
            for stream in STREAMS:
                reply = await client.get(
                    f"/api/v1/streaming{stream}?access_token=x", headers={"accept": "text/event-stream"}
                )
                assert reply.status == 404, stream
                assert "no streaming here" in reply.json["error"], stream
    assert (await anonymous.get("/api/v1/streamings")).json["error"] == "This endpoint does not exist here."
    assert caplog.text == ""


async def test_version_and_api_number_say_the_same(anonymous: Client) -> None:
    """Mastodon 4.3 has the number 2, 4.4 has 6, 4.5 has 7; grouped notifications came with 2."""
    found = (await anonymous.get("/api/v2/instance")).json
    version = tuple(int(part) for part in found["version"].split()[0].split(".")[:2])
    number = found["api_versions"]["mastodon"]
    least = max(
        known for since, known in {(0, 0): 1, (4, 3): 2, (4, 4): 6, (4, 5): 7}.items() if since <= version
    )
    assert number == least
    has_groups = any(route.path == "/api/v2/notifications" for route in ROUTES)
    assert (number >= 2) is has_groups
