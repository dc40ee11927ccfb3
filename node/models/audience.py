"""Visibility levels: who may see a post, from the widest to the narrowest."""

from __future__ import annotations

VISIBILITIES = ("public", "unlisted", "followers", "direct")
OPEN = ("public", "unlisted")


def rank(visibility: str) -> int:
    """0 for the widest. What is not a visibility counts as the narrowest."""
    return VISIBILITIES.index(visibility) if visibility in VISIBILITIES else len(VISIBILITIES)


def narrower(one: str, other: str) -> str:
    """Whichever of the two reaches fewer people."""
    return max(one, other, key=rank)
