"""What apps receive of remote posts besides text and photos: polls, linked files, quotes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from media.images import Picture
from node.attachments import photos
from node.database import Writer
from node.ids import now_ms
from node.interactions import blocks, quotes
from node.interactions.quotes import PostQuote
from node.models.account import Account
from node.models.post_extras import Poll, PollOption, PostExtras, RemoteFile
from node.models.remote_post import RemotePhoto
from node.node import Node
from node.publishing import remote_posts
from tests.support import people, posting
from tests.support.asgi import Client
from tests.web.api.conftest import App
from web.api import entities

HOUR = 3_600_000
POLL = Poll(options=(PollOption("yes", 3), PollOption("no")), is_multiple=True, voters=2)
VIDEO = RemoteFile(kind="video", url="https://far.example/a.mp4", alt="Waves", width=640, height=480)


async def received(node: Node, **changes: Any) -> int:
    def unit(tx: Writer) -> int:
        return posting.receive_post(tx, people.remote(tx), **changes).id

    return await node.db.write(unit)


async def read(client: Client, post_id: int) -> Any:
    """The status as it is read alone, which is also what a timeline has."""
    reply = await client.get(f"/api/v1/statuses/{post_id}")
    assert reply.status == 200
    listed = json.loads((await client.get("/api/v1/timelines/public")).body)
    assert [one for one in listed if one["id"] == str(post_id)] == [reply.json]
    return reply.json


@pytest.mark.parametrize(("hours", "expired"), [(None, False), (1, False), (-1, True)])
async def test_a_poll_is_told_with_its_options_and_votes(
    node: Node, anonymous: Client, hours: int | None, expired: bool
) -> None:
    end = None if hours is None else now_ms() + hours * HOUR
    poll = Poll(options=POLL.options, is_multiple=True, voters=2, ends_at=end)
    post_id = await received(node, extras=PostExtras(poll=poll))

    told = (await read(anonymous, post_id))["poll"]

    assert told["options"] == [{"title": "yes", "votes_count": 3}, {"title": "no", "votes_count": None}]
    assert (told["votes_count"], told["voters_count"], told["multiple"]) == (3, 2, True)
    assert (told["expired"], bool(told["expires_at"])) == (expired, end is not None)
    alone = await anonymous.get(f"/api/v1/polls/{post_id}")
    assert (alone.status, alone.json) == (200, told)
    assert (told["voted"], told["own_votes"], told["emojis"], told["id"]) == (False, [], [], str(post_id))


async def test_a_counted_poll_reaches_apps_at_once(node: Node, anonymous: Client) -> None:
    first = await node.db.write(
        lambda tx: posting.build_remote_post(people.remote(tx), extras=PostExtras(poll=POLL))
    )
    post = await node.db.write(remote_posts.receive_create, first)
    assert post is not None
    assert (await read(anonymous, post.id))["poll"]["votes_count"] == 3
    counted = PostExtras(poll=Poll(options=(PollOption("yes", 5), PollOption("no", 1)), is_multiple=True))

    await node.db.write(remote_posts.receive_update, replace(first, extras=counted))

    status = await read(anonymous, post.id)
    assert (status["poll"]["votes_count"], status["edited_at"]) == (6, None)


async def test_a_video_is_an_attachment_with_its_address_and_description(
    node: Node, anonymous: Client
) -> None:
    post_id = await received(node, photos=[posting.picture("a")], extras=PostExtras(files=(VIDEO,)))

    photo, video = (await read(anonymous, post_id))["media_attachments"]

    assert photo["type"] == "image"
    assert (video["type"], video["remote_url"], video["description"]) == ("unknown", VIDEO.url, "Waves")
    assert (video["url"], video["preview_url"]) == (VIDEO.url, None)
    assert video["meta"]["original"]["size"] == "640x480"
    assert set(video) == set(photo)


async def test_only_its_description_is_told_where_media_are_rejected(node: Node, anonymous: Client) -> None:
    def unit(tx: Writer) -> int:
        rita = people.remote(tx)
        tx.run("UPDATE accounts SET is_without_media = TRUE WHERE id = :id", id=rita.id)
        return posting.receive_post(tx, rita, extras=PostExtras(files=(VIDEO,))).id

    post_id = await node.db.write(unit)

    [video] = (await read(anonymous, post_id))["media_attachments"]
    assert (video["url"], video["remote_url"], video["description"]) == (None, None, "Waves")


def _quoting(tx: Writer, target_uri: str) -> int:
    post = posting.receive_post(tx, people.remote(tx), html="<p>Look</p>")
    quotes.record_unapproved(tx, post.id, target_uri, "")
    return post.id


async def test_a_quote_that_is_not_approved_is_a_link(node: Node, anonymous: Client) -> None:
    post_id = await node.db.write(_quoting, "https://b.example/1?a&b")

    status = await read(anonymous, post_id)

    assert status["quote"] == {"state": "pending", "quoted_status": None}
    assert status["content"].startswith(
        '<p>Look</p><p class="quote-inline">RE: <a href="https://b.example/1?a&amp;b"'
    )


@pytest.mark.parametrize("blocked", [False, True])
async def test_an_approved_quote_is_told_to_those_who_may_see_it(
    node: Node, alice: Account, bob: Account, app: App, blocked: bool
) -> None:
    def unit(tx: Writer) -> tuple[int, int]:
        target = posting.publish(tx, alice, "Morning")
        post_id = _quoting(tx, target.uri)
        quotes.approve(tx, PostQuote(post_id, target.uri, "", None), target)
        if blocked:
            blocks.block(tx, alice, bob)
        return post_id, target.id

    post_id, target_id = await node.db.write(unit)

    mine, theirs = await read(await app(alice), post_id), await read(await app(bob), post_id)

    assert mine["quote"]["state"] == "accepted"
    assert mine["quote"]["quoted_status"]["id"] == str(target_id)
    assert mine["quote"]["quoted_status"]["content"] == "<p>Morning</p>"
    assert mine["content"] == "<p>Look</p>"
    if not blocked:
        assert theirs["quote"]["state"] == "accepted"
    else:
        assert theirs["quote"] == {"state": "unauthorized", "quoted_status": None}
        assert "RE: " in theirs["content"]
    # Nobody sees what was rendered for somebody else before.
    assert await read(await app(alice), post_id) == mine


async def test_a_quote_of_a_quote_is_only_named(node: Node, alice: Account, anonymous: Client) -> None:
    def unit(tx: Writer) -> tuple[int, int]:
        last = posting.publish(tx, alice, "One")
        middle = posting.publish(tx, alice, "Two", quote_id=last.id)
        post_id = _quoting(tx, middle.uri)
        quotes.approve(tx, PostQuote(post_id, middle.uri, "", None), middle)
        return post_id, last.id

    post_id, last_id = await node.db.write(unit)

    quoted = (await read(anonymous, post_id))["quote"]["quoted_status"]
    assert quoted["quote"] == {"state": "accepted", "quoted_status_id": str(last_id)}


async def test_a_poll_is_read_only_where_its_post_may_be_seen(
    node: Node, alice: Account, anonymous: Client, app: App
) -> None:
    hidden = await received(node, extras=PostExtras(poll=POLL), visibility="direct", addressed=[alice])
    without = await received(node)

    assert (await anonymous.get(f"/api/v1/polls/{hidden}")).status == 404
    assert (await anonymous.get(f"/api/v1/polls/{without}")).status == 404
    assert (await (await app(alice)).get(f"/api/v1/polls/{hidden}")).json["id"] == str(hidden)


async def test_a_size_that_was_declared_wrongly_is_told_until_the_pixels_are_known(
    node: Node, anonymous: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entities, "INCOMPLETE_CACHE_TTL_SECONDS", 0.0)
    declared = RemotePhoto(url="https://far.example/a.jpg", mime="image/jpeg", alt="", width=999, height=10)
    post_id = await received(node, photos=[declared])
    photo = (await read(anonymous, post_id))["media_attachments"][0]
    assert photo["meta"]["original"]["size"] == "999x10"

    known = Picture(300, 200, "image/jpeg", "LEHV6nWB2yk8pyo0adR*.7kCMdnj", [])
    await node.db.write(photos.correct_remote_metadata, int(photo["id"]), known)

    photo = (await read(anonymous, post_id))["media_attachments"][0]
    assert photo["meta"]["original"]["size"] == "300x200"
