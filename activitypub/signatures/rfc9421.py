"""Parses and checks RFC 9421 signatures on incoming requests: one labelled signature of `Signature-Input`.

The first label is checked and any other ignored. Required are `created`, `keyid`,
`@method`, and `@target-uri` or else `@authority` with `@path` and `@query`; with a
body also a covered `content-digest` that matches. Scheme and host come from the
configuration, never from what a proxy or the sender states.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, quote

from activitypub.signatures.claims import (
    BadSignature,
    Claim,
    SignedRequest,
    check_request,
    check_times,
    normalize_key_id,
)
from activitypub.signatures.digests import check_content_digest
from activitypub.signatures.fields import parse_dictionary, serialize_item
from activitypub.signatures.keys import PublicKey

ALGORITHMS = {"rsa-v1_5-sha256": "rsa", "ed25519": "ed25519"}
_MAX_HEADER_LENGTH = 8192


def parse(request: SignedRequest) -> Claim:
    """Parses the first signature of a request, without any rule about what it must cover. Raises BadSignature."""
    inputs = _parse_header(request, "signature-input")
    signatures = _parse_header(request, "signature")
    label = next(iter(inputs), None)
    if label is None or label not in signatures:
        raise BadSignature("the signature named in Signature-Input is missing")
    members, parameters = inputs[label]
    signature = signatures[label][0]
    if not isinstance(members, list) or not isinstance(signature, bytes):
        raise BadSignature("the signature cannot be read")
    key_id = parameters.get("keyid")
    if not isinstance(key_id, str):
        raise BadSignature("the signature has no keyid")
    covered = tuple(serialize_item(member) for member in members)
    if len(set(covered)) != len(covered) or len(covered) > 64:
        raise BadSignature("the signature covers a component twice")
    algorithm = parameters.get("alg")
    if algorithm is not None and not isinstance(algorithm, str):
        raise BadSignature("the signature's algorithm is not a name")
    return Claim(
        key_id=normalize_key_id(key_id),
        style="rfc9421",
        signature=signature,
        covered=covered,
        algorithm=algorithm,
        created=_parse_seconds(parameters.get("created")),
        expires=_parse_seconds(parameters.get("expires")),
        parameters=serialize_item((members, parameters)),
    )


def check(claim: Claim, request: SignedRequest, now: float) -> None:
    """Applies every rule that needs no key. Raises BadSignature."""
    if claim.algorithm is not None and claim.algorithm not in ALGORITHMS:
        raise BadSignature("the signature's algorithm is not accepted")
    check_request(request)
    covered = set(claim.covered)
    if '"@method"' not in covered:
        raise BadSignature("@method must be signed")
    if '"@target-uri"' not in covered and not {'"@authority"', '"@path"', '"@query"'} <= covered:
        raise BadSignature("@target-uri must be signed")
    if claim.created is None:
        raise BadSignature("the signature does not say when it was created")
    check_times(now, created=claim.created, expires=claim.expires)
    if request.has_body and '"content-digest"' not in covered:
        raise BadSignature("the content-digest must be signed")
    if '"content-digest"' in covered:
        check_content_digest(request)


def check_key(claim: Claim, key: PublicKey) -> None:
    """Raises BadSignature when the named algorithm is one for another type of key."""
    if claim.algorithm is not None and ALGORITHMS.get(claim.algorithm) != key.kind:
        raise BadSignature("the algorithm does not match the key")


def signature_bases(claim: Claim, request: SignedRequest) -> Iterator[bytes]:
    """Yields the signature bases to try: only one."""
    yield signature_base(claim, request)


def signature_base(claim: Claim, request: SignedRequest) -> bytes:
    """Returns the signature base (section 2.5).

    Raises BadSignature for a component that is missing or not supported.
    """
    lines = [f"{component}: {_component_value(component, request)}" for component in claim.covered]
    lines.append(f'"@signature-params": {claim.parameters}')
    try:
        return "\n".join(lines).encode("ascii")
    except UnicodeEncodeError:
        raise BadSignature("a signed component is not plain ASCII") from None


def _component_value(component: str, request: SignedRequest) -> str:
    path, _, query = request.target.partition("?")
    authority = request.host.lower()
    match component:
        case '"@method"':
            return request.method
        case '"@target-uri"':
            return f"{request.scheme}://{authority}{request.target}"
        case '"@authority"':
            return authority
        case '"@scheme"':
            return request.scheme
        case '"@request-target"':
            return request.target
        case '"@path"':
            return path
        case '"@query"':
            return f"?{query}"
    name, parameter, argument = component.partition(";name=")
    if name == '"@query-param"' and parameter:
        return _query_parameter_value(query, argument.strip('"'))
    name = component[1:-1]
    # Parameters such as `sf` or `bs` ask for another serialisation; no known sender uses one.
    if component != f'"{name}"' or name != name.lower() or name.startswith("@") or '"' in name:
        raise BadSignature(f"the signed component {component[:40]} is not supported")
    value = request.value(name)
    if value is None:
        raise BadSignature(f"the signed header {component[:40]} is missing")
    if "\n" in value or "\r" in value:
        raise BadSignature("a signed header runs over several lines")
    return value


def _query_parameter_value(query: str, name: str) -> str:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=1000)
    except ValueError:
        raise BadSignature("the query cannot be read") from None
    values = [value for key, value in pairs if quote(key, safe="*-._") == name]
    if len(values) != 1:
        raise BadSignature("a signed query parameter is missing or repeated")
    return quote(values[0], safe="*-._")


def _parse_header(request: SignedRequest, name: str) -> dict[str, Any]:
    lines = request.values(name)
    if len(lines) != 1 or len(lines[0]) > _MAX_HEADER_LENGTH:
        raise BadSignature("the request is signed twice" if len(lines) > 1 else "the request is not signed")
    return parse_dictionary(lines[0])


def _parse_seconds(value: object) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 10**12:
        raise BadSignature("a time in the signature is not a number of seconds")
    return value
