"""The visibility of posts, compared with the rules in plain Python, over random data."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from node.database import Writer
from node.models.account import Account
from node.models.visibility import may_see, may_see_file, may_see_photo, viewer_value
from node.node import Node
from node.paging import Page
from node.posts import posts
from node.timelines import post_views, timelines
from tests.support.worlds import LOCAL, PEOPLE, World, build_world, worlds

WHOLE = Page(limit=80)


def may(world: World, viewer: int | None, post: int) -> bool:
    """The rules in plain Python. `viewer` and `post` are numbers of the world; None is anonymous."""
    row = world.posts[post]
    if viewer is not None and viewer in world.gone:
        viewer = None
    if row.is_deleted or row.author in world.gone:
        return False
    if viewer is not None and {(viewer, row.author), (row.author, viewer)} & world.blocks:
        return False
    if row.visibility in ("public", "unlisted"):
        return True
    if viewer is None:
        return False
    if viewer == row.author or viewer in row.mentions:
        return True
    return row.visibility == "followers" and (viewer, row.author) in world.accepted


def is_not_muted(world: World, viewer: int | None, author: int) -> bool:
    return viewer is None or viewer in world.gone or (viewer, author) not in world.mutes


def check(tx: Writer, world: World) -> None:
    accounts, ids = build_world(tx, world)
    numbers = {id_: number for number, id_ in enumerate(ids)}
    for viewer in [None, *range(PEOPLE)]:
        account = None if viewer is None else accounts[viewer]
        allowed = {number for number in range(len(ids)) if may(world, viewer, number)}
        listed = {number for number in allowed if is_not_muted(world, viewer, world.posts[number].author)}

        assert {numbers[view.post.id] for view in post_views.by_entries(tx, account, ids)} == allowed
        for number, id_ in enumerate(ids):
            post = posts.by_id(tx, id_)
            assert post is not None
            assert may_see(tx, account, post) == (number in allowed)

        def shown(entries: list[timelines.TimelineEntry]) -> set[int]:
            return {numbers[entry.post_id] for entry in entries}

        top = {n for n in listed if world.posts[n].visibility == "public" and world.posts[n].parent is None}
        assert shown(timelines.public(tx, account, WHOLE)) == top
        local = {n for n in top if world.posts[n].author < LOCAL}
        assert shown(timelines.public(tx, account, WHOLE, only_local=True)) == local
        assert shown(timelines.remote(tx, account, WHOLE)) == top - local
        tagged = {n for n in listed if world.posts[n].visibility == "public" and n % 2 == 0}
        assert shown(timelines.hashtag(tx, account, "#Fog", WHOLE)) == tagged
        for author in range(PEOPLE):
            of_author = {n for n in allowed if world.posts[n].author == author}
            seen = timelines.profile(tx, account, accounts[author], WHOLE, include_comments=True)
            assert shown(seen) == of_author
        if account is not None and viewer not in world.gone:
            assert shown(timelines.bookmarks(tx, account, WHOLE)) == allowed
            assert shown(timelines.likes(tx, account, WHOLE)) == allowed
        check_conversations(tx, world, viewer, account, ids, allowed, listed)
        check_files(tx, world, viewer, account, ids, allowed)


def check_conversations(
    tx: Writer,
    world: World,
    viewer: int | None,
    account: Account | None,
    ids: list[int],
    allowed: set[int],
    listed: set[int],
) -> None:
    for number in range(len(ids)):
        above, parent = [], world.posts[number].parent
        while parent is not None:
            above.append(parent)
            parent = world.posts[parent].parent
        below = {other for other in range(len(ids)) if other != number and number in world.ancestors(other)}
        post = posts.by_id(tx, ids[number])
        assert post is not None
        ancestors, descendants = timelines.thread(tx, account, post)
        assert ancestors == [ids[n] for n in reversed(above) if n in allowed]
        assert descendants == sorted(ids[n] for n in below & listed)


def check_files(
    tx: Writer, world: World, viewer: int | None, account: Account | None, ids: list[int], allowed: set[int]
) -> None:
    for number, id_ in enumerate(ids):
        sharers = {n for n in range(len(ids)) if n % 3 == number % 3} & allowed
        is_open = any(world.posts[n].visibility in ("public", "unlisted") for n in sharers)
        expected = "public" if is_open else "private" if sharers else None
        assert may_see_file(tx, viewer_value(account), f"aa/bb/{number % 3}.webp") == expected
        is_open = world.posts[number].visibility in ("public", "unlisted")
        expected = None if number not in allowed else "public" if is_open else "private"
        assert may_see_photo(tx, viewer_value(account), id_ + 1) == expected


async def test_every_query_agrees_with_the_rules(node: Node) -> None:
    def unit(tx: Writer) -> None:
        @settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(worlds())
        def run(world: World) -> None:
            tx.run("SAVEPOINT world")
            try:
                check(tx, world)
            finally:
                tx.run("ROLLBACK TO SAVEPOINT world")

        run()

    await node.db.write(unit)


async def test_an_upload_in_no_post_is_visible_to_its_owner_alone(
    node: Node, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> None:
        tx.run(
            """INSERT INTO photos (id, account_id, mime, original_file, created_at)
               VALUES (7, :alice, 'image/jpeg', 'or/ig/inal.jpg', 1)""",
            alice=alice.id,
        )
        tx.run("INSERT INTO photo_files VALUES (7, 'medium', 'webp', 'aa/bb/c.webp', 1, 1, 1)")
        assert may_see_file(tx, alice.id, "aa/bb/c.webp") == "private"
        assert may_see_file(tx, bob.id, "aa/bb/c.webp") is None
        assert may_see_file(tx, 0, "aa/bb/c.webp") is None
        assert may_see_photo(tx, alice.id, 7) == "private"
        assert may_see_photo(tx, 0, 7) is None
        assert may_see_file(tx, alice.id, "or/ig/inal.jpg") is None

    await node.db.write(unit)
