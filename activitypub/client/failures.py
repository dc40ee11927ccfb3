"""Why a request to another server brought nothing: for the log, for whoever decides about a retry, and for people."""

from __future__ import annotations

from node.errors import N_, Unreachable

NOT_ANSWERING = N_("That server does not answer at the moment.")
NO_SUCH_SERVER = N_("There is no server by that name.")


class Unfetchable(Unreachable):
    """There was no usable response. `reason` is for the log; `temporary` means that a later retry may succeed.

    `response_status` is the HTTP status when there was one; `gone` means it was 404 or 410. `is_unknown_host`: the name
    has no address, which may be a mistake in typing, or a fault that ends.
    """

    def __init__(
        self,
        url: str,
        reason: str,
        *,
        status: int | None = None,
        temporary: bool = False,
        gone: bool = False,
        is_unknown_host: bool = False,
    ) -> None:
        super().__init__(
            "The other server did not answer with what we need.", detail=f"{url[:300]}: {reason}"
        )
        self.url = url
        self.reason = reason
        self.response_status = status
        self.temporary = temporary
        self.gone = gone
        self.is_unknown_host = is_unknown_host

    @property
    def summary(self) -> str:
        """What people are told: whether it may work later."""
        return NO_SUCH_SERVER if self.is_unknown_host else NOT_ANSWERING
