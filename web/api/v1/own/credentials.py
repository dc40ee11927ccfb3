"""The account of a token: all that its owner may read of it, changing its profile, and its preferences."""

from __future__ import annotations

from typing import Any

import msgspec

from node.accounts import accounts
from node.attachments import avatars
from node.auth import users
from node.database import Reader, Writer
from node.errors import Invalid
from node.interactions import follows
from node.lifecycle import migration, profiles
from node.models.account import Account
from web.api.endpoint import ApiRequest, JsonResponse, RouteTable
from web.api.entities import API_VISIBILITIES
from web.i18n import translations

routes = RouteTable()

VISIBILITIES = {shown: ours for ours, shown in API_VISIBILITIES.items()}
PICTURES = (avatars.AVATAR, avatars.HEADER)


@routes.read("/api/v1/accounts/verify_credentials", "read:accounts", "profile")
def verify_credentials(tx: Reader, request: ApiRequest) -> JsonResponse:
    """Returns the account of the token, with the fields that only its owner may read."""
    return own_account(tx, request)


def own_account(tx: Reader, request: ApiRequest) -> JsonResponse:
    """Returns a response with a CredentialAccount."""
    account, user = request.caller, request.user
    assert user is not None
    fields = request.entities.account_fields(account)
    fields["source"] = {
        "privacy": API_VISIBILITIES[user.default_visibility],
        "sensitive": False,
        "language": user.language or None,
        "note": account.bio_source,
        "fields": [
            {"name": name, "value": value, "verified_at": None} for name, value in account.source_fields
        ],
        "follow_requests_count": follows.requests_count(tx, account),
        "hide_collections": account.hides_follows,
        "discoverable": account.is_discoverable,
        "indexable": account.is_indexable,
        "attribution_domains": account.attribution_domain_list,
        "quote_policy": "nobody",
    }
    moved = migration.destination(tx, account)
    if moved is not None:
        fields["moved"] = msgspec.Raw(request.entities.account(moved))
    fields["role"] = {
        "id": {"admin": "3", "moderator": "2"}.get(user.role, "1"),
        "name": user.role if user.role != "user" else "",
        "color": "",
        "permissions": "0",
        "highlighted": False,
        "collection_limit": 0,
    }
    return request.json_response(fields)


@routes.asynchronous("PATCH", "/api/v1/accounts/update_credentials", "write:accounts")
@routes.asynchronous("POST", "/api/v1/accounts/update_credentials", "write:accounts")
async def update_credentials(request: ApiRequest) -> JsonResponse:
    """Changes what is sent of the profile and the preferences; everything else stays.

    Nothing is changed where a text or setting is refused. `POST` is how the Pixelfed app sends a picture.
    """
    node = request.node
    await node.db.read(_checked, request)
    for kind in PICTURES:
        alt = request.params.text(f"{kind.name}_description")
        picture = request.params.upload(kind.name)
        if picture is not None:
            await avatars.upload(node, request.caller, picture, alt=alt, kind=kind)
        elif request.params.text(kind.name):
            raise Invalid("A picture is sent as a file in a multipart form.", field=kind.name)
    await node.db.write(_update, request)
    return await node.db.read(_updated, request)


def _checked(tx: Reader, request: ApiRequest) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the parameters of `update_profile` and of `set_preferences`. Raises Invalid with the field."""
    account, params = request.caller, request.params
    if params.flag("bot"):
        raise Invalid("Accounts are of people here: none can be marked as a bot.", field="bot")
    if params.flag("source[sensitive]"):
        raise Invalid("Whether a post is sensitive is said with each post.", field="source[sensitive]")
    fields = list(account.source_fields)
    if params.is_sent("fields_attributes"):
        rows = params.objects("fields_attributes")
        fields = [(row.get("name", ""), row.get("value", "")) for row in rows]
    profile: dict[str, Any] = {
        "display_name": params.text("display_name", account.display_name),
        "bio": params.text("note", account.bio_source),
        "fields": fields,
        "is_locked": params.flag("locked", account.is_locked),
        "is_discoverable": params.flag("discoverable", account.is_discoverable),
        "is_indexable": params.flag("indexable", account.is_indexable),
        "hides_follows": params.flag("hide_collections", account.hides_follows),
        "attribution_domains": params.all_values("attribution_domains")
        if params.is_sent("attribution_domains")
        else account.attribution_domain_list,
    }
    profiles.columns_from_form(
        tx, account, display_name=profile["display_name"], bio=profile["bio"], fields=fields
    )
    profiles.parse_attribution_domains(profile["attribution_domains"])
    return profile, _preferences(request)


def _preferences(request: ApiRequest) -> dict[str, Any]:
    visibility = request.params.text("source[privacy]")
    if visibility and visibility not in VISIBILITIES:
        raise Invalid(f"privacy is one of {', '.join(VISIBILITIES)}.", field="source[privacy]")
    language = request.params.text("source[language]")
    if language and language not in translations.available_languages():
        raise Invalid("There is no such language here.", field="source[language]")
    if request.params.text("source[quote_policy]", "nobody") != "nobody":
        raise Invalid("Posts cannot be quoted here.", field="source[quote_policy]")
    return {
        "default_visibility": VISIBILITIES.get(visibility),
        "language": language if request.params.is_sent("source[language]") else None,
    }


def _update(tx: Writer, request: ApiRequest) -> None:
    account = accounts.get(tx, request.caller.id)
    profile, preferences = _checked(tx, request)
    profiles.update_profile(tx, account, **profile)
    for kind in PICTURES:
        name = f"{kind.name}_description"
        if request.params.is_sent(name) and request.params.upload(kind.name) is None:
            avatars.set_alt(tx, account, request.params.text(name), kind)
    if any(value is not None for value in preferences.values()):
        users.set_preferences(tx, account, **preferences)


def _updated(tx: Reader, request: ApiRequest) -> JsonResponse:
    """Returns the account as it is now; what the request began with is outdated."""
    account: Account = accounts.get(tx, request.caller.id)
    request.account, request.user = account, users.by_account(tx, account)
    return own_account(tx, request)


@routes.read("/api/v1/preferences", "read:accounts")
def show_preferences(tx: Reader, request: ApiRequest) -> JsonResponse:
    """Returns what an app begins a post with, and how it shows media and warnings."""
    user = request.user
    assert user is not None
    return request.json_response(
        {
            "posting:default:visibility": API_VISIBILITIES[user.default_visibility],
            "posting:default:sensitive": False,
            "posting:default:language": user.language or None,
            "posting:default:quote_policy": "nobody",
            "reading:expand:media": "default",
            "reading:expand:spoilers": False,
            "reading:autoplay:gifs": False,
        }
    )
