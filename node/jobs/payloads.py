"""Payloads of jobs: what a job says about its work. Owns no table.

A payload that is no JSON object, or that lacks what its handler reads, was written by another version of the program.
Running such a job again would not help, and its lane would wait meanwhile, so it is given up at once.
"""

from __future__ import annotations

from typing import Any

import msgspec


class FieldMissing(KeyError):
    """A handler read a field that the payload of its job lacks."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.reason = f"its payload has no {name!r}"


class Payload(dict[str, Any]):
    """The fields of a job."""

    def __missing__(self, name: str) -> Any:
        raise FieldMissing(name)


def decode(text: str) -> Payload | None:
    """Returns the payload of a job from its JSON; None for anything but an object."""
    try:
        fields = msgspec.json.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return Payload(fields) if isinstance(fields, dict) else None
