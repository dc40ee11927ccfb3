"""Remote posts: recorded once, changed only by their author, deleted for good."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from node.accounts import accounts
from node.attachments import photo_rows
from node.attachments.photo_metadata import MAX_ALT_LENGTH
from node.database import Writer
from node.ids import now_ms, timestamp_ms
from node.interactions import blocks
from node.models import interaction_policy
from node.models.account import Account
from node.models.interaction_policy import NOBODY, InteractionPolicy
from node.models.post_extras import EMPTY, Poll, PollOption, PostExtras, RemoteFile
from node.node import Node
from node.paging import Page
from node.posts import hashtags, mentions, posts, revisions
from node.publishing import post_deletion, remote_posts
from node.timelines import post_summaries, post_views, timelines
from node.timelines.timelines import TimelineEntry
from tests.support.people import notifications_of, remote
from tests.support.posting import HOUR, build_remote_post, follow, picture, publish, receive_post

PAGE = Page()


async def test_a_remote_post_is_shown_as_its_server_describes_it(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        follow(tx, alice, rita)
        at = now_ms() - 5 * HOUR
        post = receive_post(
            tx,
            rita,
            html="<p>Dusk<script>x</script></p>",
            warning="a  cliff\n",
            photos=[picture("a", width=4, height=3, blurhash="LEHV6nWB2yk8"), picture("b"), picture("a")],
            hashtags=["#Fog", "fog", "!!"],
            mentions=[alice],
            published_at=at,
            language="de",
        )

        assert (timestamp_ms(post.id), post.published_at) == (at, at)
        assert (post.caption, post.warning, post.is_sensitive) == ("<p>Dusk</p>", "a cliff", True)
        [view] = post_views.by_entries(tx, alice, timelines.home(tx, alice, PAGE))
        assert [(one.remote_url, one.alt) for one in view.photos] == [
            ("https://far.example/a.jpg", "photo a"),
            ("https://far.example/b.jpg", "photo b"),
            ("https://far.example/a.jpg", "photo a"),
        ]
        assert view.post.photos_count == 3
        assert view.hashtags == [("fog", "Fog")]
        assert notifications_of(tx, alice)[-1] == ("mention", rita.id)
        assert accounts.get(tx, rita.id).posts_count == 1

    await node.db.write(unit)


async def test_a_post_is_recorded_once(node: Node) -> None:
    def unit(tx: Writer) -> None:
        remote_post = build_remote_post(remote(tx))
        first = remote_posts.receive_create(tx, remote_post)
        assert first is not None
        assert remote_posts.receive_create(tx, remote_post) == first
        assert tx.value("SELECT COUNT(*) FROM posts") == 1

    await node.db.write(unit)


async def test_a_thousand_posts_of_one_second_are_all_recorded(node: Node) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        ids = {receive_post(tx, rita, published_at=1_700_000_000_000).id for _ in range(1000)}
        assert len(ids) == 1000

    await node.db.write(unit)


async def test_a_post_from_the_future_is_from_now(node: Node) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        assert receive_post(tx, rita, published_at=now_ms() + HOUR * 24).published_at <= now_ms()
        assert receive_post(tx, rita, published_at=-5).published_at == 1

    await node.db.write(unit)


async def test_a_deleted_post_is_not_recorded_again(node: Node) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        known, late = build_remote_post(rita), build_remote_post(rita)
        assert remote_posts.receive_create(tx, known) is not None
        assert remote_posts.receive_delete(tx, rita, known.uri)
        assert not remote_posts.receive_delete(tx, rita, late.uri)

        assert remote_posts.receive_create(tx, known) is None
        assert remote_posts.receive_create(tx, late) is None

    await node.db.write(unit)


async def test_only_the_author_deletes(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, mallory = remote(tx), remote(tx, "mallory")
        namesake = remote(tx, "mallory", "evil.example")
        post, own = receive_post(tx, rita), publish(tx, alice)
        late = build_remote_post(rita)
        for actor in (mallory, namesake):
            for uri in (post.uri, own.uri, late.uri):
                assert not remote_posts.receive_delete(tx, actor, uri)

        assert posts.visible_by_id(tx, None, post.id)
        assert posts.visible_by_id(tx, None, own.id)
        assert remote_posts.receive_create(tx, late) is not None

    await node.db.write(unit)


async def test_nothing_by_a_suspended_account_is_recorded(node: Node) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        post = receive_post(tx, rita)
        tx.run("UPDATE accounts SET suspended_at = 1 WHERE id = :id", id=rita.id)
        rita = accounts.get(tx, rita.id)

        assert remote_posts.receive_create(tx, build_remote_post(rita)) is None
        update = build_remote_post(rita, uri=post.uri, html="<p>x</p>", edited_at=now_ms())
        assert remote_posts.receive_update(tx, update) is None
        assert post_views.by_entries(tx, None, [post.id]) == []

    await node.db.write(unit)


async def test_comments_that_a_local_author_does_not_allow_are_refused(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, mallory = remote(tx), remote(tx, "mallory")
        blocks.block(tx, alice, mallory)
        seen = publish(tx, alice)
        hidden = publish(tx, alice, visibility="followers")
        quiet = publish(tx, alice, policy=InteractionPolicy(comment=NOBODY))
        gone = publish(tx, alice)
        post_deletion.delete(tx, alice, gone)

        assert remote_posts.receive_create(tx, build_remote_post(mallory, parent_uri=seen.uri)) is None
        assert remote_posts.receive_create(tx, build_remote_post(rita, parent_uri=hidden.uri)) is None
        assert remote_posts.receive_create(tx, build_remote_post(rita, parent_uri=quiet.uri)) is None
        assert remote_posts.receive_create(tx, build_remote_post(rita, parent_uri=gone.uri)) is None
        assert notifications_of(tx, alice) == []

    await node.db.write(unit)


# Conversations


async def test_orphans_wait_for_their_parent_in_whatever_order_all_arrive(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, sam = remote(tx), remote(tx, "sam")
        follow(tx, alice, rita)
        follow(tx, alice, sam)
        for seed in range(12):
            start = now_ms() - HOUR
            remotes = [build_remote_post(rita, published_at=start, url=f"https://far.example/page/{seed}")]
            parents = [0]
            for number in range(1, 7):
                parents.append(random.Random(seed * 100 + number).randrange(number))
                above = remotes[parents[number]]
                remotes.append(
                    build_remote_post(
                        sam,
                        published_at=start + number,
                        parent_uri=above.url or above.uri,
                        visibility="followers" if number == 3 else "public",
                    )
                )
            order = list(range(7))
            random.Random(seed).shuffle(order)
            for number in order:
                assert remote_posts.receive_create(tx, remotes[number]) is not None
            kept = [posts.by_uri(tx, remote_post.uri) for remote_post in remotes]
            root = kept[0]
            assert root is not None
            for number, post in enumerate(kept):
                assert post is not None
                parent = kept[parents[number]]
                assert parent is not None
                assert post.root_id == root.id
                assert post.parent_id == (parent.id if number else None)
                children = [n for n in range(1, 7) if parents[n] == number and n != 3]
                assert post.comments_count == len(children)
            home = {entry.post_id for entry in timelines.home(tx, alice, Page(limit=80))}
            assert {post.id for post in kept if post is not None} <= home
            _, below = timelines.thread(tx, alice, root)
            assert len(below) == 6

    await node.db.write(unit)


async def test_posts_that_comment_on_each_other_in_a_circle_are_recorded(node: Node) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        one, two = build_remote_post(rita), build_remote_post(rita)
        first = remote_posts.receive_create(tx, replace(one, parent_uri=two.uri))
        second = remote_posts.receive_create(tx, replace(two, parent_uri=one.uri))
        selfish = build_remote_post(rita)
        third = remote_posts.receive_create(tx, replace(selfish, parent_uri=selfish.uri))
        for post in (first, second, third):
            assert post is not None
            timelines.thread(tx, None, post)

    await node.db.write(unit)


# Updates


async def test_an_update_replaces_the_content(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        original = build_remote_post(rita, photos=[picture("a"), picture("b")], hashtags=["fog"])
        post = remote_posts.receive_create(tx, original)
        assert post is not None
        [first, _] = photo_rows.by_posts(tx, [post.id])[post.id]
        update = replace(
            original,
            html="<p>New @alice</p>",
            photos=[picture("c"), replace(picture("a"), alt="better")],
            hashtags=["mist"],
            mentions=[alice],
            edited_at=now_ms(),
        )
        changed = remote_posts.receive_update(tx, update)

        assert changed is not None
        assert posts.by_id(tx, post.id) == changed
        assert [(one.remote_url[-5:], one.alt) for one in photo_rows.by_posts(tx, [post.id])[post.id]] == [
            ("c.jpg", "photo c"),
            ("a.jpg", "better"),
        ]
        assert photo_rows.by_posts(tx, [post.id])[post.id][1].id == first.id
        assert hashtags.by_posts(tx, [post.id])[post.id] == [("mist", "mist")]
        assert len(revisions.by_post(tx, changed)) == 2
        assert [mention.account.id for mention in mentions.by_post(tx, changed)] == [alice.id]
        assert notifications_of(tx, alice) == [("mention", rita.id)]
        assert remote_posts.receive_update(tx, update) == changed
        assert len(revisions.by_post(tx, changed)) == 2

    await node.db.write(unit)


async def test_an_update_never_widens_the_audience(node: Node) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        original = build_remote_post(rita, visibility="followers")
        post = remote_posts.receive_create(tx, original)
        assert post is not None
        changed = remote_posts.receive_update(tx, replace(original, visibility="public", edited_at=now_ms()))
        assert changed is not None
        assert changed.visibility == "followers"
        assert post_views.by_entries(tx, None, [post.id]) == []

    await node.db.write(unit)


async def test_only_the_author_updates_and_only_forwards(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, mallory = remote(tx), remote(tx, "mallory")
        original = build_remote_post(rita)
        post, own = remote_posts.receive_create(tx, original), publish(tx, alice)
        assert post is not None
        for update in (
            replace(original, author=mallory, html="<p>x</p>", edited_at=now_ms()),
            replace(original, html="<p>x</p>", edited_at=post.published_at - 1),
            replace(original, uri=own.uri, html="<p>x</p>", edited_at=now_ms()),
            build_remote_post(rita, edited_at=now_ms()),
        ):
            assert remote_posts.receive_update(tx, update) is None
        assert posts.by_id(tx, post.id) == post
        assert posts.by_id(tx, own.id) == own

    await node.db.write(unit)


@pytest.mark.parametrize("visibility", ["public", "unlisted", "followers", "direct"])
async def test_a_post_addressed_to_one_account_is_not_seen_by_another(
    node: Node, alice: Account, bob: Account, visibility: str
) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        follow(tx, alice, rita)
        post = receive_post(
            tx, rita, visibility=visibility, addressed=[alice] if visibility == "direct" else []
        )
        is_open = visibility in ("public", "unlisted")
        assert len(post_views.by_entries(tx, alice, [post.id])) == 1
        assert bool(post_views.by_entries(tx, bob, [post.id])) == is_open
        in_home = [entry.post_id for entry in timelines.home(tx, alice, PAGE)]
        assert in_home == ([] if visibility == "direct" else [post.id])

    await node.db.write(unit)


async def test_the_import_status_says_what_is_known_before_recording(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, sam = remote(tx), remote(tx, "sam")
        follow(tx, alice, rita)
        known, deleted = receive_post(tx, rita), build_remote_post(rita)
        remote_posts.receive_delete(tx, rita, deleted.uri)

        status = remote_posts.import_status
        assert status(tx, rita, known.uri) == remote_posts.ImportStatus(True, False, True, False)
        assert status(tx, rita, deleted.uri) == remote_posts.ImportStatus(False, True, True, False)
        assert status(tx, sam, deleted.uri) == remote_posts.ImportStatus(False, False, False, False)

    await node.db.write(unit)


def a_poll(*votes: int, **more: Any) -> PostExtras:
    options = tuple(PollOption(f"option {n}", count) for n, count in enumerate(votes))
    return PostExtras(poll=Poll(options=options, **more))


async def test_counted_votes_are_taken_without_an_edit(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        first = build_remote_post(rita, extras=a_poll(1, 0))
        post = remote_posts.receive_create(tx, first)
        assert post is not None
        version = post_summaries.by_entries(tx, alice, [TimelineEntry(post.id, post.id)])[0].version

        for extras in (a_poll(4, 3, voters=7), a_poll(4, 3, voters=7, closed_at=now_ms())):
            counted = remote_posts.receive_update(tx, replace(first, extras=extras))
            assert counted is not None
            [view] = post_views.by_entries(tx, alice, [post.id])

            assert view.extras == extras
            assert counted == view.post
            assert (view.post.edited_at, len(revisions.by_post(tx, post))) == (None, 1)
        summary = post_summaries.by_entries(tx, alice, [TimelineEntry(post.id, post.id)])[0]
        assert summary.version != version
        assert summary.version == post_summaries.post_version(view.post)

    await node.db.write(unit)


async def test_another_policy_is_taken_without_an_edit(node: Node) -> None:
    def unit(tx: Writer) -> None:
        first = build_remote_post(remote(tx))
        post = remote_posts.receive_create(tx, first)
        assert post is not None
        policy = interaction_policy.dump(InteractionPolicy(comment=NOBODY))

        changed = remote_posts.receive_update(tx, replace(first, policy=policy, edited_at=now_ms()))

        assert changed is not None
        assert posts.by_id(tx, post.id) == changed
        assert (changed.comments_enabled, changed.edited_at) == (False, None)
        assert len(revisions.by_post(tx, post)) == 1

    await node.db.write(unit)


async def test_other_options_and_files_are_an_edit(node: Node) -> None:
    def unit(tx: Writer) -> None:
        first = build_remote_post(remote(tx), extras=a_poll(1, 0))
        post = remote_posts.receive_create(tx, first)
        assert post is not None
        video = PostExtras(files=(RemoteFile(kind="video", url="https://far.example/a.mp4"),))

        for number, extras in enumerate((a_poll(1, 0, 2), video, EMPTY), 1):
            changed = remote_posts.receive_update(tx, replace(first, extras=extras))

            assert changed is not None
            assert changed.edited_at is not None
            assert posts.by_id(tx, post.id) == changed
            assert len(revisions.by_post(tx, post)) == 1 + number

    await node.db.write(unit)


async def test_extras_are_bounded_and_clean(node: Node) -> None:
    def unit(tx: Writer) -> None:
        files = [
            RemoteFile(kind="video", url=f"https://far.example/{n}", alt="a\x00" * 20_000) for n in range(90)
        ]
        odd = [RemoteFile(kind="x", url="https://far.example/"), RemoteFile(kind="file", url="x" * 9_000)]
        options = tuple(PollOption(f"\x1b {n} " + "x" * 900, 1) for n in range(90))
        extras = PostExtras(files=(*odd, *files), poll=Poll(options=options))
        post = receive_post(tx, remote(tx), extras=extras)
        [view] = post_views.by_entries(tx, None, [post.id])

        assert [file.url for file in view.extras.files] == [f"https://far.example/{n}" for n in range(20)]
        assert {len(file.alt) for file in view.extras.files} == {MAX_ALT_LENGTH}
        assert view.extras.poll is not None
        assert [option.title[:3] for option in view.extras.poll.options[:2]] == ["0 x", "1 x"]
        assert (len(view.extras.poll.options), len(view.extras.poll.options[0].title)) == (20, 500)

        post_deletion.remove_locally(tx, post)
        deleted = posts.by_id(tx, post.id)
        assert deleted is not None
        assert deleted.extras == ""

    await node.db.write(unit)


async def test_one_file_twice_in_an_album_is_two_photos_with_their_own_texts(node: Node) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        album = [replace(picture("a"), alt="Left"), picture("b"), replace(picture("a"), alt="Right")]
        post = receive_post(tx, rita, photos=album)
        before = photo_rows.by_posts(tx, [post.id])[post.id]
        assert [photo.alt for photo in before] == ["Left", "photo b", "Right"]
        assert post.photos_count == 3

        album = [replace(picture("a"), alt="West"), replace(picture("a"), alt="East")]
        edited = remote_posts.receive_update(
            tx, build_remote_post(rita, uri=post.uri, photos=album, edited_at=now_ms())
        )
        assert edited is not None
        after = photo_rows.by_posts(tx, [post.id])[post.id]
        assert [photo.alt for photo in after] == ["West", "East"]
        assert [photo.id for photo in after] == [before[0].id, before[2].id]

    await node.db.write(unit)
