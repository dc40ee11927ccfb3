"""The client API for apps, under Mastodon's documented names and shapes.

`Api(node)` is one plain ASGI app for every path under `/api/`. One module of `v1/` per chapter of Mastodon's
documentation holds the endpoints with their routes, `routes.py` collects them, `entities.py` renders the responses.
"""

from web.api.app import Api

__all__ = ["Api"]
