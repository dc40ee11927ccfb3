"""Lists every name of hypercorn that the servers use although hypercorn does not document it.

The fast server (`hypercorn_connections`, `http1`, `http2`, `h11_patch`) replaces parts of hypercorn and
inherits from others; the plain server does so with its readers alone (`strict_h11`, `strict_h2`). `missing` says which of
those parts the installed release lacks or has changed; `http_server` and `plain` call it at start, before any of those
modules is imported. A contract test holds the list
against the code of `web/`: no undocumented name is used that is not in it, and none is in it that is not
used.
"""

from __future__ import annotations

import dis
import importlib
import inspect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

# What may be used without being listed, of hypercorn and of the parser.
DOCUMENTED = frozenset(
    (
        "hypercorn.asyncio.serve",
        "hypercorn.config.Config",
        "hypercorn.config.Sockets",
        "h11",
        "h11.Connection",
        "h11.Data",
        "h11.IDLE",
        "h11.RemoteProtocolError",
        "h11.Request",
        "h11.SERVER",
        "h2.errors.ErrorCodes",
        "h2.exceptions.StreamClosedError",
        "httptools.HttpParserError",
        "httptools.HttpParserUpgrade",
        "httptools.HttpRequestParser",
    )
)

READER_ARGUMENTS = (
    "app",
    "config",
    "context",
    "task_group",
    "connection_state",
    "ssl",
    "client",
    "server",
    "send",
)


@dataclass(frozen=True)
class Name:
    """A dotted path: something in a module or class, or an attribute that a method of the class assigns."""

    path: str
    arguments: tuple[str, ...] | None = None  # of a function or class, in their order, without `self`
    looked_up_in: str | None = None  # the function that looks it up at every call, so that it can be replaced


EVENTS = "hypercorn.events"
SERVER = "hypercorn.asyncio.tcp_server.TCPServer"
TASKS = "hypercorn.asyncio.task_group.TaskGroup"
FLAG = "hypercorn.asyncio.worker_context.EventWrapper"
CONTEXT = "hypercorn.asyncio.worker_context.WorkerContext"
H11 = "hypercorn.protocol.h11.H11Protocol"
BUFFER = "h11._receivebuffer.ReceiveBuffer"
H2 = "hypercorn.protocol.h2.H2Protocol"
WRAPPER = "hypercorn.protocol.ProtocolWrapper"

# What reads HTTP/1.1 and HTTP/2, made strict.
STRICT_READER_NAMES = (
    Name("hypercorn.protocol.H11Protocol", looked_up_in=f"{WRAPPER}.__init__"),
    Name(H11, READER_ARGUMENTS),
    Name(f"{H11}.send"),
    Name(f"{BUFFER}.maybe_extract_lines", ()),
    Name(f"{BUFFER}._data"),
    Name("h11.Connection._receive_buffer"),
    Name(f"{H11}.config"),
    Name(f"{H11}.connection"),
    Name("hypercorn.protocol.H2Protocol", looked_up_in=f"{WRAPPER}.__init__"),
    Name(H2, READER_ARGUMENTS),
    Name(f"{H2}.connection"),
    Name(f"{H2}.context"),
    Name(f"{H2}.handle", ("event",)),
    Name(f"{H2}.send"),
    Name(f"{EVENTS}.Event"),
    Name(f"{EVENTS}.RawData", ("data", "address")),
    Name(f"{EVENTS}.Closed", ()),
    Name(f"{CONTEXT}.terminated"),
    Name(f"{FLAG}.wait", ()),
)

NAMES = (
    *STRICT_READER_NAMES,
    # What readers and connections tell each other.
    Name(f"{EVENTS}.Updated", ("idle",)),
    # Replaced in the module that looks them up, at every connection.
    Name("hypercorn.asyncio.run.TCPServer", looked_up_in="hypercorn.asyncio.run.worker_serve"),
    Name("hypercorn.asyncio.tcp_server.TaskGroup", looked_up_in=f"{SERVER}.run"),
    # One connection.
    Name(SERVER, ("app", "loop", "config", "context", "state", "reader", "writer")),
    Name(f"{SERVER}.loop"),
    Name(f"{SERVER}.config"),
    Name(f"{SERVER}.context"),
    Name(f"{SERVER}.reader"),
    Name(f"{SERVER}.writer"),
    Name(f"{SERVER}.idle_task"),
    Name(f"{SERVER}._task_group"),
    Name(f"{SERVER}.protocol"),
    Name(f"{SERVER}.protocol_send", ("event",)),
    Name(f"{SERVER}._close", ()),
    Name(f"{SERVER}._read_data", ()),
    Name(f"{SERVER}._idle_timeout", ()),
    Name(f"{SERVER}._initiate_server_close", ()),
    Name(f"{WRAPPER}.handle", ("event",)),
    # The tasks of a connection.
    Name(TASKS, ("loop",)),
    Name(f"{TASKS}.spawn", ("func", "args")),
    Name(f"{TASKS}.spawn_app", ("app", "config", "scope", "send")),
    # What else reads HTTP.
    Name(FLAG, ()),
    Name(f"{FLAG}._event"),
    Name(f"{FLAG}.clear", ()),
    Name(f"{FLAG}.is_set", ()),
    Name(f"{H11}.initiate", ()),
    Name(f"{H11}.can_read"),
    Name(f"{H11}.handle", ("event",)),
    Name(f"{H2}._create_stream", ("request",)),
    Name(f"{H2}.streams"),
    Name(f"{H2}.stream_buffers"),
    Name("hypercorn.protocol.h2.StreamBuffer.close", ()),
)


def missing(names: Iterable[Name] = NAMES) -> list[str]:
    """Returns the names that the installed hypercorn lacks or has changed,
    each with what is wrong with it."""
    return [f"{name.path} {fault}" for name in names if (fault := _fault(name)) is not None]


def _fault(name: Name) -> str | None:
    owner, _, last = name.path.rpartition(".")
    holder = _find(owner)
    if holder is None or not (hasattr(holder, last) or _assigns(holder, last)):
        return "is missing"
    if name.arguments is not None and _arguments(getattr(holder, last, None)) != name.arguments:
        return f"does not take ({', '.join(name.arguments)})"
    if name.looked_up_in is not None and not _looks_up(_find(name.looked_up_in), last):
        return f"is not looked up by {name.looked_up_in}"
    return None


def _find(path: str) -> Any:
    """Returns the module, class or function at a dotted path, or None."""
    module = path
    rest: list[str] = []
    while module:
        try:
            found: Any = importlib.import_module(module)
        except ImportError:
            module, _, last = module.rpartition(".")
            rest.insert(0, last)
            continue
        for one in rest:
            found = getattr(found, one, None)
        return found
    return None


def _assigns(holder: Any, name: str) -> bool:
    """Returns whether a method of the class assigns this attribute."""
    functions = [one for one in vars(holder).values() if isinstance(one, FunctionType)]
    return any(
        step.opname == "STORE_ATTR" and step.argval == name
        for function in functions
        for step in dis.get_instructions(function)
    )


def _arguments(found: Any) -> tuple[str, ...] | None:
    try:
        return tuple(name for name in inspect.signature(found).parameters if name != "self")
    except (TypeError, ValueError):
        return None


def _looks_up(function: Any, name: str) -> bool:
    return isinstance(function, FunctionType) and any(
        step.opname == "LOAD_GLOBAL" and step.argval == name
        for code in _codes(function.__code__)
        for step in dis.get_instructions(code)
    )


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Yields a function's code and that of the functions within it."""
    yield code
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield from _codes(one)
