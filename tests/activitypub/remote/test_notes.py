"""Importing posts: the visibility that recipients amount to, whom mentions let in, and where authors must live."""

from __future__ import annotations

from typing import Any

import pytest

from activitypub import vocab
from activitypub.client.client import Unfetchable
from activitypub.client.fetch_budget import FetchBudget
from activitypub.remote import notes as remote_notes
from activitypub.vocab import PUBLIC, Note
from node.database import Reader, Writer
from node.models.account import Account
from node.models.remote_post import RemotePost
from node.node import Node
from node.posts import posts
from node.timelines import post_views
from tests.support import people
from tests.support.http_server import Server

RITA = "https://far.example/users/rita"
FOLLOWERS = f"{RITA}/followers"


@pytest.fixture
async def rita(node: Node) -> Account:
    def unit(tx: Writer) -> Account:
        return people.remote(tx, uri=RITA, followers_uri=FOLLOWERS)

    return await node.db.write(unit)


def a_note(**changes: Any) -> Note:
    return vocab.parse_note(
        {"id": f"{RITA}/1", "type": "Note", "attributedTo": RITA, "content": "<p>Fog</p>", **changes}
    )


async def converted(node: Node, author: Account, **changes: Any) -> RemotePost:
    def unit(tx: Reader) -> RemotePost:
        return remote_notes.to_remote_post(tx, a_note(**changes), author)

    return await node.db.read(unit)


@pytest.mark.parametrize(
    ("to", "cc", "visibility"),
    [
        ([PUBLIC], [FOLLOWERS], "public"),
        ([FOLLOWERS], [PUBLIC], "unlisted"),
        ([FOLLOWERS], [], "followers"),
        (["https://b.example/users/bob"], [FOLLOWERS], "followers"),
        (["https://b.example/users/bob"], [], "direct"),
        (["https://far.example/users/other/followers"], [], "direct"),
        ([], [], "direct"),
    ],
)
async def test_recipients_decide_about_the_visibility(
    rita: Account, to: list[str], cc: list[str], visibility: str
) -> None:
    assert remote_notes.derive_visibility(to, cc, rita) == visibility


async def test_an_author_without_followers_collection_has_no_followers_posts(node: Node) -> None:
    author = await node.db.write(lambda tx: people.remote(tx, followers_uri=""))

    assert remote_notes.derive_visibility([""], [], author) == "direct"


async def test_a_mention_counts_in_a_private_post_only_if_addressed(
    node: Node, rita: Account, alice: Account, bob: Account
) -> None:
    tag = [{"type": "Mention", "href": who.uri, "name": f"@{who.name}"} for who in (alice, bob)]

    private = await converted(node, rita, tag=tag, to=[alice.uri])
    public = await converted(node, rita, tag=tag, to=[PUBLIC])

    assert [account.id for account in private.mentions] == [alice.id]
    assert [account.id for account in public.mentions] == [alice.id, bob.id]


async def test_a_local_recipient_without_a_mention_is_addressed(
    node: Node, rita: Account, alice: Account
) -> None:
    post = await converted(node, rita, to=[alice.uri, "https://tintype.test/users/nobody"])

    assert post.mentions == []
    assert [account.id for account in post.addressed] == [alice.id]


async def test_the_page_of_a_post_must_be_on_its_server(node: Node, rita: Account) -> None:
    assert (
        await converted(node, rita, url="https://far.example/@rita/1")
    ).url == "https://far.example/@rita/1"
    assert (await converted(node, rita, url="https://b.example/@rita/1")).url == f"{RITA}/1"


async def test_the_title_of_a_page_is_kept_and_escaped(node: Node, rita: Account) -> None:
    post = await converted(node, rita, type="Page", name="<b>Fog</b>")

    assert post.html == "<p><strong>&lt;b&gt;Fog&lt;/b&gt;</strong></p><p>Fog</p>"


async def test_the_fallback_line_of_a_quote_is_removed(node: Node, rita: Account) -> None:
    content = '<p class="quote-inline">RE: <a href="https://b.example/1">1</a></p><p>Fog</p>'

    assert (await converted(node, rita, content=content, quote="https://b.example/1")).html == "<p>Fog</p>"
    assert (await converted(node, rita, content=content)).html == content


def serve(server: Server, path: str, **document: Any) -> str:
    return server.serves(path, {"id": server.url(path), "type": "Note", "to": [PUBLIC], **document})


def serve_rita(server: Server) -> str:
    uri = server.url("/rita")
    return server.serves(
        "/rita", {"id": uri, "type": "Person", "preferredUsername": "rita", "inbox": f"{uri}/inbox"}
    )


async def test_a_post_is_imported_with_its_ancestors(connected: Node, remote: Server) -> None:
    rita = serve_rita(remote)
    root = serve(remote, "/1", attributedTo=rita, content="One")
    reply = serve(remote, "/2", attributedTo=rita, content="Two", inReplyTo=root)
    last = serve(remote, "/3", attributedTo=rita, content="Three", inReplyTo=reply)

    found = await remote_notes.find(connected, last)

    assert found is not None
    parent = await connected.db.read(posts.by_uri, reply)
    top = await connected.db.read(posts.by_uri, root)
    assert parent is not None
    assert top is not None
    assert (found.parent_id, parent.parent_id, found.root_id) == (parent.id, top.id, top.id)
    # A known post causes no further request.
    requests = len(remote.requests)
    assert (await remote_notes.find(connected, last)) == found
    assert len(remote.requests) == requests


async def test_an_author_on_another_server_is_refused(connected: Node, remote: Server) -> None:
    note = serve(remote, "/1", attributedTo=f"http://c.test:{remote.port}/rita", content="One")

    with pytest.raises(Unfetchable) as failed:
        await remote_notes.fetch(connected, note)
    assert failed.value.reason == "the author is on another server than the post"
    assert await connected.db.read(posts.by_uri, note) is None


async def test_a_spent_budget_leaves_the_comment_without_ancestors(connected: Node, remote: Server) -> None:
    rita = serve_rita(remote)
    root = serve(remote, "/1", attributedTo=rita, content="One")
    reply = serve(remote, "/2", attributedTo=rita, content="Two", inReplyTo=root)

    # One fetch for the post, one for its author, and one for the WebFinger of the author.
    found = await remote_notes.find(connected, reply, budget=FetchBudget(3))

    assert found is not None
    assert (found.parent_id, found.parent_uri) == (None, root)


@pytest.mark.parametrize(
    ("document", "html"),
    [
        ({"name": "Title"}, "<p><strong>Title</strong></p><p>Fog</p>"),
        ({"name": "fog"}, "<p>Fog</p>"),
        ({"name": "Fog", "content": "<h1>Fog</h1>today"}, "<h1>Fog</h1>today"),
        ({"name": "Title", "content": "", "type": "Question"}, "<p><strong>Title</strong></p>"),
        ({"nameMap": {"fr": "<i>"}}, "<p><strong>&lt;i&gt;</strong></p><p>Fog</p>"),
        ({"type": "Article", "summary": "Abstract"}, "<p>Abstract</p><p>Fog</p>"),
        ({"type": "Article", "summary": "<p>Fog</p>"}, "<p>Fog</p>"),
        ({"type": "Article", "summary": "Abstract", "content": ""}, "<p>Abstract</p>"),
        ({"type": "Article", "summary": "Warning", "sensitive": True}, "<p>Fog</p>"),
        ({"type": "Question", "summary": "Warning"}, "<p>Fog</p>"),
    ],
)
async def test_a_title_and_an_abstract_are_shown_once(
    node: Node, rita: Account, document: dict[str, Any], html: str
) -> None:
    assert (await converted(node, rita, **document)).html == html


async def test_links_are_shown_unless_the_text_has_them(node: Node, rita: Account) -> None:
    link = {"type": "Link", "href": "https://c.example/?a=1&b=2", "name": "A <page>"}
    shown = await converted(node, rita, attachment=[link])
    written = await converted(
        node, rita, attachment=[link], content='<a href="https://c.example/?a=1&amp;b=2">here</a>'
    )
    own = await converted(
        node,
        rita,
        url="https://far.example/1",
        attachment=[{"type": "Link", "href": "https://far.example/1"}],
    )

    assert shown.html == '<p>Fog</p><p><a href="https://c.example/?a=1&amp;b=2">A &lt;page&gt;</a></p>'
    assert written.html == '<a href="https://c.example/?a=1&amp;b=2">here</a>'
    assert own.html == "<p>Fog</p>"


@pytest.mark.parametrize(
    ("document", "lines"),
    [
        (
            {"startTime": "2026-05-01T18:00:00+02:00", "endTime": "2026-05-01T17:30:00Z"},
            "🗓 2026-05-01 16:00 – 2026-05-01 17:30 UTC",
        ),
        ({"startTime": "2026-05-01T18:00:00Z"}, "🗓 2026-05-01 18:00 UTC"),
        ({"endTime": "2026-05-01T18:00:00Z"}, "🗓 – 2026-05-01 18:00 UTC"),
        ({"location": {"type": "Place", "name": "A <Hall>"}}, "📍 A &lt;Hall&gt;"),
    ],
)
async def test_when_and_where_an_event_is_are_shown(
    node: Node, rita: Account, document: dict[str, Any], lines: str
) -> None:
    post = await converted(node, rita, type="Event", name="Party", **document)

    assert post.html == f"<p><strong>Party</strong></p><p>Fog</p><p>{lines}</p>"


async def test_the_end_of_a_poll_and_the_place_of_a_photo_are_no_event(node: Node, rita: Account) -> None:
    poll = await converted(node, rita, type="Question", endTime="2026-05-01T18:00:00Z", oneOf=[{"name": "a"}])
    photo = await converted(
        node,
        rita,
        location={"type": "Place", "name": "Hall"},
        attachment=[{"type": "Image", "url": "https://far.example/a.jpg"}],
    )

    assert poll.html == "<p>Fog</p>"
    assert poll.extras.poll is not None
    assert photo.html == "<p>Fog</p>"
    assert photo.photos[0].extra["place"]["name"] == "Hall"  # type: ignore[index]


@pytest.mark.parametrize("name", ["quote", "quoteUri", "quoteUrl", "quoteURL", "_misskey_quote"])
async def test_a_quote_is_found_by_any_of_its_names_alone(node: Node, rita: Account, name: str) -> None:
    assert a_note(**{name: "https://b.example/1"}).quote == "https://b.example/1"


async def test_a_post_with_a_quote_by_any_name_records_it(node: Node, rita: Account) -> None:
    def unit(tx: Writer) -> None:
        post = remote_notes.import_note(tx, a_note(to=[PUBLIC], quoteUri="https://b.example/1"), rita)
        assert post is not None
        [view] = post_views.by_entries(tx, None, [post.id])

        assert (view.quote_uri, view.quote_id, view.quoted) == ("https://b.example/1", None, None)

    await node.db.write(unit)
