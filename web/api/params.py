"""Parses the parameters of a request, alike from query, form, multipart and JSON.

Apps put the same parameter in different places: a comment may come as a query string with an empty JSON
body, a photo's description as a query, a list as `ids[]=1&ids[]=2`, `ids[0]=1` or a JSON array. All of
them become one table of names and values; a value in the body goes before one in the query. Everything is
hostile: names, counts and depth are bounded, and what cannot be parsed raises `Invalid`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from node.errors import Invalid

MAX_VALUES = 1000
MAX_MULTIPART_PARTS = 64
MAX_DEPTH = 6

_INDEX = re.compile(r"\[\d*\]")


@dataclass(frozen=True, slots=True)
class Upload:
    """The bytes of an uploaded file. Its declared name and type are not trusted, so they are dropped."""

    data: bytes


Values = dict[str, list[Any]]


class Params:
    """The parameters of one request. A missing one gives the default; a wrong one raises `Invalid`."""

    __slots__ = ("_lists", "_values")

    def __init__(self, values: Values, lists: frozenset[str] = frozenset()) -> None:
        self._values = values
        self._lists = lists

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def _last(self, name: str) -> Any:
        found = self._values.get(name)
        return found[-1] if found else None

    def text(self, name: str, default: str = "") -> str:
        value = self._last(name)
        if value is None or isinstance(value, Upload | dict):
            return default
        return _to_text(value)

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.text(name).strip().lower()
        return default if value == "" else value not in ("0", "false", "f", "off", "no")

    def number(self, name: str, default: int, *, minimum: int = 0, maximum: int = 2**63 - 1) -> int:
        """Returns a whole number, clamped to `minimum` and `maximum`;
        what is not a number gives the default."""
        return min(maximum, max(minimum, _parse_int(self.text(name), default)))

    def id(self, name: str) -> int | None:
        """Returns an id, or None when it is missing; 0 counts as missing."""
        return _parse_int(self.text(name), 0) or None

    def all_values(self, name: str) -> list[str]:
        found = self._values.get(name, [])
        return [_to_text(value) for value in found if not isinstance(value, Upload | dict)]

    def ids(self, name: str, limit: int = 100) -> list[int]:
        """Returns the ids of a list, without duplicates, in order; what is no id is left out."""
        found = dict.fromkeys(_parse_int(value, 0) for value in self.all_values(name)[:limit])
        return [value for value in found if value]

    def is_list(self, name: str) -> bool:
        """Returns whether it was sent as a list, `name[]`, even one of a single value."""
        return name in self._lists

    def upload(self, name: str) -> bytes | None:
        value = self._last(name)
        return value.data if isinstance(value, Upload) else None

    def objects(self, name: str) -> list[dict[str, str]]:
        """Returns a list of small objects: JSON objects, or `name[][key]=value` in a form."""
        found = [
            {str(key): _to_text(item) for key, item in value.items() if item is not None}
            for value in self._values.get(name, [])
            if isinstance(value, dict)
        ]
        prefix = f"{name}["
        keys = [key for key in self._values if key.startswith(prefix)]
        longest = max((len(self._values[key]) for key in keys), default=0)
        found.extend(
            {
                key.removeprefix(prefix).removesuffix("]"): _to_text(self._values[key][place])
                for key in keys
                if place < len(self._values[key]) and not isinstance(self._values[key][place], Upload)
            }
            for place in range(longest)
        )
        return found


def _to_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if isinstance(value, dict | list) or value is None else str(value)


def _parse_int(value: str, default: int) -> int:
    value = value.strip()
    if not value.isascii() or not value.removeprefix("-").isdecimal() or len(value) > 19:
        return default
    return min(int(value), 2**63 - 1)


def _plain_name(name: str) -> str:
    """Returns a parameter name without its indexes: `ids[]` and `ids[3]` are `ids`;
    `a[][b]` and `a[0][b]` are `a[b]`."""
    return _INDEX.sub("", name) if "[" in name else name


class _ParamsBuilder:
    def __init__(self) -> None:
        self.values: Values = {}
        self.lists: set[str] = set()

    def add(self, pairs: Iterable[tuple[str, Any]]) -> None:
        """Adds the values of one source; they replace those of the same name added earlier."""
        given: Values = {}
        for count, (name, value) in enumerate(pairs):
            if count >= MAX_VALUES:
                raise Invalid("Too many values at once.")
            plain = _plain_name(name)
            if plain != name:
                self.lists.add(plain)
            given.setdefault(plain, []).append(value)
        self.values.update(given)

    def build(self) -> Params:
        return Params(self.values, frozenset(self.lists))


def parse_query(query: bytes) -> Params:
    """Parses the parameters of a request without a body."""
    return parse_request(query, "", b"") if query else Params({})


def _parse_urlencoded(text: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MAX_VALUES)
    except ValueError:
        raise Invalid("Too many values at once.") from None


def parse_request(query: bytes, content_type: str, body: bytes) -> Params:
    """Parses the parameters of a request with a body. A body of an unknown type counts as none."""
    collected = _ParamsBuilder()
    if query:
        collected.add(_parse_urlencoded(query))
    if body:
        kind, options = parse_options_header(content_type)
        if kind == "multipart/form-data":
            collected.add(_parse_multipart(options.get("boundary", ""), body))
        elif kind == "application/x-www-form-urlencoded":
            collected.add(_parse_urlencoded(body))
        elif kind.endswith("json") or kind == "":
            collected.add(_parse_json(body))
    return collected.build()


def _parse_json(body: bytes) -> Iterator[tuple[str, Any]]:
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Invalid("The request is not valid JSON.") from None
    if isinstance(value, dict):
        yield from _flatten("", value, 0)


def _flatten(prefix: str, value: dict[str, Any], depth: int) -> Iterator[tuple[str, Any]]:
    if depth > MAX_DEPTH:
        raise Invalid("The request is nested too deeply.")
    for key, item in value.items():
        name = f"{prefix}[{key}]" if prefix else key
        if isinstance(item, dict):
            yield from _flatten(name, item, depth + 1)
        elif isinstance(item, list):
            yield from ((name, entry) for entry in item)
        elif item is not None:
            yield name, item


def _parse_multipart(boundary: str, body: bytes) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    try:
        decoder = MultipartDecoder(boundary.encode("latin-1"), max_parts=MAX_MULTIPART_PARTS)
        decoder.receive_data(body)
        decoder.receive_data(None)
        name, is_file, pieces = "", False, list[bytes]()
        while not isinstance(event := decoder.next_event(), Epilogue | NeedData):
            if isinstance(event, Field | File):
                name, is_file, pieces = event.name or "", isinstance(event, File), []
            elif isinstance(event, Data):
                pieces.append(event.data)
                if not event.more_data:
                    data = b"".join(pieces)
                    found.append((name, Upload(data) if is_file else data.decode("utf-8", "replace")))
    except RequestEntityTooLarge:
        raise Invalid("Too many values at once.") from None
    except (ValueError, AttributeError, UnicodeError):
        raise Invalid("The form could not be read.") from None
    return found
