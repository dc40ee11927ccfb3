"""Messages of scripts: translated, complete, and safe inside a page."""

from __future__ import annotations

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from web.files.asset_urls import STATIC_FOLDER
from web.i18n import compose_messages
from web.i18n.js_messages import (
    collect_editor_messages,
    collect_messages,
    collect_viewer_messages,
    to_script_json,
)


def test_every_message_is_translated() -> None:
    messages = collect_messages(lambda message: f"<{message}>")

    keys = messages.pop("keys")
    assert isinstance(keys, list)
    texts = [*messages.values(), *(text for _key, text in keys)]
    texts += collect_viewer_messages(lambda message: f"<{message}>").values()
    texts += collect_editor_messages(lambda message: f"<{message}>").values()
    texts += compose_messages.collect(lambda message: f"<{message}>").values()
    texts += compose_messages.collect_upload_messages(lambda message: f"<{message}>").values()
    assert all(str(text).startswith("<") for text in texts)


def test_scripts_use_no_message_that_is_missing() -> None:
    def used(name: str, files: str = "*.js") -> set[str]:
        scripts = "".join(path.read_text() for path in (STATIC_FOLDER / "js").rglob(files))
        return set(re.findall(rf"\b{name}\??\.(\w+)", scripts))

    assert used("messages") - {"icons"} <= set(collect_messages(str))  # `web.html.templates` adds it
    assert used("words") <= set(collect_viewer_messages(str))
    assert used("texts", "editor/*.js") <= set(collect_editor_messages(str))
    assert used("texts", "compose/*.js") == set(compose_messages.collect(str))
    assert used("texts") <= set(compose_messages.collect(str)) | set(collect_editor_messages(str))
    assert used("uploadTexts") == set(compose_messages.collect_upload_messages(str))
    assert used("messages")
    assert used("words")


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.text()
        | st.sampled_from(["</script>", "<!--", "&lt;"]),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=5,
    )
)
def test_no_value_ends_its_script_element(value: object) -> None:
    text = str(to_script_json(value))

    assert not re.search("[<>&]", text)
    assert json.loads(text) == value
