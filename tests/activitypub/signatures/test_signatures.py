"""Signature verification: rows A2, A5, A6, A8, A9, A15, A17 and A20 of the security table."""

from __future__ import annotations

import base64
import dataclasses
import functools
import hashlib
from collections.abc import Callable
from email.utils import formatdate

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from activitypub import signatures
from activitypub.signatures import BadSignature, PublicKey, SignedRequest, SigningKey, cavage
from node.accounts import keys

NOW = 1_790_000_000.0
MINUTE = 60
KEY_ID = "https://b.example/users/bob#main-key"
INBOX = "https://a.example/users/alice/inbox"
BODY = b'{"type":"Like"}'


@functools.cache
def pair(number: int = 0) -> tuple[SigningKey, PublicKey]:
    private, public = keys.generate_rsa()
    return SigningKey.load(KEY_ID, private), signatures.parse_public_key(public)


@functools.cache
def ed25519_pair() -> tuple[Ed25519PrivateKey, PublicKey]:
    private, public = keys.generate_ed25519()
    return Ed25519PrivateKey.from_private_bytes(private), signatures.parse_public_key(public)


def received(
    headers: dict[str, str], *, method: str = "POST", target: str = "/users/alice/inbox", body: bytes = BODY
) -> SignedRequest:
    lines = [(name.lower(), value) for name, value in headers.items()]
    return SignedRequest(method, target, "a.example", "https", lines, body if method == "POST" else b"")


def with_header(request: SignedRequest, name: str, value: str | None) -> SignedRequest:
    lines = [(key, old) for key, old in request.headers if key != name]
    return dataclasses.replace(request, headers=lines if value is None else [*lines, (name, value)])


def without(request: SignedRequest, name: str) -> SignedRequest:
    return with_header(request, name, None)


def accept(request: SignedRequest, now: float = NOW, key: PublicKey | None = None) -> signatures.Claim:
    claim = signatures.parse_claim(request, now)
    signatures.verify(claim, request, key or pair()[1])
    return claim


def refuse(request: SignedRequest, now: float = NOW, key: PublicKey | None = None) -> str:
    with pytest.raises(BadSignature) as refused:
        accept(request, now, key)
    return refused.value.reason


def a_post(now: float = NOW) -> SignedRequest:
    return received(signatures.sign_cavage(pair()[0], "POST", INBOX, BODY, now))


def a_post_9421(now: float = NOW) -> SignedRequest:
    return received(signatures.sign_rfc9421(pair()[0], "POST", INBOX, BODY, now))


BOTH = pytest.mark.parametrize("post", [a_post, a_post_9421], ids=["cavage", "rfc9421"])


def cavage_by_hand(
    covered: str,
    *,
    parameters: str = 'algorithm="hs2019"',
    target: str = "/users/alice/inbox",
    **headers: str,
) -> SignedRequest:
    """A request signed exactly as given, valid or not. `created` and `expires` become parameters."""
    times = {name: headers.pop(name) for name in ("created", "expires") if name in headers}
    lines = {"host": "a.example", "date": formatdate(NOW, usegmt=True), "digest": cavage_digest(BODY)}
    lines.update({name.replace("_", "-"): value for name, value in headers.items()})
    special = {
        "(request-target)": f"post {target}",
        "(created)": times.get("created"),
        "(expires)": times.get("expires"),
    }
    text = "\n".join(
        f"{name}: {special[name] if name in special else lines[name]}" for name in covered.split()
    )
    signature = base64.b64encode(pair()[0].sign(text.encode())).decode()
    extra = "".join(f",{name}={value}" for name, value in times.items())
    comma = "," if parameters else ""
    lines["signature"] = (
        f'keyId="{KEY_ID}"{comma}{parameters}{extra},headers="{covered}",signature="{signature}"'
    )
    return received(lines, target=target)


def cavage_digest(body: bytes) -> str:
    return "SHA-256=" + base64.b64encode(hashlib.sha256(body).digest()).decode()


def rfc9421_by_hand(
    covered: str = '"@method" "@target-uri" "content-digest"',
    parameters: str | None = None,
    *,
    label: str = "sig1",
    sign: Callable[[bytes], bytes] | None = None,
    body: bytes = BODY,
    content_digest: str | None = None,
) -> SignedRequest:
    if parameters is None:
        parameters = f';created={int(NOW)};keyid="{KEY_ID}"'
    if content_digest is None:
        content_digest = "sha-256=:" + base64.b64encode(hashlib.sha256(body).digest()).decode() + ":"
    known = {
        '"@method"': "POST",
        '"@target-uri"': INBOX,
        '"@authority"': "a.example",
        '"@path"': "/users/alice/inbox",
        '"@query"': "?",
        '"content-digest"': content_digest,
    }
    line = f"({covered}){parameters}"
    text = "\n".join(
        [f"{name}: {known[name]}" for name in covered.split()] + [f'"@signature-params": {line}']
    )
    signature = base64.b64encode((sign or pair()[0].sign)(text.encode())).decode()
    return received(
        {
            "host": "a.example",
            "content-digest": content_digest,
            "signature-input": f"{label}={line}",
            "signature": f"{label}=:{signature}:",
        },
        body=body,
    )


# Valid requests.


@BOTH
def test_what_we_sign_verifies(post: Callable[[], SignedRequest]) -> None:
    assert accept(post()).key_id == KEY_ID


@pytest.mark.parametrize("sign", [signatures.sign_cavage, signatures.sign_rfc9421])
def test_a_get_is_signed_with_its_query_string(sign: Callable[..., dict[str, str]]) -> None:
    url = "https://a.example/users/alice/outbox?page=true&max_id=7"
    headers = sign(pair()[0], "GET", url, None, NOW)
    assert not any("digest" in name.lower() for name in headers)
    request = received(headers, method="GET", target="/users/alice/outbox?page=true&max_id=7")
    accept(request)
    refuse(dataclasses.replace(request, target="/users/alice/outbox?page=true&max_id=8"))


def test_a_post_carries_the_headers_that_others_demand() -> None:
    headers = signatures.sign_cavage(pair()[0], "POST", INBOX, BODY, NOW)
    assert list(headers) == ["Host", "Date", "Digest", "Content-Type", "Signature"]
    assert headers["Host"] == "a.example"
    assert headers["Date"].endswith("GMT")
    assert headers["Digest"] == cavage_digest(BODY)
    assert 'algorithm="rsa-sha256"' in headers["Signature"]
    assert 'headers="(request-target) host date digest content-type"' in headers["Signature"]


def test_extra_headers_are_signed_too() -> None:
    headers = signatures.sign_cavage(
        pair()[0], "POST", INBOX, BODY, NOW, [("Collection-Synchronization", "x=1")]
    )
    accept(received(headers))
    refuse(received({**headers, "Collection-Synchronization": "x=2"}))


def test_a_key_id_with_a_percent_sign_survives_the_template() -> None:
    key = dataclasses.replace(pair()[0], key_id="https://b.example/%C3%A9#main-key")
    claim = accept(received(signatures.sign_cavage(key, "POST", INBOX, BODY, NOW)))
    assert claim.key_id == "https://b.example/%C3%A9#main-key"


def test_a_port_is_part_of_the_host() -> None:
    url = "https://a.test:8443/inbox"
    for sign in (signatures.sign_cavage, signatures.sign_rfc9421):
        headers = sign(pair()[0], "POST", url, BODY, NOW)
        assert headers["Host"] == "a.test:8443"
        lines = [(name.lower(), value) for name, value in headers.items()]
        accept(SignedRequest("POST", "/inbox", "a.test:8443", "https", lines, BODY))


def test_parameters_may_have_any_order_spaces_and_quoted_commas() -> None:
    request = a_post()
    value = request.value("signature") or ""
    params = value.split(",")
    refuse(with_header(request, "signature", value.replace('headers="', 'headers="x ')))
    turned = " , ".join(reversed(params)) + ', note="a, b=\\"c\\""'
    accept(with_header(request, "signature", turned))


def test_a_missing_query_is_tolerated_and_a_wrong_one_is_not() -> None:
    request = cavage_by_hand("(request-target) host date digest")
    accept(dataclasses.replace(request, target="/users/alice/inbox?x=1"))
    other = cavage_by_hand("(request-target) host date digest", target="/users/alice/inbox?x=2")
    refuse(dataclasses.replace(other, target="/users/alice/inbox?x=1"))
    refuse(dataclasses.replace(other, target="/users/alice/inbox"))


def test_created_with_hs2019_is_a_time_like_date() -> None:
    covered = "(request-target) (created) (expires) host digest"
    accept(cavage_by_hand(covered, created=str(int(NOW)), expires=str(int(NOW + 300))))
    assert "expired" in refuse(cavage_by_hand(covered, created=str(int(NOW)), expires=str(int(NOW - 1))))


def test_rfc9421_accepts_any_label_and_the_parts_instead_of_the_target() -> None:
    accept(rfc9421_by_hand(label="anything-else"))
    accept(rfc9421_by_hand('"@method" "@authority" "@path" "@query" "content-digest"'))


def test_rfc9421_checks_the_first_signature_and_ignores_the_others() -> None:
    request = rfc9421_by_hand()
    more = with_header(
        with_header(
            request, "signature-input", f'{request.value("signature-input")}, sig2=("@method");keyid="x"'
        ),
        "signature",
        f"{request.value('signature')}, sig2=:AAAA:",
    )
    assert accept(more).key_id == KEY_ID


def test_rfc9421_by_an_ed25519_key() -> None:
    private, public = ed25519_pair()
    request = rfc9421_by_hand(sign=private.sign)
    accept(request, key=public)
    refuse(request)


def test_an_instance_behind_a_path_with_escapes_is_signed_as_it_is_sent() -> None:
    for url, target in (
        ("https://a.example/%40alice/../x?q=%20", "/%40alice/../x?q=%20"),
        ("https://A.example:443/é", "/%C3%A9"),
        ("https://a.example", "/"),
    ):
        accept(received(signatures.sign_cavage(pair()[0], "POST", url, BODY, NOW), target=target))
        accept(received(signatures.sign_rfc9421(pair()[0], "POST", url, BODY, NOW), target=target))


# A2: the wrong key.


@BOTH
def test_another_key_is_refused(post: Callable[[], SignedRequest]) -> None:
    refuse(post(), key=pair(1)[1])
    refuse(post(), key=ed25519_pair()[1])


def test_the_sender_cannot_choose_hmac_with_the_public_key_as_its_secret() -> None:
    import hmac

    public = pair()[1]
    request = a_post()
    claim = cavage.parse(request)
    text = cavage.signing_string(claim, request, request.target)
    forged = base64.b64encode(hmac.digest(public.text.encode(), text, "sha256")).decode()
    for algorithm in ("hmac-sha256", "hs2019", "rsa-sha256"):
        refuse(
            with_header(
                request,
                "signature",
                f'keyId="{KEY_ID}",algorithm="{algorithm}",'
                f'headers="(request-target) host date digest content-type",signature="{forged}"',
            )
        )


@BOTH
def test_a_signature_is_bound_to_method_path_and_body(post: Callable[[], SignedRequest]) -> None:
    request = post()
    refuse(dataclasses.replace(request, target="/inbox"))
    refuse(dataclasses.replace(request, method="PUT"))
    refuse(dataclasses.replace(request, body=BODY[::-1]))
    refuse(request, now=NOW + 2 * 3600)


# A5: digests.


def test_a_post_without_or_with_a_wrong_digest_is_refused() -> None:
    covered = "(request-target) host date digest"
    assert "must be signed" in refuse(cavage_by_hand("(request-target) host date"))
    assert "digest" in refuse(without(cavage_by_hand(covered), "digest"))
    md5 = "MD5=" + base64.b64encode(hashlib.md5(BODY).digest()).decode()
    assert "SHA-256" in refuse(cavage_by_hand(covered, digest=md5))
    assert "match" in refuse(cavage_by_hand(covered, digest=cavage_digest(BODY[:-1] + b"!")))
    assert "base64" in refuse(cavage_by_hand(covered, digest="SHA-256=!!!!"))
    twice = f"{cavage_digest(BODY)},{cavage_digest(b'')}"
    assert "twice" in refuse(cavage_by_hand(covered, digest=twice))


def test_a_digest_may_be_one_of_several_and_its_name_in_any_case() -> None:
    covered = "(request-target) host date digest"
    md5 = "MD5=" + base64.b64encode(hashlib.md5(BODY).digest()).decode()
    accept(cavage_by_hand(covered, digest=f"{md5}, {cavage_digest(BODY)}"))
    accept(cavage_by_hand(covered, digest=cavage_digest(BODY).replace("SHA", "sha")))


# A6: incomplete RFC 9421 signatures.


@pytest.mark.parametrize(
    ("covered", "parameters"),
    [
        ('"@method" "@target-uri"', None),
        ('"@target-uri" "content-digest"', None),
        ('"@method" "content-digest"', None),
        ('"@method" "@authority" "@path" "content-digest"', None),
        ('"@method" "@target-uri" "content-digest"', f';keyid="{KEY_ID}"'),
        ('"@method" "@target-uri" "content-digest"', f";created={int(NOW)}"),
        (
            '"@method" "@target-uri" "content-digest"',
            f';created={int(NOW)};expires={int(NOW) - 1};keyid="{KEY_ID}"',
        ),
        ('"@method" "@target-uri" "content-digest"', f';created={int(NOW)};keyid="{KEY_ID}";alg="ed25519"'),
        (
            '"@method" "@target-uri" "content-digest"',
            f';created={int(NOW)};keyid="{KEY_ID}";alg="hmac-sha256"',
        ),
        ('"@method" "@target-uri" "content-digest"', f';created="{int(NOW)}";keyid="{KEY_ID}"'),
        ('"@method" "@target-uri" "content-digest"', f';created={int(NOW)};created=1;keyid="{KEY_ID}"'),
        ('"@method" "@method" "@target-uri" "content-digest"', None),
    ],
    ids=[
        "no content-digest",
        "no @method",
        "no @target-uri",
        "no @query",
        "no created",
        "no keyid",
        "expired",
        "alg of another key",
        "alg not accepted",
        "created is text",
        "parameter twice",
        "component twice",
    ],
)
def test_an_incomplete_rfc9421_signature_is_refused(covered: str, parameters: str | None) -> None:
    refuse(rfc9421_by_hand(covered, parameters))


def test_the_content_digest_must_be_there_and_right() -> None:
    refuse(without(rfc9421_by_hand(), "content-digest"))
    refuse(dataclasses.replace(rfc9421_by_hand(), body=b"other"))
    sha512 = "sha-512=:" + base64.b64encode(hashlib.sha512(BODY).digest()).decode() + ":"
    accept(rfc9421_by_hand(content_digest=sha512))
    wrong = "sha-256=:" + base64.b64encode(hashlib.sha256(b"").digest()).decode() + ":"
    refuse(rfc9421_by_hand(content_digest=f"{sha512}, {wrong}"))
    refuse(rfc9421_by_hand(content_digest="md5=:AAAA:"))
    refuse(rfc9421_by_hand(content_digest="sha-256=text"))


# A8: clocks.


@BOTH
@pytest.mark.parametrize("minutes", [59, -59])
def test_a_clock_less_than_an_hour_off_is_accepted(
    post: Callable[[float], SignedRequest], minutes: int
) -> None:
    accept(post(NOW + minutes * MINUTE))


@BOTH
@pytest.mark.parametrize("minutes", [61, -61])
def test_a_clock_more_than_an_hour_off_is_refused(
    post: Callable[[float], SignedRequest], minutes: int
) -> None:
    assert "clock" in refuse(post(NOW + minutes * MINUTE))


def test_created_in_cavage_has_the_same_window() -> None:
    covered = "(request-target) (created) host digest"
    for minutes in (59, -59):
        accept(cavage_by_hand(covered, created=str(int(NOW + minutes * MINUTE))))
    for minutes in (61, -61):
        refuse(cavage_by_hand(covered, created=str(int(NOW + minutes * MINUTE))))


@pytest.mark.parametrize(
    "date",
    [
        "wrong date",
        "",
        "Mon, 99 Foo 2026 99:99:99 GMT",
        "Mon, 21 Sep 99999 13:33:20 GMT",
    ],
)
def test_an_unreadable_date_is_refused(date: str) -> None:
    assert "date" in refuse(cavage_by_hand("(request-target) host date digest", date=date))


def test_an_older_spelling_of_the_date_is_read() -> None:
    accept(cavage_by_hand("(request-target) host date digest", date="Mon, 21 Sep 2026 13:33:20 +0000"))


# A9: duplicates are ambiguous.


@pytest.mark.parametrize("name", ["keyId", "headers", "signature", "algorithm", "KEYID"])
def test_a_parameter_given_twice_is_refused(name: str) -> None:
    request = a_post()
    value = request.value("signature") or ""
    for again in ("x", ""):
        assert "twice" in refuse(with_header(request, "signature", f'{value},{name}="{again}"'))
        assert "twice" in refuse(with_header(request, "signature", f'{name}="{again}",{value}'))


@BOTH
def test_two_signature_headers_are_refused(post: Callable[[], SignedRequest]) -> None:
    request = post()
    for name in ("signature", "host"):
        doubled = [*request.headers, (name, request.value(name) or "")]
        refuse(dataclasses.replace(request, headers=doubled))


def test_two_labels_with_one_name_are_refused() -> None:
    request = rfc9421_by_hand()
    refuse(with_header(request, "signature", f"{request.value('signature')}, sig1=:AAAA:"))


@pytest.mark.parametrize(
    "value",
    [
        "",
        "keyId",
        'keyId="a',
        "keyId=a signature=b",
        'keyId="a",signature="!"',
        'signature="AAAA"',
        "\x00",
        "," * 8000,
    ],
)
def test_a_header_that_cannot_be_read_is_refused(value: str) -> None:
    refuse(with_header(a_post(), "signature", value))
    refuse(with_header(a_post_9421(), "signature", value))
    refuse(with_header(a_post_9421(), "signature-input", value))


# A15: unusable keys.


def _pem(key: rsa.RSAPrivateKey | dsa.DSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "z",
        "z0OIl",
        "u____",
        "z" + "1" * 5000,
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----\n\n-----END PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----" * 1000,
        "-----BEGIN PUBLIC KEY-----\n" + "A" * 3000 + "\n-----END PUBLIC KEY-----",
        None,
        7,
        {"pem": "x"},
    ],
)
def test_a_malformed_key_is_refused(text: object) -> None:
    with pytest.raises(BadSignature):
        signatures.parse_public_key(text)


def test_keys_of_another_size_or_kind_are_refused() -> None:
    small = rsa.generate_private_key(65537, 1024)
    for key in (small, dsa.generate_private_key(1024), ec.generate_private_key(ec.SECP256R1())):
        with pytest.raises(BadSignature):
            signatures.parse_public_key(_pem(key))
    too_large = rsa.RSAPublicNumbers(65537, (1 << 8200) + 1).public_key()
    pem = too_large.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    with pytest.raises(BadSignature, match="8201 bits"):
        signatures.parse_public_key(pem)
    private = small.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with pytest.raises(BadSignature):
        signatures.parse_public_key(private)


def test_a_key_is_read_in_every_spelling_it_is_published_in() -> None:
    text = pair()[1].text
    key = pair()[1].key
    assert isinstance(key, rsa.RSAPublicKey)
    pkcs1 = key.public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode()
    for spelling in (
        text.replace("\n", "\r\n"),
        text.replace("\n", " "),
        text.strip(),
        "\n\n" + text + "\n",
        "-----BEGIN PUBLIC KEY-----" + "".join(text.split("\n")[1:-2]) + "-----END PUBLIC KEY-----",
        pkcs1,
    ):
        accept(a_post(), key=signatures.parse_public_key(spelling))
    raw = key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    multibase = "u" + base64.urlsafe_b64encode(b"\x85\x24" + raw).decode().rstrip("=")
    accept(a_post(), key=signatures.parse_public_key(multibase))


def test_a_key_is_hashed_by_its_text() -> None:
    text = pair()[1].text
    assert {signatures.parse_public_key(text), signatures.parse_public_key(text)} == {pair()[1]}


def test_an_ed25519_pair_is_published_as_multibase() -> None:
    private, public = ed25519_pair()
    assert public.kind == "ed25519"
    assert public.text.startswith("z6Mk")
    assert public.verifies(private.sign(b"x"), b"x")


# A17: (created) and its algorithm.


def test_A17_created_needs_hs2019_and_a_value() -> None:
    covered = "(request-target) (created) host digest"
    for parameters in ('algorithm="rsa-sha256"', ""):
        assert "hs2019" in refuse(cavage_by_hand(covered, parameters=parameters, created=str(int(NOW))))
    request = cavage_by_hand("(request-target) (created) host digest", created=str(int(NOW)))
    value = (request.value("signature") or "").replace(f",created={int(NOW)}", "")
    assert "without giving it" in refuse(with_header(request, "signature", value))
    for wrong in ("soon", "-1", "1e9", "9" * 40):
        changed = (request.value("signature") or "").replace(f"created={int(NOW)}", f"created={wrong}")
        refuse(with_header(request, "signature", changed))


@pytest.mark.parametrize("algorithm", ["hmac-sha256", "rsa-sha1", "none", "ed25519", "rsa-sha512"])
def test_other_algorithms_are_refused(algorithm: str) -> None:
    assert "algorithm" in refuse(
        cavage_by_hand("(request-target) host date digest", parameters=f'algorithm="{algorithm}"')
    )


@pytest.mark.parametrize(
    "covered", ["date", "host date digest", "(request-target) date digest", "(request-target) host digest"]
)
def test_a_post_must_sign_target_host_digest_and_a_time(covered: str) -> None:
    assert "must be signed" in refuse(cavage_by_hand(covered))


# A20: the host.


@BOTH
def test_a_request_for_another_host_is_refused(post: Callable[[], SignedRequest]) -> None:
    request = post()
    assert "another host" in refuse(with_header(request, "host", "evil.example"))
    refuse(with_header(request, "host", "evil@a.example"))
    # Signed for a.example, arriving at a node that is configured as b.example.
    refuse(dataclasses.replace(request, host="b.example"))
    accept(with_header(request, "x-forwarded-host", "evil.example"))
    forwarded = dataclasses.replace(request, headers=[*request.headers, ("x-forwarded-host", "b.example")])
    refuse(dataclasses.replace(forwarded, host="b.example"))


def test_the_default_port_and_case_of_a_host_do_not_matter() -> None:
    accept(cavage_by_hand("(request-target) host date digest", host="A.example:443"))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["host", "date", "digest", "signature", "signature-input", "content-digest", "x"]
            ),
            st.text(max_size=80)
            | st.sampled_from(['keyId="a",signature="AA=="', 'sig1=("@method");keyid="a"', "sig1=:AA==:"]),
        ),
        max_size=8,
    ),
    st.text(max_size=20),
)
def test_any_header_gives_a_claim_or_bad_signature(headers: list[tuple[str, str]], target: str) -> None:
    request = SignedRequest("POST", target, "a.example", "https", headers, b"")
    with pytest.raises(BadSignature):
        accept(request)
