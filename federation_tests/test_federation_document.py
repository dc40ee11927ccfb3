"""FEDERATION.md says exactly what is spoken: its tables, its numbers and its FEPs are compared with the code.

What the page says of others' documents is held by the stories and the security table; what it says of ours
is read from the reviewed letters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from activitypub import uris, vocab
from activitypub.client import client, collections, fetch_budget
from activitypub.delivery import deliver
from activitypub.documents.notes import PHOTOS_SHOWN_BY_ALL_PEERS, addressing
from activitypub.handlers import flag
from activitypub.handlers.registry import HANDLERS
from activitypub.inbox import endpoint
from activitypub.remote import conversations, profile_preview
from activitypub.remote import migration as remote_migration
from activitypub.signatures import claims, follower_digest, integrity_proofs, keys
from activitypub.vocab import PUBLIC, emoji_reactions, quotes
from activitypub.vocab.documents import MAX_DEPTH
from media.images import VARIANTS
from node.attachments import custom_emoji, media_cache, remote_fetch
from node.federation import server_availability
from node.interactions import pins
from node.lifecycle import migration
from node.models.account import Account
from node.posts import drafts
from web.wiring import JOB_HANDLERS

ROOT = Path(__file__).parents[1]
OURS = ROOT / "federation_tests" / "letters" / "ours"
TEXT = " ".join((ROOT / "FEDERATION.md").read_text().split())
MIB = 1024 * 1024


def _section(title: str) -> str:
    whole = (ROOT / "FEDERATION.md").read_text()
    return whole.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def _rows(section: str) -> list[list[str]]:
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def _letter(name: str) -> Any:
    return json.loads((OURS / f"{name}.json").read_text())


def _verbs(cell: str) -> set[str]:
    return set(re.findall(r"`([A-Z]\w+)`", cell.partition(" of a ")[0]))


def test_every_activity_that_does_something_is_in_the_table_and_no_other() -> None:
    rows = _rows(_section("Activities"))
    listed = [_verbs(row[0]) for row in rows]
    assert set().union(*listed) == set(HANDLERS)
    assert sum(map(len, listed)) == len(HANDLERS), "a verb is listed twice"


def test_what_the_table_says_is_sent_is_what_is_sent() -> None:
    said = set().union(*(_verbs(row[0]) for row in _rows(_section("Activities")) if "never" not in row[2]))
    letters = [json.loads(path.read_text()) for path in OURS.glob("says-*.json")]
    sent = {letter["type"] for letter in letters}
    assert sent == said - {"EmojiReact"}
    undone = {letter["object"]["type"] for letter in letters if letter["type"] == "Undo"}
    assert undone == {"Like", "Follow", "Announce"}


LIMITS = [
    f"up to {endpoint.MAX_BODY_BYTES // MIB} MiB and {MAX_DEPTH} levels deep",
    f"keys have {keys.MIN_RSA_BITS} to {keys.MAX_RSA_BITS} bits",
    f"times may be off by {'an hour' if claims.HOUR_SECONDS == 3600 else claims.HOUR_SECONDS}",
    f"once in {migration.REMOTE_MOVE_COOLDOWN_MS // migration.DAY_MS} days",
    f"at most {flag.MAX_REPORTS_PER_HOUR} an hour per server, {flag.MAX_ACCOUNTS} people each",
    f"at most {max(one.edge for one in VARIANTS if one.name == 'federated')} pixels a side",
    f"up to {drafts.MAX_PHOTOS}; a post with more than {['', '', '', '', 'four'][PHOTOS_SHOWN_BY_ALL_PEERS]} ends with",
    f"(up to {custom_emoji.MAX_PER_TEXT} in a text, pictures up to {custom_emoji.MAX_BYTES // 1024} KiB",
    f"{['', '', '', 'Three'][remote_fetch.MAX_CONCURRENT_PER_HOST]} pictures at a time are asked of one host",
    f"after {media_cache.FIRST_RETRY_MS // media_cache.MINUTE_MS} minutes (an hour if the answer was final)",
    f"up to {['', '', '', '', '', 'five'][pins.MAX_PINS]} pinned posts",
    f"{collections.MAX_PAGES} pages and {collections.MAX_ITEMS} items at most",
    f"up to {['', '', '', '', '', 'five'][conversations.MAX_NEW_REPLIES]} new comments of each list",
    f"its last {profile_preview.MAX_POSTS} posts",
    f"makes {fetch_budget.MAX_FETCHES} requests to 5 servers at most",
    f"for {['', '', '', '', '', '', '', 'seven'][server_availability.GIVE_UP_AFTER_MS // migration.DAY_MS]} days",
    f"up to {client.MAX_DOCUMENT_BYTES // MIB} MiB, {['', '', '', 'three'][client.MAX_REDIRECTS]} redirects and "
    f"{client.TOTAL_TIMEOUT_SECONDS:.0f} seconds",
]


@pytest.mark.parametrize("sentence", LIMITS)
def test_every_number_is_the_one_in_the_code(sentence: str) -> None:
    assert sentence in TEXT


def test_the_types_an_inbox_takes_are_listed() -> None:
    assert (
        set(re.findall(r"`(application/[\w+]+)`", TEXT.partition("Inboxes take")[2][:200]))
        == endpoint.CONTENT_TYPES
    )


def test_the_four_audiences_are_addressed_as_the_table_says() -> None:
    author = Account.__new__(Account)
    object.__setattr__(author, "uri", "me")
    object.__setattr__(author, "followers_uri", "followers")
    names = {"public": PUBLIC, "followers": "followers", "people named": "rita"}
    rows = _rows(_section("Posts"))
    assert [row[0] for row in rows] == ["public", "unlisted", "followers", "direct"]
    for audience, to, cc in rows:
        wanted = tuple([names[word.strip()] for word in cell.split(",") if word.strip()] for cell in (to, cc))
        assert addressing(author, audience, ["rita"]) == wanted


def _multikeys() -> bool:
    (key,) = _letter("actor")["assertionMethod"]
    return bool(key["type"] == "Multikey" and key["controller"] == _letter("actor")["id"])


def _quotable() -> bool:
    stamp = _letter("stamp")
    return bool(
        stamp["type"] == "QuoteAuthorization"
        and "QuoteRequest" in HANDLERS
        and "check_quote" in JOB_HANDLERS
        and _letter("says-accept-quote-request")["result"] == stamp["id"]
        and quotes
    )


def _exif() -> bool:
    told = _letter("note-one-photo")["attachment"][0]["exifData"]
    untold = _letter("note-ten-photos")["attachment"]
    return told[0] == {"@type": "PropertyValue", "name": "Make", "value": "FUJIFILM"} and not any(
        "exifData" in one for one in untold
    )


FEPS: dict[str, Callable[[], Any]] = {
    "67ff": lambda: all(
        f"## {title}" in (ROOT / "FEDERATION.md").read_text()
        for title in (
            "Supported federation protocols and standards",
            "Supported FEPs",
            "Additional documentation",
        )
    ),
    "0151": lambda: _letter("nodeinfo-2.1")["protocols"] == ["activitypub"],
    "044f": _quotable,
    "2c59": lambda: _letter("actor")["webfinger"] == "alice@tintype.example",
    "521a": _multikeys,
    "844e": lambda: "rfc9421" in _letter("actor-of-the-node")["generator"]["implements"][0]["href"],
    "8b32": lambda: (
        "eddsa-jcs-2022" in (integrity_proofs.__doc__ or "") and "proof" not in _letter("says-create")
    ),
    "8fcf": lambda: follower_digest.HEADER == "Collection-Synchronization" and "synchronize" in JOB_HANDLERS,
    "7458": lambda: _letter("replies")["type"] == "OrderedCollection" and "crawl" in JOB_HANDLERS,
    "7888": lambda: _letter("note-comment")["context"] == _letter("context")["id"],
    "f228": lambda: _letter("context")["attributedTo"] == _letter("actor")["id"],
    "c0e0": lambda: "EmojiReact" in HANDLERS and emoji_reactions,
    "ee3a": _exif,
    "fe34": lambda: (
        uris.same_origin("https://a.test/1", "https://a.test/2")
        and not uris.same_origin("https://a.test/1", "https://b.test/1")
    ),
    "5feb": lambda: (
        _letter("actor")["indexable"] is False
        and not vocab.parse_actor(
            {"type": "Person", "id": "https://a.test/1", "inbox": "https://a.test/2"}
        ).indexable
    ),
}


def test_every_fep_that_is_named_is_kept_and_every_one_that_is_kept_is_named() -> None:
    named = set(re.findall(r"/fep-(\w{4})\.md", _section("Supported FEPs")))
    assert named == set(FEPS)
    for number, holds in FEPS.items():
        assert holds(), f"FEP-{number}"


def test_addresses_and_properties_that_are_promised_are_there() -> None:
    actor, note = _letter("actor"), _letter("note-one-photo")
    assert actor["id"].endswith("/users/alice")
    assert actor["url"].endswith("/@alice")
    assert isinstance(actor["publicKey"], dict)
    assert note["id"] == note["url"]
    for name in ("to", "cc", "tag", "attachment"):
        assert isinstance(note[name], list), name
    for picture in _letter("note-ten-photos")["attachment"]:
        assert picture["mediaType"] == "image/jpeg"
        assert picture["name"] == picture["summary"]
        assert {"width", "height", "blurhash", "focalPoint"} <= set(picture)
    assert note["url"] not in note["content"]
    assert _letter("note-ten-photos")["url"] in _letter("note-ten-photos")["content"]
    for name in ("replies", "likes", "shares", "context", "followers", "following", "outbox", "featured"):
        assert _letter(name)["type"] == "OrderedCollection", name
    for name in ("commentsEnabled", "capabilities", "interactionPolicy", "conversation"):
        assert f"`{name}`" in TEXT
        assert name in note
    assert _letter("says-delete-post")["object"]["type"] == "Tombstone"
    assert "followers_synchronization" in _letter("followers-there")["id"]
    assert all(status in deliver.UNAVAILABLE_STATUSES for status in (408, 429, 503))
    assert remote_migration.MAX_REQUESTS <= fetch_budget.MAX_FETCHES
