"""Errors with an HTTP status, for everything that a person or a server may not do.

Each has two texts: `message` is shown to the person, `detail` goes to the log. `node/` raises them, and each
entry point (pages, client API, federation) has one renderer for all of them.
"""

from __future__ import annotations


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


class Unreachable(Refused):
    """Another server did not answer, or not with something usable."""

    status = 502
