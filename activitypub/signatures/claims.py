"""The data of signature verification, a request and its claim, and the host and clock rules of both styles."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from activitypub.uris import Malformed, host_and_port, normalize_host

HOUR_SECONDS = 3600
MAX_CLOCK_SKEW_SECONDS = HOUR_SECONDS
"""The allowed difference between the time of a signature and the local clock, in either direction."""

_TARGET = re.compile(r"[\x21-\x7e]{1,8192}")


class BadSignature(Exception):
    """The request does not prove who sent it; `reason` goes to the log and to the operator of the sender."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """One incoming HTTP request. `scheme` and `host` (with its port) are the configured public ones.

    Header names are lower-case, in the order received, repetitions kept; `target` is path and query as sent.
    """

    method: str
    target: str
    host: str
    scheme: str
    headers: Sequence[tuple[str, str]]
    body: bytes = b""
    _lines: dict[str, list[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Indexed once: verification reads several headers, some of them more than once.
        lines: dict[str, list[str]] = {}
        for name, value in self.headers:
            lines.setdefault(name, []).append(value)
        object.__setattr__(self, "_lines", lines)

    def values(self, name: str) -> list[str]:
        """Returns every line of a header, unjoined."""
        return self._lines.get(name, [])

    def value(self, name: str) -> str | None:
        """Returns the value of a header, its lines joined with commas (RFC 9110); None when it is missing."""
        lines = self.values(name)
        if len(lines) == 1:
            return lines[0].strip(" \t")
        return ", ".join(line.strip(" \t") for line in lines) if lines else None

    @property
    def has_body(self) -> bool:
        return self.method.upper() not in ("GET", "HEAD") or bool(self.body)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request states about its signature: parsed and checked, but not yet verified.

    `key_id` is untrusted text until `verify` has passed. `covered` are the signed
    components in order; `parameters` is the RFC 9421 `@signature-params` value.
    """

    key_id: str
    style: Literal["cavage", "rfc9421"]
    signature: bytes
    covered: tuple[str, ...]
    algorithm: str | None = None
    created: int | None = None
    expires: int | None = None
    parameters: str = field(default="", repr=False)


def check_request(request: SignedRequest) -> None:
    """Raises BadSignature unless the path is plain ASCII and `Host` is the configured host."""
    if _TARGET.fullmatch(request.target) is None or not request.target.startswith("/"):
        raise BadSignature("the path is not plain ASCII")
    hosts = request.values("host")
    if len(hosts) != 1 or _without_default_port(hosts[0], request.scheme) != _without_default_port(
        request.host, request.scheme
    ):
        raise BadSignature("the request is addressed to another host")


def normalize_key_id(key_id: str) -> str:
    """Returns the normalized id of a key. Raises BadSignature."""
    if not 0 < len(key_id) <= 2048 or not key_id.isprintable():
        raise BadSignature("the keyId is not usable")
    return normalize_host(key_id)


def check_times(now: float, *, created: float | None, expires: float | None) -> None:
    """Raises BadSignature when `created` is more than an hour from `now`, or `expires` has passed; all in seconds."""
    if created is not None and abs(now - created) > MAX_CLOCK_SKEW_SECONDS:
        raise BadSignature("the signature is more than an hour away from the clock of this server")
    if expires is not None and now > expires:
        raise BadSignature("the signature has expired")


def _without_default_port(host: str, scheme: str) -> str | None:
    try:
        name, port = host_and_port(host.strip())
    except Malformed:
        return None
    if port is None or port == (443 if scheme == "https" else 80):
        return name
    return f"{name}:{port}"
