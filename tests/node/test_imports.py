"""Every module of `node` can be imported first: no import depends on another one before it."""

from __future__ import annotations

import subprocess
import sys

EACH_FIRST = """
import importlib, pkgutil, sys
import node
names = [found.name for found in pkgutil.walk_packages(node.__path__, "node.") if found.name != "node.__main__"]
for name in names:
    for loaded in [module for module in sys.modules if module.startswith("node.")]:
        del sys.modules[loaded]
    try:
        importlib.import_module(name)
    except ImportError as error:
        sys.exit(f"{name}: {error}")
"""


def test_any_module_can_be_imported_first() -> None:
    done = subprocess.run([sys.executable, "-c", EACH_FIRST], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
