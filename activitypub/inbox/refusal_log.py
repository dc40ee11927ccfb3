"""Logs what an inbox refuses, so that nobody can fill the log: the first refusals of a minute, then their number."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

log = logging.getLogger("tintype.inbox")

MAX_LINES = 30  # in a minute


class RefusalLog:
    """One per inbox. What is left out is logged at the level of debugging."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._minute = -1
        self._lines = self._left_out = 0

    def add(self, text: str, *, is_signed: bool) -> None:
        """Logs one refusal. A request without a signature is no server's, so it is only counted."""
        minute = int(self._now() // 60)
        if minute != self._minute:
            if self._left_out:
                log.info("inbox: refused %d more requests", self._left_out)
            self._minute, self._lines, self._left_out = minute, 0, 0
        if is_signed and self._lines < MAX_LINES:
            self._lines += 1
            log.info("%s", text)
        else:
            self._left_out += 1
            log.debug("%s", text)
