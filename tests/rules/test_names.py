"""A public class name means one thing in all four packages, and a module that needs another name has one only."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("node", "activitypub", "web", "media")


def _trees(*folders: str) -> dict[str, ast.Module]:
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in paths}


def _is_module(name: str) -> bool:
    path = ROOT / name.replace(".", "/")
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def _aliases() -> dict[str, set[str]]:
    """Every module of ours that is imported under another name than its own, with those names."""
    found = defaultdict(set)
    for tree in _trees(*PACKAGES, "tests", "federation_tests").values():
        for node in ast.walk(tree):
            if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith(PACKAGES):
                continue
            for imported in node.names:
                if imported.asname is not None and _is_module(f"{node.module}.{imported.name}"):
                    found[f"{node.module}.{imported.name}"].add(imported.asname)
    return found


def test_public_class_names_are_unique() -> None:
    places = defaultdict(list)
    for path, tree in _trees(*PACKAGES).items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(path)

    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_a_module_has_at_most_one_alias() -> None:
    assert {module: names for module, names in _aliases().items() if len(names) > 1} == {}


def test_an_alias_stands_for_one_module() -> None:
    modules = defaultdict(set)
    for module, names in _aliases().items():
        for name in names:
            modules[name].add(module)

    assert {name: found for name, found in modules.items() if len(found) > 1} == {}
