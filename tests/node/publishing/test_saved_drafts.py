"""Drafts kept on the server: whatever was typed stays with its photos, and a scheduled one is published once, in time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from node.accounts import accounts
from node.attachments import photo_rows, photos
from node.attachments.photo_metadata import SharedMetadata
from node.database import Reader, Writer
from node.errors import Conflict, Invalid, NotAllowed, NotFound
from node.ids import now_ms
from node.interactions import blocks
from node.jobs import queue
from node.lifecycle import account_deletion
from node.models.account import Account
from node.models.interaction_policy import NOBODY, InteractionPolicy
from node.node import Node
from node.paging import Page
from node.posts import posts
from node.posts.drafts import Draft
from node.publishing import post_deletion, saved_drafts
from node.publishing.saved_drafts import SavedDraft
from node.timelines import timelines
from tests.support.people import activities_of
from tests.support.posting import publish
from web import wiring

Picture = Callable[..., bytes]
HOUR, DAY = 3_600_000, 24 * 3_600_000


def posted(tx: Reader, who: Account) -> list[str]:
    """The captions of an account's posts, newest first."""
    entries = timelines.profile(tx, who, who, Page())
    return [posts.visible_by_id(tx, who, entry.post_id).source for entry in entries]


async def add_photo(node: Node, who: Account, photo: Picture, seed: int = 1) -> int:
    return (await photos.upload(node, who, photo(40, 30, seed=seed))).id


async def drafts_of(node: Node, who: Account) -> list[SavedDraft]:
    return await node.db.read(saved_drafts.by_author, who)


async def save(node: Node, who: Account, draft: Draft, **more: Any) -> SavedDraft:
    return await node.db.write(lambda tx: saved_drafts.save(tx, who, draft, **more))


async def test_a_draft_keeps_all_that_was_typed(node: Node, alice: Account, photo: Picture) -> None:
    ids = [await add_photo(node, alice, photo, seed) for seed in (1, 2)]
    draft = Draft(
        caption="A lake, #unfinished",
        photo_ids=[ids[1], ids[0]],
        alts={ids[0]: "A boat"},
        visibility="followers",
        warning="depth",
        is_sensitive=True,
        language="de",
        policy=InteractionPolicy(comment=NOBODY),
        shared_metadata=SharedMetadata(frozenset({"camera"}), "CC BY", "Lausanne"),
        focuses={ids[1]: (0.5, -0.25)},
    )

    saved = await save(node, alice, draft, missing=["lost.jpg"])

    [found] = await drafts_of(node, alice)
    assert (found.draft, found.missing, found.publish_at) == (draft, ["lost.jpg"], None)
    assert [one.id for one in found.photos] == [ids[1], ids[0]]
    assert await node.db.read(saved_drafts.by_id, alice, saved.id) == found


async def test_the_photos_beside_one_are_those_of_its_draft(
    node: Node, alice: Account, bob: Account, photo: Picture
) -> None:
    ids = [await add_photo(node, alice, photo, seed) for seed in (1, 2, 3)]
    await save(node, alice, Draft(photo_ids=[ids[2], ids[0]]))

    async def beside(who: Account, photo_id: int) -> list[int]:
        return [one.id for one in await node.db.read(saved_drafts.photos_beside, who, photo_id)]

    assert await beside(alice, ids[0]) == [ids[2], ids[0]]
    assert await beside(alice, ids[1]) == []
    assert await beside(bob, ids[0]) == []


async def test_a_draft_may_be_what_a_post_may_not(node: Node, alice: Account) -> None:
    for draft in (Draft(), Draft(caption="x" * 9_000), Draft(caption="hm", visibility="nobody knows")):
        await save(node, alice, draft)

    assert len(await drafts_of(node, alice)) == 3
    for draft in (Draft(), Draft(caption="x" * 9_000)):
        with pytest.raises(Invalid):
            await save(node, alice, draft, publish_at=now_ms() + HOUR)


async def test_saving_again_replaces_it(node: Node, alice: Account, photo: Picture) -> None:
    kept, dropped = [await add_photo(node, alice, photo, seed) for seed in (1, 2)]
    first = await save(node, alice, Draft(caption="One", photo_ids=[kept, dropped]))

    again = await save(node, alice, Draft(caption="Two", photo_ids=[kept]), draft_id=first.id)

    assert again.id == first.id
    [found] = await drafts_of(node, alice)
    assert (found.draft.caption, list(found.draft.photo_ids)) == ("Two", [kept])


async def test_nobody_else_reads_changes_publishes_or_deletes_it(
    node: Node, alice: Account, bob: Account, photo: Picture
) -> None:
    mine = await add_photo(node, alice, photo)
    saved = await save(node, alice, Draft(caption="Mine", photo_ids=[mine]))

    with pytest.raises(NotFound):
        await node.db.read(saved_drafts.by_id, bob, saved.id)
    with pytest.raises(NotFound):
        await node.db.write(saved_drafts.move, bob, saved.id, now_ms() + HOUR)
    await node.db.write(saved_drafts.delete, bob, saved.id)
    theirs = await save(node, bob, Draft(caption="Stolen", photo_ids=[mine]), draft_id=saved.id)

    assert theirs.id != saved.id
    assert list(theirs.draft.photo_ids) == []
    [found] = await drafts_of(node, alice)
    assert (found.draft.caption, list(found.draft.photo_ids)) == ("Mine", [mine])


async def test_photos_of_a_draft_outlive_the_day_and_go_a_day_after_it(
    node: Node, alice: Account, photo: Picture, clock: Callable[[int], None]
) -> None:
    kept, loose = [await add_photo(node, alice, photo, seed) for seed in (1, 2)]
    saved = await save(node, alice, Draft(photo_ids=[kept]))
    clock(3 * DAY)

    await node.db.write(photos.clean_up, now_ms())
    assert [one.id for one in (await drafts_of(node, alice))[0].photos] == [kept]
    with pytest.raises(NotFound):
        await node.db.read(photo_rows.owned_by, alice, loose)

    await node.db.write(saved_drafts.delete, alice, saved.id)
    await node.db.write(photos.clean_up, now_ms())
    with pytest.raises(NotFound):
        await node.db.read(photo_rows.owned_by, alice, kept)


async def test_a_deleted_post_can_become_a_draft(node: Node, alice: Account, photo: Picture) -> None:
    taken = await add_photo(node, alice, photo)

    def redraft(tx: Writer) -> SavedDraft:
        post = publish(tx, alice, "Wrong words", photo_ids=[taken])
        post_deletion.delete(tx, alice, post, keeps_photos=True)
        return saved_drafts.save(tx, alice, Draft(caption="Right words", photo_ids=[taken]))

    saved = await node.db.write(redraft)
    await node.db.write(photos.clean_up, now_ms() + 3 * DAY)

    found = await node.db.read(saved_drafts.by_id, alice, saved.id)
    assert [one.id for one in found.photos] == [taken]


async def test_a_photo_that_was_posted_meanwhile_leaves_the_draft(
    node: Node, alice: Account, photo: Picture
) -> None:
    taken, left = [await add_photo(node, alice, photo, seed) for seed in (1, 2)]
    await save(node, alice, Draft(photo_ids=[taken, left]))

    await node.db.write(lambda tx: publish(tx, alice, photo_ids=[taken]))

    assert list((await drafts_of(node, alice))[0].draft.photo_ids) == [left]


async def test_there_is_a_limit_and_the_texts_have_one(
    node: Node, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved_drafts, "MAX_DRAFTS", 2)
    first = await save(node, alice, Draft(caption="x" * 50_000, warning="w" * 50_000))
    await save(node, alice, Draft(caption="two"))

    with pytest.raises(Invalid, match="2 drafts"):
        await save(node, alice, Draft(caption="three"))
    await save(node, alice, Draft(caption="one again"), draft_id=first.id)

    assert {one.draft.caption for one in await drafts_of(node, alice)} == {"one again", "two"}
    assert len(first.draft.caption) == len(first.draft.warning) == saved_drafts.MAX_TEXT_LENGTH


async def test_a_scheduled_post_is_published_at_its_time_with_its_photos_and_only_once(
    node: Node, alice: Account, photo: Picture
) -> None:
    taken = await add_photo(node, alice, photo)
    at = now_ms() + HOUR
    await save(
        node, alice, Draft(caption="Good evening", photo_ids=[taken], alts={taken: "Dusk"}), publish_at=at
    )
    await save(node, alice, Draft(caption="Later"), publish_at=at + 5 * HOUR)
    await save(node, alice, Draft(caption="Never by itself"))

    await wiring.run_due_jobs(node, at - 1000)
    assert await node.db.read(posted, alice) == []
    await wiring.run_due_jobs(node, at + 1)
    await wiring.run_due_jobs(node, at + 2)

    assert await node.db.read(posted, alice) == ["Good evening"]
    assert [one.draft.caption for one in await drafts_of(node, alice)] == ["Later", "Never by itself"]
    assert [verb for verb, _, _ in await node.db.read(activities_of, alice)] == ["Create"]
    found = await node.db.read(photo_rows.owned_by, alice, taken)
    assert (found.post_id is not None, found.alt) == (True, "Dusk")

    await wiring.run_due_jobs(node, at + 5 * HOUR + 1)
    assert await node.db.read(posted, alice) == ["Later", "Good evening"]


async def test_an_earlier_post_is_not_kept_waiting_by_a_later_one(node: Node, alice: Account) -> None:
    now = now_ms()
    await save(node, alice, Draft(caption="late"), publish_at=now + 3 * DAY)
    await save(node, alice, Draft(caption="early"), publish_at=now + HOUR)

    await wiring.run_due_jobs(node, now + HOUR + 1)

    assert await node.db.read(posted, alice) == ["early"]


async def test_a_scheduled_post_whose_job_is_lost_is_published_after_the_next_clean_up(
    node: Node, alice: Account
) -> None:
    now = now_ms()
    await save(node, alice, Draft(caption="not forgotten"), publish_at=now + HOUR)
    await node.db.write(lambda tx: tx.run("DELETE FROM jobs"))
    await node.db.write(queue.add_once, "clean_up", {})

    await wiring.run_due_jobs(node, now + 2 * HOUR)
    await wiring.run_due_jobs(node, now + 2 * HOUR)

    assert await node.db.read(posted, alice) == ["not forgotten"]


async def test_a_time_can_be_changed_and_taken_away(node: Node, alice: Account) -> None:
    now = now_ms()
    moved = await save(node, alice, Draft(caption="moved"), publish_at=now + HOUR)
    stopped = await save(node, alice, Draft(caption="stopped"), publish_at=now + HOUR)

    await node.db.write(saved_drafts.move, alice, moved.id, now + 2 * HOUR)
    await save(node, alice, stopped.draft, draft_id=stopped.id)
    await wiring.run_due_jobs(node, now + HOUR + 1)
    assert await node.db.read(posted, alice) == []

    await wiring.run_due_jobs(node, now + 2 * HOUR + 1)
    assert await node.db.read(posted, alice) == ["moved"]


@pytest.mark.parametrize("ahead", [-HOUR, 0, HOUR // 60, 400 * DAY])
async def test_a_time_too_near_or_too_far_is_refused(node: Node, alice: Account, ahead: int) -> None:
    with pytest.raises(Invalid, match="five minutes"):
        await save(node, alice, Draft(caption="x"), publish_at=now_ms() + ahead)


async def test_a_post_with_a_missing_photo_is_not_scheduled(
    node: Node, alice: Account, photo: Picture
) -> None:
    taken = await add_photo(node, alice, photo)
    await node.db.write(photos.delete_unattached, alice, taken)
    for draft, missing in ((Draft(caption="x"), ["lost.jpg"]), (Draft(caption="x", photo_ids=[taken]), [])):
        with pytest.raises(Invalid, match="photo"):
            await save(node, alice, draft, missing=missing, publish_at=now_ms() + HOUR)


async def test_what_cannot_be_published_stays_with_the_reason_and_holds_nothing_up(
    node: Node, alice: Account, bob: Account, photo: Picture
) -> None:
    now, taken = now_ms(), await add_photo(node, alice, photo)
    parent = await node.db.write(publish, bob)
    await save(node, alice, Draft(caption="hello", parent_id=parent.id), publish_at=now + HOUR)
    await save(node, alice, Draft(caption="without its photo", photo_ids=[taken]), publish_at=now + HOUR)
    await save(node, alice, Draft(caption="good"), publish_at=now + HOUR + 1)
    await node.db.write(blocks.block, bob, alice)
    await node.db.write(photos.delete_unattached, alice, taken)

    await wiring.run_due_jobs(node, now + HOUR + 2)

    assert await node.db.read(posted, alice) == ["good"]
    left = {one.draft.caption: one for one in await drafts_of(node, alice)}
    assert set(left) == {"hello", "without its photo"}
    assert all(one.problem and one.publish_at is None for one in left.values())

    again = await save(node, alice, Draft(caption="hello"), draft_id=left["hello"].id)
    assert again.problem == ""


async def test_two_workers_publish_it_once(node: Node, alice: Account) -> None:
    at = now_ms() + HOUR
    saved = await save(node, alice, Draft(caption="once"), publish_at=at)

    found = await asyncio.gather(
        *(node.db.write(saved_drafts._publish, saved.id, at) for _ in range(3)), return_exceptions=True
    )

    assert sorted(isinstance(one, Conflict) for one in found) == [False, True, True]
    assert await node.db.read(posted, alice) == ["once"]


async def test_the_drafts_of_a_deleted_account_are_deleted(
    node: Node, alice: Account, photo: Picture
) -> None:
    now = now_ms()
    await save(node, alice, Draft(photo_ids=[await add_photo(node, alice, photo)]))
    await save(node, alice, Draft(caption="too late"), publish_at=now + HOUR)

    await node.db.write(account_deletion.delete_account, alice)
    await wiring.run_due_jobs(node, now + HOUR + 1)

    assert await drafts_of(node, alice) == []
    assert await node.db.read(lambda tx: tx.value("SELECT COUNT(*) FROM draft_photos")) == 0
    with pytest.raises(NotAllowed):
        await save(node, await node.db.read(accounts.get, alice.id), Draft(caption="again"))
