"""Every endpoint of the client API, with the scope a token needs: the one table.

Only what works is here; anything else is a plain 404, which an app understands better than an empty answer.
"""

from __future__ import annotations

from web.api.endpoint import Change, Look, Route, Work
from web.api.v1 import (
    accounts,
    apps,
    follow_requests,
    instance,
    media,
    notifications,
    reports,
    search,
    statuses,
    timelines,
)


def look(path: str, endpoint: Look, *scopes: str) -> Route:
    return Route("GET", path, "look", endpoint, scopes)


def open_to_all(path: str, endpoint: Look, *scopes: str) -> Route:
    return Route("GET", path, "look", endpoint, scopes, access="anyone")


def change(method: str, path: str, endpoint: Change, *scopes: str) -> Route:
    return Route(method, path, "change", endpoint, scopes)


def work(method: str, path: str, endpoint: Work, *scopes: str) -> Route:
    return Route(method, path, "work", endpoint, scopes)


_A = "/api/v1/accounts"
_S = "/api/v1/statuses"
_N = "/api/v1/notifications"

ROUTES: tuple[Route, ...] = (
    # apps
    look("/api/v1/apps/verify_credentials", apps.verify_credentials),
    # accounts
    look(f"{_A}/verify_credentials", accounts.verify_credentials, "read:accounts", "profile"),
    open_to_all(f"{_A}/lookup", accounts.lookup, "read:accounts"),
    look(f"{_A}/relationships", accounts.relationships_of, "read:follows"),
    open_to_all(f"{_A}/{{id}}", accounts.show, "read:accounts"),
    Route("GET", f"{_A}/{{id}}/statuses", "work", accounts.statuses, ("read:statuses",), access="anyone"),
    open_to_all(f"{_A}/{{id}}/followers", accounts.followers, "read:accounts"),
    open_to_all(f"{_A}/{{id}}/following", accounts.following, "read:accounts"),
    change("POST", f"{_A}/{{id}}/follow", accounts.follow, "write:follows"),
    change("POST", f"{_A}/{{id}}/unfollow", accounts.unfollow, "write:follows"),
    change("POST", f"{_A}/{{id}}/remove_from_followers", accounts.remove_from_followers, "write:follows"),
    change("POST", f"{_A}/{{id}}/block", accounts.block, "write:blocks"),
    change("POST", f"{_A}/{{id}}/unblock", accounts.unblock, "write:blocks"),
    change("POST", f"{_A}/{{id}}/mute", accounts.mute, "write:mutes"),
    change("POST", f"{_A}/{{id}}/unmute", accounts.unmute, "write:mutes"),
    look("/api/v1/blocks", accounts.blocked, "read:blocks"),
    look("/api/v1/mutes", accounts.muted, "read:mutes"),
    # follow requests
    look("/api/v1/follow_requests", follow_requests.waiting, "read:follows"),
    change("POST", "/api/v1/follow_requests/{id}/authorize", follow_requests.authorize, "write:follows"),
    change("POST", "/api/v1/follow_requests/{id}/reject", follow_requests.reject, "write:follows"),
    # media
    work("POST", "/api/v2/media", media.upload, "write:media"),
    work("POST", "/api/v1/media", media.upload, "write:media"),
    look("/api/v1/media/{id}", media.show, "write:media"),
    change("PUT", "/api/v1/media/{id}", media.describe, "write:media"),
    change("DELETE", "/api/v1/media/{id}", media.discard, "write:media"),
    # statuses
    work("POST", _S, statuses.create, "write:statuses"),
    open_to_all(f"{_S}/{{id}}", statuses.show, "read:statuses"),
    work("PUT", f"{_S}/{{id}}", statuses.edit, "write:statuses"),
    change("DELETE", f"{_S}/{{id}}", statuses.delete, "write:statuses"),
    Route("GET", f"{_S}/{{id}}/context", "work", statuses.context, ("read:statuses",), access="anyone"),
    open_to_all(f"{_S}/{{id}}/history", statuses.history, "read:statuses"),
    look(f"{_S}/{{id}}/source", statuses.source, "read:statuses"),
    open_to_all(f"{_S}/{{id}}/favourited_by", statuses.favourited_by, "read:statuses"),
    open_to_all(f"{_S}/{{id}}/reblogged_by", statuses.reblogged_by, "read:statuses"),
    change("POST", f"{_S}/{{id}}/favourite", statuses.favourite, "write:favourites"),
    change("POST", f"{_S}/{{id}}/unfavourite", statuses.unfavourite, "write:favourites"),
    change("POST", f"{_S}/{{id}}/reblog", statuses.reblog, "write:statuses"),
    change("POST", f"{_S}/{{id}}/unreblog", statuses.unreblog, "write:statuses"),
    change("POST", f"{_S}/{{id}}/bookmark", statuses.bookmark, "write:bookmarks"),
    change("POST", f"{_S}/{{id}}/unbookmark", statuses.unbookmark, "write:bookmarks"),
    change("POST", f"{_S}/{{id}}/pin", statuses.pin, "write:accounts"),
    change("POST", f"{_S}/{{id}}/unpin", statuses.unpin, "write:accounts"),
    # timelines
    look("/api/v1/timelines/home", timelines.home, "read:statuses"),
    open_to_all("/api/v1/timelines/public", timelines.public, "read:statuses"),
    open_to_all("/api/v1/timelines/tag/{name}", timelines.tag, "read:statuses"),
    look("/api/v1/bookmarks", timelines.bookmarks, "read:bookmarks"),
    look("/api/v1/favourites", timelines.favourites, "read:favourites"),
    # notifications
    look(_N, notifications.page, "read:notifications"),
    look(f"{_N}/unread_count", notifications.unread_count, "read:notifications"),
    change("POST", f"{_N}/clear", notifications.clear, "write:notifications"),
    change("POST", f"{_N}/dismiss", notifications.dismiss_named, "write:notifications"),
    look(f"{_N}/{{id}}", notifications.show, "read:notifications"),
    change("POST", f"{_N}/{{id}}/dismiss", notifications.dismiss, "write:notifications"),
    # reports
    work("POST", "/api/v1/reports", reports.create, "write:reports"),
    # search
    Route("GET", "/api/v2/search", "work", search.find, ("read:search",), access="anyone"),
    # instance
    open_to_all("/api/v1/instance", instance.first),
    open_to_all("/api/v2/instance", instance.second),
)
