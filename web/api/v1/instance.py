"""The instance (this node), in both versions of the entity. Nothing is advertised that does not work, but for one
address that apps insist on, see `_streaming_urls`."""

from __future__ import annotations

from typing import Any

import msgspec

from media import images
from node.admin.statistics import StatisticsCache
from node.attachments import photo_metadata, photos
from node.auth import users
from node.database import Reader, Site
from node.interactions import pins
from node.lifecycle import profiles
from node.posts import drafts
from node.text import display_names
from node.version import VERSION
from web.api.endpoint import ApiRequest, JsonResponse, RouteTable

routes = RouteTable()

# Apps read the first three numbers as the version of Mastodon whose API this is, and from these two what they may use.
# Both say the same: before 4.3, whose API has the number 2 and grouped notifications, which are not here yet. What is
# newer and here needs no announcement: an app ignores a field that it does not know.
MASTODON_VERSION, MASTODON_API_NUMBER = "4.2.0", 1
API_VERSION = f"{MASTODON_VERSION} (compatible; Tintype {VERSION})"


def _status_limits() -> dict[str, Any]:
    return {
        "max_characters": drafts.MAX_CAPTION_LENGTH,
        "max_media_attachments": drafts.MAX_PHOTOS,
        "characters_reserved_per_url": drafts.LINK_LENGTH,
    }


def _media_limits(request: ApiRequest) -> dict[str, Any]:
    return {
        "supported_mime_types": list(images.EXTENSIONS),
        "description_limit": photo_metadata.MAX_ALT_LENGTH,
        "image_size_limit": photos.max_upload_mb(request.node) * images.BYTES_PER_MB,
        # Apps know one limit, so it is one that holds for every type; larger ones are told beside it.
        "image_matrix_limit": min(images.MAX_PIXELS.values()),
        "image_matrix_limits": images.MAX_PIXELS,
        "video_size_limit": 0,
        "video_frame_rate_limit": 0,
        "video_matrix_limit": 0,
    }


_NO_POLLS = {"max_options": 0, "max_characters_per_option": 0, "min_expiration": 0, "max_expiration": 0}


def _contact_account(tx: Reader, request: ApiRequest) -> msgspec.Raw | None:
    account = users.contact_account(tx, request.node.config.node.contact_account)
    return msgspec.Raw(request.entities.account(account)) if account else None


def _streaming_urls(site: Site) -> dict[str, str]:
    """Returns where streaming would be, although there is none: some apps refuse an instance that does not say it.

    The apps of Mastodon and Metatext among others decode it as a text or URL that is never missing, null or empty. They
    are answered there that there is none. The second version of the entity does not name it, so that apps that look
    there, as Phanpy does, do not try.
    """
    return {"streaming_api": f"{'wss' if site.scheme == 'https' else 'ws'}://{site.domain}"}


@routes.public("/api/v1/instance")
def show_v1(tx: Reader, request: ApiRequest) -> JsonResponse:
    """Returns a response with the entity V1::Instance."""
    options, site = request.node.config, request.node.site
    numbers = request.node.component(StatisticsCache).current(tx)
    mode = options.registration.mode
    return request.json_response(
        {
            "uri": site.handle_domain,
            "title": options.node.title,
            "short_description": options.node.description,
            "description": options.node.description,
            "email": options.node.contact_email,
            "version": API_VERSION,
            "urls": _streaming_urls(site),
            "stats": {
                "user_count": numbers.people,
                "status_count": numbers.posts,
                "domain_count": numbers.servers,
            },
            "thumbnail": None,
            "languages": ["en"],
            "registrations": mode in ("open", "approval"),
            "approval_required": mode == "approval",
            "invites_enabled": mode == "invite",
            "configuration": {
                "accounts": {"max_featured_tags": 0},
                "statuses": _status_limits(),
                "media_attachments": _media_limits(request),
                "polls": _NO_POLLS,
            },
            "contact_account": _contact_account(tx, request),
            "rules": _rules(request),
        }
    )


def _rules(request: ApiRequest) -> list[dict[str, str]]:
    rules = request.node.config.node.rules
    return [{"id": str(number), "text": text, "hint": ""} for number, text in enumerate(rules, 1)]


@routes.public("/api/v1/instance/rules")
def list_rules(tx: Reader, request: ApiRequest) -> JsonResponse:
    return request.json_response(_rules(request))


@routes.public("/api/v1/custom_emojis")
def list_emoji(tx: Reader, request: ApiRequest) -> JsonResponse:
    """Returns the emoji that people here can write: none, since the node has no pictures of its own for them.

    Those of other servers are named with each post and account that uses them.
    """
    return request.json_response([])


@routes.public("/api/v2/instance")
def show_v2(tx: Reader, request: ApiRequest) -> JsonResponse:
    """Returns a response with the entity Instance."""
    options, site = request.node.config, request.node.site
    mode = options.registration.mode
    everyone = {"local": "public", "remote": "public"}
    return request.json_response(
        {
            "domain": site.handle_domain,
            "title": options.node.title,
            "version": API_VERSION,
            "source_url": site.uri("/about"),
            "description": options.node.description,
            "usage": {
                "users": {"active_month": request.node.component(StatisticsCache).current(tx).active_month}
            },
            "thumbnail": {"url": site.uri("/static/favicon.svg"), "description": ""},
            "icon": [],
            "languages": ["en"],
            "configuration": {
                "urls": {"about": site.uri("/about"), "privacy_policy": None, "terms_of_service": None},
                "accounts": {
                    "max_display_name_length": display_names.MAX_DISPLAY_NAME_LENGTH,
                    "max_note_length": profiles.MAX_BIO_LENGTH,
                    "max_featured_tags": 0,
                    "max_pinned_statuses": pins.MAX_PINS,
                    "max_profile_fields": profiles.MAX_FIELDS,
                    "profile_field_name_limit": profiles.MAX_FIELD_LENGTH,
                    "profile_field_value_limit": profiles.MAX_FIELD_LENGTH,
                },
                "statuses": _status_limits(),
                "media_attachments": _media_limits(request),
                "polls": _NO_POLLS,
                "translation": {"enabled": False},
                "timelines_access": {
                    "live_feeds": everyone,
                    "hashtag_feeds": everyone,
                    "trending_link_feeds": {"local": "disabled", "remote": "disabled"},
                },
                "limited_federation": False,
            },
            "registrations": {
                "enabled": mode in ("open", "approval"),
                "approval_required": mode == "approval",
                "reason_required": mode == "approval",
                "message": None,
                "min_age": None,
                "url": site.uri("/sign-up") if mode in ("open", "approval") else None,
            },
            "api_versions": {"mastodon": MASTODON_API_NUMBER},
            "contact": {"email": options.node.contact_email, "account": _contact_account(tx, request)},
            "rules": _rules(request),
        }
    )
