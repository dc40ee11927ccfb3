"""What is kept of others' pictures stays under its ceiling; what nobody looks at goes first."""

from __future__ import annotations

import contextlib
import itertools

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.attachments import media_cache, media_cache_eviction, photo_rows, photos
from node.attachments.media_cache import (
    DAY_MS,
    FIRST_RETRY_MS,
    FIRST_RETRY_PERMANENT_MS,
    MAX_RETRY_MS,
    AccessTimes,
    CacheCapacity,
)
from node.attachments.stored_files import StoredFile
from node.database import Reader, Row, Writer
from node.ids import now_ms
from node.jobs.queue import Job
from node.models.account import Account
from node.moderation import domain_rules
from node.node import Node
from tests.support.people import remote
from tests.support.posting import arrives, picture

ROOM = 100_000
_numbers = itertools.count(1)


def hold(tx: Writer, author: Account, size: int, host: str = "far.example") -> int:
    """A photo of another server that is kept here; its id."""
    number = next(_numbers)
    post = arrives(tx, author, photos=[picture(f"{number}")])
    [photo] = photo_rows.by_posts(tx, [post.id])[post.id]
    photos.add_files(tx, photo.id, {("medium", "webp"): StoredFile(f"cache/aa/bb/{number}.webp", 1, 1, size)})
    assert media_cache.record_stored(
        tx, "photo", photo.id, f"https://{host}/{number}.jpg", size, capacity=ROOM
    )
    return photo.id


def fill(tx: Writer, count: int, size: int, host: str = "far.example") -> list[int]:
    """Photos kept one after the other, a second apart."""
    author = remote(tx)
    ids = [hold(tx, author, size, host) for _ in range(count)]
    now = now_ms() - DAY_MS
    media_cache.record_access(tx, {})
    for number, id_ in enumerate(ids):
        tx.run("UPDATE cached_media SET looked_at = :at WHERE id = :id", at=now + number * 1000, id=id_)
    return ids


def kept(tx: Reader) -> list[int]:
    return [row["id"] for row in tx.all("SELECT id FROM cached_media WHERE bytes > 0 ORDER BY id")]


def sums_are_true(tx: Reader) -> bool:
    counted = tx.all(
        """SELECT host, COUNT(*) AS pictures, SUM(bytes) AS bytes FROM cached_media WHERE bytes > 0
           GROUP BY host ORDER BY host"""
    )
    told = tx.all("SELECT host, pictures, bytes FROM cached_hosts ORDER BY host")

    def plain(rows: list[Row]) -> list[tuple[str, int, int]]:
        return [(row["host"], row["pictures"], row["bytes"]) for row in rows]

    return plain(counted) == plain(told)


def trim_jobs(tx: Reader) -> int:
    return int(tx.value("SELECT COUNT(*) FROM jobs WHERE kind = 'trim_cache'"))


async def trim(node: Node) -> None:
    node.component(CacheCapacity).bytes = ROOM
    await media_cache_eviction.trim_cache(node, Job(1, "trim_cache", "", {}, 1))


async def test_the_picture_that_nobody_has_looked_at_for_longest_goes_first(node: Node) -> None:
    near = await node.db.write(fill, 4, 10_000, "near.example")
    far = await node.db.write(fill, 4, 10_000, "far.example")
    other = await node.db.write(fill, 4, 10_000, "other.example")
    assert await node.db.read(trim_jobs) == 1
    await node.db.write(media_cache.record_access, {("photo", near[0]): now_ms()})

    await trim(node)

    held = await node.db.read(kept)
    assert near[0] in held
    assert near[1] not in held
    assert await node.db.read(media_cache.total_bytes) <= ROOM * media_cache.EVICT_DOWN_TO
    assert set(held) <= {*near, *far, *other}
    assert len(held) == 9
    assert await node.db.read(sums_are_true)
    gone = (await node.db.read(photo_rows.by_ids, [near[1]]))[near[1]]
    assert gone.files == {}
    assert gone.remote_url


async def test_a_look_decides_although_it_was_not_written_yet(node: Node) -> None:
    ids = await node.db.write(fill, 11, 10_000)
    node.component(CacheCapacity).bytes = 2 * ROOM
    await node.component(AccessTimes).record("photo", ids[0])
    await node.component(AccessTimes).record("photo", ids[1])

    await media_cache_eviction.trim_cache(node, Job(1, "trim_cache", "", {}, 1))

    held = await node.db.read(kept)
    assert {ids[0], ids[1]} <= set(held)
    assert ids[2] not in held


async def test_one_host_fills_half_of_it_at_most(node: Node) -> None:
    loud = await node.db.write(fill, 8, 10_000, "loud.example")
    quiet = await node.db.write(fill, 1, 10_000, "quiet.example")
    old = now_ms() - 9 * DAY_MS
    await node.db.write(
        lambda tx: tx.run("UPDATE cached_media SET looked_at = :at WHERE id = :id", at=old, id=quiet[0])
    )

    await trim(node)

    held = await node.db.read(kept)
    assert quiet[0] in held
    assert len(set(loud) & set(held)) == 4


async def test_looking_writes_now_and_then_and_not_each_time(node: Node) -> None:
    ids = await node.db.write(fill, 3, 1000)
    units = 0
    write = node.db.write

    async def counted(*args: object, **values: object) -> object:
        nonlocal units
        units += 1
        return await write(*args, **values)  # type: ignore[arg-type]

    node.db.write = counted  # type: ignore[method-assign, assignment]
    looks = AccessTimes(node)
    for _ in range(300):
        for id_ in ids:
            await looks.record("photo", id_)
    assert units == 0

    await looks.flush()
    await looks.flush()

    assert units == 1
    latest = await node.db.read(lambda tx: tx.value("SELECT MIN(looked_at) FROM cached_media"))
    assert latest > now_ms() - DAY_MS // 2


async def test_a_picture_that_cannot_be_had_is_left_alone_for_longer_each_time(node: Node) -> None:
    url = "https://far.example/a.jpg"
    waits = []
    for _ in range(12):
        await node.db.write(media_cache.record_failure, "emoji", 1, url, is_permanent=False)
        after = await node.db.read(lambda tx: tx.value("SELECT try_after FROM cached_media"))
        waits.append(after - now_ms())
        assert not await node.db.read(media_cache.may_fetch, "emoji", 1, url)
    assert abs(waits[0] - FIRST_RETRY_MS) < 5000
    assert all(later >= sooner - 5000 for sooner, later in itertools.pairwise(waits))
    assert abs(waits[-1] - MAX_RETRY_MS) < 5000
    assert await node.db.read(media_cache.may_fetch, "emoji", 1, url + "?other")

    await node.db.write(media_cache.record_failure, "emoji", 2, url, is_permanent=True)
    after = await node.db.read(lambda tx: tx.value("SELECT try_after FROM cached_media WHERE id = 2"))
    assert abs(after - now_ms() - FIRST_RETRY_PERMANENT_MS) < 5000
    assert await node.db.read(media_cache.total_bytes) == 0

    assert await node.db.write(media_cache.clean_up, now_ms() + 30 * DAY_MS) == 2


async def test_what_a_rule_refuses_leaves_the_cache_though_its_people_live_elsewhere(node: Node) -> None:
    ids = await node.db.write(fill, 3, 1000, "pictures.example")
    other = await node.db.write(fill, 1, 1000, "other.example")

    await node.db.write(domain_rules.block, "pictures.example", strength="none", rejects_media=True)
    while await node.db.write(media_cache_eviction.evict_rejected):
        pass

    assert await node.db.read(kept) == other
    assert await node.db.read(sums_are_true)
    assert (await node.db.read(photo_rows.by_ids, ids))[ids[0]].files == {}


_deeds = st.lists(
    st.tuples(
        st.sampled_from(("kept", "failed", "forget")),
        st.sampled_from(("photo", "avatar", "emoji")),
        st.integers(1, 4),
        st.sampled_from(("a.example", "b.example")),
        st.integers(1, 50_000),
    ),
    max_size=30,
)


class _Undone(Exception):
    """Ends a unit so that nothing of it stays."""


@given(deeds=_deeds)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_the_sums_are_true_whatever_happens(
    node: Node, deeds: list[tuple[str, str, int, str, int]]
) -> None:
    def unit(tx: Writer) -> None:
        for deed, kind, id_, host, size in deeds:
            url = f"https://{host}/{id_}"
            if deed == "kept":
                media_cache.record_stored(tx, kind, id_, url, size, capacity=ROOM)
            elif deed == "failed":
                media_cache.record_failure(tx, kind, id_, url, is_permanent=False)
            else:
                media_cache.delete(tx, kind, [id_])
            assert sums_are_true(tx)
        media_cache_eviction.evict_batch(tx, ROOM)
        assert sums_are_true(tx)
        raise _Undone

    with contextlib.suppress(_Undone):
        await node.db.write(unit)
