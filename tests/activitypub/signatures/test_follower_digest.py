"""Follower synchronization: the vector of FEP-8fcf, and headers that must change nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activitypub import signatures
from activitypub.signatures import Claim, SignedRequest, SigningKey, follower_digest
from activitypub.signatures.follower_digest import SynchronizationHeader
from node.accounts import keys

FOLLOWERS = [
    "https://example.org/users/2",
    "https://testing.example.org/users/1",
    "https://next.example.org/users/foo",
    "https://testing.example.org/users/2",
]
HOME = "https://testing.example.org/inbox"
VECTOR = "c33f48cd341ef046a206b8a72ec97af65079f9a3a9b90eef79c5920dce45c61f"
ACTOR = "https://example.org/users/1"
COLLECTION, URL = f"{ACTOR}/followers", f"{ACTOR}/followers_synchronization"
HEADER = f'collectionId="{COLLECTION}", url="{URL}", digest="{VECTOR}"'
NOW = 1_795_176_000.0


def _request(*values: str) -> SignedRequest:
    headers = [("host", "testing.example.org"), *(("collection-synchronization", value) for value in values)]
    return SignedRequest("POST", "/inbox", "testing.example.org", "https", headers, b"{}")


CLAIM = Claim(
    key_id=f"{ACTOR}#main-key",
    style="cavage",
    signature=b"",
    covered=("(request-target)", "host", "date", "digest", "collection-synchronization"),
)


def _wanted(
    *values: str, claim: Claim = CLAIM, followers: str | None = COLLECTION
) -> SynchronizationHeader | None:
    return follower_digest.trusted_header(_request(*values), claim, ACTOR, followers)


def test_the_digest_is_the_one_of_the_specification() -> None:
    part = follower_digest.filter_by_origin(FOLLOWERS, HOME)
    assert part == [FOLLOWERS[1], FOLLOWERS[3]]
    assert follower_digest.compute_digest(part) == VECTOR
    assert follower_digest.compute_digest(reversed(part)) == VECTOR
    assert follower_digest.compute_digest([*part, *part]) == VECTOR
    assert follower_digest.compute_digest([]) == "0" * 64


def test_the_header_is_the_one_of_the_specification() -> None:
    value = follower_digest.render_header(COLLECTION, URL, follower_digest.filter_by_origin(FOLLOWERS, HOME))
    assert value == HEADER
    assert follower_digest.parse_header(value) == SynchronizationHeader(COLLECTION, URL, VECTOR)


def test_a_quote_in_an_address_cannot_end_a_header_value() -> None:
    for bad in (
        'https://a.test/", url="https://b.test/',
        "https://a.test/\\",
        "https://a.test/é",
        "a\r\nb: c",
    ):
        with pytest.raises(ValueError, match="plain URI"):
            follower_digest.render_header(bad, URL, [])


def test_a_signed_header_about_the_senders_own_followers_is_trusted() -> None:
    assert _wanted(HEADER) == SynchronizationHeader(COLLECTION, URL, VECTOR)
    assert _wanted(HEADER.replace("https://example.org", "HTTPS://Example.ORG:443")) is not None
    by_rfc9421 = replace(CLAIM, style="rfc9421", covered=('"@method"', '"collection-synchronization"'))
    assert _wanted(HEADER, claim=by_rfc9421) is not None


async def test_a_header_covered_by_the_request_signature_is_trusted() -> None:
    private, public = keys.generate_rsa()
    sent = signatures.sign_cavage(
        SigningKey.load(f"{ACTOR}#main-key", private),
        "POST",
        HOME,
        b"{}",
        NOW,
        [(follower_digest.HEADER, HEADER)],
    )
    request = SignedRequest(
        "POST",
        "/inbox",
        "testing.example.org",
        "https",
        [(name.lower(), value) for name, value in sent.items()],
        b"{}",
    )
    claim = signatures.parse_claim(request, NOW)
    signatures.verify(claim, request, signatures.parse_public_key(public))
    assert follower_digest.trusted_header(request, claim, ACTOR, COLLECTION) is not None


def test_an_unsigned_header_changes_nothing() -> None:
    assert (
        _wanted(HEADER, claim=replace(CLAIM, covered=("(request-target)", "host", "date", "digest"))) is None
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (COLLECTION, "https://victim.test/users/v/followers"),
        (COLLECTION, "https://example.org/users/2/followers"),
        (COLLECTION, f"{COLLECTION}/"),
        (COLLECTION, f"{COLLECTION}#x"),
        (URL, "https://victim.test/users/v/followers_synchronization"),
        (URL, "https://testing.example.org/users/1/followers"),
        (URL, "https://example.org:8443/users/1/followers"),
        (URL, "http://example.org/users/1/followers"),
        (URL, "https://example.org@127.0.0.1/"),
        (URL, "file:///etc/passwd"),
    ],
)
def test_a_header_about_another_collection_or_server_changes_nothing(old: str, new: str) -> None:
    assert _wanted(HEADER.replace(f'"{old}"', f'"{new}"')) is None


def test_an_actor_cannot_claim_the_followers_of_another() -> None:
    victim = "https://victim.test/users/v/followers"
    assert _wanted(HEADER.replace(COLLECTION, victim), followers=victim) is None
    assert _wanted(HEADER, followers=None) is None


@pytest.mark.parametrize(
    "value",
    [
        "",
        "digest",
        HEADER + ', digest="' + "0" * 64 + '"',
        HEADER.replace(VECTOR, VECTOR[:-1]),
        HEADER.replace(VECTOR, "g" * 64),
        HEADER.replace(f', digest="{VECTOR}"', ""),
        HEADER.replace("url=", "uri="),
        HEADER + ", x" * 10_000,
        "collectionId=" + "a" * 9000,
        HEADER.replace('"', "“"),
    ],
)
def test_a_malformed_header_changes_nothing(value: str) -> None:
    assert _wanted(value) is None


def test_two_headers_change_nothing() -> None:
    assert _wanted(HEADER, HEADER) is None
    assert _wanted() is None


def test_a_digest_in_capitals_and_other_parameters_are_read() -> None:
    value = HEADER.replace(VECTOR, VECTOR.upper()) + ', later="x, y"'
    assert _wanted(value) == SynchronizationHeader(COLLECTION, URL, VECTOR)


def test_a_difference_is_detected_and_corrected() -> None:
    one, two, three = (f"https://testing.example.org/users/{n}" for n in (1, 2, 3))
    sync = SynchronizationHeader(COLLECTION, URL, VECTOR)
    assert not follower_digest.differs(sync, [two, one])
    assert follower_digest.differs(sync, [one])
    assert follower_digest.differs(sync, [])
    found = follower_digest.compute_correction(sync, [one, two], [two, three], HOME)
    assert found is not None
    assert found.gone == {three}
    assert found.unknown == {one}


def test_a_list_with_another_digest_changes_nothing() -> None:
    one, two = (f"https://testing.example.org/users/{n}" for n in (1, 2))
    sync = SynchronizationHeader(COLLECTION, URL, VECTOR)
    assert follower_digest.compute_correction(sync, [one], [one, two], HOME) is None
    assert follower_digest.compute_correction(sync, [], [one, two], HOME) is None


def test_only_accounts_of_this_server_are_affected() -> None:
    sync = SynchronizationHeader(COLLECTION, URL, VECTOR)
    foreign = "https://next.example.org/users/foo"
    found = follower_digest.compute_correction(sync, FOLLOWERS, [foreign, *FOLLOWERS], HOME)
    assert found is not None
    assert not found.gone
    assert not found.unknown


@given(st.text(max_size=200) | st.text(alphabet='collectionIdurgs=",\\ ', max_size=200))
def test_any_text_can_be_parsed(value: str) -> None:
    follower_digest.parse_header(value)
    _wanted(value)


@given(st.lists(st.integers(0, 30)), st.lists(st.integers(0, 30)))
def test_the_correction_makes_both_sides_agree(remote: list[int], local: list[int]) -> None:
    def people(numbers: list[int]) -> set[str]:
        return {f"https://testing.example.org/users/{number}" for number in numbers}

    sync = SynchronizationHeader(COLLECTION, URL, follower_digest.compute_digest(people(remote)))
    found = follower_digest.compute_correction(sync, people(remote), people(local), HOME)
    assert found is not None
    assert (people(local) - found.gone) | found.unknown == people(remote)
    assert follower_digest.differs(sync, people(local)) is (people(local) != people(remote))
