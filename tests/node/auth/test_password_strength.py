"""New passwords: what is easy to guess or stolen is refused, and the reason is said."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.auth import password_strength
from node.config import SecurityOptions
from node.errors import Invalid
from node.node import Node


@pytest.mark.parametrize(
    "password", ["password1", "12345678", "qwertyuiop", "iloveyou", "aaaaaaaaaaaa", "P@ssw0rd"]
)
def test_what_everybody_chooses_is_refused(password: str) -> None:
    with pytest.raises(Invalid, match="easy to guess") as refused:
        password_strength.check_new_sync(password)
    assert refused.value.field == "password"


@pytest.mark.parametrize(
    "password", ["a lake in the morning", "another picture a day", "kX9#vTq2", "🦊 and 🐻 at the lake"]
)
def test_a_few_words_or_random_characters_are_good(password: str) -> None:
    assert password_strength.check_new_sync(password) == password


def test_a_password_of_ones_own_name_and_address_is_refused() -> None:
    about = ("annegret", "annegret.lindqvist@mail.example")
    for password in ("annegret12", "annegret.lindqvist", "annegret.lindqvist@mail.example"):
        with pytest.raises(Invalid):
            password_strength.check_new_sync(password, about)
    assert password_strength.check_new_sync("annegret likes 3 foggy lakes", about)


def test_a_very_long_password_is_scored_in_no_time() -> None:
    assert password_strength.check_new_sync("a lake in the morning " * 11)
    with pytest.raises(Invalid):
        password_strength.check_new_sync("a" * 256)


async def test_stolen_passwords_are_refused_where_an_admin_has_the_list(node: Node, tmp_path: Path) -> None:
    file = _list(tmp_path, ["correct horse battery staple", "a lake at night"])
    security = SecurityOptions(stolen_passwords=str(file))
    node.config = dataclasses.replace(node.config, security=security)

    with pytest.raises(Invalid, match="stolen"):
        await password_strength.check_new(node, "a lake at night")
    await password_strength.check_new(node, "a lake in the morning")


def test_a_list_that_is_not_there_is_logged_and_refuses_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert not password_strength.is_stolen(tmp_path / "none", "a lake at night")
    assert "cannot be read" in caplog.text


def _sha1(password: str) -> str:
    return hashlib.sha1(password.encode()).hexdigest().upper()


def _list(folder: Path, passwords: list[str], ending: str = ":12\r\n") -> Path:
    file = folder / "stolen"
    file.write_text("".join(f"{one}{ending}" for one in sorted(map(_sha1, passwords))), newline="")
    return file


@settings(deadline=None)
@given(
    listed=st.lists(st.integers(0, 60), max_size=40, unique=True),
    ending=st.sampled_from(["\n", "\r\n", ":7\n", ":123456\r\n"]),
)
def test_each_password_of_a_list_is_found_and_no_other(
    tmp_path_factory: pytest.TempPathFactory, listed: list[int], ending: str
) -> None:
    file = _list(tmp_path_factory.mktemp("list"), [str(n) for n in listed], ending)
    assert [n for n in range(61) if password_strength.is_stolen(file, str(n))] == sorted(listed)
