"""Errors: each has the HTTP status that fits, a text for the person and a detail for the log."""

from __future__ import annotations

import errno

import pytest

from node import errors
from node.errors import (
    Conflict,
    Gone,
    Invalid,
    NotAllowed,
    NotFound,
    Overloaded,
    Refused,
    TooManyRequests,
    Unreachable,
    is_disk_full,
)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Refused("x"), 400),
        (NotAllowed("x"), 403),
        (NotFound("x"), 404),
        (Conflict("x"), 409),
        (Gone("x"), 410),
        (Invalid("x"), 422),
        (TooManyRequests("x"), 429),
        (Unreachable("x"), 502),
        (Overloaded("x"), 503),
    ],
)
def test_every_error_is_refused_with_its_own_status(error: Refused, status: int) -> None:
    assert isinstance(error, Refused)
    assert error.status == status
    assert (error.message, str(error), error.detail) == ("x", "x", "")


def test_no_two_errors_share_a_status() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Refused)]

    assert len({kind.status for kind in kinds}) == len(kinds) == 10


def test_the_detail_is_not_in_the_text_for_the_person() -> None:
    error = Invalid("That name is taken.", field="name", detail="alice, id 7")

    assert "id 7" not in str(error)
    assert (error.detail, error.field) == ("alice, id 7", "name")


def test_what_may_not_be_seen_looks_like_what_does_not_exist() -> None:
    assert NotFound().message == NotFound(detail="hidden from mallory").message


def test_a_deleted_page_is_handled_wherever_a_missing_one_is() -> None:
    with pytest.raises(NotFound):
        raise Gone


def test_a_rate_limit_says_when_to_try_again() -> None:
    assert TooManyRequests("x").retry_after == 60
    assert TooManyRequests("x", retry_after=7).retry_after == 7


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_write_without_space_is_recognised(number: int) -> None:
    assert is_disk_full(OSError(number, "…"))
    assert not is_disk_full(OSError(errno.EIO, "…"))


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("is it running?", "The database cannot be used: is it running?"),
        ("it\nis gone", "The database cannot be used: it is gone."),
        ("it is gone.", "The database cannot be used: it is gone."),
    ],
)
def test_the_reason_of_an_unavailable_database_ends_once(reason: str, text: str) -> None:
    assert str(errors.DatabaseUnavailable(reason)) == text
