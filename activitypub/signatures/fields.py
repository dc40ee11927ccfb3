"""Structured header fields (RFC 8941), the part of them signatures use: dictionaries, strictly read."""

from __future__ import annotations

from typing import Any

from activitypub.signatures.claims import BadSignature


def parse_dictionary(text: str) -> dict[str, tuple[Any, dict[str, Any]]]:
    """Name → (value, parameters). An inner list is a list of (value, parameters).

    Raises BadSignature, also for any name or parameter that is given twice.
    """
    # Imported here: a request signed the older way does not need it.
    import http_sf

    try:
        parsed: Any = http_sf.parse(text.encode(), tltype="dictionary", on_duplicate_key=_refuse)
    except (ValueError, RecursionError):
        raise BadSignature("a signature header cannot be read") from None
    return dict(parsed)


def serialize_item(value: Any) -> str:
    """The canonical spelling of a value with its parameters, as it stands in a signature base."""
    import http_sf

    try:
        return http_sf.ser({"a": value}).removeprefix("a=")
    except ValueError:
        raise BadSignature("a signature header cannot be read") from None


def _refuse(key: str, context: str) -> None:
    raise BadSignature(f"the signature gives {key[:40]} twice")
