"""Polls and linked files on pages: told in words, hidden behind a content warning, and never loaded."""

from __future__ import annotations

from typing import Any

import pytest

from node.database import Writer
from node.ids import now_ms
from node.models.account import Account
from node.models.post_extras import Poll, PollOption, PostExtras, RemoteFile
from node.node import Node
from tests.support import people, posting
from tests.support.visitors import Visitor, sign_in
from web.app import create_app
from web.html.post_extras import file_title, has_ended, poll_state

OPTIONS = (PollOption("<b>yes</b>", 3), PollOption("no", 1))
VIDEO = RemoteFile(kind="video", url="https://xn--lud-sna.example/a.mp4?<x>", alt="Waves & <wind>")
EXTRAS = PostExtras(files=(VIDEO,), poll=Poll(options=OPTIONS))


@pytest.mark.parametrize(
    ("poll", "state"),
    [
        (Poll(options=(PollOption("a"),)), ""),
        (Poll(options=OPTIONS), "4 votes"),
        (Poll(options=OPTIONS[1:], voters=None), "1 vote"),
        (Poll(options=OPTIONS, voters=3, is_multiple=True), "3 people · Several answers can be chosen"),
        (Poll(options=OPTIONS, ends_at=1_767_225_600_000), "4 votes · Ended Jan 1, 2026, 12:00 AM UTC"),
        (Poll(options=OPTIONS, ends_at=4_102_444_800_000), "4 votes · Ends Jan 1, 2100, 12:00 AM UTC"),
        (Poll(options=OPTIONS, closed_at=1), "4 votes · Ended"),
    ],
)
def test_the_state_of_a_poll_is_one_line(poll: Poll, state: str) -> None:
    assert poll_state(poll).striptags() == state
    assert ("<time datetime=" in poll_state(poll)) == ("UTC" in state)


def test_a_poll_has_ended_when_its_time_is_over() -> None:
    assert has_ended(Poll(options=OPTIONS, ends_at=now_ms() - 1))
    assert not has_ended(Poll(options=OPTIONS, ends_at=now_ms() + 60_000))
    assert not has_ended(Poll(options=OPTIONS))


@pytest.mark.parametrize(
    ("file", "title"),
    [
        (VIDEO, "Video · löud.example"),
        (RemoteFile(kind="audio", url="https://a.example/x"), "Audio · a.example"),
        (RemoteFile(kind="file", url=""), "File"),
    ],
)
def test_a_file_is_named_with_its_server(file: RemoteFile, title: str) -> None:
    assert file_title(file) == title


async def _shown(node: Node, alice: Account, **changes: Any) -> tuple[Visitor, str]:
    def unit(tx: Writer) -> int:
        rita = people.remote(tx)
        posting.follow(tx, alice, rita)
        return posting.receive_post(tx, rita, **{"extras": EXTRAS, **changes}).id

    post_id = await node.db.write(unit)
    return await sign_in(node, alice, "user", create_app(node)), f"/posts/{post_id}"


async def test_a_poll_says_how_many_more_options_it_has(node: Node, alice: Account) -> None:
    poll = Poll(options=OPTIONS, more_options=10, more_votes=4)
    visitor, path = await _shown(node, alice, extras=PostExtras(poll=poll))

    shown = (await visitor.get(path)).one("div", **{"class": "post-text poll"}).text

    assert " ".join(shown.split()) == "yes 3 · 38%no 1 · 12%and 10 more8 votesVote on the author's server"


@pytest.mark.parametrize("photos", [[], [posting.picture()]])
async def test_a_post_shows_its_poll_and_its_files(node: Node, alice: Account, photos: list[Any]) -> None:
    visitor, path = await _shown(node, alice, photos=photos)

    for where in ("/", path):
        seen = await visitor.get(where)

        poll = " ".join(seen.one("div", **{"class": "post-text poll"}).text.split())
        assert poll == "yes 3 · 75%no 1 · 25%4 votesVote on the author's server"
        link = seen.one("a", href=VIDEO.url)
        assert (link.text.strip(), link.attributes["rel"]) == (
            "Video · löud.example",
            "nofollow noopener noreferrer",
        )
        assert "Waves & <wind>" in seen.one("div", **{"class": "post-text file"}).text
        # Nothing of the other server is loaded with the page.
        assert not [
            element
            for element in seen.elements
            if "xn--lud" in str(element.attributes.get("src")) or element.tag in ("video", "audio")
        ]


async def test_a_warning_hides_the_poll_and_the_files(node: Node, alice: Account) -> None:
    visitor, path = await _shown(node, alice, warning="Cliff", photos=[posting.picture()])
    seen = await visitor.get(path)

    veil = " ".join(seen.one("details", **{"class": "veil"}).text.split())
    assert "Video · löud.exampleWaves & <wind>" in veil
    assert "no 1 · 25%" in veil


async def test_a_comment_shows_its_poll_and_its_files(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> str:
        post = posting.publish(tx, alice, "Morning")
        posting.receive_post(tx, people.remote(tx), parent_uri=post.uri, extras=EXTRAS)
        return f"/p/alice/{post.id}"

    path = await node.db.write(unit)
    seen = await (await sign_in(node, alice, "user", create_app(node))).get(path)

    comment = " ".join(seen.one("article", **{"class": "comment"}).text.split())
    assert "Video · löud.exampleWaves & <wind>" in comment
    assert "no 1 · 25%" in comment
