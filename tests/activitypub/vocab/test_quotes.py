"""Quotes: every way to write one, and the permission that only the right author can give."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activitypub import vocab
from activitypub.vocab import Malformed, quotes
from activitypub.vocab.quotes import Quote, Stamp

FIXTURES = Path(__file__).parents[3].parent / "shared" / "fixtures"
ALICE, BOB, MALLORY = "https://a.test/users/alice", "https://b.test/users/bob", "https://m.test/users/mallory"
PHOTO, QUOTE, STAMP = "https://a.test/p/alice/1", "https://b.test/p/bob/2", "https://a.test/stamps/3"
GENUINE = Stamp(STAMP, ALICE, QUOTE, PHOTO)


def _note(**more: Any) -> dict[str, Any]:
    return {"id": QUOTE, "type": "Note", "attributedTo": BOB, "content": "Look", **more}


def _request(**more: Any) -> vocab.Activity:
    doc = {
        "id": f"{QUOTE}/request",
        "type": "QuoteRequest",
        "actor": BOB,
        "object": PHOTO,
        "instrument": _note(quote=PHOTO),
    }
    return vocab.activity({**doc, **more})


def _permits(given: Stamp, found_at: str = STAMP) -> bool:
    return quotes.permits(given, found_at, quote=QUOTE, quoted=PHOTO, author=ALICE)


@pytest.mark.parametrize(
    "spelling",
    [
        {"quote": PHOTO},
        {"quoteUrl": PHOTO},
        {"quoteUri": PHOTO},
        {"quoteURL": PHOTO},
        {"_misskey_quote": PHOTO},
        {"quote": {"id": PHOTO, "type": "Note"}},
        {"tag": {"type": "Link", "rel": "https://misskey-hub.net/ns#_misskey_quote", "href": PHOTO}},
        {"tag": [{"type": "Mention", "href": ALICE}, quotes.link(PHOTO)]},
    ],
)
def test_each_spelling_of_a_quote_is_read(spelling: dict[str, Any]) -> None:
    assert quotes.read(vocab.note(_note(**spelling))) == Quote(PHOTO, None)


def test_what_we_write_is_read_back() -> None:
    post = vocab.note(_note(**quotes.properties(PHOTO, STAMP), tag=[quotes.link(PHOTO)]))
    assert quotes.read(post) == Quote(PHOTO, STAMP)
    assert quotes.read(vocab.note(_note(**quotes.properties(PHOTO, None)))) == Quote(PHOTO, None)
    assert set(quotes.properties(PHOTO, STAMP)) < set(quotes.CONTEXT)


@pytest.mark.parametrize(
    "value", [None, "", "nonsense", 7, [], {}, "javascript:alert(1)", "file:///x", QUOTE]
)
def test_what_cannot_be_quoted_is_no_quote(value: Any) -> None:
    assert quotes.read(vocab.note(_note(quote=value, quoteAuthorization=STAMP))) is None


def test_a_stamp_without_an_address_is_none() -> None:
    for value in (None, "nonsense", "data:x", {}, []):
        assert quotes.read(vocab.note(_note(quote=PHOTO, quoteAuthorization=value))) == Quote(PHOTO, None)


def test_a_genuine_stamp_permits() -> None:
    assert _permits(GENUINE)
    assert _permits(quotes.stamp(quotes.stamp_document(GENUINE)))
    assert _permits(replace(GENUINE, author="HTTPS://A.Test:443/users/alice"))


@pytest.mark.parametrize(
    "bogus",
    [
        replace(GENUINE, author=MALLORY),
        replace(GENUINE, author=BOB),
        replace(GENUINE, author="https://a.test/users/eve"),
        replace(GENUINE, quote="https://b.test/p/bob/4"),
        replace(GENUINE, quote="https://m.test/p/mallory/4"),
        replace(GENUINE, quoted="https://a.test/p/alice/5"),
        replace(GENUINE, quoted=QUOTE),
        replace(GENUINE, id="https://m.test/stamps/3"),
        replace(GENUINE, id="https://a.test/stamps/4"),
        replace(GENUINE, id="http://a.test/stamps/3"),
    ],
)
def test_a_stamp_by_another_or_for_another_quote_does_not_permit(bogus: Stamp) -> None:
    assert not _permits(bogus)


def test_a_stamp_from_another_origin_does_not_permit() -> None:
    elsewhere = "https://m.test/stamps/3"
    assert not _permits(GENUINE, elsewhere)
    assert not _permits(replace(GENUINE, id=elsewhere), elsewhere)
    assert not _permits(replace(GENUINE, id="https://b.test/stamps/3"), "https://b.test/stamps/3")


def test_a_bogus_stamp_that_came_first_does_not_block_the_genuine_one() -> None:
    assert not _permits(replace(GENUINE, author=MALLORY))
    assert _permits(GENUINE)


def test_a_post_that_is_not_the_authors_cannot_be_permitted_by_them() -> None:
    photo = "https://m.test/p/mallory/1"
    given = replace(GENUINE, quoted=photo)
    assert not quotes.permits(given, STAMP, quote=QUOTE, quoted=photo, author=ALICE)


@pytest.mark.parametrize("name", ["id", "attributedTo", "interactingObject", "interactionTarget", "type"])
@pytest.mark.parametrize("value", [None, "", 7, [], {}, "urn:x", "Note"])
def test_a_stamp_that_does_not_say_everything_is_refused(name: str, value: Any) -> None:
    with pytest.raises(Malformed):
        quotes.stamp({**quotes.stamp_document(GENUINE), name: value})


def test_a_stamp_gives_away_neither_post() -> None:
    document = quotes.stamp_document(GENUINE)
    assert all(isinstance(value, str) for value in document.values())
    embedded = {**document, "interactionTarget": {"id": PHOTO, "type": "Note", "content": "secret"}}
    assert quotes.stamp(embedded) == GENUINE


def test_a_request_is_read() -> None:
    found = quotes.request(_request())
    assert (found.by, found.quote, found.quoted) == (BOB, QUOTE, PHOTO)
    assert found.document == _note(quote=PHOTO)
    for bare in (QUOTE, {"id": QUOTE}, {"id": QUOTE, "type": "Note"}):
        found = quotes.request(_request(instrument=bare))
        assert (found.quote, found.document) == (QUOTE, None)


@pytest.mark.parametrize(
    "change",
    [
        {"type": "Like"},
        {"object": None},
        {"object": "nonsense"},
        {"instrument": None},
        {"instrument": 7},
        {"instrument": PHOTO},
        {"instrument": "https://m.test/p/mallory/9"},
        {"instrument": _note()},
        {"instrument": _note(quote="https://a.test/p/alice/5")},
        {"instrument": _note(quote=PHOTO, attributedTo=MALLORY)},
        {"instrument": _note(quote=PHOTO, attributedTo="https://b.test/users/eve")},
        {"instrument": _note(quote=PHOTO, id="https://m.test/p/mallory/9")},
        {"instrument": _note(quote=PHOTO, type="Person")},
    ],
)
def test_a_request_for_somebody_elses_post_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        quotes.request(_request(**change))


def test_an_answer_is_read() -> None:
    accept = {"id": "https://a.test/1", "type": "Accept", "actor": ALICE, "result": STAMP}
    found = quotes.answer(vocab.activity({**accept, "object": _request().raw}))
    assert (found.id, found.stamp) == (f"{QUOTE}/request", STAMP)
    assert found.request is not None
    assert (found.request.quote, found.request.quoted) == (QUOTE, PHOTO)
    by_id = quotes.answer(vocab.activity({**accept, "object": f"{QUOTE}/request"}))
    assert (by_id.id, by_id.request, by_id.stamp) == (f"{QUOTE}/request", None, STAMP)
    reject = quotes.answer(vocab.activity({**accept, "type": "Reject", "result": None, "object": PHOTO}))
    assert reject.stamp is None


JSON = st.recursive(
    st.none() | st.booleans() | st.text(max_size=10) | st.sampled_from([PHOTO, QUOTE, BOB, "QuoteRequest"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "type", "object", "instrument", "quote", "actor"]), inner, max_size=4
        )
    ),
    max_leaves=10,
)


@given(JSON, JSON)
def test_nothing_but_malformed_is_ever_raised(one: Any, other: Any) -> None:
    for parse in (quotes.stamp, lambda doc: quotes.request(vocab.activity(doc))):
        for doc in (one, {**_request().raw, "instrument": one, "object": other}):
            with contextlib.suppress(Malformed):
                parse(doc)
    quotes.answer(vocab.activity({"type": "Accept", "actor": ALICE, "object": one, "result": other}))
    quotes.read(vocab.note(_note(quote=one, quoteAuthorization=other)))


def _fep(line: int) -> dict[str, Any]:
    path = FIXTURES / "fep" / f"fep__fep_044f_fep-044f.md__L{line}.json"
    if not path.exists():
        pytest.skip("the fixtures are not beside the project")
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def test_the_examples_of_fep_044f() -> None:
    quoted, quoting = "https://example.com/users/alice/statuses/1", "https://example.com/users/bob/statuses/1"
    stamped = "https://example.com/users/alice/stamps/1"
    assert quotes.read(vocab.note(_fep(37))) == Quote(quoted, None)
    assert quotes.read(vocab.note(_fep(76))) == Quote(quoted, None)
    assert quotes.read(vocab.note(_fep(343))) == Quote(quoted, stamped)
    found = quotes.request(vocab.activity(_fep(228)))
    assert (found.quote, found.quoted) == (quoting, quoted)
    given = quotes.stamp(_fep(183))
    assert quotes.permits(
        given,
        stamped,
        quote="https://example.org/users/bob/statuses/1",
        quoted=quoted,
        author="https://example.com/users/alice",
    )
    assert quotes.answer(vocab.activity(_fep(270))).stamp == stamped
    assert quotes.answer(vocab.activity(_fep(295))).stamp is None


@pytest.mark.parametrize(
    "path",
    sorted([*FIXTURES.glob("fedibird/*quote*.json"), *FIXTURES.glob("misskey/*quote_post*.json")]),
    ids=lambda path: path.stem,
)
def test_quotes_as_other_software_writes_them(path: Path) -> None:
    assert quotes.read(vocab.note(json.loads(path.read_text()))) is not None
