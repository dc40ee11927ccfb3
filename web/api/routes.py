"""Every endpoint of the client API, with the scope a token needs: the one table.

Only what works is here; anything else is a plain 404, which an app understands better than an empty answer.
"""

from __future__ import annotations

from web.api.endpoint import AsyncEndpoint, ReadEndpoint, Route, WriteEndpoint
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


def read_route(path: str, endpoint: ReadEndpoint, *scopes: str) -> Route:
    return Route("GET", path, "look", endpoint, scopes)


def public_route(path: str, endpoint: ReadEndpoint, *scopes: str) -> Route:
    return Route("GET", path, "look", endpoint, scopes, access="anyone")


def write_route(method: str, path: str, endpoint: WriteEndpoint, *scopes: str) -> Route:
    return Route(method, path, "change", endpoint, scopes)


def async_route(method: str, path: str, endpoint: AsyncEndpoint, *scopes: str) -> Route:
    return Route(method, path, "work", endpoint, scopes)


_ACCOUNTS = "/api/v1/accounts"
_STATUSES = "/api/v1/statuses"
_NOTIFICATIONS = "/api/v1/notifications"

ROUTES: tuple[Route, ...] = (
    # apps
    read_route("/api/v1/apps/verify_credentials", apps.verify_credentials),
    # accounts
    read_route(f"{_ACCOUNTS}/verify_credentials", accounts.verify_credentials, "read:accounts", "profile"),
    public_route(f"{_ACCOUNTS}/lookup", accounts.lookup, "read:accounts"),
    read_route(f"{_ACCOUNTS}/relationships", accounts.show_relationships, "read:follows"),
    public_route(f"{_ACCOUNTS}/{{id}}", accounts.show, "read:accounts"),
    Route(
        "GET",
        f"{_ACCOUNTS}/{{id}}/statuses",
        "work",
        accounts.list_statuses,
        ("read:statuses",),
        access="anyone",
    ),
    public_route(f"{_ACCOUNTS}/{{id}}/followers", accounts.list_followers, "read:accounts"),
    public_route(f"{_ACCOUNTS}/{{id}}/following", accounts.list_following, "read:accounts"),
    write_route("POST", f"{_ACCOUNTS}/{{id}}/follow", accounts.follow, "write:follows"),
    write_route("POST", f"{_ACCOUNTS}/{{id}}/unfollow", accounts.unfollow, "write:follows"),
    write_route(
        "POST", f"{_ACCOUNTS}/{{id}}/remove_from_followers", accounts.remove_from_followers, "write:follows"
    ),
    write_route("POST", f"{_ACCOUNTS}/{{id}}/block", accounts.block, "write:blocks"),
    write_route("POST", f"{_ACCOUNTS}/{{id}}/unblock", accounts.unblock, "write:blocks"),
    write_route("POST", f"{_ACCOUNTS}/{{id}}/mute", accounts.mute, "write:mutes"),
    write_route("POST", f"{_ACCOUNTS}/{{id}}/unmute", accounts.unmute, "write:mutes"),
    read_route("/api/v1/blocks", accounts.list_blocked, "read:blocks"),
    read_route("/api/v1/mutes", accounts.list_muted, "read:mutes"),
    # follow requests
    read_route("/api/v1/follow_requests", follow_requests.list_requests, "read:follows"),
    write_route("POST", "/api/v1/follow_requests/{id}/authorize", follow_requests.authorize, "write:follows"),
    write_route("POST", "/api/v1/follow_requests/{id}/reject", follow_requests.reject, "write:follows"),
    # media
    async_route("POST", "/api/v2/media", media.upload, "write:media"),
    async_route("POST", "/api/v1/media", media.upload, "write:media"),
    read_route("/api/v1/media/{id}", media.show, "write:media"),
    write_route("PUT", "/api/v1/media/{id}", media.update, "write:media"),
    write_route("DELETE", "/api/v1/media/{id}", media.delete, "write:media"),
    # statuses
    async_route("POST", _STATUSES, statuses.create, "write:statuses"),
    public_route(f"{_STATUSES}/{{id}}", statuses.show, "read:statuses"),
    async_route("PUT", f"{_STATUSES}/{{id}}", statuses.edit, "write:statuses"),
    write_route("DELETE", f"{_STATUSES}/{{id}}", statuses.delete, "write:statuses"),
    Route(
        "GET",
        f"{_STATUSES}/{{id}}/context",
        "work",
        statuses.show_context,
        ("read:statuses",),
        access="anyone",
    ),
    public_route(f"{_STATUSES}/{{id}}/history", statuses.list_history, "read:statuses"),
    read_route(f"{_STATUSES}/{{id}}/source", statuses.show_source, "read:statuses"),
    public_route(f"{_STATUSES}/{{id}}/favourited_by", statuses.list_favourited_by, "read:statuses"),
    public_route(f"{_STATUSES}/{{id}}/reblogged_by", statuses.list_reblogged_by, "read:statuses"),
    write_route("POST", f"{_STATUSES}/{{id}}/favourite", statuses.favourite, "write:favourites"),
    write_route("POST", f"{_STATUSES}/{{id}}/unfavourite", statuses.unfavourite, "write:favourites"),
    write_route("POST", f"{_STATUSES}/{{id}}/reblog", statuses.reblog, "write:statuses"),
    write_route("POST", f"{_STATUSES}/{{id}}/unreblog", statuses.unreblog, "write:statuses"),
    write_route("POST", f"{_STATUSES}/{{id}}/bookmark", statuses.bookmark, "write:bookmarks"),
    write_route("POST", f"{_STATUSES}/{{id}}/unbookmark", statuses.unbookmark, "write:bookmarks"),
    write_route("POST", f"{_STATUSES}/{{id}}/pin", statuses.pin, "write:accounts"),
    write_route("POST", f"{_STATUSES}/{{id}}/unpin", statuses.unpin, "write:accounts"),
    # timelines
    read_route("/api/v1/timelines/home", timelines.home, "read:statuses"),
    public_route("/api/v1/timelines/public", timelines.public, "read:statuses"),
    public_route("/api/v1/timelines/tag/{name}", timelines.tag, "read:statuses"),
    read_route("/api/v1/bookmarks", timelines.bookmarks, "read:bookmarks"),
    read_route("/api/v1/favourites", timelines.favourites, "read:favourites"),
    # notifications
    read_route(_NOTIFICATIONS, notifications.list_page, "read:notifications"),
    read_route(f"{_NOTIFICATIONS}/unread_count", notifications.unread_count, "read:notifications"),
    write_route("POST", f"{_NOTIFICATIONS}/clear", notifications.clear, "write:notifications"),
    write_route("POST", f"{_NOTIFICATIONS}/dismiss", notifications.dismiss_by_param, "write:notifications"),
    read_route(f"{_NOTIFICATIONS}/{{id}}", notifications.show, "read:notifications"),
    write_route("POST", f"{_NOTIFICATIONS}/{{id}}/dismiss", notifications.dismiss, "write:notifications"),
    # reports
    async_route("POST", "/api/v1/reports", reports.create, "write:reports"),
    # search
    Route("GET", "/api/v2/search", "work", search.search_all, ("read:search",), access="anyone"),
    # instance
    public_route("/api/v1/instance", instance.show_v1),
    public_route("/api/v2/instance", instance.show_v2),
)
