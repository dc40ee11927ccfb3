"""Options: `config.toml` and the environment become frozen dataclasses.

Every option is one field below, with its type and default; `config.toml` documents the same ones and a
test compares the two. An environment variable `TINTYPE_<SECTION>_<KEY>` overrides the file, and an
option marked secret may also be read from the file that `TINTYPE_<SECTION>_<KEY>_FILE` names. An unknown
section, key or value is refused at start, with the line, the key and the nearest known one: a misspelt
`mode` must never leave registration open.
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import os
import re
import secrets
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

PREFIX = "TINTYPE_"
SECRET = {"secret": True}

_HOST = re.compile(r"(?!-)[a-z0-9.-]{1,253}(?<![.-])(:[0-9]{1,5})?|\[[0-9a-f:.]+\](:[0-9]{1,5})?")
_EMAIL = re.compile(r"[^@\s<>\"]{1,64}@[^@\s<>\"]{1,190}")
_MAIL_URL = re.compile(r"smtps?://([^\s@/]+@)?(\[[0-9a-fA-F:]+\]|[\w.-]+)(:[0-9]{1,5})?/?")
_NAME = re.compile(r"@?\w{0,30}")
_BIND = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9.*-]+):([0-9]{1,5})|unix:.+")


class BadConfig(Exception):
    """The options cannot be used. The text is one line for the admin who starts the node."""


@dataclasses.dataclass(frozen=True)
class NodeOptions:
    domain: str = "localhost:8080"
    handle_domain: str = ""
    title: str = "Tintype"
    description: str = ""
    rules: tuple[str, ...] = ()
    source_url: str = ""
    contact_email: str = ""
    contact_account: str = ""
    secret: str = dataclasses.field(default="", repr=False, metadata=SECRET)


@dataclasses.dataclass(frozen=True)
class ServerOptions:
    bind: tuple[str, ...] = ("127.0.0.1:8080",)
    tls_certificate: str = ""
    tls_key: str = ""
    scheme: Literal["https", "http"] = "https"
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    jobs: bool = True
    fast_http: bool = True
    h2c: bool = False


@dataclasses.dataclass(frozen=True)
class DatabaseOptions:
    url: str = dataclasses.field(default="sqlite:data/tintype.db", repr=False, metadata=SECRET)


@dataclasses.dataclass(frozen=True)
class MediaOptions:
    url: str = "file:data/media"
    keep_originals: bool = False
    max_upload_mb: int = 40
    cache_gb: int = 10
    unposted_originals_gb: int = 4
    unfinished_uploads_gb: int = 10


@dataclasses.dataclass(frozen=True)
class FederationOptions:
    mode: Literal["open", "allowlist"] = "open"
    allow_private_addresses: bool = False
    allow_http: bool = False
    ca_file: str = ""
    secure_mode: bool = False
    keep_remote_posts_days: int = 180


@dataclasses.dataclass(frozen=True)
class RegistrationOptions:
    mode: Literal["open", "approval", "invite", "closed"] = "approval"


@dataclasses.dataclass(frozen=True)
class MailOptions:
    url: str = dataclasses.field(default="", repr=False, metadata=SECRET)
    sender: str = ""
    ca_file: str = ""


@dataclasses.dataclass(frozen=True)
class SecurityOptions:
    staff_two_step: bool = False
    stolen_passwords: str = ""


@dataclasses.dataclass(frozen=True)
class Config:
    node: NodeOptions = NodeOptions()
    server: ServerOptions = ServerOptions()
    database: DatabaseOptions = DatabaseOptions()
    media: MediaOptions = MediaOptions()
    federation: FederationOptions = FederationOptions()
    registration: RegistrationOptions = RegistrationOptions()
    mail: MailOptions = MailOptions()
    security: SecurityOptions = SecurityOptions()

    @property
    def data_folder(self) -> Path:
        """The folder for the node's own files: that of the SQLite file, or `./data`."""
        scheme, _, path = self.database.url.partition(":")
        return Path(path).parent if scheme == "sqlite" else Path("data")


def load(path: str | os.PathLike[str] | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """Reads the options from `path`, or `TINTYPE_CONFIG`, or `./config.toml` if there is one.

    Raises `BadConfig`.
    """
    environ = os.environ if environ is None else environ
    given_path = path or environ.get(PREFIX + "CONFIG")
    file = Path(given_path or "config.toml")
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        if given_path:
            raise BadConfig(f"There is no config file {file}.") from None
        text = ""
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfig(f"The config file {file} cannot be read: {error}.") from None
    return parse(text, environ, file=str(file))


def parse(text: str, environ: Mapping[str, str] | None = None, *, file: str = "config.toml") -> Config:
    """Parses the text of a config file; `environ` overrides it. Raises `BadConfig`."""
    try:
        written = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadConfig(f"{file}: this is not TOML: {error}.") from None
    values: dict[str, dict[str, Any]] = {section: {} for section in _sections()}
    origins: dict[tuple[str, str], str] = {}
    for section, options in written.items():
        where = f"{file}, line {_line_number(text, section)}"
        if section not in values:
            raise BadConfig(f"{where}: there is no section [{section}].{_suggestion(section, values)}")
        if not isinstance(options, dict):
            raise BadConfig(f"{where}: {section} is a section; write [{section}].")
        for key, value in options.items():
            where = f"{file}, line {_line_number(text, section, key)}"
            fields = _fields(section)
            if key not in fields:
                raise BadConfig(f"{where}: [{section}] has no option {key}.{_suggestion(key, fields)}")
            values[section][key] = _check_type(f"{where}: {key}", _option_type(section, key), value)
            origins[section, key] = f"{where}: {key}"
    for (section, key), (name, value) in _environment_overrides(environ or {}).items():
        values[section][key] = _check_type(
            name, _option_type(section, key), _parse_environment_value(_option_type(section, key), value)
        )
        origins[section, key] = name
    config = Config(**{section: kind(**values[section]) for section, kind in _sections().items()})
    return _validate(config, origins)


def load_secret(config: Config) -> bytes:
    """Returns the node's secret: as configured, or made once and kept in `<data folder>/secret` (mode 0600).

    It encrypts private keys and signs media URLs, so two processes that start together must agree on it:
    the file appears whole, and the process that links it first wins. Raises `BadConfig` for a file that
    was cut short, because a new secret would not decrypt the old keys.
    """
    if config.node.secret:
        return config.node.secret.encode()
    file = config.data_folder / "secret"
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=file.parent, prefix="secret-")  # mkstemp makes it 0600
        with os.fdopen(handle, "w") as out:
            out.write(secrets.token_hex(32) + "\n")
        with contextlib.suppress(FileExistsError):
            os.link(draft, file)
        os.unlink(draft)
    kept = file.read_text(encoding="ascii").strip().encode()
    if len(kept) < 32:
        raise BadConfig(f"The file {file} should hold at least 32 characters; restore it from a backup.")
    return kept


def _sections() -> dict[str, type[Any]]:
    return get_type_hints(Config)


def _fields(section: str) -> dict[str, dataclasses.Field[Any]]:
    return {field.name: field for field in dataclasses.fields(_sections()[section])}


def _option_type(section: str, key: str) -> Any:
    return get_type_hints(_sections()[section])[key]


def _environment_overrides(environ: Mapping[str, str]) -> dict[tuple[str, str], tuple[str, str]]:
    """Returns the options that the environment sets: (section, key) → (variable, text)."""
    known: dict[str, tuple[str, str, bool]] = {}
    for section in _sections():
        for key, field in _fields(section).items():
            name = f"{PREFIX}{section}_{key}".upper()
            known[name] = (section, key, False)
            if field.metadata.get("secret"):
                known[name + "_FILE"] = (section, key, True)
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for name, value in sorted(environ.items()):
        if not name.startswith(PREFIX) or name == PREFIX + "CONFIG":
            continue
        if name not in known:
            raise BadConfig(f"The environment has {name}, which is no option.{_suggestion(name, known)}")
        section, key, is_file = known[name]
        if (section, key) in found:
            raise BadConfig(f"The environment has both {found[section, key][0]} and {name}; keep one.")
        if is_file:
            try:
                value = Path(value).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise BadConfig(f"{name}: {value} cannot be read: {error}.") from None
        found[section, key] = (name, value)
    return found


def _parse_environment_value(kind: Any, text: str) -> Any:
    """Converts the text of a variable to the value that TOML would have given;
    what does not fit stays text."""
    if kind is bool:
        booleans = {"true": True, "1": True, "yes": True, "on": True}
        booleans |= {"false": False, "0": False, "no": False, "off": False, "": False}
        return booleans.get(text.strip().lower(), text)
    if kind is int:
        return int(text) if re.fullmatch(r"\s*-?[0-9]{1,18}\s*", text) else text
    if get_origin(kind) is tuple:
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _check_type(where: str, kind: Any, value: Any) -> Any:
    if get_origin(kind) is Literal:
        choices = get_args(kind)
        if value in choices:
            return value
        hint = _suggestion(str(value), choices)
        raise BadConfig(f"{where} is {value!r}, but may be {' or '.join(map(repr, choices))}.{hint}")
    if get_origin(kind) is tuple:
        if isinstance(value, str):
            value = [value]
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise BadConfig(f"{where} is {value!r}, but should be a list of strings.")
    if type(value) is kind:
        return value
    expected = {str: "a string", int: "a whole number", bool: "true or false"}
    raise BadConfig(f"{where} is {value!r}, but should be {expected[kind]}.")


def _validate(config: Config, origins: Mapping[tuple[str, str], str]) -> Config:
    """Returns the options with normalized domains; raises `BadConfig` for a value that cannot be used."""

    def refuse(section: str, key: str, why: str) -> BadConfig:
        return BadConfig(f"{origins.get((section, key), f'[{section}] {key}')} {why}")

    for section in dataclasses.fields(config):
        for key, value in vars(getattr(config, section.name)).items():
            if any(
                "\0" in item
                for item in (value if isinstance(value, tuple) else (value,))
                if isinstance(item, str)
            ):
                raise refuse(section.name, key, "contains a NUL character.")

    if config.node.source_url and not re.fullmatch(r"https?://[^\s\"'<>]+", config.node.source_url):
        raise refuse("node", "source_url", f"is {config.node.source_url!r}, but should be an address.")
    if config.node.contact_email and not _EMAIL.fullmatch(config.node.contact_email):
        raise refuse("node", "contact_email", "should be an e-mail address.")
    if not _NAME.fullmatch(config.node.contact_account):
        raise refuse("node", "contact_account", "should be the username of an account of this node.")
    hosts = {"domain": config.node.domain, "handle_domain": config.node.handle_domain}
    for key, given in hosts.items():
        host = _normalize_host(given)
        if host is None or not (host or key == "handle_domain"):
            raise refuse("node", key, f"is {given!r}, but should be a host like 'photos.example'.")
        hosts[key] = host
    if config.node.secret and len(config.node.secret) < 32:
        raise refuse("node", "secret", "should have at least 32 characters.")
    if not config.server.bind:
        raise refuse("server", "bind", "should name at least one address, like '127.0.0.1:8080'.")
    for address in config.server.bind:
        match = _BIND.fullmatch(address)
        if match is None or not (match[2] is None or _is_port(match[2])):
            raise refuse("server", "bind", f"has {address!r}, but should be like '127.0.0.1:8080'.")
    if bool(config.server.tls_certificate) != bool(config.server.tls_key):
        key = "tls_key" if config.server.tls_certificate else "tls_certificate"
        raise refuse("server", key, "is missing: tls_certificate and tls_key go together.")
    scheme, _, rest = config.database.url.partition(":")
    if scheme not in ("sqlite", "postgresql") or not rest:
        raise refuse("database", "url", "should begin with 'sqlite:' and a path, or with 'postgresql://'.")
    if not re.fullmatch(r"file:.+", config.media.url):
        raise refuse("media", "url", f"is {config.media.url!r}, but should be 'file:' and a folder.")
    if config.mail.url and not _MAIL_URL.fullmatch(config.mail.url):
        raise refuse("mail", "url", "should be like 'smtps://name:password@mail.example'.")
    if config.mail.sender and not _EMAIL.fullmatch(config.mail.sender):
        raise refuse("mail", "sender", "should be an e-mail address.")
    if not config.server.jobs and scheme == "sqlite":
        raise refuse("server", "jobs", "is false, but with SQLite nothing else can do the node's jobs.")
    if not 1 <= config.media.max_upload_mb <= 1000:
        raise refuse("media", "max_upload_mb", "should be between 1 and 1000.")
    if not 1 <= config.media.cache_gb <= 1_000_000:
        raise refuse("media", "cache_gb", "should be between 1 and 1000000.")
    for key in ("unposted_originals_gb", "unfinished_uploads_gb"):
        if not 1 <= getattr(config.media, key) <= 1_000_000:
            raise refuse("media", key, "should be between 1 and 1000000.")
    if not 0 <= config.federation.keep_remote_posts_days <= 36_500:
        raise refuse("federation", "keep_remote_posts_days", "should be between 0 and 36500.")
    node = dataclasses.replace(config.node, domain=hosts["domain"], handle_domain=hosts["handle_domain"])
    return dataclasses.replace(config, node=node)


def _normalize_host(given: str) -> str | None:
    """Converts a host to lower case and punycode, with the port; `""` stays, None for what is not a host."""
    host = given.strip().lower()
    if not host.isascii():
        with contextlib.suppress(UnicodeError):
            name, colon, port = host.partition(":")
            host = name.encode("idna").decode() + colon + port
    if host and not (_HOST.fullmatch(host) and _is_port(host.rpartition(":")[2] if ":" in host else "443")):
        return None
    return host


def _is_port(text: str) -> bool:
    return text.isdigit() and int(text) <= 65535


def _suggestion(wrong: str, right: Any) -> str:
    close = difflib.get_close_matches(wrong, list(right), n=1, cutoff=0.5)
    return f" Did you mean {close[0]}?" if close else f" There are: {', '.join(right)}."


def _line_number(text: str, section: str, key: str | None = None) -> int:
    """Returns the line that names a section, or a key in it;
    1 when the regular expressions here do not find it."""
    inside = ""
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[\s*([^\]\s]+)\s*\]", line)
        if header:
            inside = header[1].strip("\"'")
            if key is None and inside == section:
                return number
            continue
        name = re.match(r"\s*([\w.\"'-]+)\s*=", line)
        if name:
            path = name[1].replace('"', "").replace("'", "")
            full = f"{inside}.{path}" if inside else path
            if full == (f"{section}.{key}" if key else section):
                return number
    return 1
