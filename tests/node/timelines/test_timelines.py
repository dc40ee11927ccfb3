"""Timelines: paging as API clients expect it, and a cost that does not grow with the tables."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

from node.database import Writer
from node.ids import now_ms
from node.interactions import blocks, boosts
from node.models.account import Account
from node.node import Node
from node.paging import Page
from node.posts import posts
from node.timelines import timelines
from node.timelines.timelines import TimelineEntry
from tests.support.people import remote
from tests.support.posting import follow, picture, publish, receive_post


def ids(entries: list[TimelineEntry]) -> list[int]:
    return [entry.id for entry in entries]


async def test_pages_are_read_downwards_upwards_and_from_the_newest(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        made = [publish(tx, alice, f"{n}").id for n in range(10)]
        newest_first = made[::-1]

        def page(**bounds: int) -> list[int]:
            return ids(timelines.home(tx, alice, Page(**bounds)))

        assert page() == newest_first
        assert page(max_id=0, since_id=0, min_id=0) == newest_first
        assert page(limit=3) == newest_first[:3]
        assert page(max_id=made[7], limit=3) == [made[6], made[5], made[4]]
        assert page(since_id=made[2], limit=3) == newest_first[:3]
        assert page(min_id=made[2], limit=3) == [made[5], made[4], made[3]]
        assert page(min_id=made[2], max_id=made[5]) == [made[4], made[3]]
        assert page(max_id=made[0]) == []
        assert page(max_id=2**80, limit=1) == newest_first[:1]

    await node.db.write(unit)


async def test_posts_and_boosts_of_a_profile_are_paged_as_one_list(
    node: Node, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> None:
        expected = []
        for number in range(12):
            post = publish(tx, alice if number % 3 else bob, f"{number}")
            expected.append(post.id if number % 3 else boosts.boost(tx, alice, post).id)
        found: list[int] = []
        max_id = None
        while page := ids(
            timelines.profile(tx, None, alice, Page(max_id=max_id, limit=5), include_boosts=True)
        ):
            found += page
            max_id = page[-1]
        assert found == expected[::-1]

        upwards: list[int] = []
        min_id = 1
        while page := ids(
            timelines.profile(tx, None, alice, Page(min_id=min_id, limit=5), include_boosts=True)
        ):
            upwards = page + upwards
            min_id = page[0]
        assert upwards == expected[::-1]

    await node.db.write(unit)


async def test_a_profile_shows_photos_comments_and_boosts_on_request(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        post = publish(tx, alice)
        text_only = receive_post(tx, rita)
        with_photo = receive_post(tx, rita, photos=[picture()])
        comment = receive_post(tx, rita, parent_uri=post.uri)

        def shown(**options: bool) -> set[int]:
            return set(ids(timelines.profile(tx, None, rita, Page(), **options)))

        assert shown() == {text_only.id, with_photo.id}
        assert shown(only_photos=True) == {with_photo.id}
        assert shown(include_comments=True) == {text_only.id, with_photo.id, comment.id}
        assert ids(timelines.public(tx, None, Page(), only_photos=True)) == [with_photo.id]

    await node.db.write(unit)


async def test_muted_accounts_are_left_out_of_lists_but_not_of_their_profile(
    node: Node, alice: Account, mallory: Account
) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, mallory, "#fog")
        blocks.mute(tx, alice, mallory)
        assert timelines.public(tx, alice, Page()) == []
        assert timelines.hashtag(tx, alice, "fog", Page()) == []
        assert ids(timelines.profile(tx, alice, mallory, Page())) == [post.id]
        assert ids(timelines.public(tx, None, Page())) == [post.id]

    await node.db.write(unit)


class Recorder:
    """A writer that keeps the statements that pass through it, with their values."""

    def __init__(self, tx: Writer) -> None:
        self.tx, self.statements = tx, list[tuple[str, dict[str, Any]]]()

    def all(self, sql: str, /, **values: Any) -> Any:
        self.statements.append((sql, values))
        return self.tx.all(sql, **values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.tx, name)


@pytest.fixture
async def town(node: Node, alice: Account, bob: Account) -> None:
    """Some hundred posts by a few dozen accounts, so that the planner has a choice."""

    def unit(tx: Writer) -> None:
        chance = random.Random(7)
        people = [remote(tx, f"r{n}") for n in range(30)]
        for person in people:
            follow(tx, alice, person)
        made = [
            receive_post(tx, chance.choice(people), hashtags=["fog"], photos=[picture(f"{n}")])
            for n in range(400)
        ]
        for post in made[::20]:
            publish(tx, bob, "hm", parent_id=post.id)
            boosts.boost(tx, bob, post)
        tx.run("ANALYZE")

    await node.db.write(unit)


LISTS: dict[str, Any] = {
    "home": lambda tx, viewer, other, page: timelines.home(tx, viewer, page),
    "public": lambda tx, viewer, other, page: timelines.public(tx, viewer, page),
    "public, no viewer": lambda tx, viewer, other, page: timelines.public(tx, None, page),
    "local": lambda tx, viewer, other, page: timelines.public(tx, viewer, page, only_local=True),
    "remote": lambda tx, viewer, other, page: timelines.remote(tx, viewer, page),
    "profile": lambda tx, viewer, other, page: timelines.profile(
        tx, viewer, other, page, include_boosts=True
    ),
    "hashtag": lambda tx, viewer, other, page: timelines.hashtag(tx, viewer, "fog", page),
    "likes": lambda tx, viewer, other, page: timelines.likes(tx, viewer, page),
    "bookmarks": lambda tx, viewer, other, page: timelines.bookmarks(tx, viewer, page),
}
BIG = "posts|accounts|feed|boosts|likes|bookmarks|photos|follows|blocks|mutes|mentions|post_hashtags"


BOUNDS = ({}, {"max_id": 2**62}, {"since_id": 5}, {"min_id": 5})
INDEXES = {"local": "posts_public_side", "remote": "posts_public_side", "public": "posts_public "}


async def test_no_timeline_reads_a_whole_table(node: Node, alice: Account, bob: Account, town: None) -> None:
    is_sqlite = node.config.database.url.startswith("sqlite:")

    def check(tx: Writer, name: str, bounds: dict[str, int]) -> None:
        recorder = Recorder(tx)
        LISTS[name](recorder, alice, bob, Page(**bounds))
        for sql, values in recorder.statements:
            rows = tx.all(("EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN ") + sql, **values)
            plan = [row["detail"] if is_sqlite else row["QUERY PLAN"] for row in rows]
            for step in plan:
                assert not re.match(rf"SCAN (\w+ AS )?({BIG}|[a-z]{{1,2}})\b(?!.*USING)", step), (name, plan)
                assert "Seq Scan" not in step, (name, plan)
            if is_sqlite:
                assert name == "profile" or not [step for step in plan if "TEMP B-TREE" in step], (name, plan)
                assert any(INDEXES.get(name, "") in step for step in plan), (name, plan)

    def unit(tx: Writer) -> None:
        if not is_sqlite:
            # A small table is read quickest as a whole; what matters is whether an index could be used.
            tx.run("SET LOCAL enable_seqscan = off")
        for name in LISTS:
            for bounds in BOUNDS:
                check(tx, name, bounds)

    await node.db.write(unit)


async def test_no_comment_is_listed_before_its_parent(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, at = remote(tx), now_ms() - 60_000
        root = publish(tx, alice)
        # All of one second, and the answers are received before what they answer.
        uris = [f"{rita.uri}/comments/{number}" for number in range(6)]
        for number in reversed(range(6)):
            parent = root.uri if number == 0 else uris[number - 1]
            receive_post(tx, rita, uri=uris[number], parent_uri=parent, published_at=at)
        other = receive_post(tx, rita, uri=f"{rita.uri}/other", parent_uri=root.uri, published_at=at + 30_000)
        _, below = timelines.thread(tx, alice, root)
        stored = posts.by_ids(tx, below)
        assert [stored[id_].uri for id_ in below] == [*uris, other.uri]

    await node.db.write(unit)
