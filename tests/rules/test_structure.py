"""The structure of the code: no import cycle, no crowded folder, no long file, a test module for every module of `node`."""

from __future__ import annotations

import ast
import graphlib
import itertools
from collections import Counter
from collections.abc import Collection
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("node", "activitypub", "web", "media")
PATHS = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
MAX_LINES = 400
MAX_MODULES = 14


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def module_name(path: Path) -> str:
    """`node/posts/posts.py` → `node.posts.posts`; a package's `__init__.py` has the name of the package."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(source: str, name: str, known: Collection[str], *, is_package: bool = False) -> set[str]:
    """The modules of `known` that the source of `name` imports, in functions and for types too.

    `from package import name` counts for the module of that name if there is one, else for the package itself;
    `import_owners("package")` for every module right in the package.
    """
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, name, is_package)
            for alias in node.names:
                submodule = f"{base}.{alias.name}"
                found.add(submodule if submodule in known else base)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "import_owners":
            for package in map(ast.literal_eval, node.args):
                found |= {package, *(one for one in known if one.rpartition(".")[0] == package)}
    return {one for one in found if one in known and one != name}


def _absolute(node: ast.ImportFrom, name: str, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    parts = name.split(".")
    parts = parts[: len(parts) - node.level + is_package]
    return ".".join([*parts, node.module] if node.module else parts)


def find_cycle(graph: dict[str, set[str]]) -> list[str]:
    """Modules of which each imports the next, the first again at the end; empty if there is no cycle."""
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        cycle: list[str] = error.args[1]
        return cycle[::-1]
    return []


def test_no_module_imports_itself_by_way_of_others() -> None:
    names = {module_name(path): path for path in PATHS}
    graph = {
        name: imports(path.read_text(), name, names, is_package=path.name == "__init__.py")
        for name, path in names.items()
    }

    cycle = find_cycle(graph)

    assert not cycle, " imports ".join(cycle)


def test_a_cycle_is_found_through_functions_types_and_relative_imports() -> None:
    known = ("p", "p.a", "p.b", "p.c", "p.d")
    graph = {
        "p": imports("", "p", known, is_package=True),
        "p.a": imports("def f():\n    from p import b", "p.a", known),
        "p.b": imports("if TYPE_CHECKING:\n    from .c import C", "p.b", known),
        "p.c": imports("import json, p.a", "p.c", known),
        "p.d": imports("from p.a import x\nfrom p import y", "p.d", known),
    }

    assert graph == {"p": set(), "p.a": {"p.b"}, "p.b": {"p.c"}, "p.c": {"p.a"}, "p.d": {"p", "p.a"}}
    cycle = find_cycle(graph)
    assert cycle[0] == cycle[-1]
    assert set(cycle) == {"p.a", "p.b", "p.c"}
    assert all(after in graph[before] for before, after in itertools.pairwise(cycle))
    assert find_cycle({**graph, "p.c": set()}) == []


def test_a_cycle_is_found_through_the_import_of_all_owners() -> None:
    known = ("p", "p.a", "p.b", "q", "q.c", "q.r", "q.r.d")
    source = "from p import hooks\nhooks.import_owners('p', 'q')"

    assert imports(source, "p.a", known) == {"p", "p.b", "q", "q.c", "q.r"}
    assert find_cycle({"p.a": imports(source, "p.a", known), "p.b": {"p.a"}})


def test_no_folder_holds_more_than_14_modules() -> None:
    modules = Counter(relative(path.parent) for path in PATHS if path.name != "__init__.py")

    assert not {folder: count for folder, count in modules.items() if count > MAX_MODULES}


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {relative(path): len(path.read_text().splitlines()) for path in PATHS}

    assert not {name: length for name, length in lengths.items() if length > MAX_LINES}


def test_every_module_of_node_has_a_test_module_of_its_own() -> None:
    modules = [path for path in PATHS if path.is_relative_to(ROOT / "node") and path.name != "__init__.py"]

    untested = [
        relative(path)
        for path in modules
        if not (ROOT / "tests" / path.relative_to(ROOT)).with_name(f"test_{path.name}").is_file()
    ]

    assert not untested, "\n".join(["no test module for:", *untested])
