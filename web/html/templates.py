"""Templates to pages: our own synchronous Jinja environment, one per language, on the node.

Rendering never waits for anything, so it is not async: twice as fast, and everything a page shows has been
read before it starts. Posts come out of `cards`, which keeps what is the same for everyone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from quart import Response, g, request

from node.cache import Cache
from node.node import Node
from web.files.asset_urls import Assets
from web.html import custom_emoji, helpers, photo_metadata
from web.html.post_cards import Cards
from web.html.template_source import TemplateLoader
from web.i18n import js_messages, translations
from web.request import context, session
from web.request import context as current
from web.request.context import Person

# What the keys lead to: only there does the bar differ from page to page.
PLACES = (
    "/",
    "/explore",
    "/search",
    "/compose",
    "/notifications",
    "/follow-requests",
    "/bookmarks",
    "/about",
    "/sign-in",
)
# Macros that nearly every page needs: as globals they cost a page nothing, imported 20 µs each.
PARTS = {"forms": "parts/forms.html", "layout": "parts/layout.html", "profiles": "parts/profiles.html"}
MOST_KEPT = 1_000
FOLDER = Path(__file__).parents[2] / "templates"


class Sentences:
    """`_` in templates: a sentence as HTML. Most have no values and are the same object every time."""

    def __init__(self, catalogue: translations.Catalogue) -> None:
        self._catalogue = catalogue
        self._plain: dict[str, Markup] = {}

    def __call__(self, message: str, **values: object) -> Markup:
        found = self._plain.get(message)
        if found is None:
            found = self._plain[message] = Markup(self._catalogue.gettext(message))  # noqa: S704
        return found % values if values else found


class Chrome:
    """The bar and the keys round a page, kept for each person and place: a fifth of what a page costs."""

    def __init__(self, env: Environment) -> None:
        self._macro: Any = None
        self._env = env
        self._kept: Cache[tuple[Any, ...], Markup] = Cache(MOST_KEPT)

    def __call__(self, me: Person | None, here: str, theme: str) -> Markup:
        places = PLACES if me is None else (*PLACES, helpers.path_of(me.account))
        here = here if here in places else ""
        who = None
        if me is not None:
            account = me.account
            who = (
                account.id,
                account.updated_at,
                account.is_locked,
                me.is_staff,
                me.unread,
                me.requests,
                me.reports,
            )
        key = (who, here, theme)
        made = self._kept.get(key)
        if made is None:
            if self._macro is None:
                self._macro = self._env.get_template("parts/navigation.html").module
            made = self._macro.chrome(me, here, theme)
            self._kept.put(key, made)
        return made


class Pages:
    """The templates of one node, in every language that has been asked for."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._assets = node.part(Assets)
        self._environments: dict[str, Environment] = {}
        self._cards: dict[str, Cards] = {}
        self._chromes: dict[str, Chrome] = {}

    def environment(self, language: str) -> Environment:
        found = self._environments.get(language)
        if found is None:
            found = self._environments[language] = self._make(language)
        return found

    def cards(self, language: str) -> Cards:
        found = self._cards.get(language)
        if found is None:
            found = self._cards[language] = Cards(self.environment(language))
        return found

    def chrome(self, language: str) -> Chrome:
        found = self._chromes.get(language)
        if found is None:
            found = self._chromes[language] = Chrome(self.environment(language))
        return found

    def _make(self, language: str) -> Environment:
        env = Environment(
            loader=TemplateLoader(FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            extensions=["jinja2.ext.i18n"],
        )
        catalogue = translations.catalogue(language)
        env.install_gettext_callables(catalogue.gettext, catalogue.ngettext, newstyle=True)  # type: ignore[attr-defined]
        env.policies["ext.i18n.trimmed"] = True
        env.globals["_"] = Sentences(catalogue)
        options = self._node.config
        env.globals.update(
            asset=self._assets.url,
            icon=helpers.Icons(self._assets.url("icons.svg")),
            icons=self._assets.url("icons.svg"),
            avatar=helpers.avatar,
            photo_facts=photo_metadata.shown,
            name_of=custom_emoji.name,
            with_emoji=custom_emoji.in_words,
            html_with_emoji=custom_emoji.in_html,
            emoji_of=custom_emoji.of_account,
            emoji_of_post=custom_emoji.of_post,
            avatar_path=helpers.avatar_path,
            header_path=helpers.header_path,
            picture=helpers.picture,
            thumb=helpers.thumb,
            thumb_path=helpers.thumb_path,
            album_shape=helpers.album_shape,
            path_of=helpers.path_of,
            post_path=helpers.post_path,
            short=helpers.short,
            ago=helpers.ago,
            moment=helpers.moment,
            words=js_messages.as_json(
                {
                    **js_messages.sentences(catalogue.gettext),
                    "icons": self._assets.url("icons.svg"),
                    "blank": self._assets.url("favicon.svg"),
                }
            ),
            title_of_node=options.node.title,
            about_node=options.node.description,
            domain=self._node.site.handle_domain,
            base_url=self._node.site.base_url,
            mode=options.registration.mode,
            lang=language,
            direction=translations.direction(language),
        )
        for name, template in PARTS.items():
            env.globals[name] = env.get_template(template).module
        return env


def cards() -> Cards:
    """The kept cards in the language of this request."""
    return context.node().part(Pages).cards(translations.spoken())


def html(template: str, **context: Any) -> str:
    """A template with what every page has: who is asking, the form token, the theme, the way back."""
    node = current.node()
    language = translations.spoken()
    pages = node.part(Pages)
    person = current.person()
    kept = pages.cards(language)
    theme = person.user.theme if person else request.cookies.get(session.THEME, "system")
    theme = theme if theme in ("light", "dark") else "system"
    return (
        pages.environment(language)
        .get_template(template)
        .render(
            context,
            me=person,
            viewer=person.account if person else None,
            csrf=session.csrf(node),
            theme=theme,
            chrome=pages.chrome(language)(person, request.path, theme),
            here=request.path,
            here_full=request.full_path.rstrip("?"),
            stream=kept.stream,
            grid=kept.grid,
            alone=kept.alone,
        )
    )


async def page(template: str, **context: Any) -> Response:
    """A whole page as a response. Learns who is asking if the handler did not need to."""
    if not hasattr(g, "person"):
        await current.look(current.nothing)
    return Response(html(template, **context), content_type="text/html; charset=utf-8")
