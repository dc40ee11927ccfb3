"""Line breaks in templates: where they are removed, and where they are a space."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import Environment, TemplateSyntaxError

from web.html.template_source import TemplateLoader, join_lines


def render(source: str, **context: object) -> str:
    return Environment(autoescape=True).from_string(join_lines(source)).render(context)


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("<p>\n  <b>x</b>\n  <i>y</i>\n</p>\n", "<p><b>x</b><i>y</i></p>"),
        ("<p>\n  one\n  two\n</p>", "<p>one two</p>"),
        ("<p>one <b>two</b> three</p>", "<p>one <b>two</b> three</p>"),
        ('<b>x</b>{{ " " }}\n<i>y</i>', "<b>x</b> <i>y</i>"),
        ("{% if x %}\n  {{ x }}\n{% endif %}\n<b></b>", "1<b></b>"),
        (
            '<a\n  href="/"\n  {% if x %}hidden{% endif %}\n  rel="next"\n>x</a>',
            '<a href="/" hidden rel="next" >x</a>',
        ),
        ("<a title=\"{{ '>' if x }}\"\n  hidden>\n  x\n</a>", '<a title="&gt;" hidden>x</a>'),
        ('<p title="it\'s">\n  x\n</p>', '<p title="it\'s">x</p>'),
    ],
)
def test_a_line_break_is_a_space_only_between_words_or_attributes(source: str, wanted: str) -> None:
    assert render(source, x=1) == wanted


def test_an_error_names_the_line_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<p>\n  <b\n    hidden\n  >\n  {% nonsense %}\n</p>\n")
    with pytest.raises(TemplateSyntaxError) as error:
        Environment(loader=TemplateLoader(tmp_path), autoescape=True).get_template("page.html")

    assert error.value.lineno == 5
