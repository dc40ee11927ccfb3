"""Lists the functions that clean up after a deleted post or account. Owns no table.

The module that owns a table with a post or account id registers its own function here, so that a new table needs
no change in the modules that delete (`post_deletion`, and `account_deletion` above it). `post_deletion` calls
`import_owners` first, for packages below its own: what gets cleaned up does not depend on what a process happens to
have imported, and no import can come back to it.

`tests/rules/test_deletion.py` fails for a table that nobody cleans up.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import Generic, TypeVar

from node.database import Writer
from node.models.account import Account
from node.models.post import Post

Deleted = TypeVar("Deleted")


class Hooks(Generic[Deleted]):
    """The functions for one moment. Decorating a function with it registers it.

    They run in the order of their names, whatever the order of imports, and none may rely on rows of another's
    table.
    """

    def __init__(self) -> None:
        self._by_name: dict[str, Callable[[Writer, Deleted], None]] = {}

    def __call__(self, hook: Callable[[Writer, Deleted], None]) -> Callable[[Writer, Deleted], None]:
        self._by_name[f"{hook.__module__}.{hook.__qualname__}"] = hook
        return hook

    def run(self, tx: Writer, deleted: Deleted) -> None:
        for name in self.names():
            self._by_name[name](tx, deleted)

    def names(self) -> list[str]:
        """Returns the registered functions, `package.module.function`, in the order in which they run."""
        return sorted(self._by_name)


on_post_deleted: Hooks[Post] = Hooks()
"""In the unit of work that deletes a post. They get the post as it was before."""

on_account_deleted: Hooks[Account] = Hooks()
"""In the unit of work that deletes an account, so only for what is quickly done."""

on_account_content_deleted: Hooks[Account] = Hooks()
"""In the background job that follows, once all posts of the account are deleted."""


def import_owners(*packages: str) -> None:
    """Imports every module of these packages, so that all that own tables have registered their functions."""
    for package in packages:
        folders = importlib.import_module(package).__path__
        for module in pkgutil.iter_modules(folders, f"{package}."):
            importlib.import_module(module.name)
