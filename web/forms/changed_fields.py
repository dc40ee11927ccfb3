"""Compares a form with the values with which it was filled, so that saving writes only what was changed in it.

Two tabs, or a tab and an app, may change different fields: neither undoes the other. Where both changed the same field,
the one that is saved later does not overwrite the other unseen: both values are shown, and saving again decides.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from node.text import line_breaks

GIVEN = "given"


@dataclass(frozen=True, slots=True)
class Merged:
    """What a form means for the values that are stored now.

    `to_write`: the values to store. `to_show`: those of the form afterwards. `conflicts`: the stored values of fields that
    were changed both here and meanwhile.
    """

    to_write: dict[str, Any]
    to_show: dict[str, Any]
    conflicts: dict[str, Any]


def spell(values: Mapping[str, Any]) -> str:
    """Returns the values of a form as the text of its hidden field."""
    return json.dumps(values, ensure_ascii=False)


def read_given(text: str | None) -> dict[str, Any]:
    """Returns the values that a form was given; none from a form that does not say."""
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _comparable(value: Any) -> Any:
    """Returns a value without what a browser or the server changes of it by themselves: line breaks, spaces, empty rows."""
    if isinstance(value, str):
        return _comparable_text(value)
    if isinstance(value, (list, tuple)):
        return [[_comparable_text(part) for part in row] for row in _rows(value) if any(row)]
    return value


def _comparable_text(value: Any) -> Any:
    if not isinstance(value, str):
        return None
    return "\n".join(line.rstrip() for line in line_breaks.normalize(value).strip().split("\n"))


def _rows(value: Sequence[Any]) -> list[Sequence[Any]]:
    return [row if isinstance(row, (list, tuple)) else (row,) for row in value]


def is_same(one: Any, other: Any) -> bool:
    return bool(_comparable(one) == _comparable(other))


def merge(typed: Mapping[str, Any], given: Mapping[str, Any], stored: Mapping[str, Any]) -> Merged:
    """Merges what was typed, compared with what the form was given, into what is stored now."""
    to_write, to_show, conflicts = dict(stored), dict(stored), {}
    for name, value in typed.items():
        if name in given and is_same(value, given[name]):
            continue
        to_show[name] = value
        if name in given and not is_same(stored[name], given[name]) and not is_same(stored[name], value):
            conflicts[name] = stored[name]
        else:
            to_write[name] = value
    return Merged(to_write, to_show, conflicts)


def as_text(value: Any) -> str:
    """Returns a stored value for a person: rows below each other."""
    if isinstance(value, (list, tuple)):
        return "\n".join(": ".join(row) for row in _rows(value) if any(row))
    return str(value)
