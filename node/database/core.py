"""What a unit of work sees: `Reader` and `Writer`, rows, and how rows become dataclasses.

SQL is the subset that SQLite and PostgreSQL share, with `:name` values. A list value expands, so
`WHERE id IN (:ids)` works; an empty list matches nothing.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import hmac
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, get_type_hints

P = ParamSpec("P")
T = TypeVar("T")
Row = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Site:
    """Who this node is: what a unit of work needs to mint ids and to seal what must be sealed.

    `by_allow_list`: it exchanges something only with servers that an admin has let in. `handles` is the domain
    in the handles of its people where that is not the host it is reached at.
    """

    scheme: str
    domain: str
    secret: bytes = dataclasses.field(repr=False)
    by_allow_list: bool = False
    handles: str = ""

    @property
    def handle_domain(self) -> str:
        return self.handles or self.domain

    @property
    def own_domains(self) -> tuple[str, str]:
        return self.domain, self.handle_domain

    def is_own(self, domain: str) -> bool:
        """Whether handles of that domain are ours: that of the handles, or the host itself."""
        return domain in self.own_domains

    @property
    def base_url(self) -> str:
        return f"{self.scheme}://{self.domain}"

    def uri(self, path: str) -> str:
        return f"{self.scheme}://{self.domain}{path}"

    def subkey(self, purpose: str) -> bytes:
        """32 bytes for one purpose, from the node's secret."""
        return hmac.digest(self.secret, purpose.encode(), "sha256")

    def media_capability(self, key: str) -> str:
        """What lets its holder fetch a file that is not public: goes only to who may see the post."""
        mac = hmac.digest(self.subkey("media"), key.encode(), hashlib.sha256)
        return mac.hex()[:32]

    def is_media_capability(self, given: str, key: str) -> bool:
        return hmac.compare_digest(given.encode(), self.media_capability(key).encode())


class Reader(Protocol):
    """May look at the tables."""

    site: Site

    def all(self, sql: str, /, **values: Any) -> list[Row]: ...
    def one(self, sql: str, /, **values: Any) -> Row | None: ...
    def value(self, sql: str, /, **values: Any) -> Any: ...


class Writer(Reader, Protocol):
    """May change the tables. Everything a unit does becomes true together, or not at all."""

    wake: Callable[[str], None]  # tells the workers that a job of this kind is due

    def run(self, sql: str, /, **values: Any) -> int: ...
    def many(self, sql: str, rows: Sequence[Mapping[str, Any]], /) -> None: ...
    def after_commit(self, hook: Callable[[], None]) -> None: ...


class Database(Protocol):
    """A migrated database that runs units of work."""

    site: Site
    wake: Callable[[str], None]

    async def read(
        self, unit: Callable[Concatenate[Reader, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T: ...
    async def write(
        self, unit: Callable[Concatenate[Writer, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T: ...
    async def close(self) -> None: ...


_NAMES = re.compile(r"(?<![:\w]):([a-z_][a-z0-9_]*)")


@functools.lru_cache(maxsize=4096)
def _spread(sql: str, lists: tuple[tuple[str, int], ...]) -> str:
    sizes = dict(lists)

    def place(match: re.Match[str]) -> str:
        name = match[1]
        if name not in sizes:
            return match[0]
        return ", ".join(f":{name}_{n}" for n in range(sizes[name])) or "NULL"

    return _NAMES.sub(place, sql)


def bind(sql: str, values: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The statement and its values, with list values spread out.

    The number of values in a list is rounded up to a power of two (the last one repeats), so that
    a page of any length meets a prepared statement.
    """
    lists = []
    flat: dict[str, Any] | None = None
    for name, value in values.items():
        if isinstance(value, list | tuple | set | frozenset):
            if flat is None:
                flat = dict(values)
            del flat[name]
            items = list(value)
            if items:
                size = 1 << (len(items) - 1).bit_length()
                items += [items[-1]] * (size - len(items))
            lists.append((name, len(items)))
            flat.update((f"{name}_{n}", item) for n, item in enumerate(items))
    return (sql, values) if flat is None else (_spread(sql, tuple(lists)), flat)


@functools.lru_cache(maxsize=4096)
def numbered(sql: str) -> tuple[bytes, list[str]]:
    """The statement with `$1`, `$2`, … in place of the names, and the names in that order."""
    names = list(dict.fromkeys(_NAMES.findall(sql)))
    numbers = {name: f"${n}" for n, name in enumerate(names, 1)}
    return _NAMES.sub(lambda match: numbers[match[1]], sql).encode(), names


@functools.lru_cache(maxsize=256)
def columns(kind: Any, alias: str = "") -> str:
    """The columns of a dataclass, as `alias.name, …`."""
    prefix = alias + "." if alias else ""
    return ", ".join(prefix + name for name in _fields(kind))


@functools.lru_cache(maxsize=256)
def _fields(kind: Any) -> dict[str, Callable[[Any], Any] | None]:
    """Field names and, for booleans, how SQLite's 0 and 1 become them. Fields with a default are not columns."""
    hints = get_type_hints(kind)
    return {
        field.name: bool if hints[field.name] is bool else None
        for field in dataclasses.fields(kind)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }


def build(kind: Callable[..., T], row: Row) -> T:
    """A dataclass from a row that holds (at least) its columns by name."""
    return kind(
        *[row[name] if convert is None else bool(row[name]) for name, convert in _fields(kind).items()]
    )


def build_all(kind: Callable[..., T], rows: Sequence[Row]) -> list[T]:
    """As `build`, for many rows of one query: the places of the columns are looked up once."""
    if not rows:
        return []
    first = rows[0]
    pick, flags = _places(kind, None if isinstance(first, dict) else tuple(first.keys()))
    if not flags:
        return [kind(*pick(row)) for row in rows]
    built = []
    for row in rows:
        values = list(pick(row))
        for at in flags:
            values[at] = bool(values[at])
        built.append(kind(*values))
    return built


@functools.lru_cache(maxsize=1024)
def _places(kind: Any, names: tuple[str, ...] | None) -> tuple[Callable[[Any], Any], list[int]]:
    """What picks the values of `kind` from a row, and which of them are booleans.

    SQLite's rows search for a name anew each time; a place, found once, they know at once.
    """
    fields = _fields(kind)
    places: list[Any] = list(fields) if names is None else [names.index(name) for name in fields]
    return operator.itemgetter(*places), [at for at, as_ in enumerate(fields.values()) if as_ is not None]


def escaped(text: str) -> str:
    """Text as it stands in a LIKE pattern with ESCAPE '!'."""
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
