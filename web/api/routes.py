"""Collects the routes of the client API from the modules of `web.api.v1`, which declare them beside their endpoints.

A new chapter needs no entry here, only a module with `routes`. Only what works is there; anything else is a
plain 404, which an app understands better than an empty response.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module

from web.api import v1
from web.api.endpoint import Route

ROUTES: tuple[Route, ...] = tuple(
    route
    for module in pkgutil.walk_packages(v1.__path__, f"{v1.__name__}.")
    if not module.ispkg
    for route in import_module(module.name).routes.routes
)
