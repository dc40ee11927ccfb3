"""A docstring of a function or method says first what it does, in the third person: "Returns …", "Stores …".

Only the form of the first word is checked. Properties and classes are things and not actions, so they may be named.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("node", "activitypub", "web", "media")

_JOB = re.compile(r"Job `\w+`: ")
_FIRST_WORD = re.compile(r"[A-Za-z][a-z]*(?![A-Za-z:`])")
# They end like a verb in the third person, and are none.
_NO_VERBS = {"always", "as", "has", "hashtags", "hosts", "ids", "is", "its", "keys", "milliseconds", "rows"}
_NO_VERBS |= {"seconds", "servers", "this", "thus", "urls", "users"}


def _says_what_it_does(docstring: str) -> bool:
    text = _JOB.sub("", docstring.strip(), count=1)
    word = _FIRST_WORD.match(text)
    if word is None:
        return False
    verb = word.group().lower()
    return verb.endswith("s") and not verb.endswith("ss") and verb not in _NO_VERBS


def _is_property(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any("property" in ast.unparse(decorator) for decorator in function.decorator_list)


def _function_docstrings() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for function in ast.walk(ast.parse(path.read_text())):
                if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) or _is_property(function):
                    continue
                docstring = ast.get_docstring(function)
                if docstring is not None:
                    found[f"{path.relative_to(ROOT)}:{function.lineno}"] = docstring
    return found


@pytest.mark.parametrize(
    "docstring",
    [
        "Returns the post.",
        "Does nothing.",
        "Posts; if the signature is rejected, again.",
        "Returns, for each delivery, the followers.",
        "Job `fetch_list`: fetches a list and merges it.",
    ],
)
def test_third_person_is_accepted(docstring: str) -> None:
    assert _says_what_it_does(docstring)


@pytest.mark.parametrize(
    "docstring",
    [
        "Return the post.",
        "Store the post.",
        "Make a folder.",
        "Read the file.",
        "Process the batch.",
        "As `read`, for moderators and admins.",
        "Whether the viewer may see the post.",
        "True when the job was finished.",
        "Always True: the job is finished.",
        "The server did not respond.",
        "SQL: the account is active.",
        "(id, uri) of the likes of a post.",
        "`Retry-After` in milliseconds.",
        "Job `fetch_list`: fetch a list and merge it.",
        "Seconds until the connection is closed.",
        "",
    ],
)
def test_other_forms_are_refused(docstring: str) -> None:
    assert not _says_what_it_does(docstring)


def test_docstrings_of_functions_say_first_what_they_do() -> None:
    docstrings = _function_docstrings()

    assert len(docstrings) > 1000
    assert {place: text for place, text in docstrings.items() if not _says_what_it_does(text)} == {}
