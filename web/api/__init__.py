"""The client API: what people's apps see and do, under Mastodon's documented names and shapes.

`Api(node)` is one plain ASGI app for every path under `/api/`. `routes.py` is the table of all endpoints,
one module per chapter of the documentation holds them, `entities.py` writes what they answer.
"""

from web.api.app import Api

__all__ = ["Api"]
