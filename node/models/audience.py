"""Visibility levels of posts, from the widest to the narrowest. Pure values."""

from __future__ import annotations

VISIBILITIES = ("public", "unlisted", "followers", "direct")
OPEN_VISIBILITIES = ("public", "unlisted")


def rank(visibility: str) -> int:
    """Returns the place of a visibility, 0 for the widest. Any other text counts as narrower than all."""
    return VISIBILITIES.index(visibility) if visibility in VISIBILITIES else len(VISIBILITIES)


def narrower(one: str, other: str) -> str:
    """Returns the narrower of two visibilities."""
    return max(one, other, key=rank)
