"""The entries of the navigation: where the bar and the menu of every page lead. The only list of them.

The template `parts/navigation.html` shows them; the cache of rendered navigations (`templates.Navigation`) takes from
here the paths on which the bar differs, since only there an entry is marked as the current page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from web.i18n.translations import N_

Count = Literal["unread_count", "follow_requests_count", "staff_count"]
COUNTS: tuple[Count, ...] = get_args(Count)


@dataclass(frozen=True, slots=True)
class NavigationEntry:
    """A link with an icon.

    `classes` is "wide" if a narrow screen has no room for it in the bar. `count` is the number of `SignedInUser` beside
    it. `only_locked`: only for accounts whose followers need approval.
    """

    path: str
    icon: str
    label: str
    classes: str = ""
    count: Count | None = None
    only_locked: bool = False


BAR = (
    NavigationEntry("/", "home", N_("Home")),
    NavigationEntry("/explore", "explore", N_("Explore")),
    NavigationEntry("/search", "search", N_("Search"), "wide"),
    NavigationEntry("/compose", "new", N_("New post"), "new"),
    NavigationEntry("/notifications", "bell", N_("Notifications"), count="unread_count"),
    NavigationEntry(
        "/follow-requests", "people", N_("Requests"), "wide", "follow_requests_count", only_locked=True
    ),
    NavigationEntry("/bookmarks", "bookmark", N_("Bookmarks"), "wide"),
)
"""What signed-in people get; their own profile follows, whose path and icon are theirs."""

# Signing in has a button of its own, with words also on a phone.
VISITOR_BAR = (
    NavigationEntry("/", "home", N_("Welcome")),
    NavigationEntry("/explore", "explore", N_("Explore")),
    NavigationEntry("/about", "info", N_("About")),
)

MENU = (
    NavigationEntry("/bookmarks", "bookmark", N_("Bookmarks")),
    NavigationEntry("/drafts", "pen", N_("Drafts")),
    NavigationEntry("/follow-requests", "people", N_("Follow requests"), count="follow_requests_count"),
    NavigationEntry("/settings", "gear", N_("Settings")),
)
"""The menu of signed-in people, above administration and the themes."""

BAR_PATHS = frozenset(entry.path for entry in (*BAR, *VISITOR_BAR))
