"""Remote interaction: lets users of other servers follow and reply to local accounts, and the reverse.

`/interact` sends a visitor to their own server; `/authorize_interaction` is where other servers send local users.
"""

from __future__ import annotations

import contextlib
from typing import Any
from urllib.parse import quote, urlsplit

from quart import Blueprint, Response, redirect, request

from activitypub.remote import lookup, webfinger
from activitypub.uris import Malformed
from node import rate_limits
from node.accounts import accounts
from node.database import Reader
from node.errors import NotFound, Refused
from node.models.account import Account
from node.models.post import Post
from node.posts import posts
from web.html.helpers import post_path, profile_path
from web.html.templates import render_page
from web.i18n.translations import _, gettext
from web.request import context

blueprint = Blueprint("remote_interaction", __name__)

SUBSCRIBE_REL = "http://ostatus.org/schema/1.0/subscribe"


def _find_known(tx: Reader, viewer: Account | None, uri: str) -> tuple[Account | None, Post | None]:
    """Finds the account or post of a URI: only what is in the database and visible to the visitor."""
    account = accounts.by_uri(tx, uri)
    if account is not None:
        return (None, None) if account.is_inactive else (account, None)
    post = posts.by_uri(tx, uri)
    if post is None:
        return None, None
    try:
        return None, posts.visible_by_id(tx, viewer, post.id)
    except NotFound:
        return None, None


async def _render_form(status: int = 200, **context: Any) -> Response:
    defaults = {"handle": "", "problem": "", "target": "", "server": ""}
    response = await render_page("people/remote_interaction.html", **{**defaults, **context})
    response.status_code = status
    return response


async def _describe_target(uri: str) -> dict[str, Any]:
    account, post = await context.read(_find_known, uri)
    if account is not None:
        title = _("Follow %(name)s", name=account.label)
        return {
            "title": title,
            "account": account,
            "back": profile_path(account),
            "copy": f"@{account.full_handle}",
        }
    if post is not None:
        return {
            "title": _("Like, boost or comment"),
            "account": None,
            "back": f"/posts/{post.id}",
            "copy": post.url,
        }
    raise NotFound


@blueprint.get("/interact")
async def show_form() -> Response:
    uri = request.args.get("uri", "")[:2048]
    target_fields = await _describe_target(uri)
    if context.signed_in_user() is not None:
        return redirect(target_fields["back"], 302)  # type: ignore[return-value]
    return await _render_form(uri=uri, **target_fields)


@blueprint.post("/interact")
async def find_home_server() -> Response:
    form = await request.form
    uri, handle = form.get("uri", "")[:2048], form.get("handle", "").strip()[:320]
    target_fields = await _describe_target(uri)
    await context.limit_rate(
        f"interact {rate_limits.client_network(context.client_address())}", max_attempts=20, seconds=600
    )
    try:
        domain = webfinger.split_handle(handle)[1]
        target = await _authorize_url(domain, handle.lstrip("@"), uri)
    except (Refused, Malformed) as problem:
        message = (
            gettext(problem.message)
            if isinstance(problem, Refused)
            else _("That is not a valid handle. It looks like @you@server.example.")
        )
        return await _render_form(422, uri=uri, handle=handle, problem=message, **target_fields)
    return await _render_form(uri=uri, handle=handle, target=target, server=domain, **target_fields)


async def _authorize_url(domain: str, handle: str, uri: str) -> str:
    """Returns the URL at the visitor's own server.

    It is shown as a link, so that people see where they go.
    """
    node = context.current_node()
    scheme = "https" if not node.config.federation.allow_http else node.site.scheme
    default_url = f"{scheme}://{domain}/authorize_interaction?uri={quote(uri, safe='')}"
    fetched = await node.client.get_jrd(
        f"{scheme}://{domain}/.well-known/webfinger?resource=acct:{quote(handle)}"
    )
    links = fetched.doc.get("links")
    for link in links if isinstance(links, list) else []:
        if not isinstance(link, dict) or link.get("rel") != SUBSCRIBE_REL:
            continue
        template = link.get("template")
        if isinstance(template, str) and "{uri}" in template:
            target = template.replace("{uri}", quote(uri, safe=""))
            with contextlib.suppress(ValueError):
                if urlsplit(target).scheme in ("https", scheme):
                    return target
    return default_url


@blueprint.get("/authorize_interaction")
async def authorize_interaction() -> Response:
    """Shows the account or post to which another server has sent a local user, to follow it or reply to it."""
    account = await context.require_account()
    uri = request.args.get("uri", "")[:2048].removeprefix("acct:")
    await context.limit_rate(f"lookup {account.id}", max_attempts=40, seconds=600)
    found = await lookup.resolve(context.current_node(), uri, account)
    if found is None:
        raise NotFound(_("Nothing was found at that address. Check the spelling and whether it is public."))
    if isinstance(found, Post):
        return redirect(await context.read(_post_path, found), 302)  # type: ignore[return-value]
    if found.id == account.id:
        return redirect(profile_path(account), 302)  # type: ignore[return-value]
    return await render_page(
        "confirm.html",
        title=_("Follow %(name)s?", name=found.label),
        message=_("Their posts will appear in your home feed."),
        label=_("Follow"),
        action=f"/people/{found.id}/follow",
        back=profile_path(found),
        after=profile_path(found),
        account=found,
    )


def _post_path(tx: Reader, viewer: Account | None, post: Post) -> str:
    return post_path(post, accounts.get(tx, post.account_id))
