"""A server that edits a post without end: what is kept, and what a reader is sent, has a bound."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from federation_tests.fediverse import Fediverse
from federation_tests.remote_server import RemoteServer
from federation_tests.security.scenes import alice_follows_rita, create
from node.database import Reader
from node.posts import posts, revisions

TIMES = 150
LENGTH = 60_000
START = datetime(2026, 1, 1, tzinfo=UTC)


async def test_a_flood_of_edits_leaves_a_history_of_bounded_length(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    activity = create(evil, published=START.isoformat())
    await evil.send(alice.node, "rita", activity)
    for number in range(TIMES):
        note = {
            **activity["object"],
            "content": f"<p>{number}</p>" + "x" * LENGTH,
            "updated": (START + timedelta(minutes=number + 1)).isoformat(),
        }
        assert await evil.send(alice.node, "rita", evil.activity("rita", "Update", note)) == 202
    await fediverse.settle()

    post = await alice.node.db.read(posts.by_uri, activity["object"]["id"])
    assert post is not None
    assert post.caption.startswith(f"<p>{TIMES - 1}</p>"), "the text is that of the last edit"

    def kept(tx: Reader) -> tuple[int, int]:
        row = tx.one("SELECT COUNT(*) AS n, SUM(LENGTH(caption)) AS length FROM post_edits")
        assert row is not None
        return row["n"], row["length"]

    number, length = await alice.node.db.read(kept)
    assert 0 < number <= revisions.MAX_PER_HOUR
    assert length <= revisions.MAX_KEPT_LENGTH
    status, body, _ = await evil.get(
        alice.node.site.uri(f"/api/v1/statuses/{post.id}/history"), accept="application/json"
    )
    assert (status, len(json.loads(body))) == (200, number + 1)
    assert len(body) <= 2 * (revisions.MAX_KEPT_LENGTH + LENGTH)
    status, body, _ = await evil.get(alice.node.site.uri(f"/posts/{post.id}/history"), accept="text/html")
    assert status == 200
    assert len(body) <= 2 * (revisions.MAX_KEPT_LENGTH + LENGTH)
