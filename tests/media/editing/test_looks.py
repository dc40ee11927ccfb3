"""The looks are those that were designed, and a file that is not in order is refused."""

from __future__ import annotations

import msgspec
import pytest

from media.editing import looks
from media.editing.looks import GROUPS, LOOKS, Look


def test_there_are_24_looks_in_groups_that_stand_together():
    groups = [look.group for look in LOOKS.values()]

    assert len(LOOKS) == 24
    assert len({look.name for look in LOOKS.values()}) == 24
    assert list(dict.fromkeys(groups)) == [group.id for group in GROUPS]
    assert groups == sorted(groups, key=[group.id for group in GROUPS].index)
    assert all(look.note and look.id.isalpha() and look.id.islower() for look in LOOKS.values())


@pytest.mark.parametrize(
    "part",
    [
        {"exposure": 101},
        {"fade": -1},
        {"skin": 2},
        {"mono": (0.5, 0.5, 0.5)},
        {"mono": (1.5, -0.5, 0.0)},
        {"hues": {"pink": (0, 0, 0)}},
        {"hues": {"red": (61, 0, 0)}},
        {"split": {"shadows": (360, 0.1)}},
        {"tone": ((0, 0),)},
        {"tone": ((0.1, 0), (1, 1))},
        {"tone": ((0, 0), (0.5, 0.6), (0.5, 0.7), (1, 1))},
        {"red": ((0, 0.5), (1, 0.4))},
        {"blue": ((0, 0), (1, 1.2))},
    ],
)
def test_a_look_that_cannot_be_meant_is_refused(part):
    with pytest.raises(ValueError, match="look 'test'"):
        looks.check(Look("test", "Test", "warm", "A note", **part))


def test_a_file_with_a_repeated_or_unknown_name_is_refused():
    look = {"id": "test", "name": "Test", "group": "warm", "note": "A note"}
    file = {"version": 1, "groups": [{"id": "warm", "name": "Warm"}], "looks": [look]}
    assert list(looks.parse(msgspec.json.encode(file))[1]) == ["test"]

    for bad in (
        file | {"version": 2},
        file | {"looks": [look, look]},
        file | {"looks": [look | {"group": "cold"}]},
        file | {"looks": [look | {"glow": 3}]},
        file | {"groups": file["groups"] * 2},
    ):
        with pytest.raises(ValueError, match=r".+"):
            looks.parse(msgspec.json.encode(bad))
