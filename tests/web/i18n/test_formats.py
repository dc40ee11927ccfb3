"""Dates, times and numbers of a request, as its reader writes them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest

from node.models.account import Account
from node.node import Node
from tests.support.posting import publish
from tests.support.visitors import Visitor, sign_in
from web.app import create_app
from web.html.templates import Templates
from web.i18n import formats, translations

NOON = 1_795_442_700_000  # 2026-11-23 14:05 UTC
NARROW = "\u202f"


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    yield
    translations.set_language("en")
    formats.set_region(())
    formats.set_time_zone("")


def text(html: str) -> str:
    return re.sub(r"<[^>]*>", "", html)


def read_as(language: str, *accepted: str, zone: str = "") -> None:
    translations.set_language(language)
    formats.set_region(accepted)
    formats.set_time_zone(zone)


@pytest.mark.parametrize(
    ("language", "accepted", "zone", "written"),
    [
        ("en", (), "", f"Nov 23, 2026, 2:05{NARROW}PM UTC"),
        ("en", ("en-US",), "America/New_York", f"Nov 23, 2026, 9:05{NARROW}AM"),
        ("en", ("de-DE", "en-gb"), "Europe/Berlin", "23 Nov 2026, 15:05"),
        ("en", ("en-XX", "en_CA"), "Asia/Kathmandu", f"Nov 23, 2026, 7:50{NARROW}p.m."),
        ("de", ("en-GB",), "Europe/Berlin", "23.11.2026, 15:05"),
        ("en", (), "Europe/Nowhere", f"Nov 23, 2026, 2:05{NARROW}PM UTC"),
    ],
)
def test_a_time_is_written_for_its_reader_and_says_so_where_it_is_not(
    language: str, accepted: tuple[str, ...], zone: str, written: str
) -> None:
    read_as(language, *accepted, zone=zone)

    html = formats.exact_time(NOON)

    assert text(html) == written
    assert 'datetime="2026-11-23T14:05:00Z"' in html


def test_what_is_kept_for_many_readers_is_in_utc_for_all_of_them() -> None:
    read_as("en", "en-GB", zone="Europe/Berlin")

    assert text(formats.exact_utc_time(NOON)) == f"Nov 23, 2026, 2:05{NARROW}PM UTC"


@pytest.mark.parametrize(
    ("ago", "language", "written"),
    [
        (0, "en", "now"),
        (-3600, "en", "now"),
        (59, "en", "now"),
        (60, "en", "1 min"),
        (3599, "en", "59 min"),
        (3600, "en", "1 hr"),
        (7200, "en", "2 hr"),
        (86_399, "en", "23 hr"),
        (86_400, "en", "1 day"),
        (3 * 86_400, "en", "3 days"),
        (3 * 86_400, "de", "3 Tg."),
        (7 * 86_400, "en", "Nov 16"),
        (7 * 86_400, "de", "16. Nov."),
        (400 * 86_400, "en", "Oct 19, 2025"),
    ],
)
def test_how_long_ago_is_rounded_down_and_a_date_after_a_week(
    monkeypatch: pytest.MonkeyPatch, ago: int, language: str, written: str
) -> None:
    read_as(language)
    monkeypatch.setattr(time, "time", lambda: NOON / 1000)

    assert text(formats.relative_time(NOON - ago * 1000)) == written


@pytest.mark.parametrize(
    ("seconds", "language", "written"),
    [(20, "en", "now"), (720, "en", "12 min. ago"), (720, "de", "vor 12 Min."), (7 * 86_400, "en", "Nov 16")],
)
def test_behind_a_word_stands_that_it_is_ago(
    monkeypatch: pytest.MonkeyPatch, seconds: int, language: str, written: str
) -> None:
    read_as(language)
    monkeypatch.setattr(time, "time", lambda: NOON / 1000)

    assert text(formats.time_ago(NOON - seconds * 1000)) == written


def test_the_day_of_a_date_is_that_of_the_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: NOON / 1000 + 20 * 86_400)
    late = NOON + 9 * 3_600_000  # 23:05 UTC
    read_as("en", zone="Asia/Tokyo")
    assert text(formats.relative_time(late)) == "Nov 24"
    read_as("en", zone="America/New_York")
    assert text(formats.relative_time(late)) == "Nov 23"


def test_counts_are_short_and_never_rounded_up() -> None:
    wanted = {
        **{0: "0", 999: "999", 1000: "1K", 1290: "1.2K", 34_567: "34K"},
        **{999_999: "999K", 1_000_000: "1M", 2_500_000: "2.5M"},
    }
    assert {n: formats.short_number(n) for n in wanted} == wanted
    translations.set_language("de")
    assert formats.short_number(5_600_000) == "5,6\xa0Mio."


def test_a_percentage_is_written_as_the_language_does() -> None:
    assert formats.percent(75) == "75%"
    read_as("de")
    assert formats.percent(75) == "75\xa0%"


def test_numbers_have_the_marks_of_the_language() -> None:
    assert formats.format_number(12_345) == "12,345"
    assert translations.ngettext("%(num)s like", "%(num)s likes", 12_345) == "12,345 likes"
    translations.set_language("de")
    assert formats.format_number(12_345) == "12.345"


@pytest.mark.parametrize(("n", "text"), [(1, "1 person"), (999, "999 people"), (12_345, "12,345 people")])
async def test_numbers_in_the_messages_of_templates_too(node: Node, n: int, text: str) -> None:
    template = (
        Templates(node)
        .environment("en")
        .from_string("{% trans n=n %}{{ n }} person{% pluralize %}{{ n }} people{% endtrans %}")
    )

    assert template.render(n=n) == text


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 KB"), (700_000, "684 KB"), (5 * 1024**2, "5.0 MB"), (10 * 1024**3, "10 GB")]
)
def test_sizes_in_bytes_are_short(count: int, words: str) -> None:
    assert formats.format_bytes(count) == words


def test_the_zones_to_choose_from_are_places() -> None:
    assert {"Europe/Berlin", "America/Argentina/Ushuaia", "Asia/Kathmandu"} <= set(formats.time_zones())
    assert not {"EST", "GMT", "Etc/GMT+5"} & set(formats.time_zones())
    assert not formats.is_time_zone("../../etc/passwd")


def _settings(visitor: Visitor) -> dict[str, str]:
    return {
        "theme": "system",
        "default_visibility": "public",
        "csrf": visitor.page.csrf if visitor.page else "",
    }


async def test_somebody_chooses_a_zone_and_every_page_follows(node: Node, alice: Account) -> None:
    visitor = await sign_in(node, alice)
    post = await node.db.write(publish, alice, "Fog")
    await node.db.write(lambda tx: tx.run("UPDATE posts SET published_at = :at", at=NOON))
    path = f"/p/alice/{post.id}"
    assert "2:05 PM UTC" in (await visitor.get(path)).main_text

    visitor.cookies["tintype_zone"] = "Europe%2FBerlin"
    assert "3:05 PM" in (seen := await visitor.get(path)).main_text
    assert "UTC" not in seen.main_text
    assert seen.one("html").attributes["data-zone"] == ""

    await visitor.get("/settings/profile")
    await visitor.post("/settings/profile", {**_settings(visitor), "time_zone": "Asia/Tokyo"})
    assert "11:05 PM" in (seen := await visitor.get(path)).main_text
    assert seen.one("html").attributes["data-zone"] == "Asia/Tokyo"

    await visitor.get("/settings/profile")
    wrong = await visitor.post("/settings/profile", {**_settings(visitor), "time_zone": "Moon/Base"})
    assert wrong.status == 422
    assert (await visitor.get(path)).one("html").attributes["data-zone"] == "Asia/Tokyo"


async def test_visitors_get_one_page_for_all_zones_and_it_names_its_own(node: Node, alice: Account) -> None:
    post = await node.db.write(publish, alice, "Fog")
    await node.db.write(lambda tx: tx.run("UPDATE posts SET published_at = :at", at=NOON))
    app = create_app(node)
    for zone in ("", "Asia/Tokyo"):
        visitor = Visitor(app)
        visitor.cookies |= {"tintype_zone": zone} if zone else {}
        assert "2:05 PM UTC" in (await visitor.get(f"/p/alice/{post.id}")).main_text
