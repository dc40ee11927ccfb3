"""Templates to pages: our own synchronous Jinja environment, one per language, on the node.

Rendering never waits for anything, so it is not async: twice as fast, and everything a page shows has been
read before it starts. Posts come out of `cards`, which keeps what is the same for everyone.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from quart import Response, g, request

from node.node import Node
from web import current, emoji, photo_facts, pieces, scripts, session, words
from web.assets import Assets
from web.cards import Cards
from web.current import Person
from web.html.template_source import TemplateLoader

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
FOLDER = Path(__file__).parent.parent / "templates"


class Sentences:
    """`_` in templates: a sentence as HTML. Most have no values and are the same object every time."""

    def __init__(self, catalogue: words.Catalogue) -> None:
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
        self._kept: OrderedDict[tuple[Any, ...], Markup] = OrderedDict()

    def __call__(self, me: Person | None, here: str, theme: str) -> Markup:
        places = PLACES if me is None else (*PLACES, pieces.path_of(me.account))
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
            made = self._kept[key] = self._macro.chrome(me, here, theme)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
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
        catalogue = words.catalogue(language)
        env.install_gettext_callables(catalogue.gettext, catalogue.ngettext, newstyle=True)  # type: ignore[attr-defined]
        env.policies["ext.i18n.trimmed"] = True
        env.globals["_"] = Sentences(catalogue)
        options = self._node.config
        env.globals.update(
            asset=self._assets.url,
            icon=pieces.Icons(self._assets.url("icons.svg")),
            icons=self._assets.url("icons.svg"),
            avatar=pieces.avatar,
            photo_facts=photo_facts.shown,
            name_of=emoji.name,
            with_emoji=emoji.in_words,
            html_with_emoji=emoji.in_html,
            emoji_of=emoji.of_account,
            emoji_of_post=emoji.of_post,
            avatar_path=pieces.avatar_path,
            header_path=pieces.header_path,
            picture=pieces.picture,
            thumb=pieces.thumb,
            thumb_path=pieces.thumb_path,
            album_shape=pieces.album_shape,
            path_of=pieces.path_of,
            post_path=pieces.post_path,
            short=pieces.short,
            ago=pieces.ago,
            moment=pieces.moment,
            words=scripts.as_json(
                {
                    **scripts.sentences(catalogue.gettext),
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
            direction=words.direction(language),
        )
        for name, template in PARTS.items():
            env.globals[name] = env.get_template(template).module
        return env


def cards() -> Cards:
    """The kept cards in the language of this request."""
    return current.node().part(Pages).cards(words.spoken())


def html(template: str, **context: Any) -> str:
    """A template with what every page has: who is asking, the form token, the theme, the way back."""
    node = current.node()
    language = words.spoken()
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
