"""Links and codes of mail: they work for one account, purpose and state, and for a while."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from node.auth.mail import mail_links
from node.auth.mail.mail_links import CODE_WINDOW_MS, Purpose
from node.database import Site

SITE = Site("https", "a.test", b"a secret that only the tests know")
HOUR_MS = 3_600_000


@given(
    account=st.integers(1, 1 << 62),
    state=st.text(),
    other_state=st.text(),
    other_account=st.integers(1, 1 << 62),
    purpose=st.sampled_from(Purpose),
    other_purpose=st.sampled_from(Purpose),
)
def test_a_token_works_for_what_it_was_made_for_and_nothing_else(
    account: int, state: str, other_state: str, other_account: int, purpose: Purpose, other_purpose: Purpose
) -> None:
    token = mail_links.make(SITE, purpose, account, state, lifetime_ms=HOUR_MS)

    assert mail_links.account_id(token) == account
    assert mail_links.is_valid(SITE, purpose, token, state)
    assert mail_links.is_valid(SITE, purpose, token, other_state) is (state == other_state)
    assert mail_links.is_valid(SITE, other_purpose, token, state) is (purpose == other_purpose)
    of_other = f"{other_account:x}.{token.partition('.')[2]}"
    assert mail_links.is_valid(SITE, purpose, of_other, state) is (account == other_account)


@given(text=st.text(max_size=120))
def test_any_text_may_be_sent_as_a_token(text: str) -> None:
    assert not mail_links.is_valid(SITE, Purpose.PASSWORD, text, "")


def test_a_token_ends(clock: Callable[[int], None]) -> None:
    token = mail_links.make(SITE, Purpose.PASSWORD, 1, "state", lifetime_ms=HOUR_MS)
    clock(HOUR_MS - 5_000)
    assert mail_links.is_valid(SITE, Purpose.PASSWORD, token, "state")
    clock(HOUR_MS + 5_000)
    assert not mail_links.is_valid(SITE, Purpose.PASSWORD, token, "state")
    # To move its end is to make another token.
    account, end, mac = token.split(".")
    later = f"{account}.{int(end, 16) + 3600:x}.{mac}"
    assert not mail_links.is_valid(SITE, Purpose.PASSWORD, later, "state")


def test_a_code_works_for_two_windows(clock: Callable[[int], None]) -> None:
    code = mail_links.code(SITE, Purpose.ADDRESS, 1, "state")
    assert len(code) == mail_links.CODE_DIGITS

    for ahead, works in ((0, True), (CODE_WINDOW_MS, True), (2 * CODE_WINDOW_MS, False)):
        clock(ahead)
        assert mail_links.is_valid_code(SITE, Purpose.ADDRESS, 1, "state", f" {code[:3]}-{code[3:]}") is works
    clock(0)
    assert not mail_links.is_valid_code(SITE, Purpose.ADDRESS, 1, "another state", code)
    assert not mail_links.is_valid_code(SITE, Purpose.ADDRESS, 1, "state", "")
    assert not mail_links.is_valid_code(SITE, Purpose.ADDRESS, 1, "state", "\N{ARABIC-INDIC DIGIT ONE}" * 6)
