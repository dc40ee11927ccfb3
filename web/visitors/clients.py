"""Who sends a request: a member or an app, another server, or a visitor. Decides only how it is scheduled."""

from __future__ import annotations

import functools
from typing import Any

from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from activitypub.asgi import header, headers
from node import rate_limits
from node.cache import Cache
from node.node import Node
from web.api import auth
from web.i18n import translations
from web.request.addresses import nearest_untrusted
from web.request.session import LANGUAGE_COOKIE, SESSION_COOKIE

MAX_CACHED_SERVERS = 5000
SERVER_TTL_SECONDS = 24 * 3600.0
MAX_HEADER = 300  # characters of Accept-Language that are read, and of addresses that are remembered


class KnownServers:
    """From which networks the last request to an inbox was a signed one, in this process."""

    def __init__(self) -> None:
        self._good: Cache[str, bool] = Cache(MAX_CACHED_SERVERS, SERVER_TTL_SECONDS)

    def has(self, network: str) -> bool:
        return self._good.get(network) is not None

    def note(self, network: str, *, is_good: bool) -> None:
        if is_good:
            self._good.put(network, True)
        else:
            self._good.forget(network)


def bearer_token(scope: Any) -> str:
    """Returns the access token of a request; '' without one."""
    return next((token for token in map(auth.parse_bearer, headers(scope, b"authorization")) if token), "")


def is_app_of_member(node: Node, path: str) -> bool:
    """Returns whether the address of a file is one that was given to the app of somebody here."""
    start, _, rest = path.partition("/media/p/")
    capability, _, key = rest.partition("/")
    return not start and bool(key) and bool(node.site.media_capability_viewer(capability, key))


def network(node: Node, scope: Any) -> str:
    """Returns the network that a request comes from, as limits count it."""
    remote = (scope.get("client") or ("",))[0] or ""
    forwarded = ",".join(headers(scope, b"x-forwarded-for"))
    find = _network if len(forwarded) < MAX_HEADER else _network.__wrapped__
    return find(remote, forwarded, node.config.server.trusted_proxies)


@functools.lru_cache(maxsize=2048)
def _network(remote: str, forwarded: str, trusted_proxies: tuple[str, ...]) -> str:
    return rate_limits.client_network(nearest_untrusted(remote, forwarded, trusted_proxies))


def language(scope: Any, sent: dict[str, str]) -> str:
    """Returns the language of the page that a request gets."""
    accepted = header(scope, b"accept-language") or ""
    return _choose_language(sent.get(LANGUAGE_COOKIE, "")[:20], accepted[:MAX_HEADER])


@functools.lru_cache(maxsize=1024)
def _choose_language(wanted: str, accepted: str) -> str:
    names = [name for name, _quality in parse_accept_header(accepted, LanguageAccept)]
    return translations.choose_language(wanted, names)


def session_token(sent: dict[str, str]) -> str:
    return sent.get(SESSION_COOKIE, "")
