"""Renders templates to pages, with a synchronous Jinja environment per language, which belongs to the node.

Rendering never waits for anything, so it is not async: twice as fast, and everything a page shows has been
read before it starts. Posts are rendered by `post_cards`, which caches what is the same for everyone.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from jinja2 import Environment, StrictUndefined, pass_context
from markupsafe import Markup
from quart import Response, g, request

from node.cache import Cache
from node.node import Node
from node.text import html_blocks
from web.files.asset_urls import Assets
from web.html import (
    browser_names,
    custom_emoji,
    helpers,
    navigation,
    photo_frames,
    photo_metadata,
    post_extras,
    tables,
)
from web.html.post_cards import CardRenderer
from web.html.template_source import TemplateLoader
from web.i18n import formats, js_messages, translations
from web.request import context, session
from web.request.context import SignedInUser

# Macros that nearly every page needs: as globals they cost a page nothing, imported 20 µs each.
PARTS = {"forms": "parts/forms.html", "layout": "parts/layout.html", "profiles": "parts/profiles.html"}
MAX_CACHED_NAVIGATIONS = 1_000
SLICE_SECONDS = 0.005
TEMPLATE_FOLDER = Path(__file__).parents[2] / "templates"


class TemplateGettext:
    """`_` in templates: a translated message as HTML. Most have no values and are the same object every time."""

    def __init__(self, catalogue: translations.Catalogue) -> None:
        self._catalogue = catalogue
        self._plain: dict[str, Markup] = {}

    def __call__(self, message: str, **values: object) -> Markup:
        cached = self._plain.get(message)
        if cached is None:
            cached = self._plain[message] = Markup(self._catalogue.gettext(message))  # noqa: S704
        return cached % values if values else cached


def _new_key() -> str:
    return secrets.token_urlsafe(12)


def _with_written_numbers(ngettext: Any) -> Any:
    """Returns the `ngettext` of templates with the numbers in its messages written as the reader does."""

    @pass_context
    def translate(context: Any, one: str, many: str, num: int, **values: Any) -> Any:
        written = {
            name: formats.format_number(value) if type(value) is int and value > 999 else value
            for name, value in values.items()
        }
        return ngettext(context, one, many, num, **written)

    return translate


class Navigation:
    """Renders and caches the navigation of a page for each account and path: a fifth of what a page costs."""

    def __init__(self, env: Environment) -> None:
        self._macro: Any = None
        self._env = env
        self._cache: Cache[tuple[Any, ...], Markup] = Cache(MAX_CACHED_NAVIGATIONS)

    def __call__(self, user: SignedInUser | None, path: str, theme: str) -> Markup:
        is_own_profile = user is not None and path == helpers.profile_path(user.account)
        if path.startswith("/explore/"):
            path = "/explore"
        elif path not in navigation.BAR_PATHS and not is_own_profile:
            path = ""
        user_key = None
        if user is not None:
            account = user.account
            user_key = (
                account.id,
                account.updated_at,
                account.is_locked,
                user.is_staff,
                user.unread_count,
                user.follow_requests_count,
                user.staff_count,
            )
        key = (user_key, path, theme)
        html = self._cache.get(key)
        if html is None:
            if self._macro is None:
                self._macro = self._env.get_template("parts/navigation.html").module
            html = self._macro.chrome(user, path, theme)
            self._cache.put(key, html)
        return html


class Templates:
    """The templates of one node, in every language that has been requested."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._assets = node.component(Assets)
        self._environments: dict[str, Environment] = {}
        self._cards: dict[str, CardRenderer] = {}
        self._navigations: dict[str, Navigation] = {}

    def environment(self, language: str) -> Environment:
        cached = self._environments.get(language)
        if cached is None:
            cached = self._environments[language] = self._create_environment(language)
        return cached

    def card_renderer(self, language: str) -> CardRenderer:
        cached = self._cards.get(language)
        if cached is None:
            cached = self._cards[language] = CardRenderer(self.environment(language))
        return cached

    def navigation(self, language: str) -> Navigation:
        cached = self._navigations.get(language)
        if cached is None:
            cached = self._navigations[language] = Navigation(self.environment(language))
        return cached

    def _create_environment(self, language: str) -> Environment:
        env = Environment(
            loader=TemplateLoader(TEMPLATE_FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            extensions=["jinja2.ext.i18n"],
        )
        catalogue = translations.load_catalogue(language)
        env.install_gettext_callables(catalogue.gettext, catalogue.ngettext, newstyle=True)  # type: ignore[attr-defined]
        env.globals["ngettext"] = _with_written_numbers(env.globals["ngettext"])
        env.policies["ext.i18n.trimmed"] = True
        env.globals["_"] = TemplateGettext(catalogue)
        env.filters["one_line"] = html_blocks.to_line
        options = self._node.config
        env.globals.update(
            asset=self._assets.url,
            new_key=_new_key,
            icon=helpers.Icons(self._assets.url("icons.svg")),
            icons=self._assets.url("icons.svg"),
            avatar=helpers.render_avatar,
            browser_name=browser_names.describe,
            photo_metadata=photo_metadata.render_metadata,
            file_title=post_extras.file_title,
            poll_state=post_extras.poll_state,
            with_headings=tables.with_headings,
            poll_has_ended=post_extras.has_ended,
            display_name=custom_emoji.render_display_name,
            with_emoji=custom_emoji.replace_in_text,
            html_with_emoji=custom_emoji.replace_in_html,
            emoji_of=custom_emoji.account_emoji,
            emoji_of_post=custom_emoji.post_emoji,
            avatar_path=helpers.avatar_path,
            header_path=helpers.header_path,
            picture=helpers.render_photo,
            single_photo=helpers.render_single_photo,
            whole_photo=helpers.render_whole_photo,
            stage_sizes=helpers.STAGE_SIZES,
            column_sizes=helpers.COLUMN_SIZES,
            thumb=helpers.render_thumb,
            thumb_path=helpers.thumb_path,
            medium_path=helpers.medium_path,
            square=helpers.render_square,
            incomplete_notice=helpers.incomplete_notice,
            album_ratio=photo_frames.album_ratio,
            surround=photo_frames.surround_class,
            profile_path=helpers.profile_path,
            post_path=helpers.post_path,
            photo_path=helpers.photo_path,
            navigation=navigation,
            format_number=formats.format_number,
            short_number=formats.short_number,
            percent=formats.percent,
            relative_time=formats.relative_time,
            time_ago=formats.time_ago,
            datetime_field=formats.datetime_field,
            field_zone=formats.field_zone,
            exact_time=formats.exact_time,
            js_messages=js_messages.to_script_json(
                {
                    **js_messages.collect_messages(catalogue.gettext),
                    "icons": self._assets.url("icons.svg"),
                }
            ),
            title_of_node=options.node.title,
            about_node=options.node.description,
            rules=options.node.rules,
            domain=self._node.site.handle_domain,
            base_url=self._node.site.base_url,
            mode=options.registration.mode,
            lang=language,
            direction=translations.text_direction(language),
        )
        for name, template in PARTS.items():
            env.globals[name] = env.get_template(template).module
        return env


def card_renderer() -> CardRenderer:
    """Returns the renderer of cards in the language of this request."""
    return context.current_node().component(Templates).card_renderer(translations.current_language())


async def render_html(template: str, **values: Any) -> str:
    """Renders a template with what every page needs: the signed-in user, the CSRF token, the theme, the path.

    A long page is made in slices: what others ask for meanwhile is answered between them.
    """
    node = context.current_node()
    language = translations.current_language()
    pages = node.component(Templates)
    user = context.signed_in_user()
    cards = pages.card_renderer(language)
    theme = user.user.theme if user else request.cookies.get(session.THEME_COOKIE, "system")
    theme = theme if theme in ("light", "dark") else "system"
    chosen_zone = user.user.time_zone if user else ""
    formats.set_time_zone(chosen_zone, unquote(request.cookies.get(session.ZONE_COOKIE, "")))
    pieces = (
        pages.environment(language)
        .get_template(template)
        .generate(
            values,
            me=user,
            viewer=user.account if user else None,
            csrf=session.csrf_token(node),
            theme=theme,
            chrome=pages.navigation(language)(user, request.path, theme),
            current_path=request.path,
            current_url=request.full_path.rstrip("?"),
            stream=cards.render_feed,
            grid=cards.render_grid,
            action_row=cards.render_action_row,
        )
    )
    finished: list[str] = []
    ends = time.perf_counter() + SLICE_SECONDS
    for piece in pieces:
        finished.append(piece)
        if time.perf_counter() >= ends:
            await asyncio.sleep(0)
            ends = time.perf_counter() + SLICE_SECONDS
    return "".join(finished)


async def render_page(template: str, **values: Any) -> Response:
    """Renders a whole page as a response. Loads the signed-in user if the handler did not need it."""
    if not hasattr(g, "signed_in_user"):
        await context.read(context.read_nothing)
    return Response(await render_html(template, **values), content_type="text/html; charset=utf-8")
