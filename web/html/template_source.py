"""Loads the files of templates/ without their line breaks and indentation.

Templates have one element or block a line, but in HTML a line break between two inline elements is a space. So
the rule of JSX holds: a line break, with the indentation around it, is nothing where it touches a tag or a Jinja
block, and a space between two words or two attributes. A space that has to show stands inside a line, or is
written `{{ " " }}`. Each removed break leaves an empty comment, so that line numbers in errors stay right.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

# Jinja's own tags are whole tokens: a `>` or a quote inside one does not belong to the HTML around it.
_TOKENS = re.compile(
    r"""(?P<jinja>\{%.*?%\}|\{\{.*?\}\}|\{\#.*?\#\})
      | (?P<tag></?[a-zA-Z!])
      | (?P<end>>)
      | (?P<quote>["'])
      | (?P<break>[ \t]*\n\s*)""",
    re.DOTALL | re.VERBOSE,
)


def join_lines(source: str) -> str:
    """Removes the line breaks of a template by the rule above; it keeps its number of lines."""
    parts: list[str] = []
    position = 0
    in_tag = False
    quote = ""
    for found in _TOKENS.finditer(source):
        text = found[0]
        kind = found.lastgroup
        if kind == "tag" and not in_tag:
            in_tag = True
        elif kind == "end" and in_tag and not quote:
            in_tag = False
        elif kind == "quote" and in_tag:
            quote = "" if text == quote else quote or text
        elif kind == "break":
            before, after = source[: found.start()][-1:], source[found.end() :][:1]
            is_space = in_tag or (before not in ("", ">", "}") and after not in ("", "<", "{"))
            parts += (source[position : found.start()], " " if is_space else "")
            parts.append("{#" + "\n" * text.count("\n") + "#}")
            position = found.end()
    parts.append(source[position:])
    return "".join(parts)


class TemplateLoader(FileSystemLoader):
    """Loads templates from a folder without their line breaks."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        source, path, is_current = super().get_source(environment, template)
        return join_lines(source), path, is_current
