"""The ways to say no.

Each has two faces: `message` is a sentence for the person, `detail` is for the log. `node/` raises them,
and each door (pages, client API, federation) has one renderer for all of them.
"""

from __future__ import annotations


class Refused(Exception):
    """Something was asked for that will not be done. `status` is the HTTP status that fits."""

    status = 400

    def __init__(self, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail


class NotFound(Refused):
    """Nothing is there, or nothing this person may see: the two look the same on purpose."""

    status = 404

    def __init__(self, message: str = "There is nothing here.", *, detail: str = "") -> None:
        super().__init__(message, detail=detail)


class Gone(NotFound):
    """Something was here for everybody and was deleted, which may be said."""

    status = 410


class NotAllowed(Refused):
    status = 403


class Invalid(Refused):
    """What was sent cannot be used; `field` names the part of the form."""

    status = 422

    def __init__(self, message: str, *, field: str = "", detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.field = field


class Conflict(Refused):
    status = 409


class TooManyRequests(Refused):
    """Asked too often; `retry_after` is in seconds."""

    status = 429

    def __init__(self, message: str, *, retry_after: int = 60, detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.retry_after = retry_after


class Unreachable(Refused):
    """Another server did not answer, or not with something usable."""

    status = 502
