"""The interface of units of work: `Reader` and `Writer`, rows, and building dataclasses of rows.

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

from node.database.public_changes import PublicChanges

P = ParamSpec("P")
T = TypeVar("T")
Row = Mapping[str, Any]

# What can be stored is checked where it comes in; this is said of what has slipped through.
NOT_STORABLE = "That contains a character or a number that cannot be stored."


@dataclasses.dataclass(frozen=True)
class Site:
    """The identity of this node: what a unit of work needs to make uris, and to encrypt and sign.

    `is_allowlist_mode`: it federates only with servers that an admin has allowed. `configured_handle_domain` is the
    domain of local handles where that is not the host the node is reached at. `sends_mail`: a mail server is configured.
    `staff_needs_second_step`: moderators and admins have to set up two-step sign-in before they act as such.
    """

    scheme: str
    domain: str
    secret: bytes = dataclasses.field(repr=False)
    is_allowlist_mode: bool = False
    configured_handle_domain: str = ""
    sends_mail: bool = False
    staff_needs_second_step: bool = False

    @property
    def handle_domain(self) -> str:
        """The domain of local handles."""
        return self.configured_handle_domain or self.domain

    @property
    def own_domains(self) -> tuple[str, str]:
        return self.domain, self.handle_domain

    def is_own_domain(self, domain: str) -> bool:
        """Returns whether handles with that domain are local: it is the handle domain, or the host itself."""
        return domain in self.own_domains

    @property
    def base_url(self) -> str:
        return f"{self.scheme}://{self.domain}"

    def uri(self, path: str) -> str:
        return f"{self.scheme}://{self.domain}{path}"

    def subkey(self, purpose: str) -> bytes:
        """Returns a key of 32 bytes for one purpose, derived from the node's secret."""
        return hmac.digest(self.secret, purpose.encode(), "sha256")

    def media_capability(self, key: str, viewer_id: int = 0) -> str:
        """Returns a token in the URL of a file that is not public, put only into what somebody gets who may see it.

        With a viewer it opens the file only as long as that account may see it. Without one it opens nothing: it stands
        for that of each server that the document is sent to, `server_capability`.
        """
        mac = self._media_mac(f"{viewer_id} {key}" if viewer_id else key)
        return f"{viewer_id:x}-{mac}" if viewer_id else mac

    def server_capability(self, key: str, host: str) -> str:
        """Returns a token that opens a file for another server as long as somebody there may see it."""
        return f"{host}~{self._media_mac(f'server {host} {key}')}"

    def server_of_capability(self, token: str, key: str) -> str | None:
        """Returns the host of the server that a token of the file is for; None for a wrong token."""
        host = token.rpartition("~")[0]
        expected = self.server_capability(key, host)
        return host if host and hmac.compare_digest(token.encode(), expected.encode()) else None

    def _media_mac(self, bound: str) -> str:
        return hmac.digest(self.subkey("media"), bound.encode(), hashlib.sha256).hex()[:32]

    def is_media_capability(self, token: str, key: str) -> bool:
        """Returns whether the token is that of the file, compared in constant time."""
        return self.media_capability_viewer(token, key) is not None

    def media_capability_viewer(self, token: str, key: str) -> int | None:
        """Returns the id of the account that a token of the file is bound to, 0 for none; None for a wrong token."""
        prefix, dash, _ = token.rpartition("-")
        try:
            viewer_id = int(prefix, 16) if dash else 0
        except ValueError:
            return None
        if len(prefix) > 16 or (dash and viewer_id < 1):
            return None
        expected = self.media_capability(key, viewer_id)
        return viewer_id if hmac.compare_digest(token.encode(), expected.encode()) else None


class Reader(Protocol):
    """Reads the tables, in one snapshot for a whole unit of work."""

    site: Site

    def all(self, sql: str, /, **values: Any) -> list[Row]: ...
    def one(self, sql: str, /, **values: Any) -> Row | None: ...
    def value(self, sql: str, /, **values: Any) -> Any: ...


class Writer(Reader, Protocol):
    """Changes the tables. All changes of a unit are committed together, or none of them."""

    wake: Callable[[str], None]  # notifies the workers that a job of this kind is due

    def run(self, sql: str, /, **values: Any) -> int: ...
    def many(self, sql: str, rows: Sequence[Mapping[str, Any]], /) -> None: ...
    def after_commit(self, hook: Callable[[], None]) -> None: ...


class Database(Protocol):
    """A migrated database that runs units of work.

    `read` runs a unit in the class that `reader_class.reader_class` names, and raises Overloaded at its time limit.
    """

    site: Site
    public_changes: PublicChanges
    wake: Callable[[str], None]

    async def read(
        self, unit: Callable[Concatenate[Reader, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T: ...
    async def write(
        self, unit: Callable[Concatenate[Writer, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T: ...
    async def close(self) -> None: ...


_PARAMETER = re.compile(r"(?<![:\w]):([a-z_][a-z0-9_]*)")


@functools.lru_cache(maxsize=4096)
def _expand_lists(sql: str, lists: tuple[tuple[str, int], ...]) -> str:
    sizes = dict(lists)

    def replace(match: re.Match[str]) -> str:
        name = match[1]
        if name not in sizes:
            return match[0]
        return ", ".join(f":{name}_{n}" for n in range(sizes[name])) or "NULL"

    return _PARAMETER.sub(replace, sql)


def bind(sql: str, values: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Returns the statement and its values with list values expanded.

    The number of values in a list is rounded up to a power of two (the last one repeats), so that
    lists of similar lengths share one prepared statement.
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
    return (sql, values) if flat is None else (_expand_lists(sql, tuple(lists)), flat)


@functools.lru_cache(maxsize=4096)
def number_parameters(sql: str) -> tuple[bytes, list[str]]:
    """Replaces the names by `$1`, `$2`, …; returns the statement and the names in that order."""
    names = list(dict.fromkeys(_PARAMETER.findall(sql)))
    numbers = {name: f"${n}" for n, name in enumerate(names, 1)}
    return _PARAMETER.sub(lambda match: numbers[match[1]], sql).encode(), names


@functools.lru_cache(maxsize=256)
def columns(kind: Any, alias: str = "") -> str:
    """Returns the columns of a dataclass, as `alias.name, …`."""
    prefix = alias + "." if alias else ""
    return ", ".join(prefix + name for name in _fields(kind))


@functools.lru_cache(maxsize=256)
def _fields(kind: Any) -> dict[str, Callable[[Any], Any] | None]:
    """Returns the field names and, for booleans, how SQLite's 0 and 1 become them.

    Fields with a default are not columns.
    """
    hints = get_type_hints(kind)
    return {
        field.name: bool if hints[field.name] is bool else None
        for field in dataclasses.fields(kind)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }


def build(kind: Callable[..., T], row: Row) -> T:
    """Builds a dataclass from a row that has at least its columns, by name."""
    return kind(
        *[row[name] if convert is None else bool(row[name]) for name, convert in _fields(kind).items()]
    )


def build_all(kind: Callable[..., T], rows: Sequence[Row]) -> list[T]:
    """Builds a dataclass from each row of one query, as `build` does from one:
    the positions of the columns are found once."""
    if not rows:
        return []
    first = rows[0]
    pick, flags = _column_picker(kind, None if isinstance(first, dict) else tuple(first.keys()))
    if not flags:
        return [kind(*pick(row)) for row in rows]
    built = []
    for row in rows:
        values = list(pick(row))
        for index in flags:
            values[index] = bool(values[index])
        built.append(kind(*values))
    return built


@functools.lru_cache(maxsize=1024)
def _column_picker(kind: Any, names: tuple[str, ...] | None) -> tuple[Callable[[Any], Any], list[int]]:
    """Returns what picks the values of `kind` from a row, and the positions of its booleans.

    sqlite3.Row searches for a name at each access, so positions are used there.
    """
    fields = _fields(kind)
    keys: list[Any] = list(fields) if names is None else [names.index(name) for name in fields]
    flags = [index for index, convert in enumerate(fields.values()) if convert is not None]
    return operator.itemgetter(*keys), flags


def escape_like(text: str) -> str:
    """Escapes text for a LIKE pattern with ESCAPE '!'."""
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
