"""The hashtag index: counts of distinct authors, and trends that no account can make alone."""

from __future__ import annotations

import pytest

from node.database import Database, Writer
from node.discovery.trends import TrendCache
from node.ids import now_ms
from node.models.account import Account
from node.node import Node
from node.paging import Page
from node.posts import hashtag_days, hashtags
from node.posts.drafts import Draft
from node.posts.hashtags import (
    HOUR_MS,
    MAX_AUTHORS_PER_SERVER,
    MAX_SERVER_USES,
    MAX_TREND_USES,
    MIN_TREND_AUTHORS,
    TREND_HOURS,
)
from node.publishing import post_deletion, publishing
from node.timelines import timelines
from tests.support.people import remote
from tests.support.posting import publish, receive_post
from tests.support.worlds import local_person

DAY = 24 * HOUR_MS
NOW = now_ms() // DAY * DAY + 12 * HOUR_MS - 2 * DAY  # noon, so that hours do not fall into other days


def crowd(tx: Writer, tag: str, size: int, *, server: str = "", at: int = NOW) -> None:
    """So many accounts, of one server or each of another, use a hashtag once each."""
    for number in range(size):
        person = remote(tx, f"{tag}{number}", server or f"s{number}.example")
        receive_post(tx, person, hashtags=[tag], published_at=at)


def names(found: list[hashtags.TrendingHashtag]) -> list[str]:
    return [trend.hashtag.name for trend in found]


async def test_a_day_counts_authors_not_posts(node: Node) -> None:
    def unit(tx: Writer) -> None:
        rita, sam = remote(tx), remote(tx, "sam", "other.example")
        for hour in (0, 0, 1, 5):
            receive_post(tx, rita, hashtags=["#Fog"], published_at=NOW + hour * HOUR_MS)
        receive_post(tx, sam, hashtags=["FOG"], published_at=NOW)
        receive_post(tx, sam, hashtags=["fog"], published_at=NOW - 2 * DAY)
        [today, yesterday, before] = hashtag_days.usage(tx, "fog", 3, now=NOW + 6 * HOUR_MS)

        assert (today.start, today.posts, today.authors) == (NOW - 12 * HOUR_MS, 5, 2)
        assert (yesterday.posts, yesterday.authors) == (0, 0)
        assert (before.posts, before.authors, before.local_authors) == (1, 1, 0)
        found = hashtags.by_name(tx, "fOg")
        assert found is not None
        assert found.display == "Fog"

    await node.db.write(unit)


async def test_only_public_posts_count_and_appear(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        for visibility in ("unlisted", "followers", "direct"):
            publish(tx, alice, "#fog", visibility=visibility)
        [day] = hashtag_days.usage(tx, "fog", 1)
        assert day.posts == 0
        assert timelines.hashtag(tx, alice, "fog", Page()) == []
        assert hashtags.suggest(tx, "fo") == []

    await node.db.write(unit)


async def test_what_is_deleted_or_edited_away_no_longer_counts(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        one, two = publish(tx, alice, "#fog"), publish(tx, alice, "#fog #sea")
        post_deletion.delete(tx, alice, one)
        [day] = hashtag_days.usage(tx, "fog", 1)
        assert (day.posts, day.authors, day.local_authors) == (1, 1, 1)
        publishing.edit(tx, alice, two, Draft(caption="#sea"))
        assert hashtag_days.usage(tx, "fog", 1)[0].authors == 0
        assert hashtag_days.usage(tx, "sea", 1)[0].authors == 1

    await node.db.write(unit)


async def test_one_account_cannot_make_a_trend_with_five_hundred_posts(node: Node) -> None:
    def unit(tx: Writer) -> None:
        loud = remote(tx, "loud", "loud.example")
        for _ in range(500):
            receive_post(tx, loud, hashtags=["buy"], published_at=NOW)
        crowd(tx, "fog", MIN_TREND_AUTHORS)
        [trend] = hashtags.trending(tx, now=NOW)

        assert trend.hashtag.name == "fog"
        assert (trend.score, trend.authors, trend.servers, trend.posts) == (
            MIN_TREND_AUTHORS,
            MIN_TREND_AUTHORS,
            MIN_TREND_AUTHORS,
            MIN_TREND_AUTHORS,
        )

    await node.db.write(unit)


async def test_one_server_of_many_puppets_weighs_little(node: Node) -> None:
    def unit(tx: Writer) -> None:
        crowd(tx, "buy", 60, server="farm.example")
        crowd(tx, "fog", MAX_AUTHORS_PER_SERVER + 1)
        assert names(hashtags.trending(tx, now=NOW)) == ["fog", "buy"]
        assert hashtags.trending(tx, now=NOW)[1].score == MAX_AUTHORS_PER_SERVER

    await node.db.write(unit)


async def test_one_account_of_many_hashtags_leaves_the_trends_of_others(node: Node) -> None:
    def unit(tx: Writer) -> None:
        crowd(tx, "fog", MIN_TREND_AUTHORS, at=NOW - HOUR_MS)
        loud = remote(tx, "loud", "loud.example")
        for post in range(MAX_TREND_USES // 100 + 5):
            receive_post(tx, loud, hashtags=[f"buy{post}x{n}" for n in range(100)], published_at=NOW)

        assert names(hashtags.trending(tx, now=NOW)) == ["fog"]
        assert hashtag_days.usage(tx, "buy0x99", 1, now=NOW)[0].posts == 1

    await node.db.write(unit)


async def test_one_server_of_many_accounts_leaves_the_trends_of_others(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MAX_SERVER_USES * TREND_HOURS < MAX_TREND_USES
    monkeypatch.setattr(hashtags, "MAX_TREND_USES", 40)
    monkeypatch.setattr(hashtags, "MAX_ACCOUNT_USES", 5)
    monkeypatch.setattr(hashtags, "MAX_SERVER_USES", 10)

    def unit(tx: Writer) -> None:
        crowd(tx, "fog", MIN_TREND_AUTHORS, at=NOW - 3 * HOUR_MS)
        for number in range(12):
            person = remote(tx, f"loud{number}", "loud.example")
            for hour in range(3):
                tags = [f"buy{number}x{n}" for n in range(5)]
                receive_post(tx, person, hashtags=tags, published_at=NOW - hour * HOUR_MS)

        assert names(hashtags.trending(tx, now=NOW)) == ["fog"]

    await node.db.write(unit)


async def test_what_is_edited_does_not_use_up_what_an_account_may_add_to_trends(
    node: Node, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashtags, "MAX_ACCOUNT_USES", 2)

    def unit(tx: Writer) -> None:
        post = publish(tx, alice, "#fog #sea #ice")
        for caption in ("#ice #sun", "#sun #fog", "#fog #sun"):
            publishing.edit(tx, alice, post, Draft(caption=caption))
        for number in range(MIN_TREND_AUTHORS - 1):
            publish(tx, local_person(tx, f"p{number}"), "#fog #sun #ice")
        assert sorted(names(hashtags.trending(tx))) == ["fog", "sun"]

    await node.db.write(unit)


async def test_trends_decay(node: Node) -> None:
    def unit(tx: Writer) -> None:
        crowd(tx, "old", 7, at=NOW - 26 * HOUR_MS)
        crowd(tx, "new", 4)
        assert names(hashtags.trending(tx, now=NOW)) == ["new", "old"]
        [_, old] = hashtags.trending(tx, now=NOW)
        assert old.score == pytest.approx(7 / 4)
        assert hashtags.trending(tx, now=NOW + 72 * HOUR_MS) == []

    await node.db.write(unit)


async def test_the_local_list_counts_local_authors(node: Node) -> None:
    def unit(tx: Writer) -> None:
        crowd(tx, "far", 9, at=now_ms())
        for number in range(MIN_TREND_AUTHORS):
            publish(tx, local_person(tx, f"p{number}"), "#near")
        assert names(hashtags.trending(tx, only_local=True)) == ["near"]
        assert names(hashtags.trending(tx)) == ["far", "near"]
        tx.run("UPDATE accounts SET suspended_at = 1 WHERE name = 'p0'")
        assert hashtags.trending(tx, only_local=True) == []

    await node.db.write(unit)


async def test_hashtags_are_suggested_by_how_many_use_them(node: Node) -> None:
    def unit(tx: Writer) -> None:
        crowd(tx, "fogbow", 2)
        crowd(tx, "fog", 3)
        crowd(tx, "sea", 4)
        assert [tag.name for tag in hashtags.suggest(tx, "#FO", now=NOW)] == ["fog", "fogbow"]
        assert hashtags.suggest(tx, "%") == []

    await node.db.write(unit)


async def test_trends_are_computed_once_in_a_while(node: Node) -> None:
    def unit(tx: Writer) -> None:
        kept = node.component(TrendCache)
        assert kept.current(tx) == []
        crowd(tx, "fog", MIN_TREND_AUTHORS, at=now_ms())
        assert names(kept.current(tx)) == ["fog"]
        crowd(tx, "sea", MIN_TREND_AUTHORS + 1, at=now_ms())
        assert names(kept.current(tx)) == ["fog"]
        assert names(hashtags.trending(tx, 1)) == ["sea"]

    await node.db.write(unit)


async def test_a_received_hashtag_with_a_sign_is_kept_up_to_the_sign(node: Node) -> None:
    def unit(tx: Writer) -> None:
        post = receive_post(tx, remote(tx), hashtags=["#Cup½", "#محمدﷺ", "foo-bar", "½"])

        assert sorted(hashtags.by_posts(tx, [post.id])[post.id]) == sorted(
            [("cup", "Cup"), ("محمد", "محمد"), ("foo", "foo")]
        )

    await node.db.write(unit)


async def test_a_hashtag_is_shown_as_most_people_write_it(db: Database, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        for caption in ("#strasse", "#Straße", "#Straße", "#STRASSE", "#Straße"):
            publish(tx, alice, caption)
        found = hashtags.by_name(tx, "strasse")
        assert found is not None
        assert (found.name, found.display) == ("strasse", "Straße")
        for _ in range(30):
            publish(tx, alice, "#Straße")
        votes = tx.value("SELECT display_votes FROM hashtags WHERE name = 'strasse'")
        assert votes == hashtags.MAX_DISPLAY_VOTES

    await db.write(unit)
