"""The pages for people: each module here and below holds the `blueprint` of one area, which `blueprints` finds.

A new page needs no entry in a list, only a module. Pages read and write through `web.request.context`, and show what
they read with a template of `templates/`; nothing else is theirs.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module

from quart import Blueprint


def blueprints() -> list[Blueprint]:
    """Imports every module of pages and returns its blueprint. Raises AttributeError for a module without one."""
    modules = pkgutil.walk_packages(__path__, f"{__name__}.")
    return [import_module(module.name).blueprint for module in modules if not module.ispkg]
