"""Maps paths to endpoints, for the two ASGI apps that run in front of Quart (federation and client API).

The rules are werkzeug's, as Quart's are: a literal segment takes precedence over a placeholder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from werkzeug.exceptions import NotFound
from werkzeug.routing import BaseConverter, Map, Rule

from node.cache import Cache

MAX_CACHED_MATCHES = 1000

E = TypeVar("E")


class _Digits(BaseConverter):
    """A decimal number of at most 18 digits, kept as text."""

    regex = "[0-9]{1,18}"


class _Name(BaseConverter):
    """A user name without a domain."""

    regex = "[^/@]+"


class MatchRule(Rule):
    """A rule that is only matched. Werkzeug also compiles code to build URLs, 0.15 ms a rule at every start.

    The method is not documented; in a release that calls it otherwise, a start takes longer again.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        def build(*args: object, **kwargs: object) -> tuple[str, str]:
            raise NotImplementedError("these rules build no URLs")

        return build


@dataclass(frozen=True, slots=True)
class RouteMatch(Generic[E]):
    """The endpoint of a path, and the values of its placeholders."""

    endpoint: E
    args: dict[str, str]


class Router(Generic[E]):
    """Werkzeug rules whose endpoints are of one type, with two more converters: `<digits:…>` and `<name:…>`."""

    def __init__(self, rules: Iterable[MatchRule]) -> None:
        converters = {"digits": _Digits, "name": _Name}
        self._adapter = Map(
            list(rules), converters=converters, merge_slashes=False, redirect_defaults=False
        ).bind("")
        self._without_args: Cache[tuple[str, str], RouteMatch[E]] = Cache(MAX_CACHED_MATCHES)

    def find(self, method: str, path: str) -> RouteMatch[E] | None:
        """Returns the match of a path, or None.

        Raises werkzeug's MethodNotAllowed if the path has rules for other methods only. Matches without placeholders,
        which most requests of apps have, are cached: werkzeug takes 2 to 5 µs for one.
        """
        if (cached := self._without_args.get((method, path))) is not None:
            return cached
        if path.startswith("//"):
            return None  # werkzeug would read it as one slash
        try:
            endpoint, args = self._adapter.match(path, method)
        except NotFound:
            return None
        found = RouteMatch(endpoint, dict(args))
        if not args:
            self._without_args.put((method, path), found)
        return found
