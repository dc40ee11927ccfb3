"""What is evicted from the media cache, in which order, and until when."""

from __future__ import annotations

import pytest

from node.attachments import avatars, custom_emoji, media_cache, media_cache_eviction, photo_rows
from node.attachments.media_cache import DAY_MS, AccessTimes, CacheCapacity
from node.database import Writer
from node.ids import now_ms
from node.jobs import queue
from node.jobs.queue import Job
from node.models.remote_actor import RemoteEmoji
from node.moderation import domain_rules
from node.node import Node
from tests.node.attachments.cached_photos import (
    CAPACITY,
    cached_ids,
    queued_trims,
    set_viewed_at,
    store_photos,
    totals_are_true,
)
from tests.support.people import remote
from web import wiring

TRIM = Job(1, "trim_cache", "", {}, 1)


async def trim(node: Node, capacity: int = CAPACITY) -> None:
    node.component(CacheCapacity).bytes = capacity
    await media_cache_eviction.trim_cache(node, TRIM)


async def test_the_picture_not_viewed_for_longest_goes_first(node: Node) -> None:
    near = await node.db.write(store_photos, 4, 10_000, "near.example")
    far = await node.db.write(store_photos, 4, 10_000, "far.example")
    other = await node.db.write(store_photos, 4, 10_000, "other.example")
    assert await node.db.read(queued_trims) == 1
    await node.db.write(media_cache.record_access, {("photo", near[0]): now_ms()})

    await trim(node)

    cached = await node.db.read(cached_ids)
    assert near[0] in cached
    assert near[1] not in cached
    assert await node.db.read(media_cache.total_bytes) <= CAPACITY * media_cache.EVICT_DOWN_TO
    assert set(cached) <= {*near, *far, *other}
    assert len(cached) == 9
    assert await node.db.read(totals_are_true)
    evicted = (await node.db.read(photo_rows.by_ids, [near[1]]))[near[1]]
    assert evicted.files == {}
    assert evicted.remote_url


async def test_a_view_counts_although_it_is_not_written_yet(node: Node) -> None:
    ids = await node.db.write(store_photos, 11, 10_000)
    await node.component(AccessTimes).record("photo", ids[0])
    await node.component(AccessTimes).record("photo", ids[1])

    await trim(node, 2 * CAPACITY)

    cached = await node.db.read(cached_ids)
    assert {ids[0], ids[1]} <= set(cached)
    assert ids[2] not in cached


async def test_one_host_uses_half_of_the_capacity_at_most(node: Node) -> None:
    large = await node.db.write(store_photos, 8, 10_000, "large.example")
    small = await node.db.write(store_photos, 1, 10_000, "small.example")
    await node.db.write(set_viewed_at, small[0], now_ms() - 9 * DAY_MS)

    await trim(node)

    cached = await node.db.read(cached_ids)
    assert small[0] in cached
    assert len(set(large) & set(cached)) == 4


async def test_nothing_is_evicted_below_the_capacity(node: Node) -> None:
    ids = await node.db.write(store_photos, 4, 10_000)

    assert await node.db.write(media_cache_eviction.evict_batch, CAPACITY) == 0
    assert await node.db.read(cached_ids) == ids


async def test_a_picture_stored_when_the_job_has_just_looked_is_not_left_to_the_next_one(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.component(CacheCapacity).bytes = CAPACITY
    await node.db.write(queue.add, "trim_cache", {})
    evict_batch = media_cache_eviction.evict_batch
    looks: list[int] = []

    def store_after_first_look(tx: Writer, capacity: int) -> int:
        looks.append(evict_batch(tx, capacity))
        if len(looks) == 1:
            store_photos(tx, 12, 10_000)
        return looks[-1]

    monkeypatch.setattr(media_cache_eviction, "evict_batch", store_after_first_look)

    await wiring.run_due_jobs(node)

    assert await node.db.read(media_cache.total_bytes) <= CAPACITY * media_cache.EVICT_DOWN_TO
    assert await node.db.read(queued_trims) == 0


async def test_one_unit_evicts_a_bounded_number_of_pictures(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_cache_eviction, "BATCH_SIZE", 3)
    await node.db.write(store_photos, 8, 10_000)

    assert await node.db.write(media_cache_eviction.evict_batch, 1) == 3
    await trim(node, 1)

    assert await node.db.read(cached_ids) == []
    assert await node.db.read(totals_are_true)


async def test_avatars_and_emoji_lose_their_files_and_stay_known(node: Node) -> None:
    def store(tx: Writer) -> tuple[int, int]:
        rita = remote(tx, avatar_url="https://far.example/avatar.png")
        tx.run(
            """INSERT INTO avatar_files (account_id, variant, format, file, source_url, bytes)
               VALUES (:id, 'avatar', 'webp', 'cache/a.webp', :url, 10)""",
            id=rita.id,
            url=rita.avatar_url,
        )
        offered = [RemoteEmoji("cat", "https://far.example/cat.png")]
        kept = custom_emoji.record_used(tx, "far.example", offered, ":cat:")
        emoji_id = custom_emoji.ids_by_shortcode(kept)["cat"]
        tx.run("UPDATE emoji SET file = 'cache/b.webp' WHERE id = :id", id=emoji_id)
        for kind, id_, url in (
            ("avatar", rita.id, rita.avatar_url),
            ("emoji", emoji_id, "https://far.example/cat.png"),
        ):
            media_cache.record_stored(tx, kind, id_, url, 10, capacity=CAPACITY)
        assert avatars.files(tx, rita)
        assert media_cache_eviction.evict(tx, [("avatar", rita.id), ("emoji", emoji_id)]) == 2
        assert avatars.files(tx, rita) == {}
        emoji = custom_emoji.visible_by_id(tx, emoji_id)
        assert emoji is not None
        assert emoji.file == ""
        [job] = tx.all("SELECT payload FROM jobs WHERE kind = 'delete_files' AND payload LIKE '%a.webp%'")
        assert "cache/a.webp" in job["payload"]
        return rita.id, emoji_id

    await node.db.write(store)

    assert await node.db.read(media_cache.total_bytes) == 0


async def test_pictures_of_a_host_whose_media_are_rejected_are_evicted(node: Node) -> None:
    ids = await node.db.write(store_photos, 3, 1000, "pictures.example")
    other = await node.db.write(store_photos, 1, 1000, "other.example")

    await node.db.write(domain_rules.block, "pictures.example", strength="none", rejects_media=True)
    while await node.db.write(media_cache_eviction.evict_rejected):
        pass

    assert await node.db.read(cached_ids) == other
    assert await node.db.read(totals_are_true)
    assert (await node.db.read(photo_rows.by_ids, ids))[ids[0]].files == {}


async def test_emoji_of_a_rejected_server_are_evicted_whatever_host_has_the_file(node: Node) -> None:
    def store(tx: Writer) -> int:
        url = "https://files.example/cat.png"
        kept = custom_emoji.record_used(tx, "far.example", [RemoteEmoji("cat", url)], ":cat:")
        emoji_id = custom_emoji.ids_by_shortcode(kept)["cat"]
        tx.run("UPDATE emoji SET file = 'cache/b.webp' WHERE id = :id", id=emoji_id)
        media_cache.record_stored(tx, "emoji", emoji_id, url, 10, capacity=CAPACITY)
        domain_rules.block(tx, "far.example", strength="none", rejects_media=True)
        return emoji_id

    await node.db.write(store)

    assert await node.db.write(media_cache_eviction.evict_rejected) == 1
    assert await node.db.write(media_cache_eviction.evict_rejected) == 0
    assert await node.db.read(media_cache.total_bytes) == 0
