"""Publishing and editing: each with everything that follows from it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from node.accounts import accounts
from node.attachments import photo_rows, photos
from node.database import Writer
from node.errors import Invalid, NotAllowed, NotFound, TooManyRequests
from node.ids import now_ms
from node.interactions import blocks
from node.models.account import Account
from node.models.interaction_policy import EVERYONE, NOBODY, InteractionPolicy, rule_for
from node.node import Node
from node.paging import Page
from node.posts import hashtags, mentions, posts, revisions
from node.posts.drafts import MAX_CAPTION_LENGTH, MAX_PHOTOS, Draft
from node.publishing import post_deletion, publishing
from node.timelines import post_views, timelines
from tests.support.people import activities_of, notifications_of, remote, verbs_of
from tests.support.posting import follow, publish, receive_post

PAGE = Page()


def counted(tx: Writer, author: Account) -> int:
    return accounts.get(tx, author.id).posts_count


async def test_a_new_post_is_in_feeds_counts_hashtags_and_the_outbox_at_once(
    node: Node, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> None:
        follow(tx, bob, alice)
        post = publish(tx, alice, "Hello @bob\n#Fog", language="en")

        assert post.uri == post.url == f"https://{node.site.domain}/p/alice/{post.id}"
        assert post.root_id == post.id
        assert posts.by_uri(tx, post.uri) == posts.by_id(tx, post.id) == post
        assert [entry.post_id for entry in timelines.home(tx, bob, PAGE)] == [post.id]
        assert [entry.post_id for entry in timelines.home(tx, alice, PAGE)] == [post.id]
        assert notifications_of(tx, bob)[-1] == ("mention", alice.id)
        assert hashtags.by_posts(tx, [post.id]) == {post.id: [("fog", "Fog")]}
        assert counted(tx, alice) == 1
        assert activities_of(tx, alice)[-1][:2] == ("Create", post.uri)
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
async def test_what_cannot_be_a_post_is_refused_with_a_message(
    node: Node, alice: Account, draft: Draft
) -> None:
    with pytest.raises(Invalid, match=r"\.$"):
        await node.db.write(publishing.publish, alice, draft)


async def test_a_suspended_account_cannot_post(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        accounts.set_visible(tx, alice.id, is_visible=False)
        with pytest.raises(NotAllowed):
            publish(tx, accounts.get(tx, alice.id))

    await node.db.write(unit)


# Comments


async def test_a_comment_joins_the_conversation_and_notifies_the_author(
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
        assert notifications_of(tx, alice) == [("comment", bob.id)]
        assert notifications_of(tx, bob) == [("comment", alice.id)]
        assert [(one.account.id, one.is_silent) for one in mentions.by_post(tx, comment)] == [
            (alice.id, True)
        ]
        assert [(one.account.id, one.is_silent) for one in mentions.by_post(tx, answer)] == [(bob.id, False)]
        assert counted(tx, bob) == 0
        assert timelines.thread(tx, None, comment) == ([post.id], [answer.id])

    await node.db.write(unit)


@pytest.mark.parametrize(
    ("wanted", "of_parent", "expected"),
    [
        ("public", "followers", "followers"),
        ("unlisted", "public", "unlisted"),
        ("public", "direct", "direct"),
        ("direct", "public", "direct"),
    ],
)
async def test_a_comment_reaches_no_further_than_its_parent(
    node: Node, alice: Account, wanted: str, of_parent: str, expected: str
) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice, visibility=of_parent)
        assert publish(tx, alice, "x", parent_id=post.id, visibility=wanted).visibility == expected

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


async def test_nobody_comments_on_a_post_they_may_not_see(
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


async def test_an_edit_keeps_the_earlier_version(
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
        assert photo_rows.by_ids(tx, [one.id])[one.id].post_id is None
        assert notifications_of(tx, bob) == [("mention", alice.id)]
        assert verbs_of(tx, alice) == ["Create", "Update"]
        [view] = post_views.by_entries(tx, alice, [post.id])
        assert [picture.alt for picture in view.photos] == ["new"]

    await node.db.write(unit)


async def test_who_may_comment_is_changed_without_an_edit(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice, "Same", policy=InteractionPolicy(quote=EVERYONE))

        changed = publishing.change_comment_rule(tx, alice, post, NOBODY)

        assert posts.by_id(tx, post.id) == changed
        assert changed.interaction_policy == InteractionPolicy(comment=NOBODY, quote=EVERYONE)
        assert (changed.edited_at, len(revisions.by_post(tx, changed))) == (None, 1)
        assert verbs_of(tx, alice) == ["Create", "Update"]
        with pytest.raises(NotAllowed):
            publish(tx, bob, parent_id=post.id)
        assert publishing.change_comment_rule(tx, alice, post, NOBODY) == changed
        assert verbs_of(tx, alice) == ["Create", "Update"]
        with pytest.raises(NotAllowed):
            publishing.change_comment_rule(tx, bob, post, EVERYONE)

    await node.db.write(unit)


async def test_who_may_comment_is_not_changed_without_end(
    node: Node, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revisions, "MAX_PER_HOUR", 3)

    def unit(tx: Writer) -> None:
        post = publish(tx, alice)
        for n in range(3):
            publishing.change_comment_rule(tx, alice, post, NOBODY if n % 2 else rule_for("followers"))
        with pytest.raises(TooManyRequests):
            publishing.change_comment_rule(tx, alice, post, EVERYONE)

    await node.db.write(unit)


async def test_an_edit_that_changes_nothing_sends_nothing(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        post = publish(tx, alice, "Same #fog")
        assert publishing.edit(tx, alice, post, Draft(caption="Same #fog")) == post
        assert verbs_of(tx, alice) == ["Create"]
        assert len(revisions.by_post(tx, post)) == 1

    await node.db.write(unit)


async def test_an_account_no_longer_named_can_still_see_a_direct_post(
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


async def test_remote_comments_are_counted_and_notified(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        post = publish(tx, alice)
        receive_post(tx, rita, parent_uri=post.uri)
        current = posts.by_id(tx, post.id)
        assert current is not None
        assert current.comments_count == 1
        assert notifications_of(tx, alice) == [("comment", rita.id)]

    await node.db.write(unit)


async def test_a_comment_reads_its_parent_once(node: Node, alice: Account, bob: Account) -> None:
    class Recording:
        """A unit of work that keeps what is read of the table `posts`."""

        def __init__(self, tx: Writer) -> None:
            self.tx = tx
            self.reads: list[str] = []

        def __getattr__(self, name: str) -> object:
            read = getattr(self.tx, name)
            if name not in ("one", "all", "value"):
                return read

            def recorded(sql: str, **values: object) -> object:
                if "FROM posts" in sql:
                    self.reads.append(sql)
                return read(sql, **values)

            return recorded

    def unit(tx: Writer) -> None:
        follow(tx, bob, alice)
        parent = publish(tx, alice)
        recording = Recording(tx)
        publish(recording, bob, "Lovely", parent_id=parent.id)  # type: ignore[arg-type]
        assert len(recording.reads) == 1

    await node.db.write(unit)


async def test_nobody_is_notified_of_a_post_found_long_after(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        late = now_ms() - publishing.NOTIFY_MAX_AGE_MS
        receive_post(tx, rita, mentions=[alice], published_at=late - 60_000)
        assert notifications_of(tx, alice) == []
        receive_post(tx, rita, mentions=[alice], published_at=late + 60_000)
        assert notifications_of(tx, alice) == [("mention", rita.id)]

    await node.db.write(unit)


async def test_an_account_that_has_moved_or_is_remote_cannot_post(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        with pytest.raises(NotAllowed):
            publish(tx, remote(tx))
        accounts.set_migration(tx, alice.id, aliases=[], moved_to="https://far.example/users/alice")
        with pytest.raises(NotAllowed):
            publish(tx, accounts.get(tx, alice.id))

    await node.db.write(unit)
