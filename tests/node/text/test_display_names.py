"""Names: usernames that may be chosen, and shown names that cannot disturb the text around them."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import Invalid
from node.text import display_names
from tests.support.parallel import ONE_AT_A_TIME

RTL = "\u202e"
ZERO_WIDTH = "\u200b"


@pytest.mark.parametrize("name", ["alice", "A", "a_1", "x" * 30, "0"])
def test_a_plain_username_is_allowed(name: str) -> None:
    assert display_names.check_username(name) == name


@pytest.mark.parametrize(
    "name", ["", "x" * 31, "al ice", "álice", "a-b", "a.b", "alice\n", "admin", "INBOX", "___", "a@b"]
)
def test_a_confusing_username_is_refused_with_its_field(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        display_names.check_username(name)

    assert refused.value.field == "name"


def test_H4_direction_and_invisible_characters_are_removed() -> None:
    assert display_names.clean_line(f"{RTL}ecila{ZERO_WIDTH} \u2066x\u2069") == "ecila x"
    assert display_names.clean_line("a\u00adb\ufeffc\u2060d") == "abcd"
    assert display_names.clean_line("line\none\x00\x1b[31m") == "line one[31m"


def test_a_name_of_invisible_characters_is_empty() -> None:
    assert display_names.clean_line("\u3164\u2800 \u200d\u200c \u115f") == ""


def test_a_stack_of_combining_marks_is_cut() -> None:
    stack = "a" + "\u0301" * 100

    assert len(display_names.clean_line(stack)) <= 6


def test_joiners_that_scripts_and_emoji_need_are_kept() -> None:
    family = "👨\u200d👩\u200d👧"
    persian = "می\u200cخواهم"
    scotland = "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"

    assert display_names.clean_line(family) == family
    assert display_names.clean_line(persian) == persian
    assert display_names.clean_line(scotland) == scotland
    assert display_names.clean_line("a" + scotland[1:]) == "a"


def test_a_remote_name_cannot_contain_another_handle() -> None:
    assert display_names.clean_remote_username("ali ce@evil.example/<b>") == "aliceevil.exampleb"


@given(st.text(max_size=200))
def test_any_text_becomes_one_short_visible_line(text: str) -> None:
    shown = display_names.clean_line(text)

    assert len(shown) <= display_names.MAX_DISPLAY_NAME_LENGTH
    assert shown == display_names.clean_line(shown)
    assert not any(unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs", "Co") for c in shown)
    assert not any(
        unicodedata.bidirectional(c) in ("RLO", "LRO", "RLE", "LRE", "PDF", "RLI", "LRI", "FSI", "PDI")
        for c in shown
    )


@ONE_AT_A_TIME
def test_a_very_long_name_costs_little() -> None:
    begun = time.perf_counter()
    display_names.clean_line("\u0301\u202e" * 1_000_000)

    assert time.perf_counter() - begun < 0.1
