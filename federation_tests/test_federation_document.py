"""Compares FEDERATION.md with the code: its tables, its numbers and its FEPs.

What the page says about received documents is tested by the stories and the security table; what it says about
emitted ones is read from the reviewed documents.
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
from activitypub.vocab import PUBLIC
from activitypub.vocab import emoji_reactions as reaction_vocab
from activitypub.vocab import quotes as quote_vocab
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
EMITTED = ROOT / "federation_tests" / "documents" / "emitted"
TEXT = " ".join((ROOT / "FEDERATION.md").read_text().split())
MIB = 1024 * 1024


def _section(title: str) -> str:
    whole = (ROOT / "FEDERATION.md").read_text()
    return whole.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def _rows(section: str) -> list[list[str]]:
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def _document(name: str) -> Any:
    return json.loads((EMITTED / f"{name}.json").read_text())


def _verbs(cell: str) -> set[str]:
    return set(re.findall(r"`([A-Z]\w+)`", cell.partition(" of a ")[0]))


def test_the_table_lists_exactly_the_activities_with_a_handler() -> None:
    rows = _rows(_section("Activities"))
    listed = [_verbs(row[0]) for row in rows]
    assert set().union(*listed) == set(HANDLERS)
    assert sum(map(len, listed)) == len(HANDLERS), "a verb is listed twice"


def test_the_activities_listed_as_sent_are_the_ones_emitted() -> None:
    listed = set().union(*(_verbs(row[0]) for row in _rows(_section("Activities")) if "never" not in row[2]))
    activities = [json.loads(path.read_text()) for path in EMITTED.glob("activity-*.json")]
    sent = {activity["type"] for activity in activities}
    assert sent == listed - {"EmojiReact"}
    undone = {activity["object"]["type"] for activity in activities if activity["type"] == "Undo"}
    assert undone == {"Like", "Follow", "Announce", "Block"}


LIMITS = [
    f"up to {endpoint.MAX_BODY_BYTES // MIB} MiB and {MAX_DEPTH} levels deep",
    f"keys have {keys.MIN_RSA_BITS} to {keys.MAX_RSA_BITS} bits",
    f"times may be off by {'an hour' if claims.HOUR_SECONDS == 3600 else claims.HOUR_SECONDS}",
    f"once in {migration.REMOTE_MOVE_COOLDOWN_MS // migration.DAY_MS} days",
    f"at most {flag.MAX_REPORTS_PER_HOUR} an hour per server, {flag.MAX_ACCOUNTS} accounts each",
    f"at most {max(one.edge for one in VARIANTS if one.name == 'federated')} pixels a side",
    f"up to {drafts.MAX_PHOTOS}; a post with more than {['', '', '', '', 'four'][PHOTOS_SHOWN_BY_ALL_PEERS]} ends with",
    f"(up to {custom_emoji.MAX_PER_TEXT} in a text, pictures up to {custom_emoji.MAX_BYTES // 1024} KiB",
    f"{['', '', '', 'three'][remote_fetch.MAX_CONCURRENT_PER_HOST]} pictures at a time are requested from one",
    f"after {media_cache.FIRST_RETRY_MS // media_cache.MINUTE_MS} minutes (an hour if the response was final)",
    f"up to {['', '', '', '', '', 'five'][pins.MAX_PINS]} pinned posts",
    f"{collections.MAX_PAGES} pages and {collections.MAX_ITEMS} items at most",
    f"up to {['', '', '', '', '', 'five'][conversations.MAX_NEW_REPLIES]} new comments of each list",
    f"its last {profile_preview.MAX_POSTS} posts",
    f"makes {fetch_budget.MAX_FETCHES} requests to 5 servers at most",
    f"for {['', '', '', '', '', '', '', 'seven'][server_availability.GIVE_UP_AFTER_MS // migration.DAY_MS]} days",
    f"up to {client.MAX_DOCUMENT_BYTES // MIB} MiB, {['', '', '', 'three'][client.MAX_REDIRECTS]} redirects and "
    f"{client.TOTAL_TIMEOUT_SECONDS:.0f} seconds",
]


@pytest.mark.parametrize("text", LIMITS)
def test_every_number_is_the_one_in_the_code(text: str) -> None:
    assert text in TEXT


def test_the_content_types_an_inbox_accepts_are_listed() -> None:
    assert (
        set(re.findall(r"`(application/[\w+]+)`", TEXT.partition("Inboxes accept")[2][:200]))
        == endpoint.CONTENT_TYPES
    )


def test_the_four_visibilities_are_addressed_as_listed() -> None:
    author = Account.__new__(Account)
    object.__setattr__(author, "uri", "me")
    object.__setattr__(author, "followers_uri", "followers")
    names = {"public": PUBLIC, "followers": "followers", "mentioned actors": "rita"}
    rows = _rows(_section("Posts"))
    assert [row[0] for row in rows] == ["public", "unlisted", "followers", "direct"]
    for visibility, to, cc in rows:
        wanted = tuple([names[word.strip()] for word in cell.split(",") if word.strip()] for cell in (to, cc))
        assert addressing(author, visibility, ["rita"]) == wanted


def _multikeys() -> bool:
    (key,) = _document("actor")["assertionMethod"]
    return bool(key["type"] == "Multikey" and key["controller"] == _document("actor")["id"])


def _quotable() -> bool:
    authorization = _document("quote-authorization")
    return bool(
        authorization["type"] == "QuoteAuthorization"
        and "QuoteRequest" in HANDLERS
        and "check_quote" in JOB_HANDLERS
        and _document("activity-accept-quote-request")["result"] == authorization["id"]
        and quote_vocab
    )


def _exif() -> bool:
    shared = _document("note-one-photo")["attachment"][0]["exifData"]
    withheld = _document("note-ten-photos")["attachment"]
    return shared[0] == {"@type": "PropertyValue", "name": "Make", "value": "FUJIFILM"} and not any(
        "exifData" in one for one in withheld
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
    "0151": lambda: _document("nodeinfo-2.1")["protocols"] == ["activitypub"],
    "044f": _quotable,
    "2c59": lambda: _document("actor")["webfinger"] == "alice@tintype.example",
    "521a": _multikeys,
    "844e": lambda: "rfc9421" in _document("actor-of-the-node")["generator"]["implements"][0]["href"],
    "8b32": lambda: (
        "eddsa-jcs-2022" in (integrity_proofs.__doc__ or "") and "proof" not in _document("activity-create")
    ),
    "8fcf": lambda: follower_digest.HEADER == "Collection-Synchronization" and "synchronize" in JOB_HANDLERS,
    "7458": lambda: _document("replies")["type"] == "OrderedCollection" and "crawl" in JOB_HANDLERS,
    "7888": lambda: _document("note-comment")["context"] == _document("context")["id"],
    "f228": lambda: _document("context")["attributedTo"] == _document("actor")["id"],
    "c0e0": lambda: "EmojiReact" in HANDLERS and reaction_vocab,
    "ee3a": _exif,
    "fe34": lambda: (
        uris.same_origin("https://a.test/1", "https://a.test/2")
        and not uris.same_origin("https://a.test/1", "https://b.test/1")
    ),
    "5feb": lambda: (
        _document("actor")["indexable"] is False
        and not vocab.parse_actor(
            {"type": "Person", "id": "https://a.test/1", "inbox": "https://a.test/2"}
        ).indexable
    ),
}


def test_the_listed_feps_are_exactly_the_supported_ones() -> None:
    named = set(re.findall(r"/fep-(\w{4})\.md", _section("Supported FEPs")))
    assert named == set(FEPS)
    for number, holds in FEPS.items():
        assert holds(), f"FEP-{number}"


def test_the_promised_uris_and_properties_exist() -> None:
    actor, note = _document("actor"), _document("note-one-photo")
    assert actor["id"].endswith("/users/alice")
    assert actor["url"].endswith("/@alice")
    assert isinstance(actor["publicKey"], dict)
    assert note["id"] == note["url"]
    for name in ("to", "cc", "tag", "attachment"):
        assert isinstance(note[name], list), name
    for attachment in _document("note-ten-photos")["attachment"]:
        assert attachment["mediaType"] == "image/jpeg"
        assert attachment["name"] == attachment["summary"]
        assert {"width", "height", "blurhash", "focalPoint"} <= set(attachment)
    assert note["url"] not in note["content"]
    assert _document("note-ten-photos")["url"] in _document("note-ten-photos")["content"]
    for name in ("replies", "likes", "shares", "context", "followers", "following", "outbox", "featured"):
        assert _document(name)["type"] == "OrderedCollection", name
    for name in ("commentsEnabled", "capabilities", "interactionPolicy", "conversation"):
        assert f"`{name}`" in TEXT
        assert name in note
    assert _document("activity-delete-post")["object"]["type"] == "Tombstone"
    assert "followers_synchronization" in _document("followers-synchronization")["id"]
    assert all(status in deliver.UNAVAILABLE_STATUSES for status in (408, 429, 503))
    assert remote_migration.MAX_REQUESTS <= fetch_budget.MAX_FETCHES
