"""Edits that came before their posts are kept, a few of them, for their own author."""

from __future__ import annotations

from node.database import Database, Reader, Writer
from node.federation import early_updates
from node.ids import now_ms
from node.lifecycle import account_deletion
from tests.support.people import remote

URI = "https://far.example/posts/"


def _count(tx: Reader) -> int:
    return int(tx.value("SELECT COUNT(*) FROM early_updates"))


async def test_an_edit_is_taken_once_and_only_by_its_author(db: Database) -> None:
    def unit(tx: Writer) -> None:
        rita, sam = remote(tx), remote(tx, "sam")
        early_updates.keep(tx, rita, URI, "{}", edited_at=1)
        assert early_updates.is_kept(tx, rita, URI)
        assert not early_updates.is_kept(tx, sam, URI)
        assert early_updates.take(tx, sam, URI) is None
        assert early_updates.take(tx, rita, URI) == "{}"
        assert early_updates.take(tx, rita, URI) is None

    await db.write(unit)


async def test_of_several_edits_the_latest_is_kept(db: Database) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        for text, edited_at in (("first", 1), ("third", 3), ("second", 2)):
            early_updates.keep(tx, rita, URI, text, edited_at=edited_at)
        assert early_updates.take(tx, rita, URI) == "third"

    await db.write(unit)


async def test_what_is_not_kept_of_one_account_is_remembered_by_its_id(db: Database) -> None:
    longest = "x" * early_updates.MAX_DOCUMENT_LENGTH

    def unit(tx: Writer) -> None:
        rita, sam = remote(tx), remote(tx, "sam")
        early_updates.keep(tx, sam, URI, longest, edited_at=1)
        for number in range(15):
            early_updates.keep(tx, rita, f"{URI}{number}", longest, edited_at=1)
        early_updates.keep(tx, rita, URI, longest + "x", edited_at=1)
        assert early_updates.take(tx, rita, URI) == ""
        for number in range(15):
            assert early_updates.take(tx, rita, f"{URI}{number}") == ("" if number < 5 else longest)
        assert early_updates.take(tx, sam, URI) == longest

    await db.write(unit)


async def test_a_later_edit_that_is_only_named_is_fetched(db: Database) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        early_updates.keep(tx, rita, URI, "{}", edited_at=1)
        early_updates.keep(tx, rita, URI, "", edited_at=2)
        early_updates.keep(tx, rita, URI, "{}", edited_at=1)
        assert early_updates.take(tx, rita, URI) == ""

    await db.write(unit)


async def test_what_is_kept_of_one_account_has_a_bound(db: Database) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        for number in range(early_updates.MAX_PER_ACCOUNT + 5):
            early_updates.keep(tx, rita, f"{URI}{number}", "{}", edited_at=1)
        assert _count(tx) == early_updates.MAX_PER_ACCOUNT
        assert early_updates.take(tx, rita, URI + "4") is None
        assert early_updates.take(tx, rita, URI + "5") == "{}"

    await db.write(unit)


def _ids(tx: Reader) -> set[int]:
    return {row["id"] for row in tx.all("SELECT id FROM early_updates")}


def _fill(tx: Writer, domain: str, people: int, posts: int) -> None:
    for number in range(people):
        person = remote(tx, f"person{number}", domain)
        for post in range(posts):
            early_updates.keep(tx, person, f"https://{domain}/{number}/{post}", "", edited_at=1)


def _fill_by_servers(tx: Writer) -> None:
    """Has servers send as much as each may, until there is more than may be kept in all."""
    people = early_updates.MAX_PER_HOST // early_updates.MAX_PER_ACCOUNT
    for number in range(early_updates.MAX_ROWS // early_updates.MAX_PER_HOST + 1):
        _fill(tx, f"flood{number}.example", people, early_updates.MAX_PER_ACCOUNT)


async def test_what_is_kept_of_one_server_has_a_bound_and_who_sends_little_keeps_it(db: Database) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        early_updates.keep(tx, rita, URI, "{}", edited_at=1)
        people = early_updates.MAX_PER_HOST // early_updates.MAX_PER_ACCOUNT + 1
        _fill(tx, "far.example", people, early_updates.MAX_PER_ACCOUNT)
        assert _count(tx) == early_updates.MAX_PER_HOST
        assert early_updates.take(tx, rita, URI) == "{}"

    await db.write(unit)


async def test_all_that_is_kept_has_a_bound_and_who_sends_little_keeps_it(db: Database) -> None:
    def unit(tx: Writer) -> None:
        rita, sam = remote(tx), remote(tx, "sam", "small.example")
        early_updates.keep(tx, rita, URI, "{}", edited_at=1)
        _fill_by_servers(tx)
        early_updates.keep(tx, sam, URI, "{}", edited_at=1)
        assert _count(tx) == early_updates.MAX_ROWS

        kept = _ids(tx)
        early_updates.keep(tx, rita, URI, "[]", edited_at=2)
        assert _ids(tx) == kept, "a later edit needs no room"
        assert early_updates.take(tx, rita, URI) == "[]"
        assert early_updates.take(tx, sam, URI) == "{}"

    await db.write(unit)


async def test_what_is_kept_goes_with_its_account_or_after_a_day(db: Database) -> None:
    def unit(tx: Writer) -> None:
        rita, sam = remote(tx), remote(tx, "sam")
        early_updates.keep(tx, rita, URI + "1", "{}", edited_at=1)
        early_updates.keep(tx, sam, URI + "2", "{}", edited_at=1)
        account_deletion.delete_account(tx, rita)
        assert _count(tx) == 1
        assert early_updates.clean_up(tx, now_ms()) == 0
        assert early_updates.clean_up(tx, now_ms() + early_updates.RETENTION_MS + 1000) == 1

    await db.write(unit)
