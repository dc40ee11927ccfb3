"""Requests that wait: one queue for each address, in groups that are served in turn, and in each its addresses in turn.

How addresses are grouped: `web.request.addresses.group_of`.
"""

from __future__ import annotations

from asyncio import Future
from collections import OrderedDict, deque

Queues = OrderedDict[str, deque[Future[None]]]


class WaitingRequests:
    """The requests that wait for one kind of turns."""

    def __init__(self) -> None:
        self._groups: OrderedDict[str, Queues] = OrderedDict()
        self.count = 0

    def add(self, group: str, address: str, future: Future[None]) -> None:
        self._groups.setdefault(group, OrderedDict()).setdefault(address, deque()).append(future)
        self.count += 1

    def pop(self) -> Future[None]:
        """Takes out the request whose turn is next."""
        group, queues = self._groups.popitem(last=False)
        address, queue = queues.popitem(last=False)
        future = queue.popleft()
        self.count -= 1
        if queue:
            queues[address] = queue
        if queues:
            self._groups[group] = queues
        return future

    def pop_for(self, group: str, address: str) -> Future[None] | None:
        """Takes out a request so that one of this address fits in: the newest of the address that has most in the
        group that has most. Returns None where that is this one itself."""
        own = self._groups.get(group, OrderedDict())
        most = max(reversed(self._groups.values()), key=_size, default=own)
        if _size(most) <= _size(own) + 1:
            most = own
        queue = max(reversed(most.values()), key=len, default=deque())
        if most is own and len(queue) <= len(own.get(address, ())) + 1:
            return None
        future = queue[-1]
        self.remove(future)
        return future

    def remove(self, future: Future[None]) -> None:
        """Takes a request out, if it is here."""
        for group, queues in self._groups.items():
            for address, queue in queues.items():
                if future in queue:
                    queue.remove(future)
                    self.count -= 1
                    if not queue:
                        del queues[address]
                    if not queues:
                        del self._groups[group]
                    return


def _size(queues: Queues) -> int:
    return sum(map(len, queues.values()))
