"""Limits the requests to remote servers that one cause (an activity, a job) may set off."""

from __future__ import annotations

from activitypub.client.client import Unfetchable
from activitypub.uris import host_of

MAX_FETCHES = 20


class FetchBudget:
    """Counts down the documents and the distinct hosts that one cause may fetch."""

    def __init__(self, documents: int = MAX_FETCHES, hosts: int = 5) -> None:
        self._documents = documents
        self._hosts: set[str] = set()
        self._max_hosts = hosts

    def spend(self, uri: str) -> None:
        """Counts one request against the budget.

        Raises Unfetchable when the budget is spent, Malformed for what is no address.
        """
        self._documents -= 1
        self._hosts.add(host_of(uri))
        if self._documents < 0 or len(self._hosts) > self._max_hosts:
            raise permanent_failure(uri, "this would take more requests than one activity is worth")


def permanent_failure(uri: str, reason: str) -> Unfetchable:
    """Returns the error for a document that no retry will bring."""
    return Unfetchable(uri, reason, status=None, temporary=False, gone=False)
