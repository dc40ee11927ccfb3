"""Parses the parameters of a request, alike from query, form, multipart and JSON.

Apps put the same parameter in different places: a comment may come as a query string with an empty JSON
body, a photo's description as a query, a list as `ids[]=1&ids[]=2`, `ids[0]=1` or a JSON array. All of
them become one table of names and values; a value in the body goes before one in the query. An empty list or object and `null` are
values, which leave nothing of what they name; only what was not sent at all keeps what is there. Everything is
hostile: names, counts and depth are bounded, and what cannot be parsed raises `Invalid`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import parse_qsl

import msgspec
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from node.errors import Invalid, NotFound
from node.ids import MAX_ID, parse_id
from node.text import storable
from web.request.multipart import Form

MAX_VALUES = 1000
MAX_MULTIPART_PARTS = 64
MAX_DEPTH = 6
MAX_ID_DIGITS = len(str(MAX_ID))

_INDEX = re.compile(r"\[\d*\]")
_OBJECT_KEY = re.compile(r"([^\[\]]+)\[(\d*)\]\[([^\[\]]+)\]")


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file. Its declared name and type are not trusted, so they are dropped."""

    file: bytes | IO[bytes]


Values = dict[str, list[Any]]
Objects = dict[str, dict[str, dict[str, Any]]]
EMPTY_LIST: Any = object()


class Params:
    """The parameters of one request. A missing one gives the default; a wrong one raises `Invalid`."""

    __slots__ = ("_lists", "_objects", "_values")

    def __init__(
        self, values: Values, lists: frozenset[str] = frozenset(), objects: Objects | None = None
    ) -> None:
        self._values = values
        self._lists = lists
        self._objects: Objects = objects or {}

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def is_sent(self, name: str) -> bool:
        """Returns whether it was sent in any form, also as an object: `name[id]=1` or `name[][id]=1`."""
        return name in self._values or any(one.startswith(f"{name}[") for one in self._values)

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
        return [_to_text(value) for value in found if not isinstance(value, Upload | dict | None)]

    def ids(self, name: str, limit: int = 100) -> list[int]:
        """Returns the ids of a list, without duplicates, in order; what is no id is left out."""
        found = dict.fromkeys(_parse_int(value, 0) for value in self.all_values(name)[:limit])
        return [value for value in found if value]

    def all_ids(self, name: str, limit: int = 100) -> list[int]:
        """Returns the ids of a list as `ids` does, and raises Invalid rather than leave out what is no id."""
        sent = self._values.get(name, [])
        values = [_to_text(value).strip() for value in sent]
        is_object = name not in self._values and self.is_sent(name)
        if (
            is_object
            or any(value and parse_id(value) in (None, 0) for value in values)
            or any(isinstance(value, Upload | dict | list) for value in sent)
            or (self.is_list(name) and any(value is None for value in sent))
        ):
            raise Invalid(f"{name} is a list of ids.", field=name)
        if len(values) > limit:
            raise Invalid(f"{name} can have {limit} entries at most.", field=name)
        return self.ids(name, limit)

    def reference(self, name: str) -> int | None:
        """Returns the id of something that must exist, or None when it is missing or empty.

        Raises NotFound for what is no id, since leaving it out would do something else than was asked.
        """
        value = self.text(name).strip()
        if not value and not (self.is_sent(name) and name not in self._values):
            return None
        found = parse_id(value)
        if not found:
            raise NotFound
        return found

    def is_list(self, name: str) -> bool:
        """Returns whether it was sent as a list, `name[]`, even one of a single value."""
        return name in self._lists

    def upload(self, name: str) -> bytes | IO[bytes] | None:
        value = self._last(name)
        return value.file if isinstance(value, Upload) else None

    def objects(self, name: str) -> list[dict[str, str]]:
        """Returns a list of small objects: JSON objects, or `name[][key]=value` in a form.

        In a form without indexes a new object begins where a key comes again.
        """
        found = [
            {str(key): _to_text(item) for key, item in value.items()}
            for value in self._values.get(name, [])
            if isinstance(value, dict)
        ]
        return found + [
            {key: _to_text(value) for key, value in one.items() if not isinstance(value, Upload)}
            for one in self._objects.get(name, {}).values()
        ]


def _to_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if isinstance(value, dict | list) or value is None else str(value)


def _parse_int(value: str, default: int) -> int:
    value = value.strip()
    digits = value.removeprefix("-")
    if not digits.isascii() or not digits.isdecimal():
        return default
    significant = digits.lstrip("0")
    number = MAX_ID if len(significant) > MAX_ID_DIGITS else min(int(significant or "0"), MAX_ID)
    return -number if value.startswith("-") else number


def _plain_name(name: str) -> str:
    """Returns a parameter name without its indexes: `ids[]` and `ids[3]` are `ids`;
    `a[][b]` and `a[0][b]` are `a[b]`."""
    return _INDEX.sub("", name) if "[" in name else name


class _ParamsBuilder:
    def __init__(self) -> None:
        self.values: Values = {}
        self.lists: set[str] = set()
        self.objects: Objects = {}

    def add(self, pairs: Iterable[tuple[str, Any]]) -> None:
        """Adds the values of one source; they replace those of the same name added earlier.

        A list without entries comes as one pair with `EMPTY_LIST`.
        """
        given: Values = {}
        objects: Objects = {}
        for count, (name, value) in enumerate(pairs):
            if count >= MAX_VALUES:
                raise Invalid("Too many values at once.")
            storable.check((name, value), name)
            plain = _plain_name(name)
            if plain != name:
                self.lists.add(plain)
            if (match := _OBJECT_KEY.fullmatch(name)) is not None:
                _add_to_object(objects.setdefault(match[1], {}), match[2], match[3], value)
            entries = given.setdefault(plain, [])
            if value is not EMPTY_LIST:
                entries.append(value)
        self.values.update(given)
        self.objects.update(objects)

    def build(self) -> Params:
        return Params(self.values, frozenset(self.lists), self.objects)


def _add_to_object(objects: dict[str, dict[str, Any]], index: str, key: str, value: Any) -> None:
    """Adds `[index][key]=value`. Without an index it belongs to the last object, unless that has the key."""
    if not index:
        index = f"-{len(objects)}"
        last = f"-{len(objects) - 1}"
        if last in objects and key not in objects[last]:
            index = last
    objects.setdefault(index, {})[key] = value


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


def from_form(query: bytes, form: Form) -> Params:
    """Returns the parameters of a form whose files have arrived."""
    collected = _ParamsBuilder()
    collected.add(_parse_urlencoded(query))
    collected.add([*form.fields, *((part.name, Upload(part.file)) for part in form.files)])
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
        if isinstance(item, dict) and item:
            yield from _flatten(name, item, depth + 1)
        elif isinstance(item, dict):
            yield f"{name}[]", EMPTY_LIST
        elif isinstance(item, list):
            yield from ((f"{name}[]", entry) for entry in item or (EMPTY_LIST,))
        else:
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
