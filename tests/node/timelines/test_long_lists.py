"""What few may see among much that they may not: no page walks to it, every page says where the next one begins."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from node.database import Reader, Writer, migrate
from node.database.bounded_pages import MAX_VISITED
from node.interactions import blocks, likes
from node.models.account import Account
from node.node import Node
from node.notifications import notifications
from node.paging import Found, Page
from node.publishing import remote_posts
from node.timelines import notification_list, timelines
from node.timelines.timelines import Entries
from tests.support.people import remote
from tests.support.posting import build_remote_post, follow, picture, publish, receive_post

MANY = MAX_VISITED + 20


def whole(read: Callable[[Page], Entries]) -> tuple[list[int], int]:
    """The ids of a list, and the number of its pages."""
    found: list[int] = []
    pages, max_id = 0, None
    while pages == 0 or max_id is not None:
        page = read(Page(max_id=max_id, limit=20))
        found += [entry.post_id for entry in page]
        max_id, pages = page.older, pages + 1
    return found, pages


async def test_posts_below_many_by_somebody_blocked_are_reached(
    node: Node, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> None:
        below = publish(tx, bob, "#fog")
        loud = remote(tx, "loud")
        for _ in range(MANY):
            receive_post(tx, loud, hashtags=["fog"], published_at=below.published_at + 60_000)
        blocks.block(tx, alice, loud)
        for read in (
            lambda page: timelines.public(tx, alice, page),
            lambda page: timelines.hashtag(tx, alice, "fog", page),
        ):
            first = read(Page(limit=20))
            assert first == []
            assert first.older is not None
            assert whole(read) == ([below.id], 2)

    await node.db.write(unit)


@pytest.mark.parametrize("visibility", ["direct", "followers"])
async def test_many_private_posts_do_not_hide_the_public_ones(
    node: Node, alice: Account, bob: Account, visibility: str
) -> None:
    def unit(tx: Writer) -> None:
        below = publish(tx, bob)
        for number in range(MANY):
            publish(tx, bob, f"{number}", visibility=visibility)

        for viewer in (None, alice):
            page = timelines.profile(tx, viewer, bob, Page(limit=20))
            assert ([entry.post_id for entry in page], page.older) == ([below.id], None)
        assert len(timelines.profile(tx, bob, bob, Page(limit=20))) == 20

    await node.db.write(unit)


async def test_a_private_post_is_found_by_whom_it_mentions(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        direct = publish(tx, bob, "For @alice", visibility="direct")
        private = publish(tx, bob, "For @alice", visibility="followers")
        publish(tx, bob, "For nobody", visibility="direct")

        def seen(viewer: Account | None) -> list[int]:
            return [entry.post_id for entry in timelines.profile(tx, viewer, bob, Page())]

        assert seen(None) == []
        assert seen(alice) == [private.id, direct.id]
        follow(tx, alice, bob)
        assert seen(alice) == [private.id, direct.id]

    await node.db.write(unit)


async def test_many_private_messages_do_not_hide_the_photos_of_their_author(
    node: Node, alice: Account
) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        photo = receive_post(tx, rita, photos=[picture()])
        for _ in range(MANY):
            receive_post(
                tx, rita, visibility="direct", mentions=[alice], published_at=photo.published_at + 60_000
            )
        shown = timelines.profile(tx, alice, rita, Page(limit=20), only_photos=True)
        everything, _ = whole(lambda page: timelines.profile(tx, alice, rita, page))

        assert ([entry.id for entry in shown], shown.older) == ([photo.id], None)
        assert len(everything) == MANY + 1

    await node.db.write(unit)


async def test_a_profile_that_may_not_be_seen_tells_nothing(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        for number in range(MANY):
            publish(tx, bob, f"{number}")
        blocks.block(tx, bob, alice)
        page = timelines.profile(tx, alice, bob, Page(limit=20))

        assert (page, page.older) == ([], None)

    await node.db.write(unit)


async def test_an_edit_moves_a_post_into_and_out_of_the_lists_of_photos(node: Node) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        post = receive_post(tx, rita, hashtags=["fog"])

        def listed(**options: bool) -> bool:
            by_tag = timelines.hashtag(tx, None, "fog", Page(), **options)
            by_author = timelines.profile(tx, None, rita, Page(), only_photos=options["only_photos"])
            assert len(by_tag) == len(by_author)
            return bool(by_tag)

        assert not listed(only_photos=True)
        changed = build_remote_post(
            rita, uri=post.uri, hashtags=["fog"], photos=[picture()], html="<p>New</p>"
        )
        remote_posts.receive_update(tx, changed)
        assert listed(only_photos=True)
        changed = build_remote_post(rita, uri=post.uri, hashtags=["fog"], html="<p>Newer</p>")
        remote_posts.receive_update(tx, changed)
        assert not listed(only_photos=True)
        assert listed(only_photos=False)

    await node.db.write(unit)


async def test_hashtags_are_combined(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        fog, sea, both = (publish(tx, alice, text).id for text in ("#fog", "#sea", "#fog #Sea"))

        def found(**names: list[str]) -> list[int]:
            return [entry.id for entry in timelines.hashtag(tx, None, "fog", Page(), **names)]

        assert found() == [both, fog]
        assert found(any_of=["SEA"]) == [both, sea, fog]
        assert found(all_of=["sea"]) == [both]
        assert found(none_of=["sea"]) == [fog]
        assert found(any_of=["sea"], none_of=["fog"]) == [sea]
        assert found(all_of=["unknown"]) == []
        assert found(none_of=["unknown"], any_of=["unknown"]) == [both, fog]
        assert timelines.hashtag(tx, None, "unknown", Page()) == []
        assert [entry.id for entry in timelines.profile(tx, None, alice, Page(), tagged="#SEA")] == [
            both,
            sea,
        ]
        assert timelines.profile(tx, None, alice, Page(), tagged="unknown") == []

    await node.db.write(unit)


async def test_notifications_of_one_kind_or_person_are_found_below_many(
    node: Node, alice: Account, bob: Account, mallory: Account
) -> None:
    def unit(tx: Writer) -> None:
        mentioned = publish(tx, bob, "For @alice")
        for _ in range(MANY):
            likes.like(tx, mallory, publish(tx, alice))

        def kinds(found: Found[notification_list.NotificationView]) -> list[str]:
            return [one.kind for one in found]

        page = notification_list.page(tx, alice, Page(), ["mention", "boost"])
        assert [one.post.post.id for one in page if one.post] == [mentioned.id]
        assert page.older is None
        assert kinds(notification_list.page(tx, alice, Page(), by_id=bob.id)) == ["mention"]
        assert kinds(notification_list.page(tx, alice, Page(limit=2), by_id=mallory.id)) == ["like", "like"]
        assert notification_list.page(tx, alice, Page(), notifications.KINDS, by_id=mallory.id + 1) == []

    await node.db.write(unit)


COLUMNS = {
    "post_hashtags": "hashtag_id, post_id, is_public, is_local, has_photos",
    "mentions": "post_id, account_id, private_by",
    "hashtag_days": "hashtag_id, day, posts, authors, local_authors",
}


async def test_the_migration_fills_in_what_is_written_with_new_posts(
    node: Node, alice: Account, bob: Account
) -> None:
    (script,) = [sql for number, _, sql in migrate.files("sqlite") if number == 23]
    filling = [
        one[one.index(word) :]
        for one in migrate._statements(script)
        for word in ("UPDATE ", "INSERT INTO")
        if f"\n{word}" in f"\n{one}"
    ]

    def rows(tx: Reader) -> dict[str, set[tuple[object, ...]]]:
        return {
            table: {tuple(dict(row).values()) for row in tx.all(f"SELECT {names} FROM {table}")}
            for table, names in COLUMNS.items()
        }

    def unit(tx: Writer) -> None:
        for visibility in ("public", "unlisted", "followers", "direct"):
            publish(tx, bob, "For @alice #fog #sea", visibility=visibility)
        receive_post(
            tx, remote(tx), hashtags=["fog"], photos=[picture()], mentions=[alice], visibility="direct"
        )
        receive_post(tx, remote(tx, "sam"), hashtags=["fog"], photos=[picture("b")])
        expected = rows(tx)
        tx.run("UPDATE post_hashtags SET is_public = FALSE, is_local = FALSE, has_photos = FALSE")
        tx.run("UPDATE mentions SET private_by = NULL")
        tx.run("DELETE FROM hashtag_days")
        assert rows(tx) != expected

        for statement in filling:
            tx.run(statement)

        assert len(filling) == 3
        assert rows(tx) == expected

    await node.db.write(unit)
