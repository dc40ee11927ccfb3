"""How much one cause may make us ask of others."""

from __future__ import annotations

from activitypub.client.client import Unfetchable
from activitypub.uris import host_of

MOST_FETCHES = 20


class Budget:
    """How much one cause may make us ask of others: so many documents, from so few servers."""

    def __init__(self, documents: int = MOST_FETCHES, hosts: int = 5) -> None:
        self._documents = documents
        self._hosts: set[str] = set()
        self._most_hosts = hosts

    def spend(self, uri: str) -> None:
        self._documents -= 1
        self._hosts.add(host_of(uri))
        if self._documents < 0 or len(self._hosts) > self._most_hosts:
            raise refusal(uri, "this would take more requests than one activity is worth")


def refusal(uri: str, reason: str) -> Unfetchable:
    """A document that we will not have, now or later."""
    return Unfetchable(uri, reason, status=None, temporary=False, gone=False)
