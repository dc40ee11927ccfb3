"""The moderation policy of a server: the strength of a rule and its effects. Pure values, no writing."""

from __future__ import annotations

from dataclasses import dataclass

STRENGTHS = ("none", "limit", "suspend")


@dataclass(frozen=True, slots=True)
class DomainPolicy:
    """How a server is treated; a suspended server is also limited."""

    strength: str = "none"
    rejects_media: bool = False
    rejects_reports: bool = False

    @property
    def is_suspended(self) -> bool:
        return self.strength == "suspend"

    @property
    def is_limited(self) -> bool:
        return self.strength != "none"

    def combined_with(self, other: DomainPolicy) -> DomainPolicy:
        """Returns the stricter of both, for each effect by itself."""
        return DomainPolicy(
            max(self.strength, other.strength, key=STRENGTHS.index),
            self.rejects_media or other.rejects_media,
            self.rejects_reports or other.rejects_reports,
        )
