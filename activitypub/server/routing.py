"""Finds the endpoint of a path, for the two entry points that answer before Quart does.

The rules are werkzeug's, as the pages have them: a name in the path goes before a placeholder.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from werkzeug.exceptions import NotFound
from werkzeug.routing import BaseConverter, Map, Rule

E = TypeVar("E")


class _Digits(BaseConverter):
    """A number as it is written; nobody writes more than 18 digits."""

    regex = "[0-9]{1,18}"


class _Name(BaseConverter):
    """The name of somebody without a host."""

    regex = "[^/@]+"


@dataclass(frozen=True, slots=True)
class Found(Generic[E]):
    """The endpoint of a path, and what stands in the places of its placeholders."""

    endpoint: E
    args: dict[str, str]


class Router(Generic[E]):
    """Rules whose endpoints are of one type. `<digits:…>` and `<name:…>` are placeholders too."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        converters = {"digits": _Digits, "name": _Name}
        self._adapter = Map(
            list(rules), converters=converters, merge_slashes=False, redirect_defaults=False
        ).bind("")

    def find(self, method: str, path: str) -> Found[E] | None:
        """None when no rule has this path. Raises werkzeug's MethodNotAllowed when one has, for other methods."""
        if path.startswith("//"):
            return None  # the map would read it as one slash
        try:
            endpoint, args = self._adapter.match(path, method)
        except NotFound:
            return None
        return Found(endpoint, dict(args))
