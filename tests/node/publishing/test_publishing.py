"""Publish, edit, delete: each deed with all that belongs to it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from node.accounts import accounts
from node.attachments import photo_rows, photos
from node.database import Writer
from node.errors import Invalid, NotAllowed, NotFound
from node.interactions import blocks, bookmarks, boosts, likes
from node.models.account import Account
from node.models.interaction_policy import NOBODY, InteractionPolicy
from node.node import Node
from node.paging import Page
from node.posts import hashtags, mentions, posts, revisions
from node.posts.drafts import MAX_CAPTION_LENGTH, MAX_PHOTOS, Draft
from node.publishing import post_deletion, publishing
from node.timelines import post_views, timelines
from tests.support.people import remote, said, told, verbs
from tests.support.posting import arrives, follow, publish

PAGE = Page()


def counted(tx: Writer, who: Account) -> int:
    return accounts.get(tx, who.id).posts_count


async def test_a_post_becomes_true_everywhere_at_once(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        follow(tx, bob, alice)
        post = publish(tx, alice, "Hello @bob\n#Fog", language="en")

        assert post.uri == post.url == f"https://{node.site.domain}/p/alice/{post.id}"
        assert post.root_id == post.id
        assert posts.by_uri(tx, post.uri) == posts.by_id(tx, post.id) == post
        assert [entry.post_id for entry in timelines.home(tx, bob, PAGE)] == [post.id]
        assert [entry.post_id for entry in timelines.home(tx, alice, PAGE)] == [post.id]
        assert told(tx, bob)[-1] == ("mention", alice.id)
        assert hashtags.by_posts(tx, [post.id]) == {post.id: [("fog", "Fog")]}
        assert counted(tx, alice) == 1
        assert said(tx, alice)[-1][:2] == ("Create", post.uri)
        [view] = post_views.by_entries(tx, None, [post.id])
        assert [person.id for person in view.mentions] == [bob.id]

    await node.db.write(unit)


async def test_photos_are_posted_in_order_with_their_descriptions(
    node: Node, alice: Account, photo: Callable[..., bytes]
) -> None:
    one, two = [await photos.upload(node, alice, photo(seed=seed), alt="old") for seed in (1, 2)]

    def unit(tx: Writer) -> None:
        post = publish(tx, alice, "", photo_ids=[two.id, one.id], alts={two.id: "a lake"})
        [view] = post_views.by_entries(tx, None, [post.id])
        assert [(picture.id, picture.alt) for picture in view.photos] == [(two.id, "a lake"), (one.id, "old")]
        assert view.post.photos_count == 2
        assert tx.all("SELECT id FROM photos WHERE post_id IS NULL") == []
        assert view.photos[0].file("medium", "avif", "webp") is not None

    await node.db.write(unit)


async def test_a_photo_can_be_posted_once_and_by_its_owner_only(
    node: Node, alice: Account, bob: Account, photo: Callable[..., bytes]
) -> None:
    mine = await photos.upload(node, alice, photo())

    def steal(tx: Writer) -> None:
        publish(tx, bob, photo_ids=[mine.id])

    with pytest.raises(Invalid):
        await node.db.write(steal)

    def twice(tx: Writer) -> None:
        publish(tx, alice, photo_ids=[mine.id])
        with pytest.raises(Invalid):
            publish(tx, alice, photo_ids=[mine.id])

    await node.db.write(twice)


@pytest.mark.parametrize(
    "draft",
    [
        Draft(),
        Draft(caption=" \x00\n"),
        Draft(caption="x" * (MAX_CAPTION_LENGTH + 1)),
        Draft(caption="x", warning="w" * 501),
        Draft(caption="x", visibility="secret"),
        Draft(photo_ids=list(range(1, MAX_PHOTOS + 2))),
        Draft(photo_ids=[1, 1]),
        Draft(photo_ids=[1]),
        Draft(caption="x", alts={1: "x" * 10_001}),
    ],
)
async def test_what_cannot_be_a_post_is_refused_with_a_sentence(
    node: Node, alice: Account, draft: Draft
) -> None:
    with pytest.raises(Invalid, match=r"\.$"):
        await node.db.write(publishing.publish, alice, draft)


async def test_a_suspended_person_cannot_post(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        accounts.set_visible(tx, alice.id, is_visible=False)
        with pytest.raises(NotAllowed):
            publish(tx, accounts.get(tx, alice.id))

    await node.db.write(unit)


# Comments


async def test_a_comment_joins_the_conversation_and_tells_the_author(
    node: Node, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice)
        comment = publish(tx, bob, "Lovely", parent_id=post.id)
        answer = publish(tx, alice, "Thanks @bob", parent_id=comment.id)

        assert (comment.parent_id, comment.parent_uri, comment.root_id) == (post.id, post.uri, post.id)
        assert (answer.parent_id, answer.root_id) == (comment.id, post.id)
        current = posts.by_id(tx, post.id)
        assert current is not None
        assert current.comments_count == 1
        assert told(tx, alice) == [("comment", bob.id)]
        assert told(tx, bob) == [("comment", alice.id)]
        assert [(one.account.id, one.is_silent) for one in mentions.by_post(tx, comment)] == [
            (alice.id, True)
        ]
        assert [(one.account.id, one.is_silent) for one in mentions.by_post(tx, answer)] == [(bob.id, False)]
        assert counted(tx, bob) == 0
        assert timelines.thread(tx, None, comment) == ([post.id], [answer.id])

    await node.db.write(unit)


@pytest.mark.parametrize(
    ("wanted", "of_parent", "becomes"),
    [
        ("public", "followers", "followers"),
        ("unlisted", "public", "unlisted"),
        ("public", "direct", "direct"),
        ("direct", "public", "direct"),
    ],
)
async def test_a_comment_reaches_no_further_than_what_it_is_about(
    node: Node, alice: Account, wanted: str, of_parent: str, becomes: str
) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice, visibility=of_parent)
        assert publish(tx, alice, "x", parent_id=post.id, visibility=wanted).visibility == becomes

    await node.db.write(unit)


async def test_F9_a_private_comment_is_not_counted(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice)
        for visibility in ("followers", "direct"):
            publish(tx, bob, "psst", parent_id=post.id, visibility=visibility)
        current = posts.by_id(tx, post.id)
        assert current is not None
        assert current.comments_count == 0

    await node.db.write(unit)


async def test_nobody_comments_on_what_they_may_not_see(
    node: Node, alice: Account, bob: Account, mallory: Account
) -> None:
    def unit(tx: Writer) -> None:
        hidden = publish(tx, alice, visibility="followers")
        with pytest.raises(NotFound):
            publish(tx, bob, parent_id=hidden.id)
        seen = publish(tx, alice)
        blocks.block(tx, alice, mallory)
        with pytest.raises(NotFound):
            publish(tx, mallory, parent_id=seen.id)

    await node.db.write(unit)


async def test_comments_can_be_turned_off_for_everyone_but_the_author(
    node: Node, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice, policy=InteractionPolicy(comment=NOBODY))
        with pytest.raises(NotAllowed):
            publish(tx, bob, parent_id=post.id)
        publish(tx, alice, parent_id=post.id)

    await node.db.write(unit)


# Edits


async def test_an_edit_keeps_what_was_said_before(
    node: Node, alice: Account, bob: Account, photo: Callable[..., bytes]
) -> None:
    one, two = [await photos.upload(node, alice, photo(seed=seed), alt=f"alt {seed}") for seed in (1, 2)]

    def unit(tx: Writer) -> None:
        post = publish(tx, alice, "First #fog", photo_ids=[one.id, two.id], visibility="followers")
        edited = publishing.edit(
            tx,
            alice,
            post,
            Draft(caption="Second #mist @bob", photo_ids=[two.id], alts={two.id: "new"}, visibility="public"),
        )

        assert edited.visibility == "followers"
        assert edited.edited_at is not None
        assert posts.by_id(tx, post.id) == edited
        before, now = revisions.by_post(tx, edited)
        assert (before.photos, now.photos) == ([(one.id, "alt 1"), (two.id, "alt 2")], [(two.id, "new")])
        assert ("First" in before.caption, "Second" in now.caption) == (True, True)
        assert (before.created_at, now.created_at) == (post.published_at, edited.edited_at)
        assert [name for name, _ in hashtags.by_posts(tx, [post.id])[post.id]] == ["mist"]
        assert photo_rows.by_ids(tx, [one.id]) == {}
        assert told(tx, bob) == [("mention", alice.id)]
        assert verbs(tx, alice) == ["Create", "Update"]
        [view] = post_views.by_entries(tx, alice, [post.id])
        assert [picture.alt for picture in view.photos] == ["new"]

    await node.db.write(unit)


async def test_an_edit_that_changes_nothing_says_nothing(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice, "Same #fog")
        assert publishing.edit(tx, alice, post, Draft(caption="Same #fog")) == post
        assert verbs(tx, alice) == ["Create"]
        assert len(revisions.by_post(tx, post)) == 1

    await node.db.write(unit)


async def test_somebody_no_longer_named_can_still_see_a_direct_post(
    node: Node, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice, "@bob psst", visibility="direct")
        publishing.edit(tx, alice, post, Draft(caption="psst"))
        assert posts.visible_by_id(tx, bob, post.id).id == post.id

    await node.db.write(unit)


async def test_only_its_author_changes_or_deletes_a_post(
    node: Node, alice: Account, mallory: Account
) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice)
        with pytest.raises(NotAllowed):
            publishing.edit(tx, mallory, post, Draft(caption="x"))
        with pytest.raises(NotAllowed):
            post_deletion.delete(tx, mallory, post)

    await node.db.write(unit)


# Deletion


async def test_a_deleted_post_leaves_a_tombstone_and_nothing_else(
    node: Node,
    alice: Account,
    bob: Account,
    photo: Callable[..., bytes],
    settle: Callable[[], object],
) -> None:
    picture = await photos.upload(node, alice, photo())
    [path, *_] = [node.storage.path(kept.key) for kept in picture.files.values()]
    assert path is not None

    def unit(tx: Writer) -> None:
        rita = remote(tx)
        follow(tx, bob, alice)
        post = publish(tx, alice, "Secret plan #fog", photo_ids=[picture.id])
        for person in (bob, rita):
            likes.like(tx, person, post, uri=f"like:{person.id}")
        boosts.boost(tx, bob, post)
        bookmarks.add(tx, bob, post)
        publishing.edit(tx, alice, post, Draft(caption="Secret #fog", photo_ids=[picture.id]))
        post_deletion.delete(tx, alice, post)
        posts_left = posts.by_id(tx, post.id)

        assert posts_left is not None
        assert posts_left.deleted_at is not None
        assert (posts_left.caption, posts_left.source, posts_left.likes_count) == ("", "", 0)
        for table in (
            "photos",
            "photo_files",
            "likes",
            "boosts",
            "bookmarks",
            "feed",
            "mentions",
            "post_edits",
        ):
            assert tx.value(f"SELECT COUNT(*) FROM {table}") == 0, table
        for table in ("post_hashtags", "hashtag_uses"):
            assert tx.value(f"SELECT COUNT(*) FROM {table}") == 0, table
        assert told(tx, alice) == [("follow", bob.id)]
        assert counted(tx, alice) == 0
        verb, uri, extra = said(tx, alice)[-1]
        assert (verb, uri) == ("Delete", post.uri)
        assert (extra["former"], extra["visibility"], extra["interested"]) == ("Note", "public", [rita.id])
        with pytest.raises(NotFound):
            posts.visible_by_id(tx, alice, post.id)
        with pytest.raises(NotFound):
            post_deletion.delete(tx, alice, post)

    assert path.exists()
    await node.db.write(unit)
    await node_jobs(node)
    assert not path.exists()


async def node_jobs(node: Node) -> None:
    """Run the jobs that delete files."""
    from node.attachments import stored_files
    from node.ids import now_ms
    from node.jobs import queue

    for job in await node.db.write(queue.claim, "delete_files", 100, now_ms()):
        await stored_files.delete_files(node, job)


async def test_a_person_who_leaves_takes_their_posts_along(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, bob)
        own = [publish(tx, alice, "comment", parent_id=post.id), publish(tx, alice, "post")]
        likes.like(tx, alice, post)
        boosts.boost(tx, alice, post)
        for one in own:
            post_deletion.remove_locally(tx, one)
        likes.delete_by_account(tx, alice)
        boosts.delete_by_account(tx, alice)
        current = posts.by_id(tx, post.id)
        assert current is not None
        assert (current.likes_count, current.boosts_count, current.comments_count) == (0, 0, 0)
        assert timelines.profile(tx, None, alice, PAGE, include_comments=True, include_boosts=True) == []
        assert "Delete" not in verbs(tx, alice)

    await node.db.write(unit)


async def test_remote_comments_count_and_are_told(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        post = publish(tx, alice)
        arrives(tx, rita, parent_uri=post.uri)
        current = posts.by_id(tx, post.id)
        assert current is not None
        assert current.comments_count == 1
        assert told(tx, alice) == [("comment", rita.id)]

    await node.db.write(unit)
