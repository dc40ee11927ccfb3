"""Signs outgoing requests: with draft-cavage-12 by default, with RFC 9421 for servers that want it.

Both functions return the headers to send. The signed target is exactly the one of
`uris.request_url`, query included. Sign anew for every retry and every redirect: the
time and the target are part of the signature.
"""

from __future__ import annotations

import base64
import functools
import sys
import threading
import types
from collections.abc import Callable, Sequence
from email.utils import formatdate
from typing import Any, Literal

from activitypub.signatures.digests import content_digest, digest
from activitypub.signatures.keys import SigningKey
from activitypub.uris import request_url

CONTENT_TYPE = "application/activity+json"

Style = Literal["cavage", "rfc9421"]
ExtraHeaders = Sequence[tuple[str, str]]


def sign_cavage(
    key: SigningKey, method: str, url: str, body: bytes | None, now: float, extra_headers: ExtraHeaders = ()
) -> dict[str, str]:
    """Returns the headers to send with draft-cavage-12, `Signature` among them.

    `extra_headers` are sent and signed too.
    """
    address = request_url(url)
    headers = {"Host": address.raw_authority, "Date": _format_date(int(now))}
    if body is not None:
        headers["Digest"] = digest(body)
        headers["Content-Type"] = CONTENT_TYPE
    headers.update(extra_headers)
    names = ("(request-target)", *(name.lower() for name in headers))
    message, template = _httpsig()
    signature = key.sign(message(names, headers, method=method, path=address.raw_path_qs))
    headers["Signature"] = template(key.key_id, names) % base64.b64encode(signature).decode()
    return headers


def sign_rfc9421(
    key: SigningKey, method: str, url: str, body: bytes | None, now: float, extra_headers: ExtraHeaders = ()
) -> dict[str, str]:
    """Returns the headers to send with RFC 9421, `Signature-Input` and `Signature` among them;
    `extra_headers` are signed too."""
    address = request_url(url)
    headers = {"Host": address.raw_authority, "Date": _format_date(int(now))}
    lines = [f'"@method": {method.upper()}', f'"@target-uri": {address}']
    covered = '"@method" "@target-uri"'
    if body is not None:
        headers["Content-Digest"] = content_digest(body)
        headers["Content-Type"] = CONTENT_TYPE
        lines.append(f'"content-digest": {headers["Content-Digest"]}')
        covered += ' "content-digest"'
    for name, value in extra_headers:
        headers[name] = value
        lines.append(f'"{name.lower()}": {value}')
        covered += f' "{name.lower()}"'
    line = f'({covered});created={int(now)};keyid="{key.key_id}";alg="rsa-v1_5-sha256"'
    lines.append(f'"@signature-params": {line}')
    signature = base64.b64encode(key.sign("\n".join(lines).encode("ascii"))).decode()
    headers["Signature-Input"] = f"sig1={line}"
    headers["Signature"] = f"sig1=:{signature}:"
    return headers


SIGNERS: dict[str, Callable[[SigningKey, str, str, bytes | None, float, ExtraHeaders], dict[str, str]]] = {
    "cavage": sign_cavage,
    "rfc9421": sign_rfc9421,
}
OTHER_STYLE: dict[str, Style] = {"cavage": "rfc9421", "rfc9421": "cavage"}


# Cached: one post is delivered to hundreds of servers within a second.
@functools.lru_cache(maxsize=4)
def _format_date(second: int) -> str:
    return formatdate(second, usegmt=True)


@functools.cache
def _httpsig() -> tuple[Callable[..., bytes], Callable[[str, tuple[str, ...]], str]]:
    """Returns two pure functions of httpsig: the one for the signing string,
    and the one for the template of the header.

    Imported at first use, since it imports a second crypto library that only its own
    key handling (915 µs per signature, against 215) and its verifier need. That
    verifier trusts the algorithm that the sender names, and so accepts an HMAC made
    with the *public* key: nothing here may ever call it.
    """
    with _without_pkg_resources():
        from httpsig.utils import build_signature_template, generate_message

    @functools.lru_cache(maxsize=64)
    def template(key_id: str, names: tuple[str, ...]) -> str:
        # Formatted with `%` later, so a percent sign in an id is doubled.
        text: str = build_signature_template(key_id.replace("%", "%%"), "rsa-sha256", names, "signature")
        return text

    return generate_message, template


class _without_pkg_resources:
    """Replaces `pkg_resources` while httpsig is imported.

    httpsig uses it for its own version number only; recent setuptools no longer ship
    it, and where they do, importing it takes a third of a second.
    """

    _lock = threading.Lock()

    def __enter__(self) -> None:
        self._lock.acquire()
        self._real = sys.modules.get("pkg_resources")
        stand_in: Any = types.ModuleType("pkg_resources")
        stand_in.get_distribution = lambda name: types.SimpleNamespace(version="")
        stand_in.DistributionNotFound = LookupError
        sys.modules["pkg_resources"] = stand_in

    def __exit__(self, *failure: object) -> None:
        if self._real is None:
            sys.modules.pop("pkg_resources", None)
        else:
            sys.modules["pkg_resources"] = self._real
        self._lock.release()
