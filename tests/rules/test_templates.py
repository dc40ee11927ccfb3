"""Templates lie where their pages are, hold one element or block a line, and are all used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"
FOLDERS = {"parts", "people", "posts", "settings", "admin", "mail", "sign_in", "oauth"}
MAX_WIDTH = 140
MAX_FILES = 14

PATHS = sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.html"))

# Phrases that a translation has as a whole, and what stands inside an expression or a comment.
_WHOLE = re.compile(r"\{% trans.*?%\}.*?\{% endtrans %\}|\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)
_TAG = re.compile(r"<[a-z][^<>]*")
_ELEMENT = re.compile(r"<[a-z]")
_BLOCK = re.compile(r"\{% *(if|for|call|macro|block|set)\b")


def test_folders_follow_the_pages() -> None:
    assert {path.name for path in TEMPLATES.iterdir() if path.is_dir()} == FOLDERS


def test_no_folder_is_crowded() -> None:
    folders = [TEMPLATES, *(TEMPLATES / name for name in sorted(FOLDERS))]
    crowded = {folder.name: n for folder in folders if (n := len(list(folder.glob("*.html")))) > MAX_FILES}
    assert not crowded


@pytest.mark.parametrize("template", PATHS)
def test_a_line_is_short_and_holds_one_element_or_block(template: str) -> None:
    bad = []
    in_phrase = False
    for number, line in enumerate((TEMPLATES / template).read_text().splitlines(), 1):
        if len(line) > MAX_WIDTH:
            bad.append(f"line {number} has {len(line)} characters")
        in_phrase = ("{% trans" in line or in_phrase) and "{% endtrans" not in line
        rest = _WHOLE.sub("", line)
        if in_phrase:
            continue
        if len(_ELEMENT.findall(rest.replace("<br>", ""))) > 1:
            bad.append(f"line {number} has several elements")
        # Blocks inside a tag choose its attributes, and belong to it.
        blocks = len(_BLOCK.findall(_TAG.sub("", rest)))
        if blocks > 1 or (blocks and _ELEMENT.search(rest)):
            bad.append(f"line {number} has a block beside something else")
    assert not bad


@pytest.mark.parametrize("template", PATHS)
def test_a_template_is_used(template: str) -> None:
    named = re.compile(rf"""["']{re.escape(template)}["']""")
    sources = [*(ROOT / "web").rglob("*.py"), *TEMPLATES.rglob("*.html")]
    text = "".join(path.read_text() for path in sources)
    by_tab = template.startswith("admin/") and 'f"admin/{' in text
    assert named.search(text) or by_tab


@pytest.mark.parametrize("template", PATHS)
def test_text_of_html_is_taken_with_its_line_breaks(template: str) -> None:
    assert "striptags" not in (TEMPLATES / template).read_text(), (
        "two paragraphs become one word: use one_line"
    )
