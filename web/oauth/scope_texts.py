"""Says what an app may do, in words: one line for each scope that no wider one of the same app includes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from node.auth.oauth import scopes
from web.i18n.translations import N_, gettext


@dataclass(frozen=True, slots=True)
class ScopeText:
    """A line about a scope, with an icon; `detail` says what the line is too short for."""

    icon: str
    title: str
    detail: str = ""


_ALL = {
    "profile": ("person", N_("See your name and picture"), ""),
    "read": (
        "eye",
        N_("See what you see"),
        N_("Home, bookmarks, likes, lists, notifications, and whom you follow, mute and block"),
    ),
    "read:accounts": ("person", N_("See your profile and those of others"), ""),
    "read:blocks": ("shield", N_("See whom you block"), ""),
    "read:bookmarks": ("bookmark", N_("See your bookmarks"), ""),
    "read:collections": ("photos", N_("See your collections"), ""),
    "read:favourites": ("heart", N_("See what you like"), ""),
    "read:filters": ("eye", N_("See your filters"), ""),
    "read:follows": ("people", N_("See whom you follow, and who follows you"), ""),
    "read:lists": ("menu", N_("See your lists"), ""),
    "read:mutes": ("shield", N_("See whom you mute"), ""),
    "read:notifications": ("bell", N_("See your notifications"), ""),
    "read:search": ("search", N_("Search for you"), ""),
    "read:statuses": ("photos", N_("See your posts and those you can see"), ""),
    "write": (
        "camera",
        N_("Post, comment, like and boost as you"),
        N_("And change or delete your posts, your profile and your lists, and report to moderators"),
    ),
    "write:accounts": ("person", N_("Change your profile"), ""),
    "write:blocks": ("shield", N_("Block and unblock people for you"), ""),
    "write:bookmarks": ("bookmark", N_("Change your bookmarks"), ""),
    "write:collections": ("photos", N_("Change your collections"), ""),
    "write:conversations": ("comment", N_("Mute and delete your conversations"), ""),
    "write:favourites": ("heart", N_("Like posts as you"), ""),
    "write:filters": ("eye", N_("Change your filters"), ""),
    "write:follows": ("people", N_("Follow and unfollow people for you"), ""),
    "write:lists": ("menu", N_("Change your lists"), ""),
    "write:media": ("camera", N_("Upload photos as you"), ""),
    "write:mutes": ("shield", N_("Mute and unmute people for you"), ""),
    "write:notifications": ("bell", N_("Clear your notifications"), ""),
    "write:reports": ("flag", N_("Report posts and people to moderators as you"), ""),
    "write:statuses": ("camera", N_("Post, comment and boost as you, and change or delete your posts"), ""),
    "follow": ("people", N_("Follow, mute and block for you"), N_("And see whom you follow, mute and block")),
    "push": ("bell", N_("Send you notifications"), ""),
    "admin:read": (
        "warning",
        N_("See all that moderators see"),
        N_("E-mail and IP addresses of everybody on this server, and all reports"),
    ),
    "admin:read:accounts": ("warning", N_("See e-mail and IP addresses of everybody on this server"), ""),
    "admin:read:reports": ("warning", N_("See all reports"), ""),
    "admin:read:domain_allows": ("warning", N_("See which servers are allowed"), ""),
    "admin:read:domain_blocks": ("warning", N_("See which servers are blocked"), ""),
    "admin:read:ip_blocks": ("warning", N_("See which IP addresses are blocked"), ""),
    "admin:read:email_domain_blocks": ("warning", N_("See which mail providers are blocked"), ""),
    "admin:read:canonical_email_blocks": ("warning", N_("See which e-mail addresses are blocked"), ""),
    "admin:write": (
        "warning",
        N_("Do all that moderators do"),
        N_("Suspend people, delete posts, close reports and block servers"),
    ),
    "admin:write:accounts": ("warning", N_("Suspend and delete accounts"), ""),
    "admin:write:reports": ("warning", N_("Close reports"), ""),
    "admin:write:domain_allows": ("warning", N_("Change which servers are allowed"), ""),
    "admin:write:domain_blocks": ("warning", N_("Block and unblock servers"), ""),
    "admin:write:ip_blocks": ("warning", N_("Block and unblock IP addresses"), ""),
    "admin:write:email_domain_blocks": ("warning", N_("Block and unblock mail providers"), ""),
    "admin:write:canonical_email_blocks": ("warning", N_("Block and unblock e-mail addresses"), ""),
}


def describe(granted: Iterable[str]) -> list[ScopeText]:
    """Returns a line for each scope, reading before writing; none for one that another of them includes."""
    asked = frozenset(granted)
    return [
        ScopeText(icon, gettext(title), gettext(detail) if detail else "")
        for scope, (icon, title, detail) in _ALL.items()
        if scope in asked and not any(scopes.allows([other], scope) for other in asked - {scope})
    ]
