"""How the response to a delivery is read; what it leads to is tested in `tests/node/federation/test_deliveries.py`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activitypub.delivery import deliver

WEEK_MS = deliver.MAX_RETRY_AFTER_SECONDS * 1000


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", 0),
        ("120", 120_000),
        (" 120 ", 120_000),
        ("99999999999999999999", WEEK_MS),
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("²", None),
        ("Wed, 99 Foo 2099", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date_or_ignored(value: str | None, expected: int | None) -> None:
    assert deliver._retry_after_ms(value) == expected


@given(seconds=st.integers(0, 10**12))
def test_retry_after_in_seconds_is_at_most_a_week(seconds: int) -> None:
    assert deliver._retry_after_ms(str(seconds)) == min(seconds * 1000, WEEK_MS)


def test_retry_after_may_be_a_date_in_the_future() -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True)

    found = deliver._retry_after_ms(at)

    assert found is not None
    assert 0 < found <= 2 * 3_600_000


@given(value=st.text(max_size=40))
def test_any_retry_after_header_is_read_without_an_error(value: str) -> None:
    found = deliver._retry_after_ms(value)

    assert found is None or found >= 0


def test_no_status_is_both_of_the_server_and_of_the_activity() -> None:
    assert 500 not in deliver.UNAVAILABLE_STATUSES
    assert {status for status in deliver.UNAVAILABLE_STATUSES if status < 500} == {408, 429}
