"""Which sessions were good a moment ago. That opens nothing: it only decides how a request is scheduled."""

from __future__ import annotations

import functools
from collections.abc import Callable

from node.auth import sessions
from node.auth.issued_tokens import TokenKind
from node.auth.users import User
from node.cache import Cache
from node.database import Reader
from node.models.account import Account
from node.node import Node

FindSession = Callable[[Reader], tuple[Account, User] | None]

MAX_KNOWN = 4096
KNOWN_SECONDS = 60.0


class KnownSessions:
    """Looks sessions up, and remembers each that is good until it was not used for a minute, or is not good any more."""

    kind = TokenKind.SESSION

    def __init__(self, node: Node) -> None:
        self._good: Cache[str, bool] = Cache(MAX_KNOWN, KNOWN_SECONDS)

    def has_known(self, token: str) -> bool:
        """Returns whether a session was good when it was used last, without asking the database."""
        return self._good.get(token) is not None

    def find(self, tx: Reader, token: str) -> tuple[Account, User] | None:
        """Returns the account and user of a session; None without one that is good."""
        found = sessions.by_token(tx, token) if token else None
        if found is None:
            self._good.forget(token)
        else:
            self._good.put(token, True)
        return found

    def finder(self, token: str) -> FindSession:
        """Returns `find` of one session, for units of work."""
        return functools.partial(self.find, token=token)

    def is_good(self, tx: Reader, token: str) -> bool:
        return self.find(tx, token) is not None
