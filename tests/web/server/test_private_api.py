"""The contract with hypercorn: what the fast server uses of it is there, is listed, and nothing else is used."""

from __future__ import annotations

import ast
import asyncio
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypercorn.asyncio.task_group import TaskGroup
from hypercorn.config import Config

from web.server import private_api
from web.server.private_api import DOCUMENTED, NAMES, Name

ROOT = Path(__file__).parents[3]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): ast.parse(path.read_text())
    for path in sorted((ROOT / "web").rglob("*.py"))
}
FAST = [
    f"web.server.{name}"
    for name in ("hypercorn_connections", "http1", "http2", "h11_patch", "strict_h11", "strict_h2")
]
LIBRARIES = ("hypercorn", "h11", "h2", "httptools")
LISTED = {name.path for name in NAMES}

# What these attributes hold, where they are used: the class whose attributes are used through them.
HELD = {
    "context": private_api.CONTEXT,
    "terminated": private_api.FLAG,
    "protocol": private_api.WRAPPER,
    "_tasks": private_api.TASKS,
}


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name.path)
def test_the_installed_hypercorn_has_what_the_fast_server_uses(name: Name) -> None:
    assert private_api.missing([name]) == []


async def test_the_messages_for_an_app_wait_in_a_queue_that_can_be_reached() -> None:
    async def app(*given: Any) -> None:
        return None

    async def send(message: Any) -> None:
        return None

    async with TaskGroup(asyncio.get_running_loop()) as group:
        put: Any = await group.spawn_app(app, Config(), {}, send)  # type: ignore[arg-type]
        assert isinstance(put.__self__, asyncio.Queue)


def _imported(tree: ast.AST) -> Iterator[str]:
    """What a module imports of the libraries, or reaches through what it imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in LIBRARIES:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            names = [f"{one.name} as {one.asname}" if one.asname else one.name for one in node.names]
            yield from (name for name in names if name.partition(".")[0] in LIBRARIES)
        elif isinstance(node, ast.Attribute) and (path := _dotted(node)).partition(".")[0] in LIBRARIES:
            yield path


def _dotted(node: ast.expr) -> str:
    """`a.b.c` of nested attributes, "" for what begins with something else than a name."""
    if isinstance(node, ast.Attribute):
        owner = _dotted(node.value)
        return owner and f"{owner}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _inherited(module: str) -> Iterator[str]:
    """What of its hypercorn parent each class of a fast module overrides, sets or uses."""
    classes = {node.name: node for node in MODULES[module].body if isinstance(node, ast.ClassDef)}
    for name, tree in classes.items():
        parents = getattr(importlib.import_module(module), name).__mro__
        paths = [f"{parent.__module__}.{parent.__name__}" for parent in parents]
        path = next((one for one in paths if one.startswith("hypercorn.")), "")
        if not path or path in DOCUMENTED:
            continue
        used = {
            node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and _is_own(node.value)
        }
        used |= {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        yield path
        yield from (
            f"{path}.{one}" for one in used - {"__init__"} if not private_api.missing([Name(f"{path}.{one}")])
        )


def _is_own(node: ast.expr) -> bool:
    """`self` or `super()`."""
    if isinstance(node, ast.Call):
        node = node.func
    return isinstance(node, ast.Name) and node.id in ("self", "super")


def _through_others(module: str) -> Iterator[str]:
    """What is used of hypercorn's objects through the attributes that hold them."""
    for node in ast.walk(MODULES[module]):
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Attribute):
            continue
        if node.value.attr in HELD and not _dotted(node).startswith("hypercorn."):
            yield f"{HELD[node.value.attr]}.{node.attr}"


def _used() -> dict[str, list[str]]:
    return {
        module: [*_imported(MODULES[module]), *_inherited(module), *_through_others(module)]
        for module in FAST
    }


def test_the_fast_server_uses_no_undocumented_name_that_is_not_listed() -> None:
    modules = {path.rpartition(".")[0] for path in LISTED} | {"hypercorn.asyncio", "hypercorn.protocol"}
    for module, used in _used().items():
        assert set(used) - LISTED - DOCUMENTED - modules == set(), module


def test_the_rest_of_web_uses_only_what_hypercorn_documents() -> None:
    documented = DOCUMENTED | {"hypercorn.asyncio"}
    for module in MODULES.keys() - set(FAST):
        assert set(_imported(MODULES[module])) <= documented, module


def test_nothing_is_listed_that_is_not_used() -> None:
    used = set()
    for node in (node for module in FAST for node in ast.walk(MODULES[module])):
        if isinstance(node, ast.Attribute):
            used.add(node.attr)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.alias):
            used.add(node.name)
    assert {path.rpartition(".")[2] for path in LISTED} - used == set()


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        (Name("hypercorn.nowhere.Thing"), "is missing"),
        (Name("hypercorn.events.Nothing"), "is missing"),
        (Name(f"{private_api.SERVER}.nothing"), "is missing"),
        (Name(f"{private_api.H11}.handle", ("event", "more")), "does not take (event, more)"),
        (
            Name("hypercorn.asyncio.run.TCPServer", looked_up_in=f"{private_api.SERVER}.run"),
            f"is not looked up by {private_api.SERVER}.run",
        ),
    ],
)
def test_what_a_release_took_away_or_changed_is_named(name: Name, fault: str) -> None:
    assert private_api.missing([*NAMES, name]) == [f"{name.path} {fault}"]
