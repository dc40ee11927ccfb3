"""Errors with an HTTP status, for everything that a person or a server may not do.

Each has two texts: `message` is shown to the person, `detail` goes to the log. `node/` raises them, and each
entry point (pages, client API, federation) has one renderer for all of them.
"""

from __future__ import annotations

import errno


def N_(text: str) -> str:
    """Marks a text that is translated where it is shown."""
    return text


DISK_FULL = N_("The server's disk is full, so nothing can be saved at the moment. Please try again later.")
DATABASE_AWAY = N_("The server cannot reach its database at the moment. Please try again in a minute.")


class Refused(Exception):
    """A request that is refused. `status` is the HTTP status that fits."""

    status = 400

    def __init__(self, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail


class NotFound(Refused):
    """Nothing exists, or nothing this person may see: both look the same on purpose."""

    status = 404

    def __init__(self, message: str = "There is nothing here.", *, detail: str = "") -> None:
        super().__init__(message, detail=detail)


class Gone(NotFound):
    """Something public was deleted; that it existed is no secret."""

    status = 410


class NotAllowed(Refused):
    """This person may not do that, and may know that it exists."""

    status = 403


class Invalid(Refused):
    """The input cannot be used; `field` names the field of the form."""

    status = 422

    def __init__(self, message: str, *, field: str = "", detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.field = field


class Conflict(Refused):
    """It contradicts something that exists, such as a name that is taken."""

    status = 409


class TooManyRequests(Refused):
    """A rate limit is exceeded; `retry_after` is in seconds."""

    status = 429

    def __init__(self, message: str, *, retry_after: int = 60, detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.retry_after = retry_after


class DiskFull(Refused):
    """No space is left on the disk: a fault of this server, not of the request."""

    status = 507

    def __init__(self, *, detail: str = "") -> None:
        super().__init__(DISK_FULL, detail=detail)


class Unreachable(Refused):
    """Another server did not answer, or not with something usable."""

    status = 502


class Overloaded(Refused):
    """This server has too much to do for this now; `retry_after` is in seconds."""

    status = 503

    def __init__(self, message: str, *, retry_after: int = 5, detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.retry_after = retry_after


class DatabaseUnavailable(Exception):
    """The database does not answer, refuses a connection, or its file cannot be read. `reason` is for the log.

    It is no `Refused`: those are rules, and a rule that says no lets the rest go on. After this one nothing was
    decided, so nobody may take it for an answer: requests get 503, jobs run again.
    """

    status = 503
    retry_after = 5  # seconds

    def __init__(self, reason: str, *, is_temporary: bool = True) -> None:
        """Sets the reason. Without `is_temporary` it stays so until a person changes something."""
        reason = " ".join(reason.split())
        super().__init__(
            f"The database cannot be used: {reason}{'' if reason.endswith(('.', '?', '!')) else '.'}"
        )
        self.message = DATABASE_AWAY
        self.is_temporary = is_temporary


class DatabaseFull(DatabaseUnavailable):
    """No space is left for the database. What it holds can still be read."""

    status = 507
    retry_after = 300  # seconds

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.message = DISK_FULL


def is_disk_full(error: OSError) -> bool:
    """Returns whether a write failed because no space is left: on the disk, in a quota, or for a file of that size."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
