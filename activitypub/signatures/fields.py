"""Parses and serializes structured header fields (RFC 8941) as far as signatures use them, strictly."""

from __future__ import annotations

from typing import Any

from activitypub.signatures.claims import BadSignature


def parse_dictionary(text: str) -> dict[str, tuple[Any, dict[str, Any]]]:
    """Parses a dictionary: name → (value, parameters). An inner list is a list of (value, parameters).

    Raises BadSignature, also for a name or parameter that is given twice.
    """
    # Imported here: a request signed with draft-cavage does not need it.
    import http_sf

    try:
        parsed: Any = http_sf.parse(text.encode(), tltype="dictionary", on_duplicate_key=_raise_duplicate_key)
    except (ValueError, RecursionError):
        raise BadSignature("a signature header cannot be read") from None
    return dict(parsed)


def serialize_item(value: Any) -> str:
    """Returns the canonical serialization of a value with its parameters, as in a signature base."""
    import http_sf

    try:
        return http_sf.ser({"a": value}).removeprefix("a=")
    except ValueError:
        raise BadSignature("a signature header cannot be read") from None


def _raise_duplicate_key(key: str, context: str) -> None:
    raise BadSignature(f"the signature gives {key[:40]} twice")
