"""How a server is treated: the strengths of a rule and what follows from it. Pure values, no writing."""

from __future__ import annotations

from dataclasses import dataclass

STRENGTHS = ("none", "limit", "suspend")


@dataclass(frozen=True, slots=True)
class DomainPolicy:
    """How a server is treated. What is suspended is also everything else."""

    strength: str = "none"
    rejects_media: bool = False
    rejects_reports: bool = False

    @property
    def is_suspended(self) -> bool:
        return self.strength == "suspend"

    @property
    def is_limited(self) -> bool:
        return self.strength != "none"

    def and_also(self, other: DomainPolicy) -> DomainPolicy:
        """The stricter of both in everything."""
        return DomainPolicy(
            max(self.strength, other.strength, key=STRENGTHS.index),
            self.rejects_media or other.rejects_media,
            self.rejects_reports or other.rejects_reports,
        )
