"""Parses and checks the `Signature` header of draft-cavage-12 on incoming requests.

A request with a body must cover (request-target), host, digest and a time; one without,
the same but the digest: the union of what the large servers demand. A parameter given
twice is refused, since two parsers might each take another one. `(created)` and
`(expires)` exist only with `hs2019`. Some servers leave the query out of
(request-target), so a signature is tried with it and then without.
"""

from __future__ import annotations

import base64
import binascii
import calendar
import functools
import re
from collections.abc import Iterator
from email.utils import parsedate_tz

from activitypub.signatures.claims import (
    BadSignature,
    Claim,
    SignedRequest,
    check_request,
    check_times,
    normalize_key_id,
)
from activitypub.signatures.digests import check_digest
from activitypub.signatures.keys import PublicKey

_MAX_HEADER_LENGTH = 8192
_PARAMETER = re.compile(
    r"""[ \t]*([A-Za-z][A-Za-z0-9_-]*)[ \t]*=[ \t]*"""
    r"""(?:"([^"\\]*(?:\\.[^"\\]*)*)"|([^\s",=]+))[ \t]*(,|$)"""
)
_TOKEN = re.compile(r"\(?[!#$%&'*+.^_`|~0-9a-z-]+\)?")
_DATE = re.compile(r"[A-Z][a-z]{2}, (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT", re.ASCII)
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}


def parse(request: SignedRequest) -> Claim:
    """Parses the claim in the `Signature` header, without any rule about what it must cover. Raises BadSignature."""
    lines = request.values("signature")
    if len(lines) != 1:
        raise BadSignature("the request is not signed" if not lines else "the request is signed twice")
    given = parse_parameters(lines[0])
    algorithm = given["algorithm"].lower() if "algorithm" in given else None
    try:
        signature = base64.b64decode(given["signature"], validate=True)
        key_id = given["keyid"]
    except KeyError as missing:
        raise BadSignature(f"the signature has no {missing.args[0]}") from None
    except (binascii.Error, ValueError):
        raise BadSignature("the signature is not base64") from None
    default = "(created)" if algorithm == "hs2019" else "date"
    return Claim(
        key_id=normalize_key_id(key_id),
        style="cavage",
        signature=signature,
        covered=_parse_covered(given.get("headers", default)),
        algorithm=algorithm,
        created=_parse_seconds(given.get("created")),
        expires=_parse_seconds(given.get("expires")),
    )


# Cached: a server covers the same headers in every request.
@functools.lru_cache(maxsize=256)
def _parse_covered(text: str) -> tuple[str, ...]:
    covered = tuple(text.lower().split())
    if not covered or len(set(covered)) != len(covered) or len(covered) > 64:
        raise BadSignature("the list of signed headers is empty or repeats itself")
    if not all(_TOKEN.fullmatch(name) for name in covered):
        raise BadSignature("the list of signed headers is not one")
    return covered


def check(claim: Claim, request: SignedRequest, now: float) -> None:
    """Applies every rule that needs no key. Raises BadSignature."""
    if claim.algorithm not in (None, "rsa-sha256", "hs2019"):
        raise BadSignature("the signature's algorithm is not accepted")
    check_request(request)
    covered = set(claim.covered)
    for name in ("(created)", "(expires)"):
        if name in covered and claim.algorithm != "hs2019":
            raise BadSignature(f"{name} needs the algorithm hs2019")
    if not {"(request-target)", "host"} <= covered:
        raise BadSignature("(request-target) and host must be signed")
    if "date" not in covered and "(created)" not in covered:
        raise BadSignature("a time must be signed: date or (created)")
    if request.has_body:
        if "digest" not in covered:
            raise BadSignature("the digest must be signed")
        check_digest(request)
    if "(created)" in covered:
        check_times(now, created=_required(claim.created, "created"), expires=None)
    if "(expires)" in covered or claim.expires is not None:
        check_times(now, created=None, expires=_required(claim.expires, "expires"))
    if "date" in covered:
        check_times(now, created=parse_http_date(request.value("date") or ""), expires=None)


def check_key(claim: Claim, key: PublicKey) -> None:
    """Raises BadSignature when the named algorithm is one for another type of key."""
    if claim.algorithm == "rsa-sha256" and key.kind != "rsa":
        raise BadSignature("the algorithm does not match the key")


def signature_bases(claim: Claim, request: SignedRequest) -> Iterator[bytes]:
    """Yields the signing strings to try: with the query string and, when there is one, without it."""
    yield signing_string(claim, request, request.target)
    path, query, _ = request.target.partition("?")
    if query and "(request-target)" in claim.covered:
        yield signing_string(claim, request, path)


def signing_string(claim: Claim, request: SignedRequest, target: str) -> bytes:
    """Returns the bytes that are signed. Raises BadSignature when a covered header is missing."""
    lines = []
    for name in claim.covered:
        if name == "(request-target)":
            value: str | None = f"{request.method.lower()} {target}"
        elif name == "(created)":
            value = str(_required(claim.created, "created"))
        elif name == "(expires)":
            value = str(_required(claim.expires, "expires"))
        else:
            value = request.value(name)
        if value is None:
            raise BadSignature(f"the signed header {name[:40]} is missing")
        lines.append(f"{name}: {value}")
    try:
        return "\n".join(lines).encode("latin-1")
    except UnicodeEncodeError:
        raise BadSignature("a signed header is not plain text") from None


def parse_http_date(text: str) -> float:
    """Returns the Unix time in seconds of an HTTP date; old formats only in UTC. Raises BadSignature."""
    if found := _DATE.fullmatch(text):
        day, month, year, hour, minute, second = found.groups()
        if month in _MONTHS and hour < "24" and minute < "60" and second <= "60" and "01" <= day <= "31":
            return calendar.timegm(
                (int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second), 0, 0, 0)
            )
        raise BadSignature("the date cannot be read")
    try:
        parsed = parsedate_tz(text[:64])
        if parsed is not None and parsed[9] == 0:
            return calendar.timegm(parsed[:9])
    except (ValueError, TypeError, IndexError, OverflowError):
        pass
    raise BadSignature("the date cannot be read")


def parse_parameters(text: str) -> dict[str, str]:
    """Parses the `name="value", …` of a header; names in lower case, each once. Raises BadSignature."""
    if len(text) > _MAX_HEADER_LENGTH:
        raise BadSignature("the signature is too long")
    found: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = _PARAMETER.match(text, position)
        if match is None:
            raise BadSignature("the signature cannot be read")
        name, quoted, token, _ = match.groups()
        value = token if quoted is None else re.sub(r"\\(.)", r"\1", quoted) if "\\" in quoted else quoted
        name = name.lower()
        if name in found:
            raise BadSignature(f"the signature gives {name[:20]} twice")
        found[name] = value
        position = match.end()
    return found


def _parse_seconds(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise BadSignature("a time in the signature is not a number of seconds")
    return int(text)


def _required(value: int | None, name: str) -> int:
    if value is None:
        raise BadSignature(f"the signature names ({name}) without giving it")
    return value
