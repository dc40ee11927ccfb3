"""The looks, as `looks.json` describes them: one checked entry each, in the order in which they are offered.

Recipes that were stored name a look and nothing more, so what is released stays as it is: other numbers need another
version of the recipe.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path

import msgspec

Points = tuple[tuple[float, float], ...]

HUE_FAMILIES = ("red", "orange", "yellow", "green", "aqua", "blue", "purple", "magenta")
TONE_BANDS = ("shadows", "midtones", "highlights")
CHANNELS = ("red", "green", "blue")


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Looks that are offered beside each other."""

    id: str
    name: str


class Look(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One look at full strength; what is absent is neutral. Amounts are −100…100, as those of the tools.

    `hues` are (degrees, saturation, lightness) by hue family, `split` (hue, amount) by tone band; `tone`, `red`,
    `green` and `blue` are points of curves. `note` says in words what the look does.
    """

    id: str
    name: str
    group: str
    note: str
    exposure: float = 0
    warmth: float = 0
    tint: float = 0
    saturation: float = 0
    vibrance: float = 0
    clarity: float = 0
    vignette: float = 0
    fade: float = 0
    grain: float = 0
    sharpen: float = 0
    skin: float = 0
    mono: tuple[float, float, float] | None = None
    hues: dict[str, tuple[float, float, float]] = {}
    split: dict[str, tuple[float, float]] = {}
    tone: Points = ()
    red: Points = ()
    green: Points = ()
    blue: Points = ()


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    groups: tuple[Group, ...]
    looks: tuple[Look, ...]


def check(look: Look) -> None:
    """Raises ValueError for a look whose numbers cannot be meant."""
    for name in ("exposure", "warmth", "tint", "saturation", "vibrance", "clarity", "vignette"):
        _check(look, name, -100 <= getattr(look, name) <= 100)
    for name in ("fade", "grain", "sharpen"):
        _check(look, name, 0 <= getattr(look, name) <= 100)
    _check(look, "skin", 0 <= look.skin <= 1)
    _check(look, "mono", look.mono is None or (min(look.mono) >= 0 and abs(sum(look.mono) - 1) < 1e-9))
    for family, (turn, saturation, lightness) in look.hues.items():
        bounds = abs(turn) <= 60 and abs(saturation) <= 1 and abs(lightness) <= 1
        _check(look, f"hues {family}", family in HUE_FAMILIES and bounds)
    for band, (hue, amount) in look.split.items():
        _check(look, f"split {band}", band in TONE_BANDS and 0 <= hue < 360 and 0 <= amount <= 1)
    for name in ("tone", *CHANNELS):
        _check(look, name, not getattr(look, name) or _is_curve(getattr(look, name)))


def _check(look: Look, what: str, is_right: bool) -> None:
    if not is_right:
        raise ValueError(f"look {look.id!r}: {what}")


def _is_curve(points: Points) -> bool:
    """Returns whether x runs from 0 to 1, always rising, and y never falls."""
    across, up = [x for x, _ in points], [y for _, y in points]
    return (
        2 <= len(points) <= 8
        and (across[0], across[-1]) == (0, 1)
        and all(before < after for before, after in itertools.pairwise(across))
        and all(before <= after for before, after in itertools.pairwise(up))
        and min(up) >= 0
        and max(up) <= 1
    )


def parse(data: bytes) -> tuple[tuple[Group, ...], Mapping[str, Look]]:
    """Returns the groups and the looks by id, both in their order. Raises ValueError for a file that is not in order."""
    file = msgspec.json.decode(data, type=_File)
    found = {look.id: look for look in file.looks}
    groups = {group.id for group in file.groups}
    if len(found) != len(file.looks) or len(groups) != len(file.groups) or file.version != 1:
        raise ValueError("an id stands there twice, or the version is unknown")
    for look in file.looks:
        check(look)
        _check(look, "group", look.group in groups)
    return file.groups, found


GROUPS, LOOKS = parse((Path(__file__).parent / "looks.json").read_bytes())
