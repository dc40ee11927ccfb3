"""Quotes: every property for one, and the authorization that only the quoted author can give."""

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
from activitypub.vocab import Malformed
from activitypub.vocab import quotes as quote_vocab
from activitypub.vocab.quotes import QuoteAuthorizationDoc, QuoteDoc

FIXTURES = Path(__file__).parents[3].parent / "shared" / "fixtures"
ALICE, BOB, MALLORY = "https://a.test/users/alice", "https://b.test/users/bob", "https://m.test/users/mallory"
PHOTO, QUOTE, STAMP = "https://a.test/p/alice/1", "https://b.test/p/bob/2", "https://a.test/stamps/3"
VALID = QuoteAuthorizationDoc(STAMP, ALICE, QUOTE, PHOTO)


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
    return vocab.parse_activity({**doc, **more})


def _authorizes(given: QuoteAuthorizationDoc, found_at: str = STAMP) -> bool:
    return quote_vocab.authorizes(given, found_at, quote=QUOTE, quoted=PHOTO, author=ALICE)


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
        {"tag": [{"type": "Mention", "href": ALICE}, quote_vocab.render_link(PHOTO)]},
    ],
)
def test_each_spelling_of_a_quote_is_read(spelling: dict[str, Any]) -> None:
    assert quote_vocab.parse_quote(vocab.parse_note(_note(**spelling))) == QuoteDoc(PHOTO, None)


def test_rendered_quote_properties_parse_back() -> None:
    post = vocab.parse_note(
        _note(**quote_vocab.render_properties(PHOTO, STAMP), tag=[quote_vocab.render_link(PHOTO)])
    )
    assert quote_vocab.parse_quote(post) == QuoteDoc(PHOTO, STAMP)
    assert quote_vocab.parse_quote(
        vocab.parse_note(_note(**quote_vocab.render_properties(PHOTO, None)))
    ) == QuoteDoc(PHOTO, None)
    assert set(quote_vocab.render_properties(PHOTO, STAMP)) < set(quote_vocab.CONTEXT)


@pytest.mark.parametrize(
    "value", [None, "", "nonsense", 7, [], {}, "javascript:alert(1)", "file:///x", QUOTE]
)
def test_a_target_that_cannot_be_quoted_is_no_quote(value: Any) -> None:
    assert quote_vocab.parse_quote(vocab.parse_note(_note(quote=value, quoteAuthorization=STAMP))) is None


def test_an_authorization_without_a_web_address_is_none() -> None:
    for value in (None, "nonsense", "data:x", {}, []):
        assert quote_vocab.parse_quote(
            vocab.parse_note(_note(quote=PHOTO, quoteAuthorization=value))
        ) == QuoteDoc(PHOTO, None)


def test_a_valid_authorization_authorizes() -> None:
    assert _authorizes(VALID)
    assert _authorizes(quote_vocab.parse_authorization(quote_vocab.render_authorization(VALID)))
    assert _authorizes(replace(VALID, author_uri="HTTPS://A.Test:443/users/alice"))


@pytest.mark.parametrize(
    "bogus",
    [
        replace(VALID, author_uri=MALLORY),
        replace(VALID, author_uri=BOB),
        replace(VALID, author_uri="https://a.test/users/eve"),
        replace(VALID, quote_uri="https://b.test/p/bob/4"),
        replace(VALID, quote_uri="https://m.test/p/mallory/4"),
        replace(VALID, quoted_uri="https://a.test/p/alice/5"),
        replace(VALID, quoted_uri=QUOTE),
        replace(VALID, id="https://m.test/stamps/3"),
        replace(VALID, id="https://a.test/stamps/4"),
        replace(VALID, id="http://a.test/stamps/3"),
    ],
)
def test_an_authorization_of_another_author_or_quote_does_not_count(bogus: QuoteAuthorizationDoc) -> None:
    assert not _authorizes(bogus)


def test_an_authorization_from_another_origin_does_not_count() -> None:
    foreign_uri = "https://m.test/stamps/3"
    assert not _authorizes(VALID, foreign_uri)
    assert not _authorizes(replace(VALID, id=foreign_uri), foreign_uri)
    assert not _authorizes(replace(VALID, id="https://b.test/stamps/3"), "https://b.test/stamps/3")


def test_an_invalid_authorization_does_not_block_a_valid_one() -> None:
    assert not _authorizes(replace(VALID, author_uri=MALLORY))
    assert _authorizes(VALID)


def test_only_the_author_of_a_post_can_authorize_its_quotes() -> None:
    photo = "https://m.test/p/mallory/1"
    given = replace(VALID, quoted_uri=photo)
    assert not quote_vocab.authorizes(given, STAMP, quote=QUOTE, quoted=photo, author=ALICE)


@pytest.mark.parametrize("name", ["id", "attributedTo", "interactingObject", "interactionTarget", "type"])
@pytest.mark.parametrize("value", [None, "", 7, [], {}, "urn:x", "Note"])
def test_an_incomplete_authorization_is_malformed(name: str, value: Any) -> None:
    with pytest.raises(Malformed):
        quote_vocab.parse_authorization({**quote_vocab.render_authorization(VALID), name: value})


def test_an_authorization_reveals_neither_post() -> None:
    document = quote_vocab.render_authorization(VALID)
    assert all(isinstance(value, str) for value in document.values())
    embedded = {**document, "interactionTarget": {"id": PHOTO, "type": "Note", "content": "secret"}}
    assert quote_vocab.parse_authorization(embedded) == VALID


def test_a_request_is_read() -> None:
    found = quote_vocab.parse_request(_request())
    assert (found.actor_uri, found.quote_uri, found.quoted_uri) == (BOB, QUOTE, PHOTO)
    assert found.document == _note(quote=PHOTO)
    for bare in (QUOTE, {"id": QUOTE}, {"id": QUOTE, "type": "Note"}):
        found = quote_vocab.parse_request(_request(instrument=bare))
        assert (found.quote_uri, found.document) == (QUOTE, None)


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
        quote_vocab.parse_request(_request(**change))


def test_a_response_to_a_quote_request_is_parsed() -> None:
    accept = {"id": "https://a.test/1", "type": "Accept", "actor": ALICE, "result": STAMP}
    found = quote_vocab.parse_response(vocab.parse_activity({**accept, "object": _request().raw}))
    assert (found.id, found.authorization_uri) == (f"{QUOTE}/request", STAMP)
    assert found.request is not None
    assert (found.request.quote_uri, found.request.quoted_uri) == (QUOTE, PHOTO)
    by_id = quote_vocab.parse_response(vocab.parse_activity({**accept, "object": f"{QUOTE}/request"}))
    assert (by_id.id, by_id.request, by_id.authorization_uri) == (f"{QUOTE}/request", None, STAMP)
    reject = quote_vocab.parse_response(
        vocab.parse_activity({**accept, "type": "Reject", "result": None, "object": PHOTO})
    )
    assert reject.authorization_uri is None


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
    for parse in (
        quote_vocab.parse_authorization,
        lambda doc: quote_vocab.parse_request(vocab.parse_activity(doc)),
    ):
        for doc in (one, {**_request().raw, "instrument": one, "object": other}):
            with contextlib.suppress(Malformed):
                parse(doc)
    quote_vocab.parse_response(
        vocab.parse_activity({"type": "Accept", "actor": ALICE, "object": one, "result": other})
    )
    quote_vocab.parse_quote(vocab.parse_note(_note(quote=one, quoteAuthorization=other)))


def _fep(line: int) -> dict[str, Any]:
    path = FIXTURES / "fep" / f"fep__fep_044f_fep-044f.md__L{line}.json"
    if not path.exists():
        pytest.skip("the fixtures are not beside the project")
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def test_the_examples_of_fep_044f() -> None:
    quoted, quoting = "https://example.com/users/alice/statuses/1", "https://example.com/users/bob/statuses/1"
    stamped = "https://example.com/users/alice/stamps/1"
    assert quote_vocab.parse_quote(vocab.parse_note(_fep(37))) == QuoteDoc(quoted, None)
    assert quote_vocab.parse_quote(vocab.parse_note(_fep(76))) == QuoteDoc(quoted, None)
    assert quote_vocab.parse_quote(vocab.parse_note(_fep(343))) == QuoteDoc(quoted, stamped)
    found = quote_vocab.parse_request(vocab.parse_activity(_fep(228)))
    assert (found.quote_uri, found.quoted_uri) == (quoting, quoted)
    given = quote_vocab.parse_authorization(_fep(183))
    assert quote_vocab.authorizes(
        given,
        stamped,
        quote="https://example.org/users/bob/statuses/1",
        quoted=quoted,
        author="https://example.com/users/alice",
    )
    assert quote_vocab.parse_response(vocab.parse_activity(_fep(270))).authorization_uri == stamped
    assert quote_vocab.parse_response(vocab.parse_activity(_fep(295))).authorization_uri is None


@pytest.mark.parametrize(
    "path",
    sorted([*FIXTURES.glob("fedibird/*quote*.json"), *FIXTURES.glob("misskey/*quote_post*.json")]),
    ids=lambda path: path.stem,
)
def test_quotes_as_other_software_writes_them(path: Path) -> None:
    assert quote_vocab.parse_quote(vocab.parse_note(json.loads(path.read_text()))) is not None
