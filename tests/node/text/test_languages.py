"""Language tags: known codes with any region are kept, anything else is refused."""

from __future__ import annotations

import pytest

from node.errors import Invalid
from node.text.languages import CODES, MAX_LENGTH, parse_language


@pytest.mark.parametrize(
    ("tag", "stored"),
    [
        ("", ""),
        ("  ", ""),
        ("en", "en"),
        ("EN", "en"),
        ("pt-BR", "pt-BR"),
        ("zh_TW", "zh-TW"),
        ("zh-Hant-TW", "zh-Hant-TW"),
        ("haw", "haw"),
        ("ckb", "ckb"),
        ("tok", "tok"),
        ("de-1996", "de-1996"),
    ],
)
def test_a_known_language_is_kept_in_one_spelling(tag: str, stored: str) -> None:
    assert parse_language(tag) == stored


UNKNOWN = (
    *(
        "xx",
        "zz",
        "klingon",
        "English",
        "e",
        "en-",
        "en--US",
        "en US",
        "en-\u00e9",
        "-en",
        "und",
        "12",
        "<b>",
    ),
    *("en\x00", "en-" + "a" * 9, "en" + "-abcdefgh" * 4),
)


@pytest.mark.parametrize("tag", UNKNOWN)
def test_an_unknown_language_is_refused(tag: str) -> None:
    with pytest.raises(Invalid):
        parse_language(tag)


def test_every_code_fits_into_the_column() -> None:
    assert len(CODES) > 500
    assert all(code.isascii() and code.islower() and 2 <= len(code) <= 3 for code in CODES)
    assert MAX_LENGTH == 35
