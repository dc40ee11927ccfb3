"""Who sends a request: a member or an app, another server, or a visitor. Decides only how it is scheduled."""

from __future__ import annotations

import functools
from typing import Any, Protocol, TypeVar

from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from activitypub.asgi import header, headers
from node import rate_limits
from node.cache import Cache
from node.database import Reader
from node.node import Node
from web.api import auth
from web.files.media_files import viewer_by_id
from web.i18n import translations
from web.request.addresses import nearest_untrusted
from web.request.session import LANGUAGE_COOKIE, SESSION_COOKIE

K = TypeVar("K", str, int, contravariant=True)

MAX_CACHED_VIEWERS = 4096
VIEWER_TTL_SECONDS = 60.0
MAX_CACHED_SERVERS = 5000
SERVER_TTL_SECONDS = 24 * 3600.0
MAX_HEADER = 300  # characters of Accept-Language that are read, and of addresses that are remembered


class Known(Protocol[K]):
    """What was good a moment ago, and how the database is asked for the rest."""

    def has_known(self, key: K, /) -> bool: ...
    def is_good(self, tx: Reader, key: K, /) -> bool: ...


class KnownViewers:
    """Which accounts whose apps ask for files could sign in a moment ago."""

    def __init__(self, node: Node) -> None:
        self._good: Cache[int, bool] = Cache(MAX_CACHED_VIEWERS, VIEWER_TTL_SECONDS)

    def has_known(self, account_id: int) -> bool:
        return self._good.get(account_id) is not None

    def is_good(self, tx: Reader, account_id: int) -> bool:
        if viewer_by_id(tx, account_id) is None:
            return False
        self._good.put(account_id, True)
        return True


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


def app_viewer(node: Node, path: str) -> int:
    """Returns the id of the account to whose app the address of a file was given; 0 for another address."""
    start, _, rest = path.partition("/media/p/")
    capability, _, key = rest.partition("/")
    return (not start and bool(key) and node.site.media_capability_viewer(capability, key)) or 0


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
