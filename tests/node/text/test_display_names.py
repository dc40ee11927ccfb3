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
def test_a_plain_name_may_be_had(name: str) -> None:
    assert display_names.check_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "x" * 31, "al ice", "álice", "a-b", "a.b", "alice\n", "admin", "INBOX", "___", "a@b"]
)
def test_a_name_that_would_confuse_is_refused_with_its_field(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        display_names.check_name(name)

    assert refused.value.field == "name"


def test_H4_direction_and_invisible_characters_leave_a_name() -> None:
    assert display_names.shown(f"{RTL}ecila{ZERO_WIDTH} \u2066x\u2069") == "ecila x"
    assert display_names.shown("a\u00adb\ufeffc\u2060d") == "abcd"
    assert display_names.shown("line\none\x00\x1b[31m") == "line one[31m"


def test_a_name_made_of_nothing_visible_is_empty() -> None:
    assert display_names.shown("\u3164\u2800 \u200d\u200c \u115f") == ""


def test_a_tower_of_marks_is_cut() -> None:
    tower = "a" + "\u0301" * 100

    assert len(display_names.shown(tower)) <= 6


def test_what_scripts_and_emoji_need_is_kept() -> None:
    family = "👨\u200d👩\u200d👧"
    persian = "می\u200cخواهم"
    scotland = "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"

    assert display_names.shown(family) == family
    assert display_names.shown(persian) == persian
    assert display_names.shown(scotland) == scotland
    assert display_names.shown("a" + scotland[1:]) == "a"


def test_a_foreign_name_cannot_carry_another_handle() -> None:
    assert display_names.foreign("ali ce@evil.example/<b>") == "aliceevil.exampleb"


@given(st.text(max_size=200))
def test_whatever_arrives_one_short_visible_line_comes_out(text: str) -> None:
    shown = display_names.shown(text)

    assert len(shown) <= display_names.LONGEST_LABEL
    assert shown == display_names.shown(shown)
    assert not any(unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs", "Co") for c in shown)
    assert not any(
        unicodedata.bidirectional(c) in ("RLO", "LRO", "RLE", "LRE", "PDF", "RLI", "LRI", "FSI", "PDI")
        for c in shown
    )


@ONE_AT_A_TIME
def test_a_very_long_name_costs_little() -> None:
    begun = time.perf_counter()
    display_names.shown("\u0301\u202e" * 1_000_000)

    assert time.perf_counter() - begun < 0.1
